// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <blendr/core/task_pool.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;

/// The median time of a call that finds every worker asleep.
double parked_us(task_pool& pool)
{
    std::vector<double> samples;
    for (int i = 0; i < 501; ++i) {
        std::this_thread::sleep_for(std::chrono::microseconds{300});
        stopwatch const watch{clock::wall};
        pool.parallel_for(2, 1, [](std::size_t begin, std::size_t) { keep(begin); });
        samples.push_back(1e6 * watch.seconds());
    }
    std::nth_element(samples.begin(), samples.begin() + 250, samples.end());
    return samples[250];
}

/// The same work on a thread of its own, which is what one would do without a pool.
void fresh_thread()
{
    std::thread other{[] { keep(0); }};
    keep(1);
    other.join();
}

suite const pool_suite{
    "core/task_pool", [](run& out) {
        task_pool pool{std::max(2u, std::thread::hardware_concurrency())};
        options const by_wall{.by = clock::wall};
        out.compare(
            "core/task_pool/parallel_for/hot", us,
            [&] { pool.parallel_for(2, 1, [](std::size_t begin, std::size_t) { keep(begin); }); },
            fresh_thread, by_wall);
        if (out.wants("core/task_pool/parallel_for/parked"))
            out.report("core/task_pool/parallel_for/parked", parked_us(pool), "us");
    }};

}  // namespace
