// SPDX-License-Identifier: Apache-2.0
// The worker and everything that a stranger may try on it: a kernel for each known threat, and faults of the machine.
#include <blendr/compute/worker.hpp>

#include <doctest/doctest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "devices.hpp"
#include "kernels.hpp"

namespace {

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using word = std::uint32_t;

std::unique_ptr<worker> start(worker_options chosen = {})
{
    auto made = worker::start(std::move(chosen));
    REQUIRE_MESSAGE(made.has_value(), message(made.error()));
    return *std::move(made);
}

/// A worker under the validation layers, where they are installed.
class watched_worker {
public:
    watched_worker()
    {
        worker_options chosen;
        chosen.validation = watched{}.options.validation;
        chosen.on_validation = [this](std::string_view words) {
            said_ += std::string{words} + "\n";
        };
        on_ = start(chosen);
    }
    worker& operator*() { return *on_; }
    worker* operator->() { return on_.get(); }
    std::string const& complaints() const { return said_; }

private:
    std::string said_;
    std::unique_ptr<worker> on_;
};

/// Waits for a process in reserve other than `before`; 0 when none comes.
int spare_of(worker const& on, int before = 0)
{
    for (int i = 0; i < 60'000; ++i) {
        if (auto const spare = on.report().spare; spare != 0 && spare != before) return spare;
        std::this_thread::sleep_for(1ms);
    }
    return 0;
}

/// One small job whose result is known. Why it failed, or nothing.
std::string broken(device& on)
{
    auto const made = program::stranger(on, spirv_of(shipped::mix), policy{});
    if (!made) return message(made.error());
    auto const words = tensor<word>::make(on, numbers(100, 5));
    if (!words) return message(words.error());
    std::vector<word> out(100), right = numbers(100, 5);
    auto const ended = sequence{on}
                           .dispatch(*made, groups_of(shipped::mix, 100), {words->all()},
                                     std::array<word, 3>{100, 3, 4})
                           .download(*words, std::span<word>{out})
                           .run();
    if (!ended) return std::string{message(ended.what)} + ": " + ended.why;
    for (word i = 0; i < 100; ++i) {
        right[i] ^= 4;
        for (word r = 0; r < 3; ++r) {
            right[i] = (right[i] ^ right[i] >> 16) * 0x7feb352d;
            right[i] = (right[i] ^ right[i] >> 15) * 0x846ca68b + i + r;
        }
    }
    return out == right ? "" : "other words came out";
}

policy roomy_policy()
{
    policy under;
    under.as = profile::tolerance;
    return under;
}

/// Loads a program of tests/vectors/compute/run and runs it once on a tensor.
outcome run_on(device& on, std::string const& name, part const& words, origin whose,
               std::array<word, 3> groups = {1, 1, 1}, std::chrono::milliseconds deadline = 5s,
               policy const& under = roomy_policy())
{
    auto const made = on.load(running(name), under, whose);
    if (!made) return {made.error().what, 0, 0, made.error().why};
    batch work;
    work.deadline = deadline;
    work.steps.emplace_back(dispatch{made->id, groups, {words}, {}});
    return on.run(work);
}

/// Ended, all its threads too: only then are its files closed.
bool gone(int process)
{
    namespace fs = std::filesystem;
    auto const folder = "/proc/" + std::to_string(process);
    for (int i = 0; i < 5000; ++i) {
        std::ifstream stat{folder + "/stat"};
        std::string const text{std::istreambuf_iterator<char>{stat}, {}};
        std::error_code bad;
        fs::directory_iterator const threads{folder + "/task", bad};
        auto const left = bad ? 0 : std::distance(begin(threads), end(threads));
        if (text.empty() || (text.find(") Z") != std::string::npos && left <= 1)) return true;
        std::this_thread::sleep_for(1ms);
    }
    return false;
}

template <class F>
double milliseconds(F&& f)
{
    auto const began = clock_type::now();
    f();
    return std::chrono::duration<double, std::milli>(clock_type::now() - began).count();
}

}  // namespace

