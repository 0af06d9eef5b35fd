// SPDX-License-Identifier: Apache-2.0
// Hours that are sold ahead, by an agent and through a chain whose clock a test can move.
#include <blendr/node/provider.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include <blendr/escrow/contract.hpp>

#include "job_town.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

using markets = market::contract;
using market::promise_state;

constexpr std::uint8_t seller = 10, other = 11, holder = 13, witness = 14, stranger = 15;
constexpr market::device_class kind{1};
constexpr market::hour first{480'000};
constexpr std::int64_t into_first = 600'000;  ///< where the clock begins

/// From ten minutes after an hour began on, as long as the test takes: no hour ends unless it is told to.
struct moved_clock {
    std::shared_ptr<std::atomic<std::int64_t>> off = std::make_shared<std::atomic<std::int64_t>>(0);

    std::function<time_ms()> function() const
    {
        return [by = off, began = std::chrono::steady_clock::now()] {
            auto const since = std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now() - began);
            return time_ms{market::start_of(first).get() + into_first + since.count() + *by};
        };
    }
    void pass_ms(std::int64_t ms) const { *off += ms; }
};

struct hours_town : job_town {
    explicit hours_town(std::string const& name, moved_clock const& by = {})
        : job_town{scratch("hours") / name, 6, 40, by.function()},
          clock{by}
    {}

    static market::device_key device_of(std::uint8_t who) { return {person(who).account(), 0}; }
    market::promises::row promise(std::uint8_t who, market::hour at) const
    {
        return ask()
            .row<markets, market::promises>(market::promises::key{device_of(who), at})
            .value_or(market::promises::row{});
    }
    bool is(std::uint8_t who, market::hour at, promise_state what) const
    {
        return eventually([&] { return promise(who, at).state == what; });
    }
    market::devices::row device(std::uint8_t who) const
    {
        return ask().row<markets, market::devices>(device_of(who)).value_or(market::devices::row{});
    }
    amount locked(std::uint8_t who) const
    {
        auto const row =
            ask().row<bond::contract, bond::contract::bonds>(escrow::device_bond(device_of(who)));
        return row ? row->held.locked : amount{};
    }
    std::uint64_t tokens(std::uint8_t who, market::instrument const& of) const
    {
        auto const row =
            ask().row<markets, market::holdings>(market::holdings::key{of, person(who).account()});
        return row ? row->tokens.get() : 0;
    }
    market::query::book book(market::instrument const& of) const
    {
        return ask()
            .ask<market::query::book>("market/depth", market::query::depth{of, 5})
            .value_or(market::query::book{});
    }
    /// Somebody has a message done.
    template <class Message>
    void act(std::uint8_t who, Message const& what) const
    {
        node::outbox out{ask(), person(who), 1_blnd};
        bool sent = false;
        REQUIRE(eventually([&] {
            auto const at = ask().where();
            if (!at) return false;
            out.settle(at->last);
            sent = sent || out.say("it", {ledger::wrap<markets>(what)});
            return sent && out.idle();
        }));
        auto const refused = out.refused();
        REQUIRE_MESSAGE(refused.empty(), refused.front().why);
    }
    /// Buys what is offered of an hour, and has one device owe it.
    void buy_and_claim(std::uint8_t who, std::uint8_t of, market::instrument const& hour) const
    {
        markets::place bid{};
        bid.of = hour;
        bid.way = market::side::buy;
        bid.client_id = 1;
        bid.size = quantity{1};
        bid.expires = height{1'000'000};
        bid.rounds = 100;
        REQUIRE(eventually([&] { return !book(hour).asks.empty(); }));
        bid.limit = book(hour).asks.front().at;
        act(who, bid);
        REQUIRE(eventually([&] { return tokens(who, hour) == 1; }));
        act(who, markets::claim{device_of(of), hour});
        REQUIRE(is(of, hour.when, promise_state::claimed));
    }
    /// Blocks go by, so that nothing that averages over block times sees the jump.
    void settle_down() const
    {
        auto const from = ask().where();
        REQUIRE(from);
        REQUIRE(eventually([&] {
            auto const at = ask().where();
            return at && at->last > later(from->last, 40);
        }));
    }
    node::provider_settings sells_ahead(std::uint8_t who, std::uint32_t hours) const
    {
        auto out = settings(who);
        out.ahead = hours;
        return out;
    }

    moved_clock clock;
};

/// Every grain lies in purses and bonds again.
void close(hours_town& town, std::initializer_list<std::uint8_t> who)
{
    for (auto const each : who) {
        town.send_home(each);
        close_shop(town.ask(), person(each));
    }
    auto const [is, should] = town.money();
    CHECK(is == should);
}

node::job_request holders_job()
{
    auto out = small_picture(3, 1);
    out.post = true;
    out.each_most = 1'000_grains;  // far below what anybody asks: the hour is paid already
    out.search_s = 120;
    out.run_s = 60;
    return out;
}

}  // namespace

