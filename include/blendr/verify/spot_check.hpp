// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include <blendr/core/amount.hpp>
#include <blendr/verify/draw.hpp>

namespace blendr::verify {

/// How often work that nobody can check cheaply must be done again so that cheating does not pay.
///
/// A worker that skips a unit saves its cost C and is caught with chance p; caught, it loses the
/// reward R and the stake S. Skipping pays unless p (R + S) > C. Returns the least p in parts per
/// million that makes it a loss, or nothing when no rate does (R + S ≤ C).
constexpr std::optional<std::uint32_t> least_rate(amount cost, amount reward, amount stake) noexcept
{
    auto const at_risk = add(reward, stake);
    if (!at_risk || *at_risk <= cost) return std::nullopt;
    auto const rate = mul_div(cost.grains(), million, at_risk->grains(), rounding::down);
    return rate ? std::optional{static_cast<std::uint32_t>(*rate) + 1} : std::nullopt;
}

/// The least rate and a tenth more: at the least rate alone skipping and working pay nearly the same,
/// and luck decides. Never above every unit.
constexpr std::optional<std::uint32_t> advised_rate(amount cost, amount reward,
                                                    amount stake) noexcept
{
    auto const least = least_rate(cost, reward, stake);
    if (!least) return std::nullopt;
    return *least + *least / 10 > million ? million : *least + *least / 10;
}

/// What a worker expects to win, per million units, by skipping one of them at that rate of checks:
/// what it saves less what it loses when caught. Negative: it does not pay.
struct expectation {
    bool pays{};
    amount size{};  ///< of the gain or the loss, for a million units
};
constexpr std::optional<expectation> of_skipping(amount cost, amount reward, amount stake,
                                                 std::uint32_t rate) noexcept
{
    auto const at_risk = add(reward, stake);
    if (!at_risk) return std::nullopt;
    auto const saved = mul_div(cost.grains(), million, 1, rounding::down);
    auto const lost = mul_div(at_risk->grains(), rate, 1, rounding::down);
    if (!saved || !lost) return std::nullopt;
    bool const pays = *saved > *lost;
    return expectation{pays, amount{pays ? *saved - *lost : *lost - *saved}};
}

}  // namespace blendr::verify
