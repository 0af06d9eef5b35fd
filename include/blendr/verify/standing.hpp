// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <blendr/core/codec.hpp>
#include <blendr/verify/draw.hpp>

namespace blendr::verify {

/// What a worker's results were worth so far. Only replicated results count: what nobody compared
/// proves nothing, and would let a worker earn trust by doing nothing.
struct standing {
    std::uint32_t streak{};  ///< replicated results in a row that agreed
    std::uint32_t agreed{};  ///< of all time
    std::uint32_t differed{};
    friend bool operator==(standing const&, standing const&) = default;
};
BOOST_DESCRIBE_STRUCT(standing, (), (streak, agreed, differed))

/// After a replicated result that was among those that won, or was not.
constexpr standing after(standing of, bool won) noexcept
{
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    if (won) {
        of.streak = std::min(of.streak, most - 1) + 1;
        of.agreed = std::min(of.agreed, most - 1) + 1;
    } else {
        of.streak = 0;
        of.differed = std::min(of.differed, most - 1) + 1;
    }
    return of;
}

/// How often a worker's units are replicated, by its streak: always during probation, then
/// ever more rarely, but never less than `least`, or a worker could behave until it is trusted
/// and cheat ever after.
struct replication {
    std::uint32_t probation = 25;     ///< results in a row before anything is believed
    std::uint32_t least = 50'000;     ///< parts per million
    std::uint32_t slope = 4'000'000;  ///< parts per million, divided by the streak
    friend bool operator==(replication const&, replication const&) = default;
};
BOOST_DESCRIBE_STRUCT(replication, (), (probation, least, slope))

constexpr std::uint32_t replication_rate(standing const& of, replication const& rule) noexcept
{
    if (of.streak < rule.probation || of.streak == 0) return million;
    return std::clamp(rule.slope / of.streak, std::min(rule.least, million), million);
}

/// How much a worker's word weighs in a quorum: grows with what was proven, bounded, and at least 2,
/// so that two newcomers who agree outweigh one.
constexpr std::uint64_t credibility(standing const& of) noexcept
{
    return std::clamp<std::uint64_t>(of.streak / 3, 3, 1'000) - 1;
}

}  // namespace blendr::verify
