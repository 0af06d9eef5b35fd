// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/solo.hpp>

#include <doctest/doctest.h>

#include <blendr/sim/world.hpp>

using namespace blendr;

TEST_CASE("solo: decides a block an interval and goes on after a crash")
{
    sim::scenario s{};
    s.validators = 1;
    s.faults.push_back({2500, 500, sim::fault_kind::crash, 0, 0, 0});
    sim::world_options o{};
    o.finality_by_depth = true;
    auto const r = sim::run(sim::kind_of<consensus::solo>(), s, o);
    CHECK(!r.violation);
    CHECK(r.crashes == 1);
    CHECK(r.height_min >= 27);
}
