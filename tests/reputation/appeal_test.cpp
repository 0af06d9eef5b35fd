// SPDX-License-Identifier: Apache-2.0
#include <blendr/reputation/appeal.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::reputation;

namespace {

crypto::address who(unsigned n) { return crypto::address{hash256{std::byte(n)}}; }
auto const rater = who(1);
auto const subject = who(2);

receipt rating()
{
    receipt r{};
    r.rater = rater;
    r.subject = subject;
    r.rating = 0;
    r.points = 100;
    r.at = height{10};
    return r;
}

appeal_rules rules(std::uint16_t panel = 3) { return {20, 5, 5, panel, amount{1000}, 4'000}; }

std::vector<crypto::address> jury(unsigned n)
{
    std::vector<crypto::address> all;
    for (unsigned i = 0; i < n; ++i) all.push_back(who(10 + i));
    return all;
}

amount paid_to(appeal const& a, crypto::address const& to)
{
    amount sum{};
    for (auto const& each : a.payouts())
        if (each.to == to) sum += each.value;
    return sum;
}

appeal voted(std::vector<vote> const& votes)
{
    auto a = appeal::open(rating(), subject, rules(), height{12}).value();
    REQUIRE(a.defend(rater, jury(3), height{13}).has_value());
    for (unsigned i = 0; i < votes.size(); ++i)
        if (votes[i] != vote::none) REQUIRE(a.say(who(10 + i), votes[i], height{14}).has_value());
    if (!a.over()) REQUIRE(a.tick(a.due).has_value());
    return a;
}

}  // namespace

TEST_CASE("appeal: the majority of the panel decides, and the loser pays winner and majority")
{
    auto const won = voted({vote::overturn, vote::uphold, vote::overturn});
    CHECK(won.at == appeal_stage::overturned);
    CHECK(paid_to(won, subject) == amount{1600});
    CHECK(paid_to(won, who(10)) == amount{200});
    CHECK(paid_to(won, who(11)) == amount{});
    auto const lost = voted({vote::uphold, vote::none, vote::none});
    CHECK(lost.at == appeal_stage::upheld);
    CHECK(paid_to(lost, rater) == amount{1600});
    CHECK(paid_to(lost, who(10)) == amount{400});
}

TEST_CASE("appeal: a rating that its author does not stand by is taken back")
{
    auto a = appeal::open(rating(), subject, rules(), height{12}).value();
    CHECK(a.tick(height{16}).has_value());
    CHECK(a.at == appeal_stage::defending);
    CHECK(a.tick(height{17}).has_value());
    CHECK(a.at == appeal_stage::overturned);
    CHECK(paid_to(a, subject) == amount{1000});
}

TEST_CASE("appeal: a silent or split panel changes nothing, and both get their stakes back")
{
    for (auto const& votes : {std::vector<vote>(3, vote::none),
                              std::vector{vote::uphold, vote::overturn, vote::none}}) {
        auto const a = voted(votes);
        CHECK(a.at == appeal_stage::upheld);
        CHECK(paid_to(a, subject) == amount{1000});
        CHECK(paid_to(a, rater) == amount{1000});
    }
}

TEST_CASE("appeal: every grain of the stakes is paid out, whatever is voted" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int i = 0; i < 1000; ++i) {
        auto by = rules(static_cast<std::uint16_t>(1 + 2 * random.below(15)));
        by.stake = amount{random() >> random.below(64)};
        by.panel_share = static_cast<std::uint32_t>(random.below(10'001));
        auto a = appeal::open(rating(), subject, by, height{12}).value();
        bool const defended = random.chance(5, 6);
        if (defended) REQUIRE(a.defend(rater, jury(by.panel), height{12}).has_value());
        for (unsigned m = 0; m < by.panel && defended; ++m)
            if (random.chance(3, 4))
                REQUIRE(a.say(who(10 + m), random.chance(1, 2) ? vote::uphold : vote::overturn,
                              height{13})
                            .has_value());
        while (!a.over()) REQUIRE(a.tick(a.due).has_value());
        amount sum{};
        for (auto const& each : a.payouts()) sum += each.value;
        REQUIRE(sum == (defended ? by.stake + by.stake : by.stake));
    }
}

TEST_CASE("appeal: what may not happen is refused and changes nothing")
{
    CHECK(appeal::open(rating(), rater, rules(), height{12}).error() == reject::not_a_party);
    CHECK(appeal::open(rating(), subject, rules(), height{31}).error() == reject::too_late);
    CHECK(appeal::open(rating(), subject, rules(), height{9}).error() == reject::height_went_back);
    CHECK(appeal::open(rating(), subject, rules(4), height{12}).error() == reject::bad_rules);
    auto a = appeal::open(rating(), subject, rules(), height{12}).value();
    auto const refused = [&](auto const& call, reject why) {
        auto const before = encode(a);
        auto const answer = call();
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error() == why);
        CHECK(encode(a) == before);
    };
    refused([&] { return a.say(who(10), vote::uphold, height{12}); }, reject::too_late);
    refused([&] { return a.defend(subject, jury(3), height{12}); }, reject::not_a_party);
    refused([&] { return a.defend(rater, {subject}, height{12}); }, reject::bad_rules);
    refused([&] { return a.defend(rater, jury(4), height{12}); }, reject::bad_rules);
    refused([&] { return a.defend(rater, jury(3), height{18}); }, reject::tick_first);
    REQUIRE(a.defend(rater, jury(3), height{12}).has_value());
    refused([&] { return a.defend(rater, jury(3), height{12}); }, reject::too_late);
    refused([&] { return a.say(rater, vote::uphold, height{12}); }, reject::not_on_panel);
    REQUIRE(a.say(who(10), vote::uphold, height{12}).has_value());
    refused([&] { return a.say(who(10), vote::overturn, height{12}); }, reject::voted_already);
    refused([&] { return a.tick(height{11}); }, reject::height_went_back);
    REQUIRE(a.tick(height{40}).has_value());
    refused([&] { return a.tick(height{41}); }, reject::appeal_over);
}

TEST_CASE("appeal: the encoding is frozen")
{
    auto const a = voted({vote::overturn, vote::uphold, vote::overturn});
    CHECK(test::differs_from_frozen("reputation/appeal.txt", {{"appeal", encode(a)}}) == "");
}
