// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/worker.hpp>

#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <blendr/compute/self_test.hpp>
#include <blendr/compute/vulkan.hpp>

#include "free_list.hpp"
#include "programs.hpp"
#include "runner.hpp"
#include "wire.hpp"

namespace blendr::compute {

namespace {

namespace fs = std::filesystem;
using clock = wire::clock;

constexpr std::uint64_t alignment = 256;

/// A file that closes itself.
class file {
public:
    file() = default;
    explicit file(int number) : number_{number} {}
    file(file&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
    file& operator=(file&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~file()
    {
        if (number_ >= 0) ::close(number_);
    }
    int get() const noexcept { return number_; }
    explicit operator bool() const noexcept { return number_ >= 0; }

private:
    int number_ = -1;
};

std::string how_it_ended(int status)
{
    if (WIFEXITED(status))
        return "the worker ended with status " + std::to_string(WEXITSTATUS(status));
    auto const number = WTERMSIG(status);
    std::string text = "the worker ended by signal " + std::to_string(number);
    switch (number) {
    case SIGSYS:
        return text + ": it asked the system for what it must not";
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
        return text + ": the driver or what it compiled broke";
    case SIGABRT:
        return text + ": the driver gave up, out of memory perhaps";
    case SIGXCPU:
        return text + ": its processor time was spent";
    case SIGKILL:
        return text + ": somebody killed it";
    default:
        return text;
    }
}

/// The worker beside this program, or where it was installed.
std::string find_executable()
{
    std::error_code ignored;
    auto const self = fs::read_symlink("/proc/self/exe", ignored);
    for (auto const& each : {self.parent_path() / "blendr-compute-worker",
                             self.parent_path() / "../libexec/blendr/blendr-compute-worker",
                             fs::path{BLENDR_LIBEXEC_DIR} / "blendr-compute-worker"})
        if (fs::exists(each, ignored)) return each.string();
    return {};
}

/// Memory that both see and neither can shrink under the other.
class arena {
public:
    static std::unique_ptr<arena> make(std::uint64_t bytes)
    {
        auto made = std::make_unique<arena>();
        made->file_ = file{::memfd_create("blendr-compute", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
        if (!made->file_ || ::ftruncate(made->file_.get(), static_cast<off_t>(bytes)) != 0 ||
            ::fcntl(made->file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
            return nullptr;
        auto* const at =
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, made->file_.get(), 0);
        if (at == MAP_FAILED) return nullptr;
        made->bytes_ = {static_cast<std::byte*>(at), bytes};
        return made;
    }
    arena() = default;
    arena(arena const&) = delete;
    arena& operator=(arena const&) = delete;
    ~arena()
    {
        if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
    }

    /// All of it is zeros afterwards, and takes no memory.
    void clear() noexcept
    {
        if (::fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                        static_cast<off_t>(bytes_.size())) != 0)
            std::fill(bytes_.begin(), bytes_.end(), std::byte{0});
    }

    int number() const noexcept { return file_.get(); }
    std::span<std::byte> bytes() const noexcept { return bytes_; }

private:
    file file_;
    std::span<std::byte> bytes_;
};

}  // namespace

struct worker::impl {
    struct process {
        pid_t id = 0;
        file socket;
        std::uint64_t generation = 0;
    };
    struct source {
        bytes spirv;
        policy under{};
        origin whose{};
        reflection needs;
        std::uint64_t generation = 0;  // of the process that knows it as `id`
        std::uint64_t id = 0;
    };
    struct memory {
        std::uint64_t at = 0, bytes = 0;
    };
    enum class stage : std::uint8_t { none, starting, ready, failed };

    worker_options chosen;
    std::unique_ptr<arena> shared;
    fs::path folder;
    device_info info;

    bool reserves = false;  // once it has passed its test

    std::mutex turns;  // one call at a time
    free_list room{0};
    std::map<memory_id, memory> memories;
    std::map<program_id, source> programs;
    std::map<hash256, std::vector<program_id>> known;
    std::uint64_t next_id = 1;

    std::mutex mutable state;  // everything below
    std::condition_variable changed;
    stage at = stage::none;
    bool leaving = false;
    process now;
    process spare;             // ready, and has met nobody
    bool wants_spare = false;  // one is to be made when there is none
    bool spawning = false;
    pid_t unborn = 0;  // started, and has not answered yet
    failure why{};
    worker_report told;
    std::thread monitor;  // starts the processes: they end when the thread that started them does

    ~impl()
    {
        {
            std::lock_guard const lock{state};
            leaving = true;
            if (unborn != 0) ::kill(unborn, SIGKILL);
        }
        changed.notify_all();
        if (monitor.joinable()) monitor.join();
        if (now.id != 0) end_process();
        end_spare();
        std::error_code ignored;
        if (!folder.empty()) fs::remove_all(folder, ignored);
    }

    // ------------------------------------------------------------ processes
    void watch()
    {
        std::unique_lock lock{state};
        for (;;) {
            changed.wait(lock, [&] {
                return leaving || at == stage::starting || (wants_spare && spare.id == 0);
            });
            if (leaving) return;
            spawning = true;
            lock.unlock();
            process fresh;
            device_info said;
            auto const bad = spawn(fresh, said);
            lock.lock();
            spawning = false;
            unborn = 0;
            if (bad.what == fault::ok) {
                if (info.name.empty()) info = std::move(said);
                spare = std::move(fresh);
                told.spare = spare.id;
                if (at == stage::starting) promote();
            } else if (at == stage::starting) {
                why = bad;
                at = stage::failed;
            } else {
                wants_spare = false;  // until somebody needs one
            }
            changed.notify_all();
        }
    }

    /// The one in reserve takes over, if it lives. With `state` held.
    bool promote()
    {
        if (spare.id == 0) return false;
        if (has_died(spare)) {
            end_spare();
            return false;
        }
        now = std::exchange(spare, {});
        now.generation = ++told.started;
        told.process = now.id;
        told.spare = 0;
        at = stage::ready;
        changed.notify_all();
        return true;
    }

    /// Brings one into place: at once when one is in reserve. With `state` held.
    void begin()
    {
        at = stage::starting;
        if (!promote()) changed.notify_all();
    }

    static bool has_died(process const& p)
    {
        char one{};
        auto const peeked = ::recv(p.socket.get(), &one, 1, MSG_DONTWAIT | MSG_PEEK);
        return peeked == 0 || (peeked < 0 && errno != EAGAIN && errno != EINTR);
    }

    failure spawn(process& fresh, device_info& said)
    {
        auto const path = chosen.executable.empty() ? find_executable() : chosen.executable;
        if (path.empty()) return {fault::no_worker, "blendr-compute-worker is not installed"};
        std::array<int, 2> pair{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
            return {fault::no_worker, std::strerror(errno)};
        file ours{pair[0]}, theirs{pair[1]};
        // Numbers that no action below overwrites before it is copied.
        file high_socket{::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 10)},
            high_arena{::fcntl(shared->number(), F_DUPFD_CLOEXEC, 10)};

        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
        ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
        ::posix_spawn_file_actions_adddup2(&files, high_socket.get(), wire::socket_file);
        ::posix_spawn_file_actions_adddup2(&files, high_arena.get(), wire::arena_file);
        ::posix_spawn_file_actions_addclosefrom_np(&files, wire::arena_file + 1);
        sigset_t none, all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &all);
        ::posix_spawnattr_setpgroup(&attributes, 0);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
        auto const words = environment();
        std::vector<char*> pointers;
        for (auto const& each : words) pointers.push_back(const_cast<char*>(each.c_str()));
        pointers.push_back(nullptr);
        std::array<char*, 2> arguments{const_cast<char*>(path.c_str()), nullptr};
        auto const bad = ::posix_spawn(&fresh.id, path.c_str(), &files, &attributes,
                                       arguments.data(), pointers.data());
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
        if (bad != 0) {
            fresh.id = 0;
            return {fault::no_worker, path + ": " + std::strerror(bad)};
        }
        {
            std::lock_guard const lock{state};
            unborn = fresh.id;
            if (leaving) ::kill(unborn, SIGKILL);
        }
        fresh.socket = std::move(ours);
        // Only the worker holds its end now: when it dies, ours says so.
        theirs = file{};
        high_socket = file{};

        auto const until = clock::now() + chosen.start_within;
        wire::kind what{};
        bytes payload;
        auto heard = wire::heard::closed;
        if (wire::send(fresh.socket.get(), wire::kind::setup, encode(set_up())))
            heard = wire::receive(fresh.socket.get(), what, payload, until);
        auto answer = heard == wire::heard::message && what == wire::kind::ready
                          ? decode<wire::ready>(payload)
                          : result<wire::ready, decode_error>{tl::make_unexpected(decode_error{})};
        if (answer && answer->what == fault::ok) {
            said = std::move(answer->info);
            said.memory_bytes = shared->bytes().size();
            said.buffer_bytes_max = std::min(said.buffer_bytes_max, said.memory_bytes);
            said.offset_alignment = std::max(said.offset_alignment, alignment);
            return {};
        }
        {
            std::lock_guard const lock{state};
            unborn = 0;  // its number may be another's soon
        }
        auto const ended = reap(fresh.id);
        fresh = {};
        if (answer) return {answer->what, answer->why};
        return {fault::no_worker,
                heard == wire::heard::late ? std::string{"it did not start in time"} : ended};
    }

    wire::setup set_up() const
    {
        wire::setup how;
        how.arena_bytes = shared->bytes().size();
        how.any_device = !chosen.device.has_value();
        how.device = chosen.device.value_or(0);
        how.import = chosen.in_place;
        how.validation = chosen.validation;
        how.slice_ms =
            static_cast<std::uint32_t>(std::clamp<std::int64_t>(chosen.slice.count(), 1, 200));
        how.address_space_bytes =
            chosen.address_space_bytes == 0
                ? 0
                : chosen.address_space_bytes + (how.import ? 1u : 2u) * how.arena_bytes;
        how.cpu_seconds =
            static_cast<std::uint64_t>(std::max<std::int64_t>(chosen.processor_time.count(), 1));
        how.parent = static_cast<std::uint32_t>(::getpid());
        return how;
    }

    /// As little of ours as a driver can do with, and no place to keep anything.
    std::vector<std::string> environment() const
    {
        std::vector<std::string> all{"HOME=" + folder.string(), "TMPDIR=" + folder.string(),
                                     "XDG_CACHE_HOME=" + folder.string(),
                                     "MESA_SHADER_CACHE_DISABLE=true", "LC_ALL=C"};
        for (char const* const name :
             {"VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES", "VK_LAYER_PATH",
              "LP_NUM_THREADS", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"})
            if (char const* const value = std::getenv(name))
                all.push_back(std::string{name} + "=" + value);
        if (std::getenv("VK_DRIVER_FILES") == nullptr &&
            std::getenv("VK_ICD_FILENAMES") == nullptr &&
            std::getenv("VK_ADD_DRIVER_FILES") == nullptr)
            if (auto const driver = embedded_driver(); !driver.empty())
                all.push_back("VK_ADD_DRIVER_FILES=" + driver);
        return all;
    }

    /// Kills and waits, for two seconds at most: a process that the system itself is stuck in is left to it.
    static std::string reap(pid_t id)
    {
        int status = 0;
        bool const gone_by_itself = ::waitpid(id, &status, WNOHANG) == id;
        if (gone_by_itself) return how_it_ended(status);
        // It may be on its way out: its socket closes a moment before it can be waited for.
        ::kill(id, SIGKILL);
        for (int i = 0; i < 20'000; ++i) {
            if (::waitpid(id, &status, WNOHANG) == id) return how_it_ended(status);
            std::this_thread::sleep_for(std::chrono::microseconds{100});
        }
        return "the worker cannot be ended: the system is stuck in it";
    }

    void reserve()
    {
        std::lock_guard const lock{state};
        wants_spare = reserves = chosen.spare;
        changed.notify_all();
    }

    /// With `state` held or nobody else there.
    std::string end_process()
    {
        auto const said = reap(now.id);
        now = {};
        told.process = 0;
        return said;
    }

    void end_spare()
    {
        if (spare.id == 0) return;
        reap(spare.id);
        spare = {};
        told.spare = 0;
    }

    /// Waits until one is there. Its number, or why there is none.
    result<std::uint64_t, failure> alive()
    {
        std::unique_lock lock{state};
        if (at == stage::ready && has_died(now)) {
            // It died while nothing ran: nobody's work is lost.
            ++told.died;
            told.last = end_process();
            at = stage::none;
        }
        if (at == stage::none || at == stage::failed) begin();
        changed.wait(lock, [&] { return at == stage::ready || at == stage::failed; });
        if (at == stage::failed) return fail{why};
        return now.generation;
    }

    /// The process is no use any more. The next one takes over, or starts in the background.
    std::string replace(bool late)
    {
        std::lock_guard const lock{state};
        if (at != stage::ready) return told.last;
        auto said = end_process();
        if (late) {
            ++told.killed;
            said = "the worker was late and was killed";
        } else {
            ++told.died;
        }
        told.last = said;
        wants_spare = wants_spare || reserves;
        begin();
        return said;
    }

    /// Asks and waits. Nothing, when there is an answer; else how it ended.
    struct broken {
        bool late = false;
        std::string why;
    };
    std::optional<broken> ask(wire::kind what, bytes_view payload, wire::kind expected,
                              bytes& answer, clock::time_point until)
    {
        int const socket = now.socket.get();
        wire::kind heard_kind{};
        auto heard = wire::heard::closed;
        if (wire::send(socket, what, payload))
            heard = wire::receive(socket, heard_kind, answer, until);
        if (heard == wire::heard::message && heard_kind == expected) return std::nullopt;
        bool const late = heard == wire::heard::late;
        return broken{late, replace(late)};
    }

    void pass_on(std::vector<std::string> const& complaints) const
    {
        if (chosen.on_validation)
            for (auto const& each : complaints) chosen.on_validation(each);
    }

    // ------------------------------------------------------------ programs
    result<nothing, failure> load_into(source& s, clock::time_point until)
    {
        wire::load ask_;
        ask_.spirv = s.spirv;
        ask_.own = s.whose == origin::own;
        ask_.exact = s.under.as == profile::exact;
        ask_.loop_budget = s.under.loop_budget;
        ask_.inlined_size_max = s.under.inlined_size_max;
        ask_.private_bytes_max = s.under.private_bytes_max;
        ask_.value_bytes_max = s.under.value_bytes_max;
        BLENDR_TRY(auto const generation, alive());
        bytes raw;
        if (auto const bad = ask(wire::kind::load, encode(ask_), wire::kind::loaded, raw, until))
            return fail{failure{fault::does_not_compile,
                                bad->late ? "it was not compiled in time; " + bad->why : bad->why}};
        auto answer = decode<wire::loaded>(raw);
        if (!answer)
            return fail{
                failure{fault::lost, "the worker does not speak as it should; " + replace(false)}};
        pass_on(answer->complaints);
        if (answer->what != fault::ok) return fail{failure{answer->what, answer->why}};
        s.needs = std::move(answer->needs);
        s.id = answer->id;
        s.generation = generation;
        return nothing{};
    }

    // ------------------------------------------------------------ running
    std::span<std::byte> find(part const& p, outcome& bad, std::uint32_t number) const
    {
        auto const found = memories.find(p.of);
        if (found == memories.end()) {
            bad = {fault::unknown_memory, 0, number, {}};
            return {};
        }
        auto const& m = found->second;
        if (p.offset > m.bytes || p.bytes > m.bytes - p.offset) {
            bad = {fault::outside_memory, 0, number,
                   std::to_string(p.bytes) + " bytes at " + std::to_string(p.offset) + " of " +
                       std::to_string(m.bytes)};
            return {};
        }
        return shared->bytes().subspan(m.at + p.offset, p.bytes);
    }

    /// Adds a dispatch to what the worker is asked for next.
    outcome collect(dispatch const& d, wire::run& next, std::uint32_t number,
                    clock::time_point until)
    {
        auto const found = programs.find(d.program);
        if (found == programs.end()) return {fault::unknown_program, 0, number, {}};
        auto& s = found->second;
        if (auto const bad = check_dispatch(s.needs, d, info, number); !bad) return bad;
        wire::dispatch w{0, d.groups, {}, d.push};
        outcome bad;
        for (auto const& each : d.bound) {
            auto const at_ = find(each, bad, number);
            if (!bad) return bad;
            w.bound.push_back(
                {static_cast<std::uint64_t>(at_.data() - shared->bytes().data()), each.bytes});
        }
        auto const generation = alive();
        if (!generation) return {generation.error().what, 0, number, generation.error().why};
        if (s.generation != *generation) {
            if (auto const again = load_into(s, until); !again)
                return {again.error().what, 0, number, again.error().why};
        }
        w.program = s.id;
        next.all.push_back(std::move(w));
        return {};
    }

    outcome flush(wire::run& next, std::vector<std::uint32_t>& steps, outcome& sum,
                  clock::time_point until)
    {
        if (next.all.empty()) return {};
        auto const first = steps.front();
        auto const left =
            std::chrono::duration_cast<std::chrono::microseconds>(until - clock::now()).count();
        if (left <= 0) return {fault::timed_out, 0, first, "the deadline passed"};
        next.deadline_us = static_cast<std::uint64_t>(left);
        bytes raw;
        auto const bad =
            ask(wire::kind::run, encode(next), wire::kind::ended, raw, until + chosen.grace);
        next.all.clear();
        auto const asked = std::exchange(steps, {});
        if (bad) return {bad->late ? fault::timed_out : fault::lost, 0, first, bad->why};
        auto const answer = decode<wire::ended>(raw);
        if (!answer)
            return {fault::lost, 0, first,
                    "the worker does not speak as it should; " + replace(false)};
        pass_on(answer->complaints);
        sum.device_ns += static_cast<std::int64_t>(answer->device_ns);
        sum.slices += answer->slices;
        auto said = answer->why;
        if (!answer->usable) said += "; " + replace(answer->what == fault::timed_out);
        return {answer->what, answer->traps,
                asked[std::min<std::size_t>(answer->at, asked.size() - 1)], said};
    }

    outcome run(batch const& work)
    {
        auto const until = clock::now() + work.deadline;
        outcome sum, bad;
        wire::run next;
        std::vector<std::uint32_t> steps;
        std::uint32_t number = 0;
        for (auto const& each : work.steps) {
            if (auto const* const d = std::get_if<dispatch>(&each)) {
                // A program that has to be loaded again is loaded before others wait in the queue.
                bad = collect(*d, next, number, until);
                if (bad) steps.push_back(number);
            } else if (bad = flush(next, steps, sum, until); bad) {
                bad = copy(each, number);
            }
            if (!bad) break;
            ++number;
        }
        if (bad || !next.all.empty()) {
            auto last = flush(next, steps, sum, until);
            if (!last) bad = std::move(last);
        }
        bad.device_ns = sum.device_ns;
        bad.slices = sum.slices;
        return bad;
    }

    outcome copy(compute::step const& each, std::uint32_t number) const
    {
        outcome bad;
        if (auto const* const u = std::get_if<upload>(&each)) {
            auto const to = find(u->to, bad, number);
            if (bad && to.size() != u->from.size())
                return {fault::outside_memory, 0, number,
                        "the bytes to upload are not as many as the part's"};
            if (bad && !to.empty()) std::memcpy(to.data(), u->from.data(), to.size());
        } else {
            auto const& d = std::get<download>(each);
            auto const from = find(d.from, bad, number);
            if (bad && from.size() != d.to.size())
                return {fault::outside_memory, 0, number,
                        "there is not as much room as the part has bytes"};
            if (bad && !from.empty()) std::memcpy(d.to.data(), from.data(), from.size());
        }
        return bad;
    }

    std::unique_ptr<runner> behind;
};

worker::worker(std::unique_ptr<impl> made) : impl_{std::move(made)}
{
    impl_->behind = std::make_unique<runner>(*this);
}

worker::~worker() { impl_->behind.reset(); }

result<std::unique_ptr<worker>, failure> worker::start(worker_options chosen)
{
    auto made = std::make_unique<impl>();
    made->chosen = std::move(chosen);
    constexpr std::uint64_t page = 65'536;
    auto const bytes = (std::max(made->chosen.memory_bytes, page) + page - 1) & ~(page - 1);
    made->shared = arena::make(bytes);
    if (made->shared == nullptr)
        return fail{failure{fault::out_of_memory, "the memory to share cannot be had"}};
    made->room = free_list{bytes};
    std::error_code bad;
    auto pattern = (fs::temp_directory_path(bad) / "blendr-worker-XXXXXX").string();
    if (bad || ::mkdtemp(pattern.data()) == nullptr)
        return fail{failure{fault::no_worker, "no folder for temporary files can be made"}};
    made->folder = pattern;
    made->monitor = std::thread{[i = made.get()] { i->watch(); }};
    std::unique_ptr<worker> one{new worker{std::move(made)}};
    {
        std::lock_guard const lock{one->impl_->turns};
        BLENDR_CHECK(one->impl_->alive());
    }
    BLENDR_CHECK(self_test(*one));
    one->impl_->reserve();
    return one;
}

device_info const& worker::info() const noexcept { return impl_->info; }

result<loaded, failure> worker::load(bytes_view spirv, policy const& under, origin whose)
{
    auto& i = *impl_;
    std::lock_guard const lock{i.turns};
    auto const submitted = program_hash(spirv);
    for (auto const id : i.known[submitted]) {
        auto const& s = i.programs.at(id);
        if (s.whose == whose && s.under.as == under.as &&
            s.under.loop_budget == under.loop_budget &&
            s.under.inlined_size_max == under.inlined_size_max &&
            s.under.private_bytes_max == under.private_bytes_max &&
            s.under.value_bytes_max == under.value_bytes_max)
            return loaded{id, submitted, s.needs};
    }
    impl::source s;
    if (spirv.size() > spirv_module::bytes_max)
        return fail{failure{fault::refused, message(refusal{rule::too_many_bytes})}};
    s.spirv = to_bytes(spirv);
    s.under = under;
    s.whose = whose;
    BLENDR_CHECK(i.load_into(s, clock::now() + i.chosen.load_within));
    auto const id = program_id{i.next_id++};
    i.known[submitted].push_back(id);
    auto const& kept = i.programs.emplace(id, std::move(s)).first->second;
    return loaded{id, submitted, kept.needs};
}

result<memory_id, failure> worker::allocate(std::uint64_t bytes)
{
    auto& i = *impl_;
    std::lock_guard const lock{i.turns};
    bytes = std::max<std::uint64_t>(bytes, 4);
    auto const all = i.shared->bytes().size();
    auto const at = bytes <= all
                        ? i.room.take((bytes + alignment - 1) & ~(alignment - 1), alignment)
                        : std::nullopt;
    if (!at)
        return fail{failure{fault::out_of_memory, std::to_string(bytes) + " bytes of the " +
                                                      std::to_string(all) +
                                                      " that a tenant may have"}};
    std::memset(i.shared->bytes().data() + *at, 0, bytes);
    auto const id = memory_id{i.next_id++};
    i.memories[id] = {*at, bytes};
    return id;
}

void worker::release(memory_id which) noexcept
{
    auto& i = *impl_;
    std::lock_guard const lock{i.turns};
    auto const found = i.memories.find(which);
    if (found == i.memories.end()) return;
    i.room.give(found->second.at);
    i.memories.erase(found);
}

outcome worker::run(batch const& work)
{
    std::lock_guard const lock{impl_->turns};
    return impl_->run(work);
}

std::future<outcome> worker::submit(batch work) { return impl_->behind->post(std::move(work)); }

result<nothing, failure> worker::forget()
{
    auto& i = *impl_;
    std::lock_guard const lock{i.turns};
    i.programs.clear();
    i.known.clear();
    i.memories.clear();
    i.room = free_list{i.shared->bytes().size()};
    // What is cleared is taken from under the reserve's mapping, which the processor notices; another
    // device may hold on to the pages that it once looked up.
    bool const keeps_spare = i.info.kind == device_kind::cpu;
    {
        // The process goes first: nobody writes into what is cleared.
        std::unique_lock state{i.state};
        if (!keeps_spare) i.wants_spare = false;
        i.changed.wait(
            state, [&] { return i.at != impl::stage::starting && (keeps_spare || !i.spawning); });
        if (i.now.id != 0) i.end_process();
        if (!keeps_spare) i.end_spare();
        i.at = impl::stage::none;
    }
    i.shared->clear();
    std::error_code ignored;
    for (auto const& each : fs::directory_iterator{i.folder, ignored})
        fs::remove_all(each.path(), ignored);
    BLENDR_CHECK(i.alive());
    i.reserve();
    return nothing{};
}

worker_report worker::report() const
{
    std::lock_guard const lock{impl_->state};
    return impl_->told;
}

}  // namespace blendr::compute
