// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/world.hpp>

#include <doctest/doctest.h>

#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/sim/battery.hpp>

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

TEST_CASE("world: a journal is trimmed again after a crash that cost a part of the log")
{
    for (std::uint64_t const seed : {5u, 42u, 52u}) {
        auto const engine = sim::kind_of<consensus::hotstuff2>();
        auto const r = sim::run(engine, sim::random_world(engine, seed), sim::options_of(engine));
        CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
        CHECK(r.journal_max < 100);
    }
}

TEST_CASE("world: one node crashes at each of its first hundred barriers, before and after it" *
          doctest::test_suite("property"))
{
    for (auto const& engine :
         {sim::kind_of<consensus::simplex>(), sim::kind_of<consensus::hotstuff2>()})
        for (std::int64_t barrier = 1; barrier <= 100; ++barrier)
            for (auto const how : {sim::fault_kind::crash_before, sim::fault_kind::crash_after}) {
                sim::scenario s{};
                s.seed = 1;
                s.calm_ms = 4'000;
                s.end_ms = 8'000;
                s.faults.push_back(
                    {0, 300, how, static_cast<std::uint32_t>(barrier % 4), 0, barrier});
                auto const r = sim::run(engine, s, sim::options_of(engine));
                CHECK_MESSAGE(!r.violation, engine.name << " at barrier " << barrier << ": "
                                                        << r.violation.value_or(""));
                CHECK(r.crashes == 1);
            }
}

TEST_CASE("world: one-way cuts, wrong clocks and a slow disk at once cost time and nothing else")
{
    for (auto const& engine :
         {sim::kind_of<consensus::simplex>(), sim::kind_of<consensus::hotstuff2>()}) {
        sim::scenario s{};
        s.seed = 3;
        s.faults = {{500, 6'000, sim::fault_kind::cut, 0, 1, 0},
                    {500, 6'000, sim::fault_kind::cut, 1, 2, 0},
                    {500, 6'000, sim::fault_kind::cut, 2, 0, 0},
                    {0, 7'000, sim::fault_kind::skew, 1, 0, 3'000},
                    {0, 7'000, sim::fault_kind::skew, 2, 0, -3'000},
                    {0, 7'000, sim::fault_kind::slow_disk, 3, 0, 150}};
        auto const r = sim::run(engine, s, sim::options_of(engine));
        CHECK_MESSAGE(!r.violation, engine.name << ": " << r.violation.value_or(""));
        CHECK(r.height_min > 20);
    }
}
