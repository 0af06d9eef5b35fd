// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace blendr::market {

/// Why the market refused. Numbers are frozen and only ever appended, grouped by consequence:
/// 1-99 malformed (never works), 100-199 not now (may work later), 200-299 not allowed,
/// 300-399 conflict with what is there. A reject has changed nothing.
enum class reject : std::uint16_t {
    ok = 0,

    zero_size = 1,
    size_too_large = 2,
    zero_price = 3,
    price_off_grid = 4,
    contradictory_order = 5,
    unknown_instrument = 6,
    expression_too_long = 7,
    bad_expression = 8,
    bad_capability = 9,
    bad_window = 10,
    value_too_large = 11,
    bad_configuration = 12,
    bad_snapshot = 13,

    expired = 100,
    would_take = 101,
    cannot_fill = 102,
    book_full = 103,
    index_full = 104,
    beyond_horizon = 105,
    too_late = 106,
    too_early = 107,
    calendar_full = 108,
    below_cover = 109,

    not_owner = 200,
    poor = 201,
    bond_too_small = 202,
    suspended = 203,
    fee_too_small = 204,
    wrong_device = 205,
    not_warden = 206,

    unknown_order = 300,
    duplicate_client_id = 301,
    hour_taken = 302,
    already_registered = 303,
    unknown_device = 304,
    wrong_state = 305,
    no_tokens = 306,
    unknown_offer = 307,
};

/// A sentence for people.
constexpr std::string_view message(reject why) noexcept
{
    switch (why) {
    case reject::ok:
        return "all is well";
    case reject::zero_size:
        return "the size must be at least one unit";
    case reject::size_too_large:
        return "the size is larger than this market takes in one order";
    case reject::zero_price:
        return "the price must be at least one grain";
    case reject::price_off_grid:
        return "the price is outside the instrument's band or not on its tick";
    case reject::contradictory_order:
        return "the order asks for two things that exclude each other";
    case reject::unknown_instrument:
        return "there is no such instrument";
    case reject::expression_too_long:
        return "the requirement is too long, too deep or has too many parts";
    case reject::bad_expression:
        return "the requirement cannot be read";
    case reject::bad_capability:
        return "the capability has a value that its attribute cannot hold";
    case reject::bad_window:
        return "the window of hours is empty, reversed or too long";
    case reject::value_too_large:
        return "price times size is more than can be paid";
    case reject::bad_configuration:
        return "the configuration has a value outside its limits";
    case reject::bad_snapshot:
        return "the snapshot does not describe a possible state";
    case reject::expired:
        return "the order's last height has passed";
    case reject::would_take:
        return "a post-only order may not trade on arrival, and this one would";
    case reject::cannot_fill:
        return "the whole size cannot be filled now at that price";
    case reject::book_full:
        return "the book holds as many orders as it may";
    case reject::index_full:
        return "the index holds as many offers or words as it may";
    case reject::beyond_horizon:
        return "the hour is further ahead than the calendar reaches";
    case reject::too_late:
        return "the hour has begun or passed";
    case reject::too_early:
        return "the hour has not come yet";
    case reject::calendar_full:
        return "the device's calendar has too many separate bookings";
    case reject::below_cover:
        return "the bond does not cover the price; add to it first";
    case reject::not_owner:
        return "this belongs to somebody else";
    case reject::poor:
        return "there is not enough money for this";
    case reject::bond_too_small:
        return "the bond is too small for the tokens it must cover";
    case reject::suspended:
        return "the provider is suspended";
    case reject::fee_too_small:
        return "the prepaid fee does not cover the auctions that the order may take part in";
    case reject::wrong_device:
        return "the device is not as good as what was promised";
    case reject::not_warden:
        return "only who was appointed for it may judge a device";
    case reject::unknown_order:
        return "there is no such order; it may have been filled or cancelled";
    case reject::duplicate_client_id:
        return "an order with this client id was placed before";
    case reject::hour_taken:
        return "the device is already sold or in use in one of these hours";
    case reject::already_registered:
        return "the device is registered already";
    case reject::unknown_device:
        return "there is no such device";
    case reject::wrong_state:
        return "this is not possible in the present state";
    case reject::no_tokens:
        return "there are not enough tokens for this";
    case reject::unknown_offer:
        return "there is no such offer";
    }
    return "unknown reject code";
}

}  // namespace blendr::market
