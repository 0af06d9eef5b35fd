// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/queries.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <boost/json/serialize.hpp>

#include <blendr/crypto/bech32.hpp>
#include <blendr/ledger/query_json.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <blendr/market/contract.hpp>
#include <support/vectors.hpp>

#include "contract_world.hpp"

using namespace blendr;
using namespace blendr::market;
using namespace blendr::market::testing;

namespace {

using chain_of = ledger::sandbox<ledger::bank, bond::contract, contract>;

constexpr instrument spot{rtx, hour{0}};
address const ann = account(1), bob = account(2), cid = account(3);

std::string card(std::string const& region, std::string const& memory)
{
    return "vendor=nvidia, model=rtx4090, region=" + region + ", vram=" + memory +
           ", fp32=80, memory=60, integer=50";
}
contract::place order(side way, std::uint64_t client_id, std::uint64_t limit, std::uint64_t size)
{
    contract::place out{};
    out.of = spot;
    out.way = way;
    out.client_id = client_id;
    out.size = quantity{size};
    out.limit = price{limit};
    out.expires = height{1000};
    out.rounds = 20;
    if (way == side::sell) out.hours = 1;
    return out;
}

/// Two asks and two bids that do not meet, then one that does.
void open_market(chain_of& c)
{
    c.next().time = genesis_time;
    c.genesis<bond::contract>({});
    c.genesis<contract>({{{rtx, rtx_spec, price{10}}}, {}});
    for (auto const& who : {ann, bob, cid}) c.fund(who, 1000_blnd);
    REQUIRE(c.call(ann, contract::enrol{0, rtx, card("eu", "16_GiB")}) == 0);
    REQUIRE(c.call(bob, contract::enrol{3, rtx, card("us", "24_GiB")}) == 0);
    auto second = order(side::sell, 7, 14, 60);
    second.device = 3;
    for (auto const code : c.block({{ann, {order(side::sell, 1, 12, 100)}},
                                    {bob, {second}},
                                    {cid, {order(side::buy, 1, 8, 30)}},
                                    {cid, {order(side::buy, 2, 9, 10)}},
                                    {cid, {order(side::buy, 3, 8, 5)}}}))
        REQUIRE(code == 0);
    REQUIRE(c.call(cid, order(side::buy, 4, 12, 40)) == 0);
}

}  // namespace

TEST_CASE("queries: depth tells what lies at each price, best first, as many levels as asked for")
{
    chain_of c;
    open_market(c);
    auto const book = c.ask(query::depth{spot, 10});
    REQUIRE(book);
    CHECK(book->asks ==
          std::vector<query::level>{{price{12}, quantity{60}, 1}, {price{14}, quantity{60}, 1}});
    CHECK(book->bids ==
          std::vector<query::level>{{price{9}, quantity{10}, 1}, {price{8}, quantity{35}, 2}});
    CHECK(book->last == price{12});
    auto const top = c.ask(query::depth{spot, 1});
    REQUIRE(top);
    CHECK(top->bids.size() == 1);
    CHECK(c.ask(query::depth{{device_class{9}, hour{0}}, 5})->asks.empty());
}

TEST_CASE("queries: trades and candles tell what auctions came to")
{
    chain_of c;
    open_market(c);
    auto const all = c.ask(query::trades{spot, height{}, 10});
    REQUIRE(all);
    REQUIRE(all->size() == 1);
    CHECK(all->front().plain == price{12});
    CHECK(all->front().volume == quantity{40});
    CHECK(all->front().value == amount{480});
    CHECK(all->front().fills == 1);
    CHECK(c.ask(query::trades{spot, later(all->front().at, 1), 10})->empty());
    auto const hours = c.ask(query::chart{spot, hour{}, 10});
    REQUIRE(hours);
    CHECK(*hours == std::vector<query::candle>{{hour_of(genesis_time), price{12}, price{12},
                                                price{12}, price{12}, quantity{40}}});
    CHECK(c.ask(query::chart{spot, hour{}, 0})->empty());
}

