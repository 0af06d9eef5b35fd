// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include <blendr/core/amount.hpp>
#include <blendr/reputation/score.hpp>

namespace blendr::reputation {

// What a score is worth, all of it. Each function is monotone and bounded, so that one can compute
// what a score may return at the most, and compare it with what it costs to come by.

inline constexpr std::uint32_t basis_points = 10'000;

/// How much worse than its price an ask is ranked, in basis points: 200 at score 0, none at 1000.
/// The price that is paid does not change.
constexpr std::uint32_t rank_handicap(std::uint32_t score) noexcept
{
    return (score_max - std::min(score, score_max)) / 5;
}

/// The price by which an ask is ranked.
constexpr amount rank_price(amount ask, std::uint32_t score) noexcept
{
    auto const handicap = ask.share(rank_handicap(score), basis_points, rounding::up);
    return handicap ? add(ask, *handicap).value_or(amount::max()) : amount::max();
}

/// The bond that an agreement asks for, in basis points of the nominal one: twice it at score 0, half
/// at 1000.
constexpr std::uint32_t bond_share(std::uint32_t score) noexcept
{
    return 20'000 - 15 * std::min(score, score_max);
}

/// How often a provider's units are replicated, in basis points of what its standing alone would
/// give: half more at score 0, half at 1000.
constexpr std::uint32_t replication_share(std::uint32_t score) noexcept
{
    return 15'000 - 10 * std::min(score, score_max);
}

/// The share of rewards for idle work, in basis points: 8,000 at score 0, 12,000 at 1000.
constexpr std::uint32_t reward_share(std::uint32_t score) noexcept
{
    return 8'000 + 4 * std::min(score, score_max);
}

}  // namespace blendr::reputation
