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
/// the lab and the long runs as they are.
namespace blendr::sim {

/// What an engine claims to be, which decides what it is tried with.
struct claims_to_be {
    bool byzantine = true;     ///< survives villains of less than a third; false: crashes only
    bool certificates = true;  ///< decisions that strangers can check; false: final by depth
    bool instant_sets = true;  ///< follows validator sets that change with heights
    std::uint32_t seeds = 40;  ///< random worlds a trial
    std::uint64_t seed_first = 0;
    std::size_t shrink_tries = 400;  ///< runs spent on making a scenario that fails smaller
    std::int64_t calm_ms = 8'000;
    std::int64_t end_ms = 30'000;
    std::uint32_t progress = 3;
    std::int64_t delay_us = 20'000;
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
    std::function<std::optional<failure>(engine_kind const&, claims_to_be const&)> run{};
};

/// All trials that apply.
std::vector<trial> battery(claims_to_be const& what);

/// The options of the worlds that trials run in.
world_options options_of(claims_to_be const& what);

/// Runs them all until the first failure.
std::optional<failure> try_all(engine_kind const& engine, claims_to_be const& what);

/// A sentence and the script, for people.
std::string to_text(failure const& f);

}  // namespace blendr::sim
