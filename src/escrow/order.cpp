// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/order.hpp>

#include <initializer_list>

#include <blendr/market/requirement.hpp>
#include <blendr/verify/contract.hpp>
#include <blendr/verify/dispute.hpp>

namespace blendr::escrow {

namespace {

constexpr std::uint32_t round_span_max = 1u << 16;

bool sound_checks(order const& of)
{
    auto const& by = of.checks;
    if (by.fee > fee_max || by.cost > fee_max) return false;
    if (by.steps > verify::steps_max || by.move_within > round_span_max) return false;
    if (by.steps != 0) {
        if (by.move_within == 0 || of.program == hash256{} || of.units == 0) return false;
        if (of.inputs.size() != 1 && of.inputs.size() != of.units) return false;
    }
    bool const drawn = by.by != checker::renter;
    if (drawn && (of.units == 0 || by.commit_within == 0 || by.commit_within > round_span_max))
        return false;
    switch (by.by) {
    case checker::renter:
        return by.quorum == 0 && by.fee == amount{};
    case checker::spot:
        if (by.cost == amount{}) return false;
        [[fallthrough]];
    case checker::replicas:
        return by.quorum >= 2 && by.most >= by.quorum && by.most <= verify::replicas_max &&
               by.reveal_within != 0 && by.reveal_within <= round_span_max;
    case checker::product:
        return by.steps == 0 && by.quorum >= 1 && by.quorum <= verify::inspectors_max &&
               of.inputs.size() == 2 && by.inner != 0 && by.columns != 0 &&
               by.inner <= verify::contract::inner_max &&
               by.columns <= verify::contract::inner_max &&
               of.window > by.commit_within + verify::blocks_until_unknown;
    }
    return false;
}

}  // namespace

reject sound(order const& of)
{
    if (of.cap == price{}) return reject::zero_price;
    if (of.units > units_per_job) return reject::value_too_large;
    if (of.units == 0 && (of.items != 0 || of.demand != 0)) return reject::has_no_units;
    if (of.items < of.units) return reject::zero_units;
    if (of.bond.grains() >> 100 != 0) return reject::value_too_large;
    for (auto const span : {of.search_within, of.start_within, of.run_within, of.window, of.grace})
        if (span == 0 || span > span_max) return reject::bad_terms;
    if (of.notice > span_max || of.warn_before > span_max) return reject::bad_terms;
    if (!sound_checks(of)) return reject::bad_checks;
    if (!of.wanted.empty() && !market::requirement::parse(of.wanted))
        return reject::bad_requirement;
    return reject::ok;
}

}  // namespace blendr::escrow
