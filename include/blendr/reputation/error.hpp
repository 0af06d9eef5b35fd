// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace blendr::reputation {

/// Why an event was refused. Numbers are frozen and only ever appended, grouped by consequence:
/// 1-99 malformed (never works), 100-199 not now (may work later), 200-299 not allowed,
/// 300-399 conflict with what is there. A reject has changed nothing.
enum class reject : std::uint16_t {
    ok = 0,

    bad_rating = 1,
    bad_rules = 2,
    height_went_back = 3,

    not_settled = 100,
    too_late = 101,
    tick_first = 102,
    poor = 103,

    not_a_party = 200,
    not_on_panel = 201,
    self_rating = 202,

    rated_already = 300,
    voted_already = 301,
    appeal_over = 302,
    nothing_paid = 303,
    nothing_rated = 304,
    nothing_appealed = 305,
};

/// A sentence for people.
constexpr std::string_view message(reject why) noexcept
{
    switch (why) {
    case reject::ok:
        return "nothing is wrong";
    case reject::bad_rating:
        return "a rating is a number from 0 to 100";
    case reject::bad_rules:
        return "the rules contradict each other";
    case reject::height_went_back:
        return "the height is below one that was seen";
    case reject::not_settled:
        return "only an agreement that is settled may be rated";
    case reject::too_late:
        return "the time to do this has passed";
    case reject::tick_first:
        return "something was due at an earlier height and has not been done";
    case reject::not_a_party:
        return "only the two parties of the agreement may rate it";
    case reject::not_on_panel:
        return "only those who were drawn for the panel may vote";
    case reject::self_rating:
        return "nobody rates themselves";
    case reject::rated_already:
        return "this party has rated the agreement already";
    case reject::voted_already:
        return "this member of the panel has voted already";
    case reject::appeal_over:
        return "the appeal has been decided";
    case reject::nothing_paid:
        return "an agreement without payment cannot be rated";
    case reject::poor:
        return "the purse holds less than that";
    case reject::nothing_rated:
        return "there is no such rating";
    case reject::nothing_appealed:
        return "there is no such appeal";
    }
    return "unknown reason";
}

}  // namespace blendr::reputation
