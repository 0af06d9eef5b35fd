// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/capacity.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <map>
#include <utility>

#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::market;

namespace {

using owner = int;
using steps = capacity<owner>;
using promised = promise<owner>;

constexpr owner ann = 1, bob = 2;
constexpr capacity_rules rules{};
constexpr series_key one_hour{device_class{1}, hour{500}};
constexpr hour before{400};
constexpr amount mark{1000};
constexpr amount cover{1500};
constexpr time_ms begins = start_of(hour{500});
constexpr time_ms later(std::int64_t ms) { return time_ms{begins.get() + ms}; }

struct desk {
    series s{};
    promised p{};
    std::map<owner, std::uint64_t> hands{};
    desk() { REQUIRE(steps::mint(s, p, hands[ann], one_hour, ann, cover, mark, before, rules)); }
    void hand_over()
    {
        --hands[ann];
        ++hands[bob];
    }
};

}  // namespace

TEST_CASE("capacity: a token needs a bond that covers the hour, and an hour to come")
{
    series s;
    promised p;
    std::uint64_t hand = 0;
    auto const mint = [&](amount bond, hour now) {
        return steps::mint(s, p, hand, one_hour, ann, bond, mark, now, rules);
    };
    CHECK(mint(amount{1499}, before).error() == reject::bond_too_small);
    CHECK(mint(amount{}, before).error() == reject::bond_too_small);
    CHECK(mint(cover, hour{500}).error() == reject::too_late);
    CHECK(hand == 0);
    CHECK(s == series{});
    REQUIRE(mint(cover, before));
    CHECK(mint(cover, before).error() == reject::hour_taken);
    CHECK(hand == 1);
    CHECK(s.tokens == 1);
}

TEST_CASE("capacity: a token is claimed, the job runs, and the bond goes back")
{
    desk d;
    d.hand_over();
    CHECK(steps::claim(d.s, d.p, d.hands[ann], ann, begins, rules).error() == reject::no_tokens);
    REQUIRE(steps::claim(d.s, d.p, d.hands[bob], bob, later(-5000), rules));
    CHECK(d.s == series{});
    CHECK(steps::start(d.p, ann, later(-1)).error() == reject::too_early);
    CHECK(steps::start(d.p, bob, later(1)).error() == reject::not_owner);
    CHECK(steps::miss(d.p, later(1), false, mark, rules).error() == reject::too_early);
    REQUIRE(steps::start(d.p, ann, later(1)));
    CHECK(steps::finish(d.p, ann, later(2)).error() == reject::not_owner);
    auto const out = steps::finish(d.p, ann, later(ms_per_hour));
    CHECK(out == settlement{cover, {}});
    CHECK(d.p == promised{});
}

TEST_CASE("capacity: a missed hour pays its holder at the price of the day, more than it is worth")
{
    desk d;
    REQUIRE(steps::claim(d.s, d.p, d.hands[ann], bob, later(-5000), rules));
    auto const late = later(rules.start_grace_ms + 1);
    CHECK(steps::start(d.p, ann, late).error() == reject::too_late);
    auto rich = d.p;
    CHECK(steps::miss(d.p, late, false, mark, rules) == settlement{amount{250}, amount{1250}});
    // The price rose: the whole bond goes.
    CHECK(steps::miss(rich, late, false, amount{2000}, rules) == settlement{amount{}, cover});
}

TEST_CASE("capacity: a job that is broken off pays as a missed one")
{
    desk d;
    REQUIRE(steps::claim(d.s, d.p, d.hands[ann], bob, begins, rules));
    REQUIRE(steps::start(d.p, ann, begins));
    CHECK(steps::miss(d.p, later(9), false, mark, rules).error() == reject::wrong_state);
    CHECK(steps::miss(d.p, later(9), true, mark, rules)->to_holder == amount{1250});
}

TEST_CASE("capacity: an unclaimed token lapses with its hour, and cannot be claimed at its end")
{
    desk d;
    CHECK(steps::lapse(d.s, d.p, hour{500}).error() == reject::too_early);
    CHECK(steps::claim(d.s, d.p, d.hands[ann], ann, later(ms_per_hour - 1), rules).error() ==
          reject::too_late);
    CHECK(steps::lapse(d.s, d.p, hour{501}) == settlement{cover, {}});
    CHECK(d.s.promises == 0);
}

TEST_CASE("capacity: the issuer may take a token of its own back, nobody else may")
{
    desk d;
    CHECK(steps::buy_back(d.s, d.p, d.hands[ann], bob).error() == reject::not_owner);
    d.hand_over();
    CHECK(steps::buy_back(d.s, d.p, d.hands[ann], ann).error() == reject::no_tokens);
    d.hands[ann] = 1;
    CHECK(steps::buy_back(d.s, d.p, d.hands[ann], ann) == settlement{cover, {}});
}

