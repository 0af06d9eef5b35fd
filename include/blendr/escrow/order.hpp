// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/wide.hpp>
#include <blendr/escrow/error.hpp>
#include <blendr/escrow/types.hpp>
#include <blendr/reputation/score.hpp>
#include <blendr/verify/draw.hpp>
#include <blendr/verify/round.hpp>
#include <blendr/verify/spot_check.hpp>

namespace blendr::escrow {

/// Who says whether a unit was done.
enum class checker : std::uint8_t {
    renter = 1,  ///< the renter looks; it may challenge a run that a referee can recompute
    replicas =
        2,     ///< drawn workers do some units again: the rarer the better the provider's standing
    spot = 3,  ///< the same, so often that skipping work is a loss
    product = 4,  ///< drawn workers check a matrix product; anybody may refute it by one element
};
BOOST_DESCRIBE_ENUM(checker, renter, replicas, spot, product)

/// How units are checked; part of the order, so that its price is known before.
struct verification {
    checker by{checker::renter};
    std::uint16_t quorum{};  ///< replicas that must agree, the provider's included; inspectors
    std::uint16_t most{};    ///< replicas at the most
    std::uint32_t trust{};   ///< see verify::round_rules
    verify::tolerance within{};
    std::uint32_t commit_within{};  ///< heights; of inspectors: to attest
    std::uint32_t reveal_within{};
    amount fee{};           ///< for each drawn worker of a unit
    amount cost{};          ///< spot: what doing a unit costs a provider
    std::uint64_t steps{};  ///< of a unit's run, when a referee can recompute it
    std::uint32_t move_within{};
    std::uint64_t inner{};    ///< product: rows of B …
    std::uint64_t columns{};  ///< … and its columns
};

/// All that a renter asks for. Spans are in heights.
struct order {
    hash256 program{};
    bounded<std::vector<hash256>, 256> inputs{};  ///< blobs: one for all units or one for each;
                                                  ///< of a product the roots of A and B
    hash256 data{};  ///< the blob that says which program this is and where its units' inputs lie
    std::uint64_t items{};   ///< indexes that the work is split over
    std::uint32_t units{};   ///< in so many parts; none: rented by time
    std::uint64_t size{};    ///< of a unit's result in bytes; zero: any
    std::uint64_t demand{};  ///< market units that a unit takes
    reputation::family work{reputation::family::fp32};
    bounded<std::string, 1024> wanted{};  ///< of a device; see market::requirement
    price cap{};                          ///< for a unit, or for a height
    amount bond{};                        ///< of an average provider, for an agreement
    std::uint32_t search_within{};
    std::uint32_t start_within{};
    std::uint32_t run_within{};
    std::uint32_t window{};
    std::uint32_t grace{};
    std::uint32_t notice{};
    std::uint32_t warn_before{};
    verification checks{};
};

inline constexpr std::uint32_t units_per_job = 256;
inline constexpr std::uint32_t span_max = 1u << 24;
inline constexpr amount fee_max{u128{1} << 90};

/// The indexes of unit `i`: its first, and how many. Units differ by one index at the most.
constexpr std::pair<std::uint64_t, std::uint64_t> range_of(order const& of,
                                                           std::uint32_t i) noexcept
{
    auto const at = [&](std::uint64_t n) {
        return static_cast<std::uint64_t>(u128{of.items} * n / of.units);
    };
    return {at(i), at(std::uint64_t{i} + 1) - at(i)};
}

/// The blob that unit `i` begins with.
constexpr hash256 input_of(order const& of, std::uint32_t i) noexcept
{
    if (of.inputs.empty()) return {};
    return of.inputs.size() == 1 ? of.inputs[0] : of.inputs[i % of.inputs.size()];
}

/// What checking costs: known before anything is ordered.
struct check_price {
    amount unit{};  ///< of a unit that is checked
    amount
        held{};  ///< for the job at the most: held from the start, and what is not used goes back
};
BOOST_DESCRIBE_STRUCT(check_price, (), (unit, held))

constexpr check_price price_of_checks(order const& of) noexcept
{
    auto const& by = of.checks;
    std::uint32_t workers = 0;
    if (by.by == checker::product) workers = by.quorum;
    if (by.by == checker::replicas || by.by == checker::spot) workers = by.most - 1u;
    amount const unit{by.fee.grains() * workers};
    return {unit, amount{unit.grains() * of.units}};
}

/// Heights that a round of replicas takes at the most, redrawn as often as it may be.
constexpr std::uint32_t heights_of_round(verification const& by) noexcept
{
    if (by.by != checker::replicas && by.by != checker::spot) return 0;
    auto const attempts = by.most - by.quorum + 1u;
    auto const each = by.commit_within + by.reveal_within +
                      static_cast<std::uint32_t>(verify::blocks_until_unknown);
    return attempts * each;
}

/// Heights from an objection until the last word on it: rounds and a dispute down to one step.
constexpr std::uint32_t heights_of_verdict(verification const& by) noexcept
{
    std::uint32_t halvings = 0;
    for (auto left = by.steps; left > 1; left -= left / 2) ++halvings;
    auto const dispute = by.steps == 0 ? 0 : (halvings + 1) * by.move_within;
    return heights_of_round(by) + dispute + 8;
}

/// What an agreement of the job is about, at that price and bond.
constexpr terms terms_of(order const& of, price each, amount bond, std::uint16_t fee) noexcept
{
    terms out{};
    (of.units != 0 ? out.each : out.per_height) = each;
    out.bond = bond;
    out.fund_within = out.start_within = of.start_within;
    out.run_within = of.run_within;
    out.window = of.window;
    out.verdict_within = heights_of_verdict(of.checks);
    out.grace = of.grace;
    out.notice = of.notice;
    out.fee = fee;
    return out;
}

/// Whether an order can be carried out at all; `ok`, or why not.
reject sound(order const& of);

BOOST_DESCRIBE_STRUCT(verification, (),
                      (by, quorum, most, trust, within, commit_within, reveal_within, fee, cost,
                       steps, move_within, inner, columns))
BOOST_DESCRIBE_STRUCT(order, (),
                      (program, inputs, data, items, units, size, demand, work, wanted, cap, bond,
                       search_within, start_within, run_within, window, grace, notice, warn_before,
                       checks))

}  // namespace blendr::escrow
