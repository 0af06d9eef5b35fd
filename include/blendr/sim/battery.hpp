// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <blendr/sim/world.hpp>

/// The trials that an engine must pass, as data and functions: for doctest through conformance.hpp, for
/// the lab and the long runs as they are. Which ones, and how long their worlds last, follows from what the
/// engine promises (`promises`, `pace_ms`).
namespace blendr::sim {

/// How much work goes into a battery.
struct effort {
    std::uint32_t seeds = 40;  ///< random worlds a trial
    std::uint64_t seed_first = 0;
    std::size_t shrink_tries = 400;  ///< runs spent on making a scenario that fails smaller
};

/// A failed trial, with the smallest scenario found that still fails.
struct failure {
    std::string trial{};
    std::string why{};
    std::uint64_t seed{};
    std::uint64_t seeds_run{};  ///< how many it took to find
    scenario smallest{};
};

/// One trial: nothing, or how it failed.
struct trial {
    std::string name{};
    std::function<std::optional<failure>(engine_kind const&, effort const&)> run{};
};

/// All trials that apply.
std::vector<trial> battery(engine_kind const& engine);

/// The options of the worlds that trials run in.
world_options options_of(engine_kind const& engine);

/// A random world of faults that the engine promises to survive, with villains or without: up to a third of
/// the weight, and for an engine that decides by depth with links, clocks and partitions that its pace
/// allows. A lone engine is alone in it.
scenario random_world(engine_kind const& engine, std::uint64_t seed, bool villains = true);

/// Runs them all until the first failure.
std::optional<failure> try_all(engine_kind const& engine, effort const& how = {});

/// A sentence and the script, for people.
std::string to_text(failure const& f);

}  // namespace blendr::sim