TEST_CASE("hours: sold ahead, bought, redeemed, and the device is its holder's for that hour" *
          doctest::test_suite("e2e"))
{
    hours_town town{"kept"};
    REQUIRE(town.good());
    market::instrument const hour{kind, market::hour{first.get() + 1}};
    market::instrument const unsold{kind, market::hour{first.get() + 2}};
    town.let_in(seller, town.sells_ahead(seller, 2));
    town.let_in(other);
    REQUIRE(town.is(seller, hour.when, promise_state::open));
    REQUIRE(town.is(seller, unsold.when, promise_state::open));
    REQUIRE(eventually([&] { return !town.book(unsold).asks.empty(); }));
    auto const cover = town.promise(seller, hour.when).cover;
    CHECK(cover >= 270_blnd);  // half as much again as the hour's price
    CHECK(town.device(seller).status.state == market::device_state::reserved);

    town.buy_and_claim(holder, seller, hour);
    town.clock.pass_ms(market::ms_per_hour - into_first + 1'000);
    REQUIRE(town.is(seller, hour.when, promise_state::running));
    CHECK(town.device(seller).status.state == market::device_state::sharing);
    REQUIRE(
        eventually([&] { return town.at(seller).report().state == node::agent_state::sharing; }));
    town.settle_down();
    // what the holder posts is done in its hour; the same of somebody else is not
    auto const by = town.renter(holder), not_by = town.renter(stranger);
    auto turned_away = holders_job();
    turned_away.search_s = 3'600;
    auto const refused = not_by->submit(turned_away);
    REQUIRE_MESSAGE(refused, (refused ? std::string{} : refused.error()));
    auto const number = by->submit(holders_job());
    REQUIRE_MESSAGE(number, (number ? std::string{} : number.error()));
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{300};
    auto const story = by->watch(
        *number, [&](node::job_story const&) { return std::chrono::steady_clock::now() < until; });
    REQUIRE(story);
    CHECK(story->phase == node::job_phase::done);
    REQUIRE(story->stages[0].deals.size() == 1);
    auto const& deal = story->stages[0].deals[0];
    CHECK(deal.provider == to_text(person(seller).account()));
    CHECK(deal.paid + deal.fees == price{1'000} * quantity{story->units});
    CHECK((*by->files(*number))[0].content == done_here(holders_job())[0].content);
    auto const passed_over = not_by->look(*refused);
    REQUIRE(passed_over);
    CHECK(passed_over->phase == node::job_phase::searching);
    REQUIRE(not_by->cancel(*refused));
    REQUIRE(eventually([&] {
        auto const row = town.ask().row<escrow::contract, escrow::jobs>(
            escrow::job_key{person(stranger).account(), *refused});
        return row && !escrow::jobs::present(*row);
    }));

    // when it is over the cover comes back, and an hour that nobody bought is the owner's again
    auto const before = town.promise(seller, hour.when);
    CHECK(before.state == promise_state::running);
    CHECK(before.cover == cover);
    town.let_in(seller, town.sells_ahead(seller, 0));
    town.clock.pass_ms(market::ms_per_hour);
    REQUIRE(town.is(seller, hour.when, promise_state::none));
    REQUIRE(town.is(seller, unsold.when, promise_state::none));
    REQUIRE(
        eventually([&] { return town.device(seller).status.state == market::device_state::idle; }));
    CHECK(town.locked(seller) >= 200_blnd + cover);
    REQUIRE(eventually([&] { return town.offers() == 2; }));  // and nothing else is on its way
    close(town, {seller, other});
}

TEST_CASE("hours: who sold one and is not there pays the holder out of its bond" *
          doctest::test_suite("e2e"))
{
    hours_town town{"broken"};
    REQUIRE(town.good());
    market::instrument const hour{kind, market::hour{first.get() + 1}};
    town.let_in(seller, town.sells_ahead(seller, 1));
    REQUIRE(town.is(seller, hour.when, promise_state::open));
    town.buy_and_claim(holder, seller, hour);
    REQUIRE(eventually([&] { return town.offers() == 1; }));
    town.send_home(seller);
    close_shop(town.ask(), person(seller));
    auto const promised = town.promise(seller, hour.when);
    auto const bond = town.locked(seller), purse = town.balance(holder);
    auto const mark = town.ask().ask<market::query::price_now>("market/reference",
                                                               market::query::reference{hour});
    REQUIRE(mark);
    auto const damages = mark->hour.share(12'500, market::bps, rounding::up).value();
    CHECK(damages > mark->last * quantity{1});  // more than the hour cost: breaking one never pays
    REQUIRE(damages < promised.cover);

    town.clock.pass_ms(market::ms_per_hour + markets::tokens_rules.start_grace_ms);
    town.act(witness, markets::settle{town.device_of(seller), hour, person(holder).account()});
    REQUIRE(town.is(seller, hour.when, promise_state::none));
    CHECK(town.balance(holder) == purse + damages);
    CHECK(town.locked(seller) == bond + promised.cover - damages);
    CHECK(town.device(seller).calendar.bookings().empty());
    close(town, {});
}
