// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/world.hpp>

#include <doctest/doctest.h>

#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/simplex.hpp>

using namespace blendr;

namespace {

void try_seeds(sim::engine_kind const& engine, std::uint64_t from, std::uint64_t to)
{
    for (auto seed = from; seed < to; ++seed) {
        auto const s = sim::draw(seed, {});
        sim::world_options o{};
        o.net = sim::constant(20'000);
        o.net.jitter_us = 10'000;
        auto const r = sim::run(engine, s, o);
        CHECK_MESSAGE(!r.violation, engine.name << ": " << r.violation.value_or("") << "\n"
                                                << sim::to_text(s));
    }
}

}  // namespace

TEST_CASE("world: simplex keeps every promise in random worlds" * doctest::test_suite("property"))
{
    try_seeds(sim::kind_of<consensus::simplex>(), 0, 40);
}

TEST_CASE("world: hotstuff2 keeps every promise in random worlds" * doctest::test_suite("property"))
{
    try_seeds(sim::kind_of<consensus::hotstuff2>(), 0, 60);
}

TEST_CASE("world: same seed same trace, another seed another")
{
    auto const engine = sim::kind_of<consensus::simplex>();
    auto const a = sim::run(engine, sim::draw(3, {}));
    auto const b = sim::run(engine, sim::draw(3, {}));
    auto const c = sim::run(engine, sim::draw(4, {}));
    CHECK(a.trace == b.trace);
    CHECK(a.trace != c.trace);
}

TEST_CASE("world: a quorum behind a proposal of a decided view is believed by nobody")
{
    for (std::uint64_t const seed :
         {2308u, 5346u})  // a bit of the quorum's view flipped on the way
        try_seeds(sim::kind_of<consensus::hotstuff2>(), seed, seed + 1);
}

TEST_CASE("world: who missed that a view repeated the last block is told, and votes again")
{
    for (std::uint64_t const seed : {6208u, 9719u})
        try_seeds(sim::kind_of<consensus::simplex>(), seed, seed + 1);
}
