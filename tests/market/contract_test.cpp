// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/contract.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <map>
#include <string>
#include <vector>

#include <blendr/ledger/message.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <support/vectors.hpp>

#include "contract_world.hpp"

using namespace blendr;
using namespace blendr::market;
using namespace blendr::market::testing;

namespace {

/// Listed after the market: takes the money of every second fill, as an escrow would of all.
struct keeper {
    static constexpr std::uint16_t id = 50;
    static constexpr std::string_view name = "keeper";
    enum class error : std::uint16_t { ok };
    using messages = ledger::type_list<>;
    struct kept {
        static constexpr std::string_view name = "kept";
        using key = std::uint8_t;
        struct row {
            amount value{};
            std::uint64_t fills{};
        };
        static amount holds(row const& r) { return r.value; }
    };
    using tables = ledger::type_list<kept>;
    static void on(auto& ctx, fill const& f)
    {
        auto& row = ctx.template edit<kept>(0);
        if (++row.fills % 2 == 0) return;
        auto const value = f.at * f.size;
        auto const from = ctx.template use<proceeds, mode::debit>(f.paid);
        if (ctx.take(from, value)) row.value += value;
    }
};
BOOST_DESCRIBE_STRUCT(keeper::kept::row, (), (value, fills))

using plain_chain = ledger::sandbox<ledger::bank, contract>;
using kept_chain = ledger::sandbox<ledger::bank, contract, keeper>;

address const ann = account(1), bob = account(2), cid = account(3), dan = account(4);
constexpr instrument spot{rtx, hour{0}};
constexpr amount rich{1'000'000'000};
constexpr std::uint32_t code(reject why) { return ledger::code<contract>(why); }
constexpr std::uint32_t fine = 0;

template <class Chain>
void begin(Chain& c)
{
    c.next().time = genesis_time;
    c.template genesis<contract>({{{rtx, rtx_spec, price{10}}}});
    for (auto const& who : {ann, bob, cid, dan}) c.fund(who, rich);
}
contract::enrol device(std::uint32_t number = 0, std::string const& region = "eu")
{
    return {number, rtx,
            "vendor=nvidia, model=rtx4090, region=" + region +
                ", vram=24_GiB, fp32=80, memory=60, integer=50"};
}
contract::place bid(std::uint64_t client_id, std::uint64_t limit, std::uint64_t size)
{
    return {.of = spot,
            .way = side::buy,
            .client_id = client_id,
            .size = quantity{size},
            .limit = price{limit},
            .expires = height{1000},
            .rounds = 5};
}
contract::place ask(std::uint64_t client_id, std::uint64_t limit, std::uint64_t size)
{
    auto out = bid(client_id, limit, size);
    out.way = side::sell;
    out.hours = 1;
    return out;
}
hour hour_ahead(auto& c, std::uint32_t by) { return hour{hour_of(c.next().time).get() + by}; }

}  // namespace

TEST_CASE("contract: two sellers and a buyer meet at one price, and the sellers are paid")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device()) == fine);
    REQUIRE(c.call(bob, device()) == fine);
    auto const codes =
        c.block({{ann, {ask(1, 8, 100)}}, {bob, {ask(1, 9, 100)}}, {cid, {bid(1, 12, 150)}}});
    for (auto const each : codes) CHECK(each == fine);
    // 150 of 200 sold, at the reference price, which lies in the range that clears.
    CHECK(c.row<markets>(spot).last == price{10});
    CHECK(c.row<markets>(spot).volume == quantity{150});
    CHECK(c.row<orders>({spot, side::sell, bob, 1}).left == quantity{50});
    CHECK(c.row<orders>({spot, side::buy, cid, 1}) == orders::row{});
    CHECK(c.balance(cid).grains() == rich.grains() - 150 * 10 - 1000);  // and one auction's fee
    CHECK(c.balance(ann).grains() == rich.grains() - 1000);
    c.block();  // nobody took the money: it is the sellers'
    CHECK(c.balance(ann).grains() == rich.grains() - 1000 + 1000);
    CHECK(c.balance(bob).grains() == rich.grains() - 5000 + 500);
}

