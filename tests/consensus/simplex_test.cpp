// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/simplex.hpp>

#include <doctest/doctest.h>

#include <blendr/sim/world.hpp>

using namespace blendr;

namespace {

sim::report calm(std::uint32_t validators, std::uint64_t blocks)
{
    sim::scenario s{};
    s.seed = 7;
    s.validators = validators;
    s.end_ms = 1'000'000;
    sim::world_options o{};
    o.net = sim::constant(10'000);
    o.sync_us = o.verify_us = 0;
    o.blocks_max = blocks;
    o.keep_latencies = true;
    return sim::run(sim::kind_of<consensus::simplex>(), s, o);
}

}  // namespace

TEST_CASE("simplex: in a calm world every node decides three message delays after the proposal")
{
    for (std::uint32_t n : {4u, 7u, 16u}) {
        auto const r = calm(n, 50);
        CHECK(!r.violation);
        REQUIRE(!r.latencies_us.empty());
        for (auto const l : r.latencies_us) CHECK(l == 30'000);
        CHECK(r.time_us / 1000 <=
              static_cast<std::int64_t>(r.height_min) * 20 + 60);  // one a 2 delays
    }
}

TEST_CASE("simplex: giving a view up and finishing it exclude each other, nothing else does")
{
    using consensus::simplex;
    for (std::uint8_t a = 0; a < simplex::kinds; ++a)
        for (std::uint8_t b = 0; b < simplex::kinds; ++b)
            CHECK(simplex::excludes(a, b) == (a != b && a >= 2 && b >= 2));
}
