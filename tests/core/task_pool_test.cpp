// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/task_pool.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using blendr::rng;
using blendr::task_pool;

TEST_CASE("task_pool: every index of a range runs exactly once, with any number of threads" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (unsigned threads = 1; threads <= 8; ++threads) {
        task_pool pool{threads};
        CHECK(pool.threads() == threads);
        for (int round = 0; round < 200; ++round) {
            std::size_t const count = random.below(300);
            std::size_t const grain = random.between(1, 40);
            std::vector<std::atomic<int>> seen(count);
            pool.parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
                CHECK(begin % grain == 0);
                for (std::size_t i = begin; i < end; ++i) ++seen[i];
            });
            for (auto const& each : seen) REQUIRE(each == 1);
        }
    }
}

TEST_CASE("task_pool: a reduction combines in range order whatever the threads")
{
    auto const text = [](unsigned threads) {
        task_pool pool{threads};
        return pool.reduce(
            1000, 7,
            [](std::size_t begin, std::size_t end) {
                std::string all;
                for (; begin != end; ++begin) all += std::to_string(begin) + ",";
                return all;
            },
            [](std::string a, std::string const& b) { return "(" + std::move(a) + b + ")"; });
    };
    auto const alone = text(1);
    CHECK(alone.find("(0,1,2,3,4,5,6,7,8,9,10,11,12,13,)") != std::string::npos);
    for (unsigned threads = 2; threads <= 8; ++threads) CHECK(text(threads) == alone);
}

TEST_CASE("task_pool: when parts throw the others still run and the first in order is reported")
{
    for (unsigned const threads : {1u, 2u, 4u}) {
        task_pool pool{threads};
        std::atomic<int> ran{0};
        std::string said;
        try {
            pool.parallel_for(100, 1, [&](std::size_t begin, std::size_t) {
                ++ran;
                if (begin % 10 == 3) throw std::runtime_error{std::to_string(begin)};
            });
        } catch (std::runtime_error const& e) {
            said = e.what();
        }
        CHECK(said == "3");
        CHECK(ran == 100);
        int after = 0;
        pool.parallel_for(1, 1, [&](std::size_t, std::size_t) { ++after; });
        CHECK(after == 1);  // the failure is gone with the call that had it
    }
}

TEST_CASE("task_pool: calls from inside a part and from several threads end")
{
    task_pool pool{3};
    std::atomic<long> sum{0};
    auto const work = [&] {
        for (int i = 0; i < 200; ++i)
            pool.parallel_for(4, 1, [&](std::size_t, std::size_t) {
                pool.parallel_for(10, 3, [&](std::size_t begin, std::size_t end) {
                    sum += static_cast<long>(end - begin);
                });
            });
    };
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) callers.emplace_back(work);
    for (auto& each : callers) each.join();
    CHECK(sum == 4 * 200 * 4 * 10);
}

TEST_CASE("task_pool: parked workers are woken, and an idle pool ends")
{
    task_pool pool{4};
    std::atomic<int> ran{0};
    for (int i = 0; i < 20; ++i) {
        std::this_thread::sleep_for(std::chrono::microseconds{200});
        pool.parallel_for(8, 1, [&](std::size_t, std::size_t) { ++ran; });
    }
    CHECK(ran == 160);
    pool.parallel_for(0, 1, [&](std::size_t, std::size_t) { ++ran; });
    CHECK(ran == 160);
}