TEST_CASE("contract: a contract listed later may take a fill's money on hearing of it")
{
    kept_chain c;
    begin(c);
    REQUIRE(c.call(ann, device()) == fine);
    REQUIRE(c.call(bob, device()) == fine);
    c.block({{ann, {ask(1, 8, 100)}}, {bob, {ask(1, 8, 100)}}, {cid, {bid(1, 8, 200)}}});
    c.block();
    CHECK(c.row<keeper::kept>(0).fills == 2);
    CHECK(c.row<keeper::kept>(0).value == amount{800});
    CHECK(c.balance(ann) + c.balance(bob) == amount{2 * rich.grains() - 2000 + 800});
}

TEST_CASE("contract: what is refused has a code, locks nothing and changes nothing")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device()) == fine);
    REQUIRE(c.call(cid, bid(7, 5, 10)) == fine);
    auto const before = c.balance(cid);
    auto const refused = [&](address const& who, auto message, reject why) {
        auto const had = c.balance(who);
        CHECK(c.call(who, message) == code(why));
        CHECK(c.balance(who) == had);
    };
    auto with = [](contract::place p, auto&& change) { return change(p), p; };
    refused(cid, with(bid(1, 5, 0), [](auto&) {}), reject::zero_size);
    refused(cid, bid(1, 0, 5), reject::zero_price);
    refused(cid, bid(1, 5, ~std::uint64_t{0}), reject::size_too_large);
    refused(cid, bid(1, ~std::uint64_t{0}, order_size_max.get()), reject::poor);
    refused(cid, bid(1, 5, rich.grains() > 0 ? 400'000'000 : 1), reject::poor);
    refused(cid, with(bid(1, 5, 5), [](auto& p) { p.of.what = device_class{9}; }),
            reject::unknown_instrument);
    refused(cid, with(bid(1, 5, 5), [](auto& p) { p.of.when = hour{7}; }), reject::too_late);
    refused(cid, with(bid(1, 5, 5), [](auto& p) { p.expires = height{1}; }), reject::expired);
    refused(cid, with(bid(1, 5, 5), [](auto& p) { p.rounds = 0; }), reject::fee_too_small);
    refused(cid, with(bid(1, 5, 5), [](auto& p) { p.wanted = std::string{"vrm > 1"}; }),
            reject::bad_expression);
    refused(cid, with(bid(1, 5, 5), [](auto& p) { p.hours = 1; }), reject::contradictory_order);
    refused(cid, bid(7, 5, 10), reject::duplicate_client_id);
    refused(cid, ask(1, 5, 10), reject::unknown_device);
    refused(ann, ask(1, 5, 80 * 3600 + 1), reject::size_too_large);
    refused(ann, with(ask(1, 5, 5), [](auto& p) { p.hours = 0; }), reject::bad_window);
    refused(ann, with(ask(1, 5, 5), [](auto& p) { p.gang = true; }), reject::contradictory_order);
    refused(bob, contract::cancel{{spot, side::buy, cid, 7}}, reject::not_owner);
    refused(cid, contract::cancel{{spot, side::buy, cid, 8}}, reject::unknown_order);
    refused(bob, contract::replace{{spot, side::buy, cid, 7}, quantity{1}, price{1}},
            reject::not_owner);
    instrument const soon{rtx, hour_ahead(c, 5)};
    refused(ann, contract::mint{0, soon, amount{1}}, reject::bond_too_small);
    refused(bob, contract::mint{0, soon, amount{900'000'000}}, reject::unknown_device);
    refused(bob, contract::transfer{soon, ann, quantity{1}}, reject::no_tokens);
    refused(ann, device(), reject::already_registered);
    auto weak = device(1);
    weak.capability = std::string{"vram=8_GiB, fp32=80, memory=60, integer=50"};
    refused(ann, weak, reject::wrong_device);
    CHECK(c.row<orders>({spot, side::buy, cid, 7}).left == quantity{10});
    CHECK(c.balance(cid) == before);
}

TEST_CASE("contract: a client id is used once while its order lives, within a block too")
{
    plain_chain c;
    begin(c);
    auto const codes = c.block({{cid, {bid(1, 5, 10)}}, {cid, {bid(1, 6, 20)}}});
    CHECK(codes == std::vector<std::uint32_t>{0, 0});
    CHECK(c.row<orders>({spot, side::buy, cid, 1}).left == quantity{10});
    CHECK(c.balance(cid).grains() == rich.grains() - 50 - 5000);  // the second was given back
}

