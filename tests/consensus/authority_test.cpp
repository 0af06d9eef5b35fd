// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/authority.hpp>

#include <doctest/doctest.h>

#include <blendr/sim/world.hpp>

using namespace blendr;

namespace {

sim::report run_one(sim::scenario s)
{
    s.end_ms = 60'000;
    sim::world_options o{};
    o.net = sim::constant(50'000);
    o.net.jitter_us = 10'000;
    o.finality_by_depth = true;
    return sim::run(sim::kind_of<consensus::authority>(), s, o);
}

}  // namespace

TEST_CASE("authority: a block a slot, final under its depth, for every kind of weights")
{
    for (std::uint32_t i = 0; i < 4; ++i) {
        sim::scenario s{};
        s.seed = i;
        s.validators = 4 + i;
        s.power = static_cast<sim::weights>(i);
        auto const r = run_one(s);
        CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
        CHECK(r.height_min >= 50);
        CHECK(r.reorgs == 0);
    }
}

TEST_CASE("authority: an author of two blocks in a slot is caught, and the chain goes on")
{
    sim::scenario s{};
    s.seed = 1;
    s.villains.push_back({1, sim::role::forking});
    auto const r = run_one(s);
    CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
    CHECK(r.accused == std::vector<std::uint32_t>{1});
    CHECK(r.height_min >= 40);
}

TEST_CASE("authority: an author that restarts never seals a slot twice")
{
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        sim::scenario s{};
        s.seed = seed;
        s.faults.push_back(
            {0, 30, sim::fault_kind::crash_at, 0, 0, 1 + static_cast<std::int64_t>(seed) % 5});
        s.faults.push_back({3'000, 9'000, sim::fault_kind::skew, 0, 0, -1'000});
        s.calm_ms = 13'000;
        auto const r = run_one(s);
        CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
        CHECK(r.crashes == 1);
    }
}

TEST_CASE(
    "authority: a partition longer than the depth ends in a halt that says so, not in silence")
{
    sim::scenario s{};
    s.faults.push_back({5'000, 25'000, sim::fault_kind::partition, 0, 0, 0b0011});
    s.calm_ms = 31'000;
    s.progress = 0;
    auto const r = run_one(s);
    CHECK((r.halts > 0 || r.violation.has_value()));
}
