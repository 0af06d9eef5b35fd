// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/conformance.hpp>

#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/nakamoto.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/consensus/solo.hpp>
#include <blendr/sim/any_engine.hpp>
#include <blendr/sim/byzantine.hpp>
#include <blendr/sim/ideal.hpp>
#include <blendr/sim/mock_app.hpp>
#include <blendr/sim/network.hpp>

#include "support/vectors.hpp"

using namespace blendr;

namespace {

constexpr sim::effort some{.seeds = 10};
constexpr sim::effort many{.seeds = 100};

}  // namespace

TEST_CASE("conformance: simplex" * doctest::test_suite("property"))
{
    consensus::conformance<consensus::simplex>({}, some);
}

TEST_CASE("conformance: hotstuff2" * doctest::test_suite("property"))
{
    consensus::conformance<consensus::hotstuff2>({}, some);
}

TEST_CASE("conformance: authority" * doctest::test_suite("property"))
{
    consensus::conformance<consensus::authority>({}, some);
}

TEST_CASE("conformance: nakamoto" * doctest::test_suite("property"))
{
    consensus::conformance<consensus::nakamoto<sim::ideal_work>>({}, some);
}

TEST_CASE("conformance: solo" * doctest::test_suite("property"))
{
    consensus::conformance<consensus::solo>({}, some);
}

TEST_CASE("conformance: all five engines in many worlds" * doctest::test_suite("slow"))
{
    consensus::conformance<consensus::simplex>({}, many);
    consensus::conformance<consensus::hotstuff2>({}, many);
    consensus::conformance<consensus::authority>({}, many);
    consensus::conformance<consensus::nakamoto<sim::ideal_work>>({}, many);
    consensus::conformance<consensus::solo>({}, many);
}

TEST_CASE("conformance: traces are the same on every machine and compiler")
{
    test::vector_list all{};
    auto const add = [&](std::string name, sim::engine_kind const& engine, bool depth) {
        for (std::uint64_t seed : {1u, 2u, 9u}) {
            auto s = sim::draw(seed, {});
            s.end_ms = 12'000;
            s.progress = 0;
            sim::world_options o{};
            o.net = sim::lossy();
            o.finality_by_depth = depth;
            all.emplace_back(name + "_" + std::to_string(seed),
                             encode(sim::run(engine, s, o).trace));
        }
    };
    add("simplex", sim::kind_of<consensus::simplex>(), false);
    add("hotstuff2", sim::kind_of<consensus::hotstuff2>(), false);
    add("authority", sim::kind_of<consensus::authority>(), true);
    CHECK(test::differs_from_frozen("consensus_traces", all) == "");
}

TEST_CASE("world: real signatures change nothing but the time it takes")
{
    sim::scenario s{};
    s.seed = 3;
    s.end_ms = 100'000;
    sim::world_options o{};
    o.blocks_max = 3;
    o.real_signatures = true;
    auto const r = sim::run(sim::kind_of<consensus::simplex>(), s, o);
    CHECK(!r.violation);
    CHECK(r.height_min >= 3);
}

TEST_CASE("byzantine: a forger and twins are proven guilty, nobody else is")
{
    for (auto const how : {sim::role::forging, sim::role::twins}) {
        sim::scenario s{};
        s.seed = 2;
        s.villains.push_back({2, how});
        sim::world_options o{};
        o.net = sim::constant(20'000);
        auto const r = sim::run(sim::kind_of<consensus::simplex>(), s, o);
        CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
        CHECK(r.accused == std::vector<std::uint32_t>{2});
    }
}