TEST_CASE("worker: a program in another process gives its result")
{
    if (!vulkan_here()) return;
    for (bool const in_place : {true, false}) {
        worker_options chosen;
        chosen.in_place = in_place;
        auto const on = start(chosen);
        CHECK(on->info().isolated);
        CHECK(broken(*on) == "");
        CHECK(on->report().started == 1);
        auto const later = on->submit(batch{});
        CHECK(const_cast<std::future<outcome>&>(later).get());
    }
}

TEST_CASE("worker: killed while it rests, nobody notices")
{
    if (!vulkan_here()) return;
    auto const on = start();
    auto const kept = tensor<word>::make(*on, numbers(10, 1)).value();
    auto const process = on->report().process;
    ::kill(process, SIGKILL);
    REQUIRE(gone(process));
    CHECK(broken(*on) == "");
    CHECK(on->report().died == 1);
    CHECK(on->report().started == 2);
    CHECK(on->report().last.find("signal 9") != std::string::npos);
    CHECK(kept.values().value() == numbers(10, 1));
}

TEST_CASE("worker: an endless program is killed at its deadline, and the next result is good")
{
    if (!vulkan_here()) return;
    auto const on = start();
    auto const words = tensor<word>::make(*on, 2).value();
    auto const process = on->report().process;
    outcome ended;
    auto const took = milliseconds(
        [&] { ended = run_on(*on, "endless", words.all(), origin::own, {1, 1, 1}, 200ms); });
    CHECK(ended.what == fault::timed_out);
    CHECK(ended.why.find("killed") != std::string::npos);
    CHECK(took < 10000);
    CHECK(gone(process));
    CHECK(broken(*on) == "");
    CHECK(on->report().killed == 1);
}

TEST_CASE("worker: a spare that met nobody takes over at once, and another one is made")
{
    if (!vulkan_here()) return;
    auto const on = start();
    auto const words = tensor<word>::make(*on, 2).value();
    auto const kept = tensor<word>::make(*on, numbers(10, 1)).value();
    for (std::uint64_t round = 1; round <= 2; ++round) {
        auto const process = on->report().process, spare = spare_of(*on);
        REQUIRE(spare != 0);
        CHECK(spare != process);
        auto const ended = run_on(*on, "endless", words.all(), origin::own, {1, 1, 1}, 100ms);
        CHECK(ended.what == fault::timed_out);
        CHECK(on->report().process == spare);  // nobody had to wait for it
        CHECK(on->report().killed == round);
        CHECK(on->report().started == round + 1);
        CHECK(gone(process));
        CHECK(broken(*on) == "");
        CHECK(on->report().process == spare);
        CHECK(kept.values().value() == numbers(10, 1));
    }
    // The next tenant gets it too, and memory that nobody wrote.
    auto const process = on->report().process, spare = spare_of(*on);
    REQUIRE(on->forget().has_value());
    CHECK(gone(process));
    CHECK(on->report().process == spare);
    auto const fresh = tensor<word>::make(*on, 64).value().values().value();
    CHECK(std::count(fresh.begin(), fresh.end(), 0u) == 64);
    CHECK(broken(*on) == "");
    auto const last = spare_of(*on, spare);
    CHECK(last != 0);
    CHECK(last != spare);
}

TEST_CASE("worker: a spare that died is not used, and none is made when none is wanted")
{
    if (!vulkan_here()) return;
    {
        auto const on = start();
        auto const spare = spare_of(*on), process = on->report().process;
        REQUIRE(spare != 0);
        ::kill(spare, SIGKILL);
        REQUIRE(gone(spare));
        ::kill(process, SIGKILL);
        REQUIRE(gone(process));
        CHECK(broken(*on) == "");
        CHECK(on->report().process != spare);
        CHECK(on->report().died == 1);
        CHECK(on->report().started == 2);
    }
    worker_options chosen;
    chosen.spare = false;
    auto const on = start(chosen);
    CHECK(broken(*on) == "");
    REQUIRE(on->forget().has_value());
    CHECK(broken(*on) == "");
    CHECK(on->report().spare == 0);
    CHECK(on->report().started == 2);
}

