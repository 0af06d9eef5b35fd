// SPDX-License-Identifier: Apache-2.0
#include <blendr/reputation/feedback.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::reputation;

namespace {

auto const anna = crypto::address{hash256{std::byte{1}}};
auto const bela = crypto::address{hash256{std::byte{2}}};
score_rules const by{};

settled_agreement ended(std::uint64_t fee_points, std::uint64_t at = 100)
{
    settled_agreement a{};
    a.provider = anna;
    a.renter = bela;
    a.paid = 1_blnd;
    a.fees_burned = amount{by.per_point.grains() * fee_points};
    a.ended = height{at};
    return a;
}

}  // namespace

TEST_CASE("feedback: both sides rate once, and the rating weighs what the agreement burned")
{
    auto a = ended(120);
    pair_window to_anna{}, to_bela{};
    evidence provider{}, renter{};
    auto const first = rate(a, {}, bela, 90, 50, to_anna, provider, height{110}, by);
    REQUIRE(first.has_value());
    CHECK(first->points == 120);
    CHECK(first->subject == anna);
    CHECK(first->as == role::provider);
    CHECK(provider.good == 108);
    CHECK(provider.bad == 12);
    auto const second = rate(a, {}, anna, 0, 50, to_bela, renter, height{110}, by);
    REQUIRE(second.has_value());
    CHECK(second->as == role::renter);
    CHECK(renter.bad == 120);
    CHECK(rate(a, {}, bela, 90, 50, to_anna, provider, height{111}, by).error() ==
          reject::rated_already);
}

TEST_CASE("feedback: what one counterparty gives is capped within a window")
{
    pair_window pair{};
    evidence e{};
    std::uint64_t given = 0;
    for (std::uint64_t i = 0; i < 10; ++i) {
        auto a = ended(200, 100 + i);
        given += rate(a, {}, bela, 100, 50, pair, e, height{100 + i}, by)->points;
    }
    CHECK(given == by.pair_cap);
    auto a = ended(200, 100 + by.window);
    CHECK(rate(a, {}, bela, 100, 50, pair, e, height{100 + by.window}, by)->points == 200);
    CHECK(points_of(amount::max(), {}, height{by.window}, by) == by.pair_cap);
}

TEST_CASE("feedback: what may not be rated is refused and changes nothing")
{
    auto const refused = [&](settled_agreement a, crypto::address const& who, std::uint32_t rating,
                             std::uint64_t at, reject why) {
        auto const before = encode(a);
        pair_window pair{height{50}, 3};
        evidence e{4, 5, height{60}};
        auto const answer = rate(a, {}, who, rating, 50, pair, e, height{at}, by);
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error() == why);
        CHECK(encode(a) == before);
        CHECK(pair == pair_window{height{50}, 3});
        CHECK(e == evidence{4, 5, height{60}});
    };
    refused(ended(1), bela, 101, 110, reject::bad_rating);
    refused(ended(1), crypto::address{}, 50, 110, reject::not_a_party);
    refused(ended(1), bela, 50, 151, reject::too_late);
    refused(ended(1), bela, 50, 99, reject::height_went_back);
    auto unpaid = ended(1);
    unpaid.paid = amount{};
    refused(unpaid, bela, 50, 110, reject::nothing_paid);
    auto alone = ended(1);
    alone.renter = anna;
    refused(alone, anna, 50, 110, reject::self_rating);
}

TEST_CASE("feedback: encodings are frozen")
{
    auto a = ended(12);
    pair_window pair{};
    evidence e{};
    auto const r = rate(a, hash256{std::byte{3}}, bela, 75, 50, pair, e, height{104}, by).value();
    CHECK(test::differs_from_frozen(
              "reputation/feedback.txt",
              {{"agreement", encode(a)}, {"pair", encode(pair)}, {"receipt", encode(r)}}) == "");
}

TEST_CASE("feedback: one small job shows in a newcomer's score, and no single one says it all")
{
    auto const after = [](amount fees) {
        pair_window pair{};
        evidence known{};
        settled_agreement of{};
        of.provider = crypto::address{hash256{std::byte{1}}};
        of.renter = crypto::address{hash256{std::byte{2}}};
        of.paid = 1_blnd;
        of.fees_burned = fees;
        REQUIRE(rate(of, {}, of.renter, 100, 10, pair, known, height{0}, score_rules{}));
        return score(known, height{0}, score_rules{});
    };
    CHECK(after(2'500'000_grains) == 308);   // of a job of 0.1 BLND, at the usual fee
    CHECK(after(25'000'000_grains) == 377);  // of 1 BLND
    CHECK(after(100_blnd) == 440);           // of any
}