TEST_CASE("capacity: an equal or better device may stand in, a lesser one may not")
{
    desk d;
    class_spec const wanted{16, 80, 10, 10};
    promised there;
    CHECK(steps::substitute(d.p, there, ann, {16, 79, 99, 99}, wanted).error() ==
          reject::wrong_device);
    CHECK(steps::substitute(d.p, there, bob, wanted, wanted).error() == reject::not_owner);
    auto taken = d.p;
    CHECK(steps::substitute(d.p, taken, ann, wanted, wanted).error() == reject::hour_taken);
    REQUIRE(steps::substitute(d.p, there, ann, {24, 80, 10, 11}, wanted));
    CHECK(d.p == promised{});
    CHECK(there.cover == cover);
}

TEST_CASE("capacity: a bond that the price outgrows is called for, then foreclosed to the holders")
{
    desk d;
    d.hand_over();
    amount const high{1300};  // keeps 1625 at 125 %
    CHECK(steps::foreclose(d.s, d.p, mark, later(-1), rules).error() == reject::wrong_state);
    auto const now = later(-90'000'000);
    CHECK(steps::foreclose(d.s, d.p, high, now, rules) == false);
    CHECK(steps::foreclose(d.s, d.p, high, now, rules).error() == reject::too_early);
    auto topped = d.p;
    REQUIRE(steps::top_up(topped, amount{125}, high, rules));
    CHECK(topped.due == time_ms{});
    auto const after = time_ms{now.get() + rules.call_grace_ms + 1};
    CHECK(steps::foreclose(d.s, d.p, high, after, rules) == true);
    CHECK(d.s == series{1, 0, cover});
    CHECK(steps::redeem_foreclosed(d.s, d.hands[ann]).error() == reject::no_tokens);
    CHECK(steps::redeem_foreclosed(d.s, d.hands[bob]) == settlement{{}, cover});
    CHECK(d.s == series{});
}

TEST_CASE("capacity: money and tokens are conserved by any sequence of steps" *
          doctest::test_suite("property"))
{
    rng any{test::seed()};
    INFO("seed " << test::seed());
    constexpr std::uint64_t grains_each = 100'000;
    std::map<owner, amount> purse;
    for (owner o = 0; o < 4; ++o) purse[o] = amount{grains_each};
    std::map<std::uint32_t, series> all;                             // by hour
    std::map<std::pair<int, std::uint32_t>, promised> promises;      // device, hour
    std::map<std::pair<owner, std::uint32_t>, std::uint64_t> hands;  // owner, hour
    std::uint64_t done = 0;
    std::int64_t clock = start_of(hour{100}).get();
    for (int i = 0; i < 20'000; ++i) {
        clock += static_cast<std::int64_t>(any.below(40'000));
        time_ms const now{clock};
        auto const h = static_cast<std::uint32_t>(hour_of(now).get() - 1 + any.below(6));
        auto const device = static_cast<int>(any.below(3));
        auto const who = static_cast<owner>(any.below(4));
        amount const price_now{500 + any.below(1500)};
        auto& s = all[h];
        auto& p = promises[{device, h}];
        auto& hand = hands[{who, h}];
        auto const holder = p.holder, issuer = p.issuer;
        steps::outcome out = fail{reject::wrong_state};
        amount locked{};
        switch (any.below(10)) {
        case 0:
        case 1:
            locked = amount{any.below(4000)};
            if (purse[who] < locked) continue;
            out = steps::mint(s, p, hand, {device_class{1}, hour{h}}, who, locked, price_now,
                              hour_of(now), rules);
            break;
        case 2:
            out = steps::buy_back(s, p, hand, who);
            break;
        case 3:
            out = steps::claim(s, p, hand, who, now, rules);
            break;
        case 4:
            out = steps::start(p, issuer, now);
            break;
        case 5:
            out = steps::finish(p, any.chance(1, 2) ? holder : issuer, now);
            break;
        case 6:
            out = steps::miss(p, now, any.chance(1, 3), price_now, rules);
            break;
        case 7:
            out = any.chance(1, 2) ? steps::lapse(s, p, hour_of(now))
                                   : steps::redeem_foreclosed(s, hand);
            break;
        case 8:
            if (auto const f = steps::foreclose(s, p, price_now, now, rules); f && *f)
                out = settlement{};
            else if (!f)
                out = fail{f.error()};
            break;
        default:
            locked = amount{any.below(300)};
            if (purse[who] < locked) continue;
            out = steps::top_up(p, locked, price_now, rules);
        }
        if (out) {
            ++done;
            purse[who] -= locked;
            purse[issuer] += out->to_issuer;
            purse[holder == 0 && out->to_holder != amount{} ? who : holder] += out->to_holder;
        }
        if (i % 100 != 0) continue;
        amount money{};
        std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> counted;
        for (auto const& [o, m] : purse) money += m;
        for (auto const& [key, x] : promises) {
            money += x.cover;
            counted[key.second].second += x.state == promise_state::open ? 1 : 0;
        }
        for (auto const& [key, n] : hands) counted[key.second].first += n;
        for (auto const& [k, x] : all) {
            money += x.pot;
            REQUIRE(counted[k] == std::pair{x.tokens, x.promises});
            if (hour_of(now).get() <= k) REQUIRE(x.tokens >= x.promises);
        }
        REQUIRE(money == amount{4 * grains_each});
    }
    CHECK(done > 1500);
}
