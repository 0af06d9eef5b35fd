// SPDX-License-Identifier: Apache-2.0
// Two devices against one, of one thread each: what one takes ÷ twice what two take, 1 is nothing lost. By wall where two
// processors are free; runs in turns, the median of them. Three figures an order:
//   NAME                 the run. The ratio is to the next one: what the scheduler loses of what can be had
//   NAME/two_loops       what the machine gives two threads at all: each does the units over and over by itself, on a
//                        device and inputs of its own, and waits for nobody. What is lost here, memory and clocks lose
//   NAME/processor_time  the run's by processor time, which others' load does not touch
#include <harness.hpp>

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <blendr/compute.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/work.hpp>

#include <work/npy.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
namespace work = blendr::work;

struct sample {
    std::string name, app;
    work::order asked{};
};

void must(bool good)
{
    if (!good) std::abort();
}

bytes random_matrix(std::uint32_t side)
{
    rng random{side};
    work::matrix out{false, side, side, {}};
    for (std::uint32_t k = 0; k < side * side; ++k)
        append(out.values, static_cast<std::uint32_t>(random.below(100)));
    return write_npy(out);
}

/// Orders that one device takes about a second for. On Vulkan, which is a processor here, less of each.
std::vector<sample> samples(bool vulkan)
{
    std::string_view const scene =
        "camera 0 1.6 6 look 0 0.8 0 angle 38\nsky 0.5 0.7 1 horizon 0.9 0.9 0.9\n"
        "sun 1 2 1 colour 3 2.8 2.4 size 0.05\nmaterial wall diffuse 0.8 0.8 0.8\n"
        "material gold metal 0.9 0.7 0.3 0.05\nsphere 0 1 0 1 gold\nbox -8 -1 -8 8 0 8 wall\n";
    rng random{7};
    std::string table = "x,y,kind\n";
    for (int k = 0; k < 20'000; ++k) {
        auto const x = random.below(100'000), y = random.below(1'000);
        table += std::to_string(x) + ',' + std::to_string(y) + ',';
        table += static_cast<char>('a' + (x / 20'000 + y / 300) % 4);
        table += '\n';
    }
    bytes noise(std::size_t{vulkan ? 192u : 320u} << 20);
    rng{3}.fill(noise);
    bytes numbers(std::size_t{vulkan ? 4u : 32u} << 20);
    rng{4}.fill(numbers);
    bytes many(std::size_t{vulkan ? 64u : 128u} << 20);
    rng{5}.fill(many);
    for (auto* each : {&numbers, &many})  // below 65,536, as 64 bits
        for (std::size_t k = 0; k < each->size(); k += 8)
            for (std::size_t j = 2; j < 8; ++j) (*each)[k + j] = std::byte{};
    work::file const csv{"t.csv", to_bytes(std::string_view{table})};
    std::vector<sample> all;
    for (std::string const exact : {"true", "false"}) {
        std::string const name = exact == "true" ? "" : "_floats";
        all.push_back({"render" + name,
                       "render",
                       {R"({"width":320,"height":200,"samples":)" +
                            std::string{exact == "true" ? "24"
                                        : vulkan        ? "64"
                                                        : "160"} +
                            R"(,"exact":)" + exact + "}",
                        {{"s", to_bytes(scene)}}}});
        all.push_back({"train" + name,
                       "train",
                       {R"({"parts":16,"hidden":[24,16],"rounds":)" +
                            std::string{vulkan            ? "15"
                                        : exact == "true" ? "40"
                                                          : "80"} +
                            R"(,"exact":)" + exact + "}",
                        {csv}}});
    }
    auto const side = vulkan ? 768u : 1536u;
    all.push_back({"matmul",
                   "matmul",
                   {"{}", {{"a.npy", random_matrix(side)}, {"b.npy", random_matrix(side)}}}});
    all.push_back({"hash", "hash", {"{}", {{"noise", noise}}}});
    for (std::string const ask : {"histogram", "sort", "prefix_sum"})
        all.push_back({"analyse_" + ask,
                       "analyse",
                       {R"({"ask":")" + ask + "\"}", {{"n.i64", ask == "sort" ? numbers : many}}}});
    return all;
}

/// A loop over the units of an order's first stage, with a device and inputs of its own.
class loop {
public:
    loop(sample const& of, compute::device& on, double speed)
        : app_{*work::find_app(of.app)},
          on_{on}
    {
        auto const task = app_.make(of.asked, std::array{speed, speed});
        must(task.has_value());
        units_ = (*task)->next({}).value()->units;
        for (auto& each : units_)
            for (auto& input : each.inputs) {
                auto& mine = own_[input.get()];
                if (mine == nullptr) mine = work::share(*input);
                input = mine;
            }
    }
    /// What a run does of a unit: its result, and the content ids of its receipt.
    void go(std::size_t times) const
    {
        for (std::size_t k = 0; k < times; ++k) {
            for (auto const& each : own_) keep(crypto::cid::of(*each.second));
            for (auto const& each : units_) {
                auto const made = app_.run(each, {on_});
                must(made.has_value());
                keep(crypto::cid::of(*made));
            }
        }
    }

private:
    work::app const& app_;
    compute::device& on_;
    std::vector<work::unit> units_{};
    std::map<bytes const*, work::shared_bytes> own_{};
};

/// Where this runs before all others, the system gives it a part of each second at most.
void rest()
{
    if (::sched_getscheduler(0) != SCHED_OTHER)
        std::this_thread::sleep_for(std::chrono::milliseconds{600});
}

/// What all of them take together; each has a thread.
double seconds_of(std::span<loop const> all, std::size_t times)
{
    rest();
    stopwatch const wall{clock::wall};
    {
        std::vector<std::jthread> threads;
        for (auto const& each : all) threads.emplace_back([&] { each.go(times); });
    }
    return wall.seconds();
}

struct seconds {
    double wall = 0, cpu = 0;
};

seconds run_on(sample const& of, std::span<compute::device* const> on, double speed)
{
    auto const& app = *work::find_app(of.app);
    auto const task = app.make(of.asked, std::vector<double>(on.size(), speed));
    must(task.has_value());
    std::vector<std::unique_ptr<work::runner>> runners;
    std::vector<work::runner*> all;
    for (auto* each : on) {
        runners.push_back(work::runner_on(app, *each, "device", speed));
        all.push_back(runners.back().get());
    }
    rest();
    stopwatch const cpu{clock::process_cpu}, wall{clock::wall};
    must(work::run(**task, all).has_value());
    return {wall.seconds(), cpu.seconds()};
}

void compare(bench::run& r, std::string const& kind, compute::device& one, compute::device& two)
{
    std::vector<sample> made;
    for (auto const& each : samples(kind == "vulkan")) {
        auto const name = "work/efficiency/" + kind + "/" + each.name;
        if (!r.wants(name)) continue;
        auto const speed = work::measure(*work::find_app(each.app), each.asked, one);
        must(speed > 0);
        must(work::measure(*work::find_app(each.app), each.asked, two) > 0);
        std::array<compute::device*, 2> const both{&one, &two};
        std::array<loop, 2> const loops{loop{each, one, speed}, loop{each, two, speed}};
        auto const once = seconds_of(std::span{loops}.first(1), 1);
        auto const times = static_cast<std::size_t>(std::clamp(0.5 / once, 1.0, 1e4));
        std::vector<double> wall, cpu, given;
        for (std::size_t k = 0; k < 5; ++k) {
            auto const alone = run_on(each, std::span{both}.subspan(k % 2, 1), speed);
            auto const together = run_on(each, both, speed);
            wall.push_back(alone.wall / together.wall / 2);
            cpu.push_back(alone.cpu / together.cpu);
            auto const one_loop = seconds_of(std::span{loops}.subspan(k % 2, 1), times);
            given.push_back(one_loop / seconds_of(loops, times));
        }
        r.report(name, median(wall), "of 1", median(wall) / median(given));
        r.report(name + "/two_loops", median(given), "of 1");
        r.report(name + "/processor_time", median(cpu), "of 1");
    }
}

suite const efficiency{
    "work/efficiency", [](bench::run& r) {
        if (r.wants("work/efficiency/native")) {
            auto const one = work::make_native_device(1), two = work::make_native_device(1);
            compare(r, "native", *one, *two);
        }
        if (!r.wants("work/efficiency/vulkan")) return;
        ::setenv("LP_NUM_THREADS", "1",
                 1);  // the embedded processor's driver: as if it were two small ones
        auto const one = compute::open_vulkan(), two = compute::open_vulkan();
        ::unsetenv("LP_NUM_THREADS");
        if (one && two) compare(r, "vulkan", **one, **two);
    }};

}  // namespace
