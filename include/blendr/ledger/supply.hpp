// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <boost/describe/class.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/ledger/fees.hpp>
#include <blendr/ledger/reject.hpp>

namespace blendr::ledger {

/// Who new money goes to, in ten-thousandths that add up to the whole.
struct emission_split {
    std::uint32_t validators = 2'000;
    std::uint32_t providers = 7'000;
    std::uint32_t treasury = 1'000;

    friend bool operator==(emission_split const&, emission_split const&) = default;
};
BOOST_DESCRIBE_STRUCT(emission_split, (), (validators, providers, treasury))

/// How much money there may ever be and when it comes. Fixed in genesis.
///
/// What is not premined is emitted era by era: each era hands out era_part ÷ era_whole of what is
/// left, evenly over its blocks. One half is a halving; a small part is a smooth decay. Odd grains
/// come early, so that the last era hands out the last grain and the sum is exact.
struct supply_rules {
    amount cap = 1'002'000'000_blnd;
    amount premine = 50'100'000_blnd;        ///< 5 %
    std::uint64_t era_blocks = 126'230'400;  ///< four years of seconds
    std::uint32_t era_part = 1;
    std::uint32_t era_whole = 2;
    emission_split split{};

    friend bool operator==(supply_rules const&, supply_rules const&) = default;
};
BOOST_DESCRIBE_STRUCT(supply_rules, (), (cap, premine, era_blocks, era_part, era_whole, split))

/// Eras last until nothing is left; a slower decay than this would have too many to add up.
inline constexpr std::uint32_t era_slowness_max = 64;

/// Refuses a premine above the cap, a split that is not whole, and a schedule without begin or end.
constexpr result<nothing, reject> check(supply_rules const& rules)
{
    if (rules.premine > rules.cap) return fail{reject::premine_above_cap};
    auto const& s = rules.split;
    if (std::uint64_t{s.validators} + s.providers + s.treasury != whole_parts)
        return fail{reject::wrong_split};
    bool const ends = rules.era_part > 0 && rules.era_part <= rules.era_whole &&
                      rules.era_whole / rules.era_part <= era_slowness_max;
    if (!ends || rules.era_blocks == 0) return fail{reject::wrong_schedule};
    return nothing{};
}

/// Everything emitted by the blocks up to `at`, that one included. Never more than cap - premine,
/// and all of that in the end.
constexpr amount emitted(supply_rules const& rules, height at) noexcept
{
    auto const eras = at.get() / rules.era_blocks;
    amount left = rules.cap - rules.premine;
    auto const of_era = [&] {
        auto const out = left.share(rules.era_part, rules.era_whole, rounding::up);
        BLENDR_ASSERT(out.has_value());
        return *out;
    };
    for (std::uint64_t era = 0; era < eras && left > amount{}; ++era) left -= of_era();
    auto const begun = of_era().share(at.get() % rules.era_blocks, rules.era_blocks, rounding::up);
    BLENDR_ASSERT(begun.has_value());
    return rules.cap - rules.premine - left + *begun;
}

/// What the block of that height emits. Genesis, height 0, emits nothing.
constexpr amount emission(supply_rules const& rules, height at) noexcept
{
    if (at == height{}) return amount{};
    return emitted(rules, at) - emitted(rules, height{at.get() - 1});
}

/// One block's emission by role. Nothing is lost: the three add up to it.
struct emission_parts {
    amount validators{};
    amount providers{};
    amount treasury{};

    friend bool operator==(emission_parts const&, emission_parts const&) = default;
};
BOOST_DESCRIBE_STRUCT(emission_parts, (), (validators, providers, treasury))

/// Each role's part is the distance between two rounded-down marks, so odd grains move to the
/// later role and none is lost.
constexpr emission_parts split_emission(emission_split const& split, amount whole) noexcept
{
    auto const mark = [&](std::uint32_t parts) {
        auto const out = whole.share(parts, whole_parts, rounding::down);
        BLENDR_ASSERT(out.has_value());
        return *out;
    };
    auto const first = mark(split.validators);
    auto const second = mark(split.validators + split.providers);
    return {first, second - first, whole - second};
}

/// The money of a chain, counted. The machine compares it with the sum of all balances.
struct supply {
    amount premined{};
    amount emitted{};
    amount burned{};

    constexpr amount total() const noexcept { return premined + emitted - burned; }

    friend bool operator==(supply const&, supply const&) = default;
};
BOOST_DESCRIBE_STRUCT(supply, (), (premined, emitted, burned))

/// Whether this count may stand after the block of that height: nothing came that the schedule does
/// not give, and no more burned than ever was.
constexpr bool allowed(supply_rules const& rules, supply const& count, height at) noexcept
{
    return count.premined == rules.premine && count.emitted <= emitted(rules, at) &&
           count.burned <= count.premined + count.emitted && count.total() <= rules.cap;
}

}  // namespace blendr::ledger