TEST_CASE("contract: cancelling gives back what was locked, replacing locks the difference")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(cid, bid(1, 5, 10)) == fine);
    order_key const mine{spot, side::buy, cid, 1};
    REQUIRE(c.call(cid, contract::replace{mine, quantity{20}, price{7}}) == fine);
    CHECK(c.row<orders>(mine).left == quantity{20});
    CHECK(c.balance(cid).grains() == rich.grains() - 140 - 5000);
    REQUIRE(c.call(cid, contract::replace{mine, quantity{5}, price{7}}) == fine);
    REQUIRE(c.call(cid, contract::cancel{mine}) == fine);
    CHECK(c.balance(cid).grains() == rich.grains() - 3000);  // three auctions were run
    CHECK(c.row<markets>(spot).orders == 0);
}

TEST_CASE("contract: an order ends with its height, its paid auctions or its one auction")
{
    plain_chain c;
    begin(c);
    auto short_lived = bid(1, 5, 10);
    short_lived.rounds = 1;
    REQUIRE(c.call(cid, short_lived) == fine);
    CHECK(c.balance(cid).grains() == rich.grains() - 1000);
    auto once = bid(2, 5, 10);
    once.immediate = true;
    REQUIRE(c.call(cid, once) == fine);
    CHECK(c.balance(cid).grains() == rich.grains() - 2000);
    auto ends = bid(3, 5, 10);
    ends.expires = c.next().at;
    REQUIRE(c.call(cid, ends) == fine);
    CHECK(c.row<orders>({spot, side::buy, cid, 3}).left == quantity{10});
    REQUIRE(c.call(dan, bid(1, 4, 1)) == fine);  // its instrument's next auction
    CHECK(c.row<orders>({spot, side::buy, cid, 3}) == orders::row{});
    CHECK(c.balance(cid).grains() == rich.grains() - 3000);
}

TEST_CASE("contract: a requirement takes the cheapest ask that satisfies it, a gang all or none")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device(0, "us")) == fine);
    REQUIRE(c.call(bob, device(0, "eu")) == fine);
    REQUIRE(c.call(dan, device(0, "eu")) == fine);
    auto picky = bid(1, 20, 100);
    picky.wanted = std::string{"region == eu && vram >= 16_GiB"};
    picky.gang = true;
    auto gang = bid(2, 20, 200);
    gang.gang = true;
    gang.per_provider_max = quantity{90};
    c.block({{ann, {ask(1, 5, 100)}},
             {bob, {ask(1, 7, 60)}},
             {dan, {ask(1, 6, 60)}},
             {cid, {picky}},
             {cid, {gang}}});
    CHECK(c.row<orders>({spot, side::sell, ann, 1}).left == quantity{100});
    CHECK(c.row<orders>({spot, side::sell, dan, 1}) == orders::row{});
    CHECK(c.row<orders>({spot, side::sell, bob, 1}).left == quantity{20});
    CHECK(c.row<orders>({spot, side::buy, cid, 2}).left == quantity{200});
    CHECK(c.balance(cid).grains() == rich.grains() - 60 * 6 - 40 * 7 - 1000 - (200 * 20 + 5000));
}

TEST_CASE("contract: a device's hour is sold once, as a token or at spot, and is free again after "
          "a cancel")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device()) == fine);
    auto long_ask = ask(1, 5, 1000);
    long_ask.hours = 6;
    REQUIRE(c.call(ann, long_ask) == fine);
    CHECK(c.call(ann, ask(2, 5, 10)) == code(reject::hour_taken));
    instrument const soon{rtx, hour_ahead(c, 3)};
    CHECK(c.call(ann, contract::mint{0, soon, amount{300'000'000}}) == code(reject::hour_taken));
    CHECK(c.call(ann, contract::retire{0}) == code(reject::hour_taken));
    REQUIRE(c.call(ann, contract::cancel{{spot, side::sell, ann, 1}}) == fine);
    REQUIRE(c.call(ann, contract::mint{0, soon, amount{300'000'000}}) == fine);
    CHECK(c.call(ann, contract::mint{0, soon, amount{300'000'000}}) == code(reject::hour_taken));
    REQUIRE(c.call(ann, contract::buy_back{0, soon}) == fine);
    REQUIRE(c.call(ann, contract::retire{0}) == fine);
}

