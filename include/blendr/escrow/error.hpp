// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace blendr::escrow {

/// Why an event was refused. Numbers are frozen and only ever appended, grouped by consequence:
/// 1-99 malformed (never works), 100-199 not now (may work later), 200-299 not allowed,
/// 300-399 conflict with what is there. A reject has changed nothing.
enum class reject : std::uint16_t {
    ok = 0,

    zero_amount = 1,
    zero_units = 2,
    zero_price = 3,
    value_too_large = 4,
    bad_terms = 5,
    bad_checks = 6,
    bad_requirement = 7,
    wrong_size = 8,

    underfunded = 100,
    too_many_payers = 101,
    too_many_agreements = 102,
    search_over = 103,
    tick_first = 104,
    poor = 105,
    bond_too_small = 106,
    nothing_posted = 107,
    not_gone = 108,

    not_provider = 200,
    not_renter = 201,
    above_cap = 202,
    not_eligible = 203,
    not_checkable = 204,
    not_your_device = 205,

    unknown_agreement = 300,
    unknown_unit = 301,
    wrong_phase = 302,
    wrong_unit_state = 303,
    job_closed = 304,
    height_went_back = 305,
    no_units_left = 306,
    has_no_units = 307,
    unknown_job = 308,
    job_exists = 309,
    same_claim = 310,
};

/// A sentence for people.
constexpr std::string_view message(reject why) noexcept
{
    switch (why) {
    case reject::ok:
        return "nothing is wrong";
    case reject::zero_amount:
        return "the amount is zero";
    case reject::zero_units:
        return "there must be at least one unit";
    case reject::zero_price:
        return "the price is zero";
    case reject::value_too_large:
        return "the value does not fit";
    case reject::bad_terms:
        return "the terms contradict each other or leave a deadline open";
    case reject::underfunded:
        return "the job's free deposit does not cover this";
    case reject::too_many_payers:
        return "the job has as many payers as it may have";
    case reject::too_many_agreements:
        return "the job has as many agreements as it may have";
    case reject::search_over:
        return "the job looks for no more providers";
    case reject::tick_first:
        return "something was due at an earlier height and has not been done";
    case reject::not_provider:
        return "only the provider of the agreement may do this";
    case reject::not_renter:
        return "only the renter of the job may do this";
    case reject::unknown_agreement:
        return "the job has no such agreement";
    case reject::unknown_unit:
        return "the job has no such unit";
    case reject::wrong_phase:
        return "the agreement is in a phase in which this cannot happen";
    case reject::wrong_unit_state:
        return "the unit is in a state in which this cannot happen";
    case reject::job_closed:
        return "the job is closed";
    case reject::height_went_back:
        return "the height is below one that the job has seen";
    case reject::no_units_left:
        return "fewer units wait for a provider than were asked for";
    case reject::has_no_units:
        return "an agreement paid by time has no units to deliver";
    case reject::bad_checks:
        return "the way of checking contradicts itself or does not fit the job";
    case reject::bad_requirement:
        return "the requirement cannot be read";
    case reject::wrong_size:
        return "the result is not of the size that the job declares";
    case reject::poor:
        return "the purse holds less than that";
    case reject::bond_too_small:
        return "less is locked and free in the device's bond than the agreement asks for";
    case reject::nothing_posted:
        return "the job has no price at which it may be taken";
    case reject::not_gone:
        return "the provider's device is not gone";
    case reject::above_cap:
        return "the price is above the job's cap";
    case reject::not_eligible:
        return "the device does not meet the job's requirement";
    case reject::not_checkable:
        return "this job's results cannot be checked that way";
    case reject::not_your_device:
        return "the sender has no such device, or the agreement is about another";
    case reject::unknown_job:
        return "there is no such job";
    case reject::job_exists:
        return "the renter has a job of that number";
    case reject::same_claim:
        return "the challenger claims what was delivered";
    }
    return "unknown reason";
}

}  // namespace blendr::escrow