TEST_CASE("worker: SIGKILL at any moment costs at most the run that it hits")
{
    if (!vulkan_here()) return;
    auto const on = start();
    rng draw{blendr::test::seed()};
    std::size_t failed = 0, good = 0;
    for (int round = 0; round < 12; ++round) {
        auto const wait = std::chrono::microseconds{draw.below(40'000)};
        std::thread killer{[&, process = on->report().process] {
            std::this_thread::sleep_for(wait);
            if (process != 0) ::kill(process, SIGKILL);
        }};
        auto const until = clock_type::now() + 45ms;
        auto const look = [&] {
            auto const said = broken(*on);
            if (said.empty()) {
                ++good;
            } else {
                ++failed;
                CHECK_MESSAGE(said.find("other words") == std::string::npos, said);
            }
        };
        while (clock_type::now() < until) look();
        killer.join();
        look();  // a late killer's process may be dying only now
        CHECK(broken(*on) == "");
    }
    CHECK(good > 0);
    CHECK(failed <= 12);
    CHECK(on->report().died >= 1);
}

TEST_CASE("worker: every hostile program is refused in the worker, with its rule, and harms nobody")
{
    if (!vulkan_here()) return;
    watched_worker on;
    auto const process = on->report().process;
    std::size_t refused = 0;
    auto const all = hostile_kernels();
    for (auto const& each : all) {
        auto const& name = each.first;
        auto const& raw = each.second;
        policy under;
        auto const made = on->load(raw, under, origin::stranger);
        CHECK_MESSAGE(!made.has_value(), name);
        if (made) continue;
        CHECK_MESSAGE(made.error().what == fault::refused, name, ": ", message(made.error()));
        CHECK_MESSAGE(!made.error().why.empty(), name);
        ++refused;
    }
    CHECK(refused >= 19);
    CHECK(on->report().process == process);
    CHECK(broken(*on) == "");
    CHECK_MESSAGE(on.complaints().empty(), on.complaints());
}

TEST_CASE("worker: mutants of programs, run as they are admitted, never hang or harm it" *
          doctest::test_suite("property"))
{
    if (!vulkan_here()) return;
    auto const on = start();
    rng draw{blendr::test::seed()};
    auto const all = kernels();
    policy under = roomy_policy();
    under.loop_budget = 1 << 12;
    auto const memory = on->allocate(1 << 16).value();
    std::size_t ran = 0, refused = 0;
    for (int i = 0; i < 400; ++i) {
        auto raw = all[draw.below(all.size())].second;
        auto const at = draw.below(raw.size() / 4);
        raw = patched(raw, at, word_at(raw, at) ^ 1u << draw.below(32));
        auto const made = on->load(raw, under, origin::stranger);
        if (!made) {
            ++refused;
            CHECK_MESSAGE(made.error().what != fault::lost, message(made.error()));
            continue;
        }
        batch work;
        work.deadline = 2s;
        dispatch d{made->id, {1, 1, 1}, {}, bytes(made->needs.push_bytes)};
        for (auto const& each : made->needs.bindings)
            d.bound.push_back({memory, 0, std::max<std::uint64_t>(each.bytes_min(), 4096)});
        work.steps.emplace_back(std::move(d));
        auto const ended = on->run(work);
        ++ran;
        CHECK_MESSAGE((ended.what == fault::ok || ended.what == fault::trapped ||
                       ended.what == fault::does_not_bind || ended.what == fault::outside_memory),
                      message(ended.what), ": ", ended.why);
    }
    CHECK(ran > 20);
    CHECK(refused > 20);
    CHECK(broken(*on) == "");
}

TEST_CASE(
    "worker: out of bounds traps, in buffers and in shared memory, under the validation layers")
{
    if (!vulkan_here()) return;
    watched_worker on;
    for (word const index : {16u, 0x40000000u, 0xFFFFFFFFu}) {
        auto const words = tensor<word>::make(*on, std::array<word, 2>{index, 0}).value();
        auto const ended = run_on(*on, "shared_outside", words.all(), origin::stranger);
        CHECK(ended.what == fault::trapped);
        CHECK(ended.traps == static_cast<word>(trap::out_of_bounds));
        CHECK(ended.why.find("outside") != std::string::npos);
    }
    auto const inside = tensor<word>::make(*on, std::array<word, 2>{3, 0}).value();
    CHECK(run_on(*on, "shared_outside", inside.all(), origin::stranger));
    CHECK(inside.values().value()[1] == 7);
    CHECK_MESSAGE(on.complaints().empty(), on.complaints());
}

TEST_CASE("worker: an endless loop of a stranger traps on its budget")
{
    if (!vulkan_here()) return;
    auto const on = start();
    auto const words = tensor<word>::make(*on, 2).value();
    policy under;
    under.loop_budget = 1 << 16;
    auto const ended = run_on(*on, "endless", words.all(), origin::stranger, {1, 1, 1}, 5s, under);
    CHECK(ended.what == fault::trapped);
    CHECK(ended.why.find("loop") != std::string::npos);
    CHECK(on->report().started == 1);
}

TEST_CASE("worker: a compiler's mistake about a loop does not switch off its budget")
{
    if (!vulkan_here()) return;
    auto const on = start();
    auto const words = tensor<word>::make(*on, 2).value();
    policy under;
    under.loop_budget = 500;
    auto const ended = run_on(*on, "far", words.all(), origin::stranger, {1, 1, 1}, 60s, under);
    CHECK(ended.what == fault::trapped);
    CHECK(ended.traps == static_cast<word>(trap::loop_budget));
    CHECK(on->report().started == 1);
}

TEST_CASE("worker: a program with an unspeakable name is refused, and costs nobody the worker")
{
    if (!vulkan_here()) return;
    auto const on = start();
    auto raw = running("half");
    bool found = false;
    for (std::size_t i = 0; i < raw.size() / 4 && !found; ++i) {
        found = word_at(raw, i) == 0x6E69616D;  // "main"
        if (found) raw = patched(raw, i, 0x6E6961ED);
    }
    REQUIRE(found);
    for (auto const whose : {origin::stranger, origin::own}) {
        auto const made = on->load(raw, roomy_policy(), whose);
        REQUIRE(!made.has_value());
        CHECK(made.error().what == fault::refused);
    }
    CHECK(on->report().started == 1);
    CHECK(on->report().died == 0);
}

TEST_CASE("worker: the next tenant sees nothing of the one before")
{
    if (!vulkan_here()) return;
    auto const on = start();
    constexpr word n = 64 * 64;
    auto const process = on->report().process;
    for (int i = 0; i < 3; ++i) {
        auto const mark = tensor<word>::make(*on, n).value();
        REQUIRE(run_on(*on, "secret", mark.all(), origin::own, {64, 1, 1}));
        CHECK(mark.values().value()[5] == 0x5ec7e7a1);
    }
    REQUIRE(on->forget().has_value());
    CHECK(gone(process));
    CHECK(on->report().process != process);
    auto const made = on->load(running("stale"), policy{}, origin::stranger).value();
    auto const seen = tensor<word>::make(*on, n).value();
    auto const before = tensor<word>::make(*on, n).value();
    batch work;
    work.steps.emplace_back(dispatch{made.id, {64, 1, 1}, {seen.all(), before.all()}, {}});
    REQUIRE(on->run(work));
    auto const leaked = seen.values().value();
    CHECK(std::count(leaked.begin(), leaked.end(), 0u) == n);
}

TEST_CASE("worker: memory that is given back and taken again is zeros")
{
    if (!vulkan_here()) return;
    auto const on = start();
    for (int i = 0; i < 4; ++i) {
        auto const words = tensor<word>::make(*on, 1 << 16).value();
        auto const fresh = words.values().value();
        CHECK(std::count(fresh.begin(), fresh.end(), 0u) == 1 << 16);
        REQUIRE(run_on(*on, "secret", words.all(), origin::own, {64, 1, 1}));
    }
}

TEST_CASE("worker: huge grids are cut into slices and end at the deadline, in order")
{
    if (!vulkan_here()) return;
    worker_options chosen;
    chosen.grace = 2000ms;  // the machine may be busy
    auto const on = start(chosen);
    auto const words = tensor<word>::make(*on, 2).value();
    outcome ended;
    auto const took = milliseconds([&] {
        ended = run_on(*on, "slow", words.all(), origin::stranger, {65535, 65535, 65535}, 600ms);
    });
    CHECK(ended.what == fault::timed_out);
    CHECK(ended.slices > 1);
    CHECK(took < 10000);
    CHECK(on->report().killed == 0);  // it stopped by itself, between two slices
    CHECK(broken(*on) == "");

    auto const all = tensor<word>::make(*on, 2).value();
    CHECK(run_on(*on, "slow", all.all(), origin::stranger, {7, 9, 3}));
    CHECK(all.values().value()[0] == 7 * 9 * 3);
    CHECK(run_on(*on, "slow", words.all(), origin::stranger, {0, 1, 1}));
    batch work;
    work.steps.emplace_back(dispatch{program_id{1}, {70'000, 1, 1}, {words.all()}, {}});
    auto const many = on->run(work);
    CHECK((many.what == fault::grid_too_large || many.what == fault::does_not_bind));
}

TEST_CASE("worker: a program that counts groups sees all of them")
{
    if (!vulkan_here()) return;
    auto const on = start();
    auto const words = tensor<word>::make(*on, 500).value();
    REQUIRE(run_on(*on, "counts", words.all(), origin::stranger, {500, 1, 1}));
    auto const seen = words.values().value();
    CHECK(std::count(seen.begin(), seen.end(), 500u) == 500);
}

TEST_CASE("worker: a compile bomb of one's own ends with the worker, not with the supervisor")
{
    if (!vulkan_here()) return;
    worker_options chosen;
    chosen.load_within = 1000ms;
    chosen.address_space_bytes = std::uint64_t{2} << 30;
    auto const on = start(chosen);
    auto const bomb = read_file(blendr::test::data("vectors/compute/hostile/compile_bomb.spv"));
    auto const stranger = on->load(bomb, policy{}, origin::stranger);
    REQUIRE(!stranger.has_value());
    CHECK(stranger.error().what == fault::refused);
    failure why{};
    auto const took = milliseconds([&] {
        // Compiled when it is loaded, or hidden at its first dispatch: both have an end.
        auto const made = on->load(bomb, policy{}, origin::own);
        if (!made) {
            why = made.error();
            return;
        }
        batch work;
        work.deadline = 1000ms;
        dispatch d{made->id, {1, 1, 1}, {}, bytes(made->needs.push_bytes)};
        auto const memory = on->allocate(1 << 16).value();
        for (auto const& each : made->needs.bindings)
            d.bound.push_back({memory, 0, std::max<std::uint64_t>(each.bytes_min(), 4096)});
        work.steps.emplace_back(std::move(d));
        auto const ended = on->run(work);
        why = {ended.what, ended.why};
    });
    CHECK_MESSAGE(why.what != fault::ok, "the bomb went off and nobody noticed");
    CHECK(!message(why).empty());
    CHECK(took < 20000);
    CHECK(broken(*on) == "");
}

TEST_CASE("worker: more memory than a tenant may have is refused with numbers")
{
    if (!vulkan_here()) return;
    worker_options chosen;
    chosen.memory_bytes = 1 << 20;
    auto const on = start(chosen);
    auto const too_much = on->allocate(std::uint64_t{1} << 40);
    REQUIRE(!too_much.has_value());
    CHECK(too_much.error().what == fault::out_of_memory);
    CHECK(too_much.error().why.find("1048576") != std::string::npos);
    std::vector<memory_id> all;
    while (all.size() < 100) {
        auto const one = on->allocate(1 << 16);
        if (!one) break;
        all.push_back(*one);
    }
    CHECK(all.size() == 16);
    for (auto const each : all) on->release(each);
    CHECK(on->allocate(1 << 20).has_value());
}

TEST_CASE("worker: what is bound has to be what the program asks for, and inside of memory")
{
    if (!vulkan_here()) return;
    auto const on = start();
    auto const words = tensor<word>::make(*on, 64).value();
    auto const made = on->load(running("half"), policy{}, origin::stranger).value();
    auto const how = [&](std::vector<part> bound, bytes push = {}) {
        batch work;
        work.steps.emplace_back(dispatch{made.id, {1, 1, 1}, std::move(bound), std::move(push)});
        return on->run(work).what;
    };
    CHECK(how({words.all()}) == fault::ok);
    CHECK(how({}) == fault::does_not_bind);
    CHECK(how({words.all(), words.all()}) == fault::does_not_bind);
    CHECK(how({words.all()}, bytes(4)) == fault::does_not_bind);
    CHECK(how({{words.all().of, 4, 64}}) == fault::does_not_bind);
    CHECK(how({{words.all().of, 256, 64}}) == fault::outside_memory);
    CHECK(how({{words.all().of, 0, 257}}) == fault::outside_memory);
    CHECK(how({{memory_id{999}, 0, 64}}) == fault::unknown_memory);
    batch work;
    work.steps.emplace_back(dispatch{program_id{77}, {1, 1, 1}, {words.all()}, {}});
    CHECK(on->run(work).what == fault::unknown_program);
    CHECK(broken(*on) == "");
}

TEST_CASE("worker: no driver, no device, no worker and no time are sentences")
{
    if (!vulkan_here()) return;
    auto const why = [](worker_options const& chosen) {
        auto const made = worker::start(chosen);
        REQUIRE(!made.has_value());
        return made.error();
    };
    worker_options chosen;
    chosen.device = 99;
    CHECK((why(chosen).what == fault::no_device || why(chosen).what == fault::no_driver));
    chosen = {};
    chosen.executable = "/nonexistent/worker";
    CHECK(why(chosen).what == fault::no_worker);
    chosen.executable = "/bin/true";  // starts, and does not speak
    CHECK(why(chosen).what == fault::no_worker);
    chosen.executable = "/bin/cat";  // speaks, but says back what it is told
    chosen.start_within = 300ms;
    CHECK(why(chosen).what == fault::no_worker);
    chosen = {};
    chosen.start_within = 1ms;
    CHECK(why(chosen).what == fault::no_worker);

    std::string const before =
        std::getenv("VK_DRIVER_FILES") != nullptr ? std::getenv("VK_DRIVER_FILES") : "";
    ::setenv("VK_DRIVER_FILES", "/nonexistent.json", 1);
    auto const missing = why({}).what;
    if (before.empty())
        ::unsetenv("VK_DRIVER_FILES");
    else
        ::setenv("VK_DRIVER_FILES", before.c_str(), 1);
    CHECK(missing == fault::no_driver);
}

TEST_CASE("worker: has no way out: no files, no sockets, no processes, no privileges")
{
    if (!vulkan_here()) return;
    auto const on = start();
    std::ifstream status{"/proc/" + std::to_string(on->report().process) + "/status"};
    std::string const text{std::istreambuf_iterator<char>{status}, {}};
    CHECK(text.find("NoNewPrivs:\t1") != std::string::npos);
    CHECK(text.find("Seccomp:\t2") != std::string::npos);
    std::size_t files = 0;
    for (auto const& each : std::filesystem::directory_iterator{
             "/proc/" + std::to_string(on->report().process) + "/fd"}) {
        auto const to = std::filesystem::read_symlink(each.path()).string();
        CHECK_MESSAGE((to == "/dev/null" || to.starts_with("socket:") ||
                       to.starts_with("/memfd:") || to.starts_with("anon_inode:") ||
                       to.starts_with("/dev/udmabuf")),
                      to);
        ++files;
    }
    CHECK(files >= 5);
    CHECK(files < 32);
}

TEST_CASE("worker: ends with the process that started it, however that ends")
{
    if (!vulkan_here()) return;
    std::array<int, 2> pipe{};
    REQUIRE(::pipe(pipe.data()) == 0);
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::array<int, 2> both{};
        auto const on = worker::start();
        if (on) both = {(*on)->report().process, spare_of(**on)};
        [[maybe_unused]] auto const sent = ::write(pipe[1], both.data(), sizeof both);
        ::raise(SIGKILL);
    }
    std::array<int, 2> both{};
    REQUIRE(::read(pipe[0], both.data(), sizeof both) == sizeof both);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
    for (auto const each : both) {
        REQUIRE(each != 0);
        CHECK(gone(each));
    }
}

TEST_CASE("worker: its temporary folder goes with it")
{
    if (!vulkan_here()) return;
    auto const count = [] {
        std::size_t n = 0;
        for (auto const& each :
             std::filesystem::directory_iterator{std::filesystem::temp_directory_path()})
            n += each.path().filename().string().starts_with("blendr-worker-") ? 1u : 0u;
        return n;
    };
    std::string const folder = blendr::test::scratch("worker").string();
    ::setenv("TMPDIR", folder.c_str(), 1);
    {
        auto const on = start();
        CHECK(count() == 1);
    }
    CHECK(count() == 0);
    ::unsetenv("TMPDIR");
}