TEST_CASE("contract: a capacity token is minted, sold, claimed, run and its bond returned")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device()) == fine);
    instrument const when{rtx, hour_ahead(c, 2)};
    amount const cover{10'000'000};
    REQUIRE(c.call(ann, contract::mint{0, when, cover}) == fine);
    auto sell = bid(1, 2'000'000, 1);
    sell.of = when;
    auto buy = sell;
    sell.way = side::sell;
    c.block({{ann, {sell}}, {bob, {buy}}});
    CHECK(c.row<holdings>({when, bob}).tokens == quantity{1});
    CHECK(c.row<markets>(when).last == price{2'000'000});
    CHECK(c.balance(ann) == amount{rich.grains() - cover.grains() + 2'000'000 - 1000});
    REQUIRE(c.call(bob, contract::claim{{ann, 0}, when}) == fine);
    CHECK(c.call(ann, contract::start{0, when}) == code(reject::too_early));
    c.next().time = start_of(when.when);
    REQUIRE(c.call(ann, contract::start{0, when}) == fine);
    c.next().time = time_ms{start_of(when.when).get() + ms_per_hour};
    REQUIRE(c.call(ann, contract::finish{{ann, 0}, when}) == fine);
    CHECK(c.balance(ann).grains() == rich.grains() + 2'000'000 - 1000);
    CHECK(c.row<all_series>(when) == series{});
}

TEST_CASE("contract: a missed hour pays its holder out of the bond, more than the token's price")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device()) == fine);
    instrument const when{rtx, hour_ahead(c, 2)};
    REQUIRE(c.call(ann, contract::mint{0, when, amount{10'000'000}}) == fine);
    REQUIRE(c.call(ann, contract::transfer{when, bob, quantity{1}}) == fine);
    REQUIRE(c.call(bob, contract::claim{{ann, 0}, when}) == fine);
    CHECK(c.call(dan, contract::settle{{ann, 0}, when, bob}) == code(reject::too_early));
    c.next().time = time_ms{start_of(when.when).get() + contract::tokens_rules.start_grace_ms + 1};
    CHECK(c.call(dan, contract::settle{{ann, 0}, when, dan}) == code(reject::not_owner));
    REQUIRE(c.call(dan, contract::settle{{ann, 0}, when, bob}) == fine);
    amount const hour_at_spot{10 * 40 * 3600};
    CHECK(c.balance(bob).grains() == rich.grains() + hour_at_spot.grains() * 5 / 4);
    CHECK(c.balance(ann).grains() == rich.grains() - hour_at_spot.grains() * 5 / 4);
}

TEST_CASE("contract: an equal or better device stands in for the promised one")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device(0)) == fine);
    REQUIRE(c.call(ann, device(1)) == fine);
    instrument const when{rtx, hour_ahead(c, 2)};
    REQUIRE(c.call(ann, contract::mint{0, when, amount{10'000'000}}) == fine);
    REQUIRE(c.call(ann, contract::substitute{0, 1, when}) == fine);
    CHECK(c.row<promises>({{ann, 0}, when.when}).state == promise_state::none);
    CHECK(c.row<promises>({{ann, 1}, when.when}).state == promise_state::open);
    CHECK(c.row<devices>({ann, 0}).calendar.bookings().empty());
    CHECK(c.call(ann, contract::mint{1, when, amount{10'000'000}}) == code(reject::hour_taken));
}

TEST_CASE("contract: money and tokens are conserved by any business" *
          doctest::test_suite("property"))
{
    rng any{test::seed()};
    INFO("seed " << test::seed());
    world w{0};
    w.interval_ms = 200'000;
    constexpr std::uint64_t accounts = 6;
    w.fund(accounts, amount{20'000'000});
    auto const money = w.money();
    std::map<std::uint32_t, std::uint64_t> codes;
    for (int b = 0; b < 400; ++b) {
        for (auto const& out : w.run_in_order(some_block(any, accounts, 40, w.block())))
            ++codes[out.code];
        REQUIRE(w.money() == money);
        std::map<instrument, std::uint64_t> tokens;
        w.each<holdings>(
            [&](auto const& key, auto const& row) { tokens[key.of] += row.tokens.get(); });
        std::map<instrument, std::uint32_t> counts;
        w.each<orders>([&](auto const& key, auto const& row) {
            ++counts[key.of];
            if (key.way == side::sell && !is_spot(key.of)) tokens[key.of] += row.left.get();
            auto const value = key.way == side::buy ? row.limit * row.left : amount{};
            REQUIRE(row.locked == value + amount{1000 * row.rounds});
            REQUIRE(row.left != quantity{0});
        });
        w.each<markets>(
            [&](auto const& key, auto const& row) { REQUIRE(row.orders == counts[key]); });
        w.each<all_series>([&](auto const& key, auto const& row) {
            REQUIRE(row.tokens == tokens[key]);
            tokens.erase(key);
        });
        for (auto const& [key, n] : tokens) REQUIRE(n == 0);
        w.each<promises>([&](auto const& key, auto const& row) {
            if (row.state == promise_state::none || key.at < hour_of(w.block().time)) return;
            auto const& t = w.state().table<devices>();
            auto const& calendar = t.row(t.find(key.device)).calendar;
            REQUIRE(calendar.use_of(key.at).has_value());  // no promise without its hour
        });
    }
    CHECK(codes[0] > 1000);
    CHECK(codes.size() > 15);  // most refusals were met too
}