TEST_CASE("queries: my orders are mine, page by page")
{
    chain_of c;
    open_market(c);
    std::vector<std::uint64_t> ids;
    order_key after{};
    for (int pages = 0; pages < 5; ++pages) {
        auto const page = c.ask(query::my_orders{cid, after, 2});
        REQUIRE(page);
        for (auto const& each : *page) {
            CHECK(each.key.owner == cid);
            CHECK(orders::present(each.now));
            ids.push_back(each.key.client_id);
            after = each.key;
        }
    }
    CHECK(ids == std::vector<std::uint64_t>{1, 2, 3});
    CHECK(c.ask(query::my_orders{account(9), {}, 10})->empty());
}

TEST_CASE("queries: an explanation says which asks fail what, and which comes nearest")
{
    chain_of c;
    open_market(c);
    auto const none = c.ask(query::explain{rtx, std::string{"region == eu && vram >= 20_GiB"}, {}});
    REQUIRE(none);
    CHECK(none->asks == 2);
    CHECK(none->satisfying == 0);
    REQUIRE(none->constraints.size() == 2);
    CHECK(none->constraints[0].text == "region == eu");
    CHECK(none->constraints[0].nearest->order == order_key{spot, side::sell, bob, 7});
    CHECK(none->constraints[1].nearest->order == order_key{spot, side::sell, ann, 1});
    CHECK(none->constraints[1].nearest->value == "16_GiB");
    CHECK(none->text.find("order 7 of " + crypto::to_text(bob) + " would do, at 14") !=
          std::string::npos);
    auto const some = c.ask(query::explain{rtx, {}, price{13}});
    REQUIRE(some);
    CHECK(some->cheapest == std::vector<order_key>{{spot, side::sell, ann, 1}});
    CHECK(c.ask(query::explain{rtx, std::string{"vrm > 1"}, {}}).error() ==
          ledger::code<contract>(reject::bad_expression));
    CHECK(c.ask(query::explain{device_class{9}, {}, {}}).error() ==
          ledger::code<contract>(reject::unknown_instrument));
    auto const bare = c.ask(query::explain{rtx, std::string{" "}, {}});
    REQUIRE(bare);
    CHECK(bare->satisfying == 2);
}

TEST_CASE("queries: instruments, providers and reference prices")
{
    chain_of c;
    open_market(c);
    auto const listed = c.ask(query::instruments{{}, 10});
    REQUIRE(listed);
    REQUIRE(listed->size() == 1);
    CHECK(listed->front().of == spot);
    CHECK(listed->front().spec == rtx_spec);
    CHECK(listed->front().orders == 5);
    CHECK(c.ask(query::instruments{spot, 10})->empty());

    auto const all = c.ask(query::providers{rtx, {}, 10});
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    auto const one = c.ask(query::providers{rtx, (*all)[0].key, 10});
    REQUIRE(one);
    CHECK(*one == std::vector{(*all)[1]});
    auto const mine = c.ask(query::my_devices{bob, {}, 10});
    REQUIRE(mine);
    REQUIRE(mine->size() == 1);
    CHECK(mine->front().key == device_key{bob, 3});
    CHECK(mine->front().asks == 1);
    CHECK(mine->front().taken.size() == 1);
    CHECK(c.ask(query::my_devices{bob, {bob, 3}, 10})->empty());
    REQUIRE(c.call(bob, contract::cancel{{spot, side::sell, bob, 7}}) == 0);
    REQUIRE(c.call(bob, contract::retire{3}) == 0);
    CHECK(c.ask(query::my_devices{bob, {}, 10})->empty());
    CHECK(c.ask(query::providers{rtx, {}, 10})->size() == 1);

    auto const now = c.ask(query::reference{spot});
    REQUIRE(now);
    CHECK(now->last == price{12});
    CHECK(now->hour == amount{now->reference.get() * 40 * 3600});
    CHECK(c.ask(query::reference{{device_class{9}, hour{0}}}).error() ==
          ledger::code<contract>(reject::unknown_instrument));
}

