// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/reputation/error.hpp>
#include <blendr/reputation/score.hpp>

namespace blendr::reputation {

/// An agreement that is over, as far as a rating cares.
struct settled_agreement {
    crypto::address provider{};
    crypto::address renter{};
    family work{family::fp32};
    amount paid{};         ///< by the renter to the provider
    amount fees_burned{};  ///< what it cost both and nobody got
    height ended{};
    bool rated_by_provider{};
    bool rated_by_renter{};
};
BOOST_DESCRIBE_STRUCT(settled_agreement, (),
                      (provider, renter, work, paid, fees_burned, ended, rated_by_provider,
                       rated_by_renter))

/// What one party has given another of late; keeps friends from adding up.
struct pair_window {
    height began{};
    std::uint64_t given{};
    friend bool operator==(pair_window const&, pair_window const&) = default;
};
BOOST_DESCRIBE_STRUCT(pair_window, (), (began, given))

/// What a rating did and why: kept as evidence, and what an appeal is about.
struct receipt {
    crypto::address rater{};
    crypto::address subject{};
    role as{role::provider};
    family work{family::fp32};
    hash256 agreement{};
    std::uint32_t rating{};
    std::uint64_t points{};
    amount fees_burned{};
    height at{};
};
BOOST_DESCRIBE_STRUCT(receipt, (),
                      (rater, subject, as, work, agreement, rating, points, fees_burned, at))

/// How many points a rating carries: one for each `per_point` of the fees that the agreement burned,
/// no more than the pair's window still has room for. Paying oneself is free but for the fees, so
/// fees are what counts.
constexpr std::uint64_t points_of(amount fees_burned, pair_window const& pair, height now,
                                  score_rules const& by) noexcept
{
    auto const fees = fees_burned.grains() / by.per_point.grains();
    bool const fresh = now - pair.began >= by.window;
    auto const room = by.pair_cap - std::min(by.pair_cap, fresh ? 0 : pair.given);
    return static_cast<std::uint64_t>(std::min<u128>(fees, room));
}

/// One party of a settled agreement rates the other. Marks the agreement, moves the pair's window
/// and the subject's evidence, and returns the receipt; a refusal changes nothing.
inline result<receipt, reject> rate(settled_agreement& of, hash256 const& agreement,
                                    crypto::address const& rater, std::uint32_t rating,
                                    std::uint64_t rate_within, pair_window& pair, evidence& subject,
                                    height now, score_rules const& by)
{
    if (rating > 100) return fail{reject::bad_rating};
    bool const is_renter = rater == of.renter;
    if (!is_renter && rater != of.provider) return fail{reject::not_a_party};
    if (of.renter == of.provider) return fail{reject::self_rating};
    if (of.paid == amount{}) return fail{reject::nothing_paid};
    if (now < of.ended || now < subject.at || now < pair.began)
        return fail{reject::height_went_back};
    if (now - of.ended > rate_within) return fail{reject::too_late};
    auto& rated = is_renter ? of.rated_by_renter : of.rated_by_provider;
    if (rated) return fail{reject::rated_already};

    auto const points = points_of(of.fees_burned, pair, now, by);
    if (now - pair.began >= by.window) pair = {now, 0};
    pair.given += points;
    rated = true;
    subject = with(subject, points, rating, now, by);
    return receipt{rater,
                   is_renter ? of.provider : of.renter,
                   is_renter ? role::provider : role::renter,
                   of.work,
                   agreement,
                   rating,
                   points,
                   of.fees_burned,
                   now};
}

}  // namespace blendr::reputation