TEST_CASE("contract: blocks run in parallel are the blocks run in order" *
          doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    task_pool pool{2};
    for (std::uint64_t s = 0; s < 4; ++s) {
        rng any{test::seed() + s};
        world ordered{0}, parallel{test::seed() + s};
        for (auto* w : {&ordered, &parallel}) w->fund(30, amount{50'000'000});
        ledger::parallel_executor<chain>::options how{};
        how.shards = s % 2 == 0 ? 2 : 4;
        how.group_bits = static_cast<unsigned>(any.below(3));
        how.adaptive = false;
        ledger::parallel_executor<chain> execute{pool, how};
        for (int b = 0; b < 40; ++b) {
            auto const txs = some_block(any, 30, 120, ordered.block());
            auto const a = ordered.run_in_order(txs);
            auto const p = parallel.run(txs, 1 + any.below(60), execute);
            REQUIRE(a == p);
            REQUIRE(ordered.look() == parallel.look());
        }
    }
}

TEST_CASE("contract: the market's messages, rows and genesis document are frozen")
{
    auto const sent = [](auto const& message) { return encode(ledger::wrap<contract>(message)); };
    instrument const token{rtx, hour{480'003}};
    order_key const bid{spot, side::buy, account(1), 5};
    device_key const device{account(2), 6};
    contract::place all{spot, side::buy, 5, quantity{10}, price{11}, height{99}};
    all.rounds = 3;
    all.immediate = all.gang = true;
    all.per_provider_max = quantity{4};
    all.wanted = std::string{"vram >= 16_GiB"};
    all.device = 6;
    all.hours = 2;
    orders::row resting{};
    resting.limit = price{11};
    resting.left = quantity{10};
    resting.locked = amount{113'000};
    resting.rounds = 3;
    resting.placed = height{7};
    resting.expires = height{99};
    resting.wanted = "vram >= 16_GiB";
    CHECK(
        blendr::test::differs_from_frozen(
            "market/contract.txt",
            {{"place", sent(all)},
             {"cancel", sent(contract::cancel{bid})},
             {"replace", sent(contract::replace{bid, quantity{9}, price{12}})},
             {"enrol", sent(contract::enrol{6, rtx, std::string{"vendor=nvidia"}})},
             {"retire", sent(contract::retire{6})},
             {"heartbeat", sent(contract::heartbeat{6})},
             {"mint", sent(contract::mint{6, token, amount{2'000'000}})},
             {"buy_back", sent(contract::buy_back{6, token})},
             {"transfer", sent(contract::transfer{token, account(3), quantity{2}})},
             {"claim", sent(contract::claim{device, token})},
             {"start", sent(contract::start{6, token})},
             {"finish", sent(contract::finish{device, token})},
             {"settle", sent(contract::settle{device, token, account(3)})},
             {"top_up", sent(contract::top_up{6, token, amount{1'000}})},
             {"substitute", sent(contract::substitute{6, 7, token})},
             {"redeem", sent(contract::redeem{token})},
             {"genesis", encode(contract::genesis_document{{{rtx, rtx_spec, price{10}}}})},
             {"order_key", encode(bid)},
             {"order", encode(resting)},
             {"candle", encode(candles::row{price{1}, price{4}, price{1}, price{2}, quantity{8}})},
             {"holding", encode(holdings::row{quantity{2}})}}) == "");
}
