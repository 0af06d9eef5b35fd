// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/strong.hpp>

namespace blendr::reputation {

/// As what somebody is rated.
enum class role : std::uint8_t { provider = 1, renter = 2 };
BOOST_DESCRIBE_ENUM(role, provider, renter)

/// For what kind of work; a good renderer may be a bad sorter.
enum class family : std::uint8_t { fp32 = 1, memory = 2, integer = 3 };
BOOST_DESCRIBE_ENUM(family, fp32, memory, integer)

/// A score is 0 … 1000.
inline constexpr std::uint32_t score_max = 1000;

/// How evidence becomes a score; a parameter of the chain. `per_point` belongs to its prices: a usual
/// job's fees should be some tens to a thousand points, so that one job shows and none says it all.
struct score_rules {
    std::uint64_t prior = 2'000;        ///< points of evidence that a newcomer is taken to have …
    std::uint32_t newcomer = 300;       ///< … and the score that they stand for
    std::uint64_t half_life = 200'000;  ///< heights after which evidence counts half
    amount per_point = 100'000_grains;  ///< fees burned for one point
    std::uint64_t pair_cap = 500;       ///< points that one counterparty may give within a window
    std::uint64_t window = 20'000;      ///< heights
};
BOOST_DESCRIBE_STRUCT(score_rules, (), (prior, newcomer, half_life, per_point, pair_cap, window))

/// Whether the rules can be computed with; asked once, of a genesis document.
constexpr bool sound(score_rules const& by) noexcept
{
    return by.half_life != 0 && by.prior != 0 && by.newcomer <= score_max &&
           by.per_point != amount{} && by.window != 0;
}
static_assert(sound(score_rules{}));

/// What is known of one subject in one role and family: points for and against, fading with height.
/// Absent is the same as default-made: a newcomer.
struct evidence {
    std::uint64_t good{};
    std::uint64_t bad{};
    height at{};  ///< when the points were worth this much
    friend bool operator==(evidence const&, evidence const&) = default;
};
BOOST_DESCRIBE_STRUCT(evidence, (), (good, bad, at))

namespace impl {

/// The largest r with r² ≤ v.
constexpr std::uint64_t root(u128 v) noexcept
{
    std::uint64_t r = 0;
    for (int bit = 63; bit >= 0; --bit) {
        std::uint64_t const next = r | (std::uint64_t{1} << bit);
        if (u128{next} * next <= v) r = next;
    }
    return r;
}

inline constexpr int decay_bits = 20;

/// 2^(-1/2), 2^(-1/4), 2^(-1/8) … in units of 2^-63.
inline constexpr auto decay_factors = [] {
    std::array<std::uint64_t, decay_bits> out{};
    u128 square = u128{1} << 125;  // one half, in units of 2^-126
    for (auto& each : out) {
        each = root(square);
        square = u128{each} << 63;
    }
    return out;
}();

}  // namespace impl

/// What so many points are worth after some heights: half after each half-life, and in between such
/// that it does not matter in how many steps one counts.
constexpr std::uint64_t faded(std::uint64_t points, std::uint64_t heights,
                              score_rules const& by) noexcept
{
    auto const halvings = heights / by.half_life;
    if (halvings >= 64) return 0;
    auto const part = static_cast<std::uint64_t>(
        (u128{heights % by.half_life} << impl::decay_bits) / by.half_life);
    std::uint64_t factor = std::uint64_t{1} << 63;
    for (int i = 0; i < impl::decay_bits; ++i)
        if ((part >> (impl::decay_bits - 1 - i) & 1) != 0)
            factor = static_cast<std::uint64_t>(
                u128{factor} * impl::decay_factors[static_cast<std::size_t>(i)] >> 63);
    return static_cast<std::uint64_t>(u128{points} * factor >> (63 + halvings));
}

/// The evidence as it counts now. `now` is not before its height.
constexpr evidence faded(evidence const& of, height now, score_rules const& by) noexcept
{
    auto const heights = now - of.at;
    return {faded(of.good, heights, by), faded(of.bad, heights, by), now};
}

/// 0 … 1000. A newcomer has `newcomer`; evidence moves it, the more the more there is, and silence
/// moves it back, so a bad name is neither for ever nor shed at once by a new one.
constexpr std::uint32_t score(evidence const& of, height now, score_rules const& by) noexcept
{
    auto const e = faded(of, now, by);
    u128 const good = u128{e.good} * score_max + u128{by.prior} * by.newcomer;
    u128 const all = u128{e.good} + e.bad + by.prior;
    return static_cast<std::uint32_t>(good / all);
}

/// Adds points of which `rating` per cent speak for the subject. Saturates.
constexpr evidence with(evidence const& of, std::uint64_t points, std::uint32_t rating, height now,
                        score_rules const& by) noexcept
{
    auto e = faded(of, now, by);
    auto const most = std::numeric_limits<std::uint64_t>::max();
    auto const add = [](std::uint64_t a, std::uint64_t b) { return a > most - b ? most : a + b; };
    auto const good = static_cast<std::uint64_t>(u128{points} * std::min(rating, 100u) / 100);
    e.good = add(e.good, good);
    e.bad = add(e.bad, points - good);
    return e;
}

/// Takes back what `with` added at `then`, as much of it as is left now.
constexpr evidence without(evidence const& of, std::uint64_t points, std::uint32_t rating,
                           height then, height now, score_rules const& by) noexcept
{
    auto e = faded(of, now, by);
    auto const good = static_cast<std::uint64_t>(u128{points} * std::min(rating, 100u) / 100);
    e.good -= std::min(e.good, faded(good, now - then, by));
    e.bad -= std::min(e.bad, faded(points - good, now - then, by));
    return e;
}

}  // namespace blendr::reputation
