// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/queries.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "business.hpp"
#include "town.hpp"

using namespace blendr;
using namespace blendr::escrow;
using namespace blendr::escrow::testing;

namespace {

job_key const one{renter, 1}, two{renter, 2};
market::device_key const card{provider(0), 0};

struct place : town {
    place()
    {
        for (auto const& who : {renter, sponsor}) fund(who, 1'000_blnd);
        for (std::uint32_t i = 0; i < 2; ++i) settle_in(*this, provider(i));
    }
    void submit(std::uint64_t number, order const& what, price posted, amount deposit = 5_blnd)
    {
        REQUIRE(call(renter, escrows::submit{number, what, deposit, posted}) == fine);
    }
    std::vector<job_key> open(market::device_key const& device) const
    {
        std::vector<job_key> out{};
        for (auto const& each : ask(query::open_jobs{device, {}, 100}).list)
            out.push_back(each.job);
        return out;
    }
    std::vector<query::assignment> work(address const& who) const
    {
        return ask(query::work_of{who, {}, 100});
    }
    std::vector<query::chore> chores() const { return ask(query::needs_of{renter, 0, 100}); }
};

}  // namespace

TEST_CASE("queries: open jobs are those that a device may take, with the bond that they ask of it")
{
    place p;
    p.submit(1, plain_order(3), one_blnd);
    auto large = plain_order(2);
    large.wanted = std::string{"vram >= 48_GiB"};
    p.submit(2, large, one_blnd);
    p.submit(3, plain_order(2), price{});  // on the market only
    auto safe = plain_order(2);
    safe.bond = 40_blnd;  // more of a newcomer than this provider has
    p.submit(4, safe, one_blnd);
    CHECK(p.open({}) == std::vector<job_key>{one, two, {renter, 4}});
    CHECK(p.open(card) == std::vector<job_key>{one});
    CHECK(p.open({provider(0), 7}).empty());  // no such device
    auto const all = p.ask(query::open_jobs{card, {}, 100});
    CHECK(all.list[0].listed == 3);
    CHECK(all.list[0].posted == one_blnd);
    CHECK(all.list[0].bond > 10_blnd);
    CHECK(!all.more);

    auto const first = p.ask(query::open_jobs{{}, {}, 1});
    CHECK((first.more && first.last == one));
    CHECK(p.ask(query::open_jobs{{}, first.last, 1}).list[0].job == two);

    REQUIRE(p.call(provider(0), escrows::take{one, 3, 0, reputation::family::fp32}) == fine);
    CHECK(p.open(card).empty());
    REQUIRE(p.call(provider(0), escrows::quit{one, agreement_no(0)}) == fine);
    CHECK(p.open(card) == std::vector<job_key>{one});
}

TEST_CASE("queries: a provider is told what to run by when, and what to wait for")
{
    place p;
    auto what = plain_order(3);
    what.inputs.push_back(hash256{std::byte{5}});
    p.submit(1, what, one_blnd);
    CHECK(p.work(provider(0)).empty());
    REQUIRE(p.call(provider(0), escrows::take{one, 2, 0, reputation::family::fp32}) == fine);
    auto const at = p.now().at;
    auto found = p.work(provider(0));
    REQUIRE(found.size() == 1);
    CHECK(found[0].next == query::duty::run);
    CHECK(found[0].due == later(at, what.run_within));
    CHECK(found[0].program == what.program);
    REQUIRE(found[0].units.size() == 2);
    CHECK(found[0].units[1].first == 100);
    CHECK(found[0].units[1].count == 100);
    CHECK(found[0].units[1].input == hash256{std::byte{5}});
    CHECK(found[0].units[1].due == found[0].due);
    CHECK(found[0].units[1].id == task(p, one, 1));
    CHECK(p.work(provider(1)).empty());

    REQUIRE(p.call(provider(0), escrows::deliver{one, unit_no(0), {}, 0}) == fine);
    found = p.work(provider(0));
    CHECK(found[0].next == query::duty::run);
    CHECK(found[0].units[0].at == unit_state::delivered);
    CHECK(found[0].units[0].due == later(p.now().at, what.window));
    REQUIRE(p.call(provider(0), escrows::deliver{one, unit_no(1), {}, 0}) == fine);
    CHECK(p.work(provider(0))[0].next == query::duty::wait);
    p.pass(20);
    CHECK(p.work(provider(0)).empty());  // paid

    auto rent = plain_order(0);
    rent.items = rent.demand = 0;
    p.submit(2, rent, one_blnd);
    REQUIRE(p.call(provider(1), escrows::take{two, 0, 0, reputation::family::fp32}) == fine);
    CHECK(p.work(provider(1))[0].next == query::duty::serve);
}

TEST_CASE("queries: a renter is told what its jobs need of it, the most urgent first")
{
    place p;
    auto const what = plain_order(3);
    p.submit(1, what, price{});
    REQUIRE(p.chores().size() == 1);
    CHECK(p.chores()[0].what == query::need::provide);
    CHECK(p.chores()[0].number == 3);
    REQUIRE(p.call(renter, escrows::post_price{one, one_blnd}) == fine);
    CHECK(p.chores().empty());

    REQUIRE(p.call(provider(0), escrows::take{one, 3, 0, reputation::family::fp32}) == fine);
    CHECK(p.chores().empty());
    REQUIRE(p.call(provider(0), escrows::deliver{one, unit_no(2), {}, 0}) == fine);
    auto const due = later(p.now().at, what.window);
    REQUIRE(p.call(provider(0), escrows::deliver{one, unit_no(0), {}, 0}) == fine);
    REQUIRE(p.chores().size() == 2);
    CHECK(p.chores()[0].what == query::need::judge);
    CHECK(p.chores()[0].number == 2);
    CHECK(p.chores()[0].by == due);
    CHECK(p.chores()[1].number == 0);
    REQUIRE(p.call(renter, escrows::accept{one, unit_no(2)}) == fine);
    CHECK(p.chores().size() == 1);

    auto rent = plain_order(0);
    rent.items = rent.demand = 0;
    p.submit(2, rent, one_blnd, 3_blnd);
    REQUIRE(p.call(provider(1), escrows::take{two, 0, 0, reputation::family::fp32}) == fine);
    auto const last = p.chores().back();
    CHECK(last.job == two);
    CHECK(last.what == query::need::top_up);
    CHECK(last.by == later(p.now().at, 3));
}

TEST_CASE("queries: what is over is remembered for both parties, and forgotten after a time")
{
    place p;
    p.submit(1, plain_order(2), one_blnd);
    REQUIRE(p.call(provider(0), escrows::take{one, 1, 0, reputation::family::fp32}) == fine);
    auto const begun = p.now().at;
    REQUIRE(p.call(provider(1), escrows::take{one, 1, 0, reputation::family::fp32}) == fine);
    REQUIRE(p.call(provider(1), escrows::quit{one, agreement_no(1)}) == fine);
    REQUIRE(p.call(provider(0), escrows::deliver{one, unit_no(0), {}, 0}) == fine);
    p.pass(15);
    auto const opened = p.row<jobs>(one).opened;
    auto const mine = p.ask(query::past_of{provider(0), {}, 10});
    REQUIRE(mine.size() == 1);
    CHECK(mine[0].what.what.at == phase::settled);
    CHECK(mine[0].what.what.begun == begun);
    CHECK(mine[0].what.what.paid == 1);
    CHECK(mine[0].what.what.why == fault::none);
    CHECK(mine[0].what.name == task_of({one, opened, nobody, 0}));
    auto const theirs = p.ask(query::past_of{provider(1), {}, 10});
    REQUIRE(theirs.size() == 1);
    CHECK(theirs[0].what.what.at == phase::refunded);
    CHECK(theirs[0].what.what.why == fault::quit);
    CHECK(theirs[0].what.name == hash256{});
    auto const all = p.ask(query::past_of{renter, {}, 10});
    REQUIRE(all.size() == 2);
    CHECK(all[0].key == theirs[0].key);
    CHECK(p.ask(query::past_of{renter, all[0].key, 10}).size() == 1);
    CHECK(p.ask(query::past_of{renter, {}, 1}).size() == 1);

    auto const kept = p.row<conditions>(0).past_kept;
    p.pass(kept + 1);
    CHECK(p.ask(query::past_of{renter, {}, 10}).empty());
    CHECK(p.ask(query::past_of{provider(0), {}, 10}).empty());
}

TEST_CASE("queries: a device shares from the block of its agreement until it has delivered all")
{
    using market::device_state;
    place p;
    market::device_key const other{provider(1), 0}, unknown{provider(7), 3};
    auto const told = [&](market::device_key const& of) {
        query::engaged asked{};
        asked.devices.push_back(of);
        auto const out = p.ask(asked);
        REQUIRE(out.size() == 1);
        CHECK(out[0].device == of);
        return out[0];
    };
    p.submit(1, plain_order(3), one_blnd);
    CHECK(told(card) == query::engagement{card, device_state::idle, 0, 0});
    CHECK(told(unknown).state == device_state::absent);
    REQUIRE(p.call(provider(0), escrows::take{one, 2, 0, reputation::family::fp32}) == fine);
    CHECK(told(card) == query::engagement{card, device_state::sharing, 1, 2});
    p.submit(2, plain_order(1), one_blnd);  // it still sells: others may share it
    REQUIRE(p.call(provider(0), escrows::take{two, 1, 0, reputation::family::fp32}) == fine);
    CHECK(told(card) == query::engagement{card, device_state::sharing, 2, 3});
    for (std::uint32_t u = 0; u < 2; ++u)
        REQUIRE(p.call(provider(0), escrows::deliver{one, unit_no(u), {}, 0}) == fine);
    CHECK(told(card) == query::engagement{card, device_state::sharing, 2, 1});
    REQUIRE(p.call(provider(0), escrows::deliver{two, unit_no(0), {}, 0}) == fine);
    CHECK(told(card) == query::engagement{card, device_state::idle, 2, 0});  // the windows are open
    p.pass(20);
    CHECK(told(card) == query::engagement{card, device_state::idle, 0, 0});

    auto rent = plain_order(0);
    rent.items = rent.demand = 0;
    p.submit(3, rent, one_blnd);
    job_key const three{renter, 3};
    REQUIRE(p.call(provider(1), escrows::take{three, 0, 0, reputation::family::fp32}) == fine);
    CHECK(told(other).state == device_state::sharing);
    REQUIRE(p.call(renter, escrows::cancel_all{three}) == fine);
    p.pass(200);
    CHECK(told(other).agreements == 0);
    CHECK(told(other).state == device_state::disconnected);  // nobody heard of it for so long
    query::engaged both{};
    both.devices.push_back(other);
    both.devices.push_back(card);
    CHECK(p.ask(both).size() == 2);
    CHECK(p.ask(both)[1].device == card);
}

TEST_CASE("queries: what a node keeps in memory of jobs follows rows through any business" *
          doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    town t{};
    business::move_in(t, 1'000'000_blnd);
    business people{t, test::seed()};
    query::index kept{};
    auto before = t.look();
    auto const tell = [&]<class T>(query::index& in, test::picture const& old,
                                   test::picture const& now, std::type_identity<T>) {
        auto names = old;
        names.insert(now.begin(), now.end());
        for (auto const& each : names) {
            auto const& name = each.first;
            if (name.first != chain::table_index<T>) continue;
            auto const row = [&](test::picture const& from) {
                auto const at = from.find(name);
                return at == from.end() ? bytes{} : at->second;
            };
            auto const a = row(old), b = row(now);
            if (a == b) continue;
            auto const read = [](bytes const& raw) {
                return raw.empty() ? typename T::row{} : decode<typename T::row>(raw).value();
            };
            auto const key = decode<typename T::key>(name.second).value();
            auto const was = read(a), is = read(b);
            in.follow(ledger::row_step<T>{key, was, is});
        }
    };
    std::size_t seen = 0, shared = 0;
    for (int b = 0; b < 80; ++b) {
        (void)t.run_in_order(people.some_block(30));
        auto const now = t.look();
        query::index anew{};
        for (auto const& step : {std::pair{&kept, &before}, std::pair{&anew, &before}}) {
            test::picture const none{};
            auto const& old = step.first == &anew ? none : *step.second;
            tell(*step.first, old, now, std::type_identity<jobs>{});
            tell(*step.first, old, now, std::type_identity<past>{});
        }
        REQUIRE(kept.open({}, 1000) == anew.open({}, 1000));
        seen += kept.open({}, 1000).size();
        for (std::uint32_t i = 0; i < business::providers; ++i) {
            auto const who = provider(i);
            REQUIRE(kept.of_provider(who, {}, 1000) == anew.of_provider(who, {}, 1000));
            REQUIRE(kept.of_party(who, {}, 1000) == anew.of_party(who, {}, 1000));
            seen += kept.of_party(who, {}, 1000).size();
            for (std::uint32_t d = 0; d < 3; ++d) {
                auto const load = kept.of_device({who, d});
                REQUIRE(load == anew.of_device({who, d}));
                shared += load.shares();
            }
        }
        before = now;
    }
    CHECK(seen > 100);
    CHECK(shared > 10);
}
