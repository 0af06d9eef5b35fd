// SPDX-License-Identifier: Apache-2.0
#include "engines.hpp"

#include <algorithm>
#include <vector>

#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/nakamoto.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/consensus/solo.hpp>
#include <blendr/sim/ideal.hpp>

namespace lab {

using namespace blendr;

std::optional<sim::engine_kind> engine_named(std::string const& name)
{
    if (name == "simplex") return sim::kind_of<consensus::simplex>();
    if (name == "hotstuff2") return sim::kind_of<consensus::hotstuff2>();
    if (name == "authority") return sim::kind_of<consensus::authority>();
    if (name == "solo") return sim::kind_of<consensus::solo>();
    if (name == "nakamoto") return sim::kind_of<consensus::nakamoto<sim::ideal_work>>();
    return std::nullopt;
}

bool known_world(std::string const& name)
{
    return std::ranges::count(std::vector<std::string>{"units", "lan", "wan", "lossy", "partition",
                                                       "crashed", "byzantine"},
                              name) != 0;
}

void set_up(std::string const& world, sim::scenario& s, sim::world_options& o)
{
    o.net = sim::wan();
    // Miners together have the power that the first block is made for.
    consensus::nakamoto_config const work{};
    o.hashes_per_second = work.difficulty_first * 1000 /
                          (static_cast<std::uint64_t>(work.interval_ms) * s.validators);
    s.calm_ms = 1'000;
    auto const f = (s.validators - 1) / 3;
    if (world == "units") {
        o.net = sim::constant(10'000);
        o.sync_us = o.verify_us = 0;
    } else if (world == "lan") {
        o.net = sim::lan();
    } else if (world == "lossy") {
        o.net = sim::lossy();
    } else if (world == "partition") {
        s.calm_ms = 10'000;
        s.faults.push_back({2'000, 8'000, sim::fault_kind::partition, 0, 0,
                            (std::int64_t{1} << std::min(s.validators / 2, 62u)) - 1});
    } else if (world == "crashed") {
        for (std::uint32_t i = 0; i < f; ++i) s.villains.push_back({i * 3, sim::role::silent});
    } else if (world == "byzantine") {
        constexpr sim::role roles[] = {sim::role::forging, sim::role::selective,
                                       sim::role::forking};
        for (std::uint32_t i = 0; i < f; ++i) s.villains.push_back({i * 3, roles[i % 3]});
    }
}

}  // namespace lab
