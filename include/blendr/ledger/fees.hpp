// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include <boost/describe/class.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/result.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/types.hpp>

namespace blendr::ledger {

/// Parts are written in ten-thousandths.
inline constexpr std::uint32_t whole_parts = 10'000;

/// What a block may use and how its price of gas follows demand. Fixed in genesis.
struct fee_rules {
    gas block_target{500'000'000};   ///< where the base fee stays as it is
    gas block_limit{1'000'000'000};  ///< what a block may need at most
    gas_price base_fee_first{100};
    gas_price base_fee_min{1};
    std::uint32_t step_divisor = 8;  ///< a block moves the base fee by at most one of so many parts
    std::uint32_t burned_parts = 8'000;  ///< of the base fee; what is left goes to the proposer

    friend bool operator==(fee_rules const&, fee_rules const&) = default;
};
BOOST_DESCRIBE_STRUCT(fee_rules, (),
                      (block_target, block_limit, base_fee_first, base_fee_min, step_divisor,
                       burned_parts))

/// Refuses rules by which the base fee could not move, would start below its floor, or burn too
/// little.
constexpr result<nothing, reject> check(fee_rules const& rules)
{
    bool const usable = rules.block_target > gas{} && rules.block_limit >= rules.block_target &&
                        rules.base_fee_min > gas_price{} &&
                        rules.base_fee_first >= rules.base_fee_min && rules.step_divisor >= 2;
    if (!usable) return fail{reject::wrong_fee_step};
    if (rules.burned_parts < whole_parts / 2 || rules.burned_parts > whole_parts)
        return fail{reject::burn_below_half};
    return nothing{};
}

/// The base fee of the next block: up when this one used more than the target, down when less, in
/// proportion, by at most base ÷ step_divisor and never below the floor. Up moves by at least one.
constexpr gas_price next_base_fee(fee_rules const& rules, gas_price base, gas used) noexcept
{
    u128 const target = rules.block_target.get();
    u128 const price = base.get();
    bool const more = used > rules.block_target;
    u128 const distance = more ? used.get() - target : target - used.get();
    u128 const step = std::min(price * distance / target, price) / rules.step_divisor;
    if (more) {
        constexpr u128 ceiling = std::numeric_limits<std::uint64_t>::max();
        return gas_price{
            static_cast<std::uint64_t>(std::min(price + std::max<u128>(step, 1), ceiling))};
    }
    return std::max(gas_price{static_cast<std::uint64_t>(price - step)}, rules.base_fee_min);
}

/// What a transaction costs; none when that does not fit.
constexpr std::optional<amount> fee_of(gas used, gas_price base, amount tip) noexcept
{
    return add(used * base, tip);
}

/// Where a fee goes. Nothing is lost: burned + proposer is the fee.
struct fee_split {
    amount burned{};
    amount proposer{};

    friend bool operator==(fee_split const&, fee_split const&) = default;
};
BOOST_DESCRIBE_STRUCT(fee_split, (), (burned, proposer))

/// Splits the base part of some gas, odd grains burning; tips go to the proposer whole.
constexpr fee_split split_fee(fee_rules const& rules, amount base_part, amount tips) noexcept
{
    auto const burned = base_part.share(rules.burned_parts, whole_parts, rounding::up);
    BLENDR_ASSERT(burned.has_value());
    return {*burned, base_part - *burned + tips};
}

/// In which order a proposer takes transactions: by tip for gas, in 2⁻³² grains. The base fee is no
/// part of it, since everybody pays the same for gas; so the order of two never changes.
constexpr std::uint64_t fee_rank(amount tip, gas used) noexcept
{
    constexpr std::uint64_t ceiling = std::numeric_limits<std::uint64_t>::max();
    auto const rank = mul_div(tip.grains(), u128{1} << 32, std::max<std::uint64_t>(used.get(), 1),
                              rounding::down);
    return rank && *rank < ceiling ? static_cast<std::uint64_t>(*rank) : ceiling;
}

/// The least that a replacement must offer where the one before offered `before`: a tenth more,
/// and more at all.
constexpr amount replacement_min(amount before) noexcept
{
    auto const raised = mul_div(before.grains(), 11, 10, rounding::up);
    return amount{std::max(raised.value_or(amount::max().grains()), u128{1})};
}

}  // namespace blendr::ledger