TEST_CASE("queries: each has a path, a command line and JSON")
{
    using forms = ledger::query_forms<chain_of::registry>;
    auto const paths = forms::paths();
    for (auto const* name : {"depth", "trades", "chart", "my_orders", "explain", "instruments",
                             "providers", "my_devices", "reference"})
        CHECK(std::count(paths.begin(), paths.end(), std::string{"market/"} + name) == 1);
    chain_of c;
    open_market(c);
    auto const book = c.ask(query::depth{spot, 1});
    REQUIRE(book);
    auto const json = forms::to_json("market/depth", encode(*book));
    REQUIRE(json);
    CHECK(boost::json::serialize(*json) ==
          R"({"bids":[{"at":9,"size":10,"orders":1}],"asks":[{"at":12,"size":60,"orders":1}],)"
          R"("last":12,"reference":10})");
}

TEST_CASE(
    "queries: what a node keeps in memory follows rows, in any order and through any business" *
    doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    rng any{test::seed()};
    world w{0};
    w.interval_ms = 200'000;
    w.fund(6, amount{20'000'000});
    query::index kept{};
    test::picture before = w.look();
    auto const tell = [&]<class T>(query::index& in, test::picture const& old,
                                   test::picture const& now, std::type_identity<T>) {
        constexpr auto t = chain::table_index<T>;
        auto names = old;
        names.insert(now.begin(), now.end());
        for (auto const& each : names) {
            auto const& name = each.first;
            if (name.first != t) continue;
            auto const row = [&](test::picture const& in_picture) {
                auto const at = in_picture.find(name);
                return at == in_picture.end() ? typename T::row{}
                                              : decode<typename T::row>(at->second).value();
            };
            auto const key = decode<typename T::key>(name.second).value();
            auto const a = row(old), b = row(now);
            if (!(a == b)) in.follow(ledger::row_step<T>{key, a, b});
        }
    };
    for (int b = 0; b < 60; ++b) {
        w.run_in_order(some_block(any, 6, 40, w.block()));
        auto const now = w.look();
        // devices first one time, orders first the next
        if (b % 2 == 0) tell(kept, before, now, std::type_identity<devices>{});
        tell(kept, before, now, std::type_identity<orders>{});
        if (b % 2 != 0) tell(kept, before, now, std::type_identity<devices>{});
        tell(kept, before, now, std::type_identity<markets>{});
        query::index anew{};
        tell(anew, {}, now, std::type_identity<orders>{});
        tell(anew, {}, now, std::type_identity<devices>{});
        tell(anew, {}, now, std::type_identity<markets>{});
        for (std::uint64_t i = 0; i < 6; ++i) {
            REQUIRE(kept.orders_of(account(i), {}, 256) == anew.orders_of(account(i), {}, 256));
            REQUIRE(kept.of_owner(account(i), {}, 256) == anew.of_owner(account(i), {}, 256));
        }
        REQUIRE(kept.traded({}, 256) == anew.traded({}, 256));
        for (auto const& of : kept.traded({}, 256))
            for (auto const way : {side::buy, side::sell})
                REQUIRE(kept.side_of(of, way, 256) == anew.side_of(of, way, 256));
        REQUIRE(kept.of_class(rtx, {}, 256) == anew.of_class(rtx, {}, 256));
        query::explain const asked{
            rtx, std::string{"vram >= 30_GiB && fp32 >= 60 && tier >= 2"}, {}};
        auto const was = kept.explain(asked), is = anew.explain(asked);
        REQUIRE(was->asks == is->asks);
        for (std::size_t i = 0; i < was->constraints.size(); ++i) {
            REQUIRE(was->constraints[i].failing == is->constraints[i].failing);
            REQUIRE(was->constraints[i].would_pass == is->constraints[i].would_pass);
        }
        before = now;
    }
}
