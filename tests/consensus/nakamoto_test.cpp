// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/nakamoto.hpp>

#include <doctest/doctest.h>

#include <blendr/sim/ideal.hpp>
#include <blendr/sim/world.hpp>

using namespace blendr;

namespace {

consensus::nakamoto_config fast()
{
    consensus::nakamoto_config c{};
    c.difficulty_first = 1'000'000;
    c.interval_ms = 1'000;
    c.depth = 8;
    c.ask_ms = 1'000;
    return c;
}

sim::report run_one(sim::scenario s, std::uint64_t hashes_per_second)
{
    s.end_ms = 300'000;
    sim::world_options o{};
    o.net = sim::constant(50'000);
    o.finality_by_depth = true;
    o.hashes_per_second = hashes_per_second;
    return sim::run(sim::kind_of<consensus::nakamoto<sim::ideal_work>>(fast()), s, o);
}

}  // namespace

TEST_CASE("nakamoto: difficulty follows the hash power, so blocks keep their interval")
{
    // 50 ms of delay cost some stale blocks; the rest is a block a second whatever the power.
    for (std::uint64_t power : {50'000u, 250'000u, 1'000'000u}) {
        auto const r = run_one({}, power);
        CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
        CHECK(r.height_min > 150);
        CHECK(r.height_min < 460);
        CHECK(r.metrics.contains("stale_blocks"));
    }
}

TEST_CASE("nakamoto: reorganises above the decided depth only, and survives restarts")
{
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
        sim::scenario s{};
        s.seed = seed;
        s.calm_ms = 60'000;
        s.faults.push_back({10'000, 2'000, sim::fault_kind::crash, 1, 0, 0});
        s.faults.push_back({20'000, 3'000, sim::fault_kind::partition, 0, 0, 0b0011});
        s.faults.push_back({30'000, 9'000, sim::fault_kind::lose, 0, 0, 300});
        auto const r = run_one(s, 250'000);
        CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
        CHECK(r.reorgs > 0);
        CHECK(r.halts == 0);
    }
}

TEST_CASE("nakamoto: the next difficulty moves with the interval's error, in integers, bounded")
{
    auto const c = fast();
    using consensus::next_difficulty;
    CHECK(next_difficulty(64'000, 1'000, c) == 64'000);
    CHECK(next_difficulty(64'000, 0, c) == 65'001);
    CHECK(next_difficulty(64'000, 2'000, c) == 62'999);
    CHECK(next_difficulty(64'000, 1'000'000, c) == next_difficulty(64'000, 8'000, c));
    CHECK(next_difficulty(1, 8'000, c) == c.difficulty_least);
}
