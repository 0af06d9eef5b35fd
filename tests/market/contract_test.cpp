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

using plain_chain = ledger::sandbox<ledger::bank, bond::contract, contract>;
using kept_chain = ledger::sandbox<ledger::bank, bond::contract, contract, keeper>;

address const ann = account(1), bob = account(2), cid = account(3), dan = account(4),
              eve = account(5);
constexpr amount least{1'000'000};
constexpr instrument spot{rtx, hour{0}};
constexpr amount rich{1'000'000'000};
constexpr std::uint32_t code(reject why) { return ledger::code<contract>(why); }
constexpr std::uint32_t fine = 0;

template <class Chain>
void begin(Chain& c)
{
    c.next().time = genesis_time;
    bond::contract::genesis_document bonds{};
    bonds.by.of = {10, least, 2'000};
    c.template genesis<bond::contract>(bonds);
    c.template genesis<contract>({{{rtx, rtx_spec, price{10}}}, {{eve, {true, true, 3}}}});
    for (auto const& who : {ann, bob, cid, dan}) c.fund(who, rich);
}
/// A bond for a device, with so much above the least to promise with.
template <class Chain>
void bonded(Chain& c, address const& who, std::uint32_t number, amount over)
{
    bond::contract::lock_provider const m{bond_of({who, number}).id, least + over};
    REQUIRE(c.call(who, m) == 0);
}
amount bond_left(auto& c, address const& who, std::uint32_t number)
{
    return c.template row<bond::contract::bonds>(bond_of({who, number})).held.locked;
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
    // and the trading fee of the larger fill, and one auction's fee
    CHECK(c.balance(cid).grains() == rich.grains() - 150 * 10 - 1 - 1000);
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
    refused(ann, contract::mint{0, soon, amount{10'000'000}}, reject::bond_too_small);  // no bond
    refused(bob, contract::mint{0, soon, amount{900'000'000}}, reject::unknown_device);
    refused(bob, contract::transfer{soon, ann, quantity{1}}, reject::no_tokens);
    refused(ann, device(), reject::already_registered);
    auto weak = device(1);
    weak.capability = std::string{"vram=8_GiB, fp32=80, memory=60, integer=50"};
    refused(ann, weak, reject::wrong_device);
    CHECK(c.row<orders>({spot, side::buy, cid, 7}).left == quantity{10});
    CHECK(c.balance(cid) == before);
}

TEST_CASE("contract: each refusal leaves every row as it was")
{
    world w{0};
    w.interval_ms = 1000;
    w.fund(4, amount{50'000'000});
    address const me = account(1), other = account(2);
    auto const run = [&](address const& who, any_message const& m) {
        std::vector<tx> const one{{who, {m}}};
        return w.run_in_order(one).front().code;
    };
    auto const h = hour_of(w.block().time).get();
    instrument const soon{rtx, hour{h + 3}}, odd{device_class{9}, hour{0}}, past{rtx, hour{h}};
    REQUIRE(run(me, device()) == fine);
    REQUIRE(run(me, bond::contract::lock_provider{bond_of({me, 0}).id, amount{20'000'000}}) ==
            fine);
    REQUIRE(run(me, contract::mint{0, soon, amount{4'000'000}}) == fine);
    auto resting = bid(7, 5, 10);
    resting.rounds = 1000;
    REQUIRE(run(me, resting) == fine);
    auto const with = [](contract::place p, auto&& change) { return change(p), p; };
    std::string deep(17, '!'), wide = "vram >= 1_GiB";
    for (char& c : deep) c = '(';
    for (int i = 0; i < 65; ++i) wide += " || vram >= " + std::to_string(i) + "_KiB";
    auto const asking = [&](std::string const& wanted) {
        return with(bid(1, 5, 5), [&](auto& p) { p.wanted = wanted; });
    };
    struct refusal {
        address who;
        any_message what;
        reject why;
    };
    device_key const mine{me, 0}, none{me, 5};
    order_key const order{spot, side::buy, me, 7}, unknown{spot, side::buy, me, 8};
    auto const rough = with(ask(1, 8, 10), [](auto& p) { p.hours = 5000; });
    std::vector<refusal> const all{
        {me, bid(1, 5, 0), reject::zero_size},
        {me, bid(1, 5, ~std::uint64_t{0}), reject::size_too_large},
        {me, bid(1, 0, 5), reject::zero_price},
        {me, bid(1, ~std::uint64_t{0}, order_size_max.get()), reject::poor},
        {me, bid(1, 40'000'000, 5), reject::poor},
        {me, with(bid(1, 5, 5), [](auto& p) { p.rounds = 10'001; }), reject::value_too_large},
        {me, with(bid(1, 5, 5), [](auto& p) { p.rounds = 0; }), reject::fee_too_small},
        {me, with(bid(1, 5, 5), [&](auto& p) { p.of = odd; }), reject::unknown_instrument},
        {me, with(bid(1, 5, 5), [&](auto& p) { p.of = past; }), reject::too_late},
        {me, with(bid(1, 5, 5), [](auto& p) { p.expires = height{1}; }), reject::expired},
        {me, with(bid(1, 5, 5), [](auto& p) { p.post_only = p.immediate = true; }),
         reject::contradictory_order},
        {me, with(bid(1, 5, 5), [](auto& p) { p.way = static_cast<side>(7); }),
         reject::contradictory_order},
        {me, asking("vrm >= 1"), reject::bad_expression},
        {me, asking(deep), reject::expression_too_long},
        {me, asking(wide), reject::expression_too_long},
        {me, bid(7, 5, 10), reject::duplicate_client_id},
        {me, with(ask(1, 8, 10), [](auto& p) { p.device = 5; }), reject::unknown_device},
        {me, with(ask(1, 8, 10), [](auto& p) { p.hours = 0; }), reject::bad_window},
        {me, rough, reject::bad_window},
        {me, ask(1, 8, 400'000), reject::size_too_large},
        {me, with(ask(1, 8, 10), [&](auto& p) { p.hours = 4; }), reject::hour_taken},
        {me, with(ask(1, 8, 2), [&](auto& p) { p.of = soon, p.hours = 0; }), reject::no_tokens},
        {other, contract::cancel{order}, reject::not_owner},
        {me, contract::cancel{unknown}, reject::unknown_order},
        {other, contract::replace{order, quantity{1}, price{1}}, reject::not_owner},
        {me, contract::replace{unknown, quantity{1}, price{1}}, reject::unknown_order},
        {me, contract::replace{order, quantity{0}, price{1}}, reject::zero_size},
        {me, contract::replace{order, quantity{1}, price{0}}, reject::zero_price},
        {me, contract::replace{order, order_size_max, price::max()}, reject::poor},
        {me, device(), reject::already_registered},
        {other, contract::enrol{0, device_class{9}, device().capability},
         reject::unknown_instrument},
        {other, contract::enrol{0, rtx, std::string{"vram=lots"}}, reject::bad_capability},
        {other, contract::enrol{0, rtx, std::string{"vram=1_GiB, fp32=80"}}, reject::wrong_device},
        {other, contract::retire{0}, reject::unknown_device},
        {me, contract::retire{0}, reject::hour_taken},
        {other, contract::heartbeat{0}, reject::unknown_device},
        {other, contract::suspend{mine}, reject::not_warden},
        {account(0), contract::suspend{none}, reject::unknown_device},
        {account(0), contract::attest{mine, 5}, reject::not_warden},
        {account(0), contract::reinstate{mine}, reject::wrong_state},
        {me, contract::mint{0, soon, amount{4'000'000}}, reject::hour_taken},
        {me, contract::mint{0, {rtx, hour{h + 4}}, amount{1}}, reject::bond_too_small},
        {me, contract::mint{0, {rtx, hour{h + 4}}, amount{40'000'000}}, reject::bond_too_small},
        {me, contract::mint{0, {rtx, hour{h + 5000}}, amount{4'000'000}}, reject::beyond_horizon},
        {other, contract::mint{0, soon, amount{4'000'000}}, reject::unknown_device},
        {other, contract::buy_back{0, soon}, reject::wrong_state},
        {me, contract::transfer{soon, other, quantity{0}}, reject::zero_size},
        {me, contract::transfer{soon, other, quantity{2}}, reject::no_tokens},
        {other, contract::claim{mine, soon}, reject::no_tokens},
        {me, contract::claim{none, soon}, reject::wrong_state},
        {me, contract::start{0, soon}, reject::wrong_state},
        {me, contract::finish{mine, soon}, reject::wrong_state},
        {other, contract::settle{mine, soon, me}, reject::wrong_state},
        {me, contract::top_up{0, soon, amount{}}, reject::bond_too_small},
        {me, contract::top_up{0, soon, amount{90'000'000}}, reject::bond_too_small},
        {me, contract::substitute{0, 0, soon}, reject::hour_taken},
        {me, contract::substitute{0, 1, soon}, reject::unknown_device},
        {me, contract::redeem{soon}, reject::wrong_state},
        {other, contract::redeem{soon}, reject::no_tokens},
    };
    // Nonces count on; nothing else may move.
    auto const picture = [&] {
        auto out = w.look();
        std::erase_if(out, [](auto const& each) {
            return each.first.first == chain::table_index<ledger::purses>;
        });
        return out;
    };
    auto const rows = picture();
    std::vector<tx> txs;
    std::map<address, amount> had;
    for (auto const& each : all) {
        txs.push_back({each.who, {each.what}});
        had[each.who] = w.balance(each.who);
    }
    auto const outcomes = w.run_in_order(txs);
    for (std::size_t i = 0; i < all.size(); ++i) {
        INFO(i << ": " << message(all[i].why));
        CHECK(outcomes[i].code == code(all[i].why));
    }
    for (auto const& [who, balance] : had) CHECK(w.balance(who) == balance);
    CHECK(picture() == rows);
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
    CHECK(c.balance(cid).grains() ==
          rich.grains() - 60 * 6 - 40 * 7 - 1000 - (200 * 20 + 4 + 5000));
}

TEST_CASE("contract: a device's hour is sold once, as a token or at spot, and is free again after "
          "a cancel")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device()) == fine);
    auto long_ask = ask(1, 5, 1000);
    long_ask.hours = 6;
    bonded(c, ann, 0, amount{300'000'000});
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
    bonded(c, ann, 0, cover);
    auto const start = c.balance(ann).grains();
    REQUIRE(c.call(ann, contract::mint{0, when, cover}) == fine);
    CHECK(bond_left(c, ann, 0) == least);
    CHECK(c.row<devices>({ann, 0}).status.state == device_state::reserved);
    auto sell = bid(1, 2'000'000, 1);
    sell.of = when;
    auto buy = sell;
    sell.way = side::sell;
    c.block({{ann, {sell}}, {bob, {buy}}});
    CHECK(c.row<holdings>({when, bob}).tokens == quantity{1});
    CHECK(c.row<markets>(when).last == price{2'000'000});
    CHECK(c.balance(ann) == amount{start + 2'000'000 - 1000});
    CHECK(c.balance(bob) ==
          amount{rich.grains() - 2'000'000 - 2'000 - 1000});  // a thousandth burns
    REQUIRE(c.call(bob, contract::claim{{ann, 0}, when}) == fine);
    CHECK(c.call(ann, contract::start{0, when}) == code(reject::too_early));
    c.next().time = start_of(when.when);
    REQUIRE(c.call(ann, contract::start{0, when}) == fine);
    CHECK(c.row<devices>({ann, 0}).status.state == device_state::sharing);
    c.next().time = time_ms{start_of(when.when).get() + ms_per_hour};
    REQUIRE(c.call(ann, contract::finish{{ann, 0}, when}) == fine);
    CHECK(c.balance(ann).grains() == start + 2'000'000 - 1000);
    CHECK(bond_left(c, ann, 0) == least + cover);
    CHECK(c.row<devices>({ann, 0}).status.state == device_state::idle);
    CHECK(c.row<all_series>(when) == series{});
}

TEST_CASE("contract: a missed hour pays its holder out of the bond, more than the token's price")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device()) == fine);
    instrument const when{rtx, hour_ahead(c, 2)};
    bonded(c, ann, 0, amount{10'000'000});
    REQUIRE(c.call(ann, contract::mint{0, when, amount{10'000'000}}) == fine);
    REQUIRE(c.call(ann, contract::transfer{when, bob, quantity{1}}) == fine);
    REQUIRE(c.call(bob, contract::claim{{ann, 0}, when}) == fine);
    CHECK(c.call(dan, contract::settle{{ann, 0}, when, bob}) == code(reject::too_early));
    c.next().time = time_ms{start_of(when.when).get() + contract::tokens_rules.start_grace_ms + 1};
    CHECK(c.call(dan, contract::settle{{ann, 0}, when, dan}) == code(reject::not_owner));
    REQUIRE(c.call(dan, contract::settle{{ann, 0}, when, bob}) == fine);
    amount const hour_at_spot{10 * 40 * 3600};
    CHECK(c.balance(bob).grains() == rich.grains() + hour_at_spot.grains() * 5 / 4);
    CHECK(bond_left(c, ann, 0).grains() ==
          least.grains() + 10'000'000 - hour_at_spot.grains() * 5 / 4);
    CHECK(c.row<devices>({ann, 0}).status.state == device_state::idle);
}

TEST_CASE("contract: an equal or better device stands in for the promised one")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device(0)) == fine);
    REQUIRE(c.call(ann, device(1)) == fine);
    instrument const when{rtx, hour_ahead(c, 2)};
    bonded(c, ann, 0, amount{10'000'000});
    bonded(c, ann, 1, amount{10'000'000});
    REQUIRE(c.call(ann, contract::mint{0, when, amount{10'000'000}}) == fine);
    REQUIRE(c.call(ann, contract::substitute{0, 1, when}) == fine);
    CHECK(c.row<promises>({{ann, 0}, when.when}).state == promise_state::none);
    CHECK(c.row<promises>({{ann, 1}, when.when}).state == promise_state::open);
    CHECK(c.row<devices>({ann, 0}).calendar.bookings().empty());
    CHECK(c.call(ann, contract::mint{1, when, amount{10'000'000}}) == code(reject::hour_taken));
}

TEST_CASE("contract: a fill's fee is the buyer's and burns, the seller gets the whole price")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(ann, device()) == fine);
    c.block({{ann, {ask(1, 1000, 5000)}}, {cid, {bid(1, 1000, 5000)}}});
    c.block();
    CHECK(c.balance(ann).grains() == rich.grains() + 5'000'000 - 1000);
    CHECK(c.balance(cid).grains() == rich.grains() - 5'000'000 - 5'000 - 1000);
    CHECK(c.row<prints>({spot, height{2}}).value == amount{5'000'000});
}

TEST_CASE("contract: a post-only order that would trade with an older one is refused and refunded")
{
    plain_chain c;
    begin(c);
    REQUIRE(c.call(cid, bid(1, 8, 10)) == fine);
    REQUIRE(c.call(ann, device()) == fine);
    auto taker = ask(1, 8, 10), maker = ask(2, 9, 10);
    taker.post_only = maker.post_only = true;
    auto const had = c.balance(ann);
    REQUIRE(c.call(ann, taker) == fine);
    CHECK(c.row<orders>({spot, side::sell, ann, 1}) == orders::row{});
    CHECK(c.row<orders>({spot, side::buy, cid, 1}).left == quantity{10});
    CHECK(c.balance(ann) == had);
    CHECK(c.row<devices>({ann, 0}).calendar.bookings().empty());
    // Above the bid it rests; whoever comes to it later trades with it.
    REQUIRE(c.call(ann, maker) == fine);
    CHECK(c.row<orders>({spot, side::sell, ann, 2}).left == quantity{10});
    REQUIRE(c.call(bob, bid(1, 9, 4)) == fine);
    CHECK(c.row<orders>({spot, side::sell, ann, 2}).left == quantity{6});
    auto both = bid(2, 1, 1);
    both.post_only = both.immediate = true;
    CHECK(c.call(bob, both) == code(reject::contradictory_order));
}

TEST_CASE("contract: wardens measure, vouch for, suspend and reinstate devices, and nobody else")
{
    plain_chain c;
    begin(c);
    device_key const card{ann, 0};
    CHECK(c.call(eve, contract::suspend{card}) == code(reject::unknown_device));
    REQUIRE(c.call(ann, device()) == fine);
    CHECK(c.call(bob, contract::suspend{card}) == code(reject::not_warden));
    CHECK(c.call(bob, contract::measure{card, 1, 1, 1}) == code(reject::not_warden));
    CHECK(c.call(eve, contract::attest{card, 4}) == code(reject::not_warden));
    REQUIRE(c.call(eve, contract::attest{card, 3}) == fine);
    CHECK(c.row<devices>(card).status.tier == 3);
    REQUIRE(c.call(ann, ask(1, 8, 10)) == fine);
    REQUIRE(c.call(eve, contract::measure{card, 70, 60, 50}) == fine);
    CHECK(c.row<devices>(card).measured.fp32 == 70);
    CHECK(c.row<devices>(card).capability.find("fp32=70") != std::string::npos);
    CHECK(c.call(eve, contract::reinstate{card}) == code(reject::wrong_state));
    REQUIRE(c.call(eve, contract::suspend{card}) == fine);
    CHECK(c.call(ann, ask(2, 8, 10)) == code(reject::suspended));
    // Its order goes with the next auction, sells nothing there and is given back.
    auto const had = c.balance(ann);
    REQUIRE(c.call(cid, bid(1, 8, 10)) == fine);
    CHECK(c.row<orders>({spot, side::sell, ann, 1}) == orders::row{});
    CHECK(c.row<orders>({spot, side::buy, cid, 1}).left == quantity{10});
    CHECK(c.balance(ann) > had);
    REQUIRE(c.call(eve, contract::reinstate{card}) == fine);
    REQUIRE(c.call(ann, ask(2, 9, 10)) == fine);
    // Measured below its class it sells no more, whatever it says of itself.
    REQUIRE(c.call(eve, contract::measure{card, 39, 60, 50}) == fine);
    CHECK(c.call(ann, ask(3, 9, 10)) == code(reject::wrong_device));
}

TEST_CASE(
    "contract: a silent device is out of reach, not failed, and loses its lease after a grace")
{
    plain_chain c;
    begin(c);
    device_key const card{ann, 0};
    REQUIRE(c.call(ann, device()) == fine);
    bonded(c, ann, 0, amount{10'000'000});
    instrument const when{rtx, hour_ahead(c, 2)};
    REQUIRE(c.call(ann, contract::mint{0, when, amount{10'000'000}}) == fine);
    auto const silent = [&](std::uint64_t blocks) {
        for (std::uint64_t i = 0; i < blocks; ++i) c.block();
        return c.row<devices>(card).status;
    };
    CHECK(silent(20).state == device_state::reserved);
    REQUIRE(c.call(ann, contract::heartbeat{0}) == fine);
    CHECK(silent(contract::heartbeats.silent_after).state == device_state::reserved);
    CHECK(silent(1).state == device_state::disconnected);
    CHECK(c.call(ann, ask(1, 8, 10)) == code(reject::wrong_state));
    CHECK(silent(1).before == device_state::reserved);
    REQUIRE(c.call(ann, contract::heartbeat{0}) == fine);
    CHECK(c.row<devices>(card).status.state == device_state::reserved);
    CHECK(silent(contract::heartbeats.silent_after + 1).state == device_state::disconnected);
    CHECK(silent(contract::heartbeats.give_up_after - 1).before == device_state::reserved);
    CHECK(silent(1).before == device_state::idle);
    REQUIRE(c.call(ann, contract::heartbeat{0}) == fine);
    CHECK(c.row<devices>(card).status.state == device_state::idle);
    CHECK(silent(contract::heartbeats.silent_after + 1).state == device_state::disconnected);
    std::size_t watched = 0;
    c.each<watches>([&](auto const&, auto const&) { return ++watched, true; });
    CHECK(watched == 0);  // idle and out of reach: time alone brings nothing more
}

TEST_CASE("contract: a block looks at so many orders, and what is left over comes first next time")
{
    world w{0};
    w.fund(10, amount{50'000'000});
    auto const h = hour_of(w.block().time).get();
    std::vector<tx> txs;
    std::vector<instrument> series;
    for (std::uint32_t i = 0; i < 4; ++i) {
        series.push_back({rtx, hour{h + 2 + i}});
        for (std::uint64_t n = 0; n < 3; ++n) {
            contract::place p{};
            p.of = series.back();
            p.way = side::buy;
            p.client_id = n;
            p.size = quantity{1};
            p.limit = price{5};
            p.expires = height{100};
            p.rounds = 2;
            txs.push_back({account(n), {p}});
        }
    }
    auto const auctioned = [&] {
        std::vector<bool> out(4);
        w.each<orders>([&](auto const& key, auto const& row) {
            if (row.rounds == 1)
                out[static_cast<std::size_t>(std::find(series.begin(), series.end(), key.of) -
                                             series.begin())] = true;
        });
        return out;
    };
    w.looks_max = 7;  // two instruments' orders
    w.run_in_order(txs);
    CHECK(auctioned() == std::vector<bool>{true, true, false, false});
    auto again = txs[0];
    std::get<contract::place>(again.messages[0]).client_id = 9;
    w.run_in_order(std::span{&again, 1});
    CHECK(auctioned() == std::vector<bool>{true, true, true, true});  // the older ones went first
    w.run_in_order({});
    std::size_t waiting = 0;
    w.each<due>([&](auto const&, auto const&) { ++waiting; });
    CHECK(waiting == 0);
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
            REQUIRE(row.locked == market::impl::lock_of(key.way, row.limit, row.left, row.rounds));
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
    CHECK(codes.size() > 20);  // most refusals were met too
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
        parallel.pool = &pool;
        ledger::parallel_executor<chain>::options how{};
        how.shards = s % 2 == 0 ? 2 : 4;
        how.group_bits = static_cast<unsigned>(any.below(3));
        how.adaptive = false;
        ledger::parallel_executor<chain> execute{pool, how};
        for (int b = 0; b < 40; ++b) {
            auto const txs = some_block(any, 30, 120, ordered.block());
            auto const a = ordered.run_in_order(txs);
            auto const p = parallel.run_in_parallel(txs, 1 + any.below(60), execute);
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
    all.post_only = true;
    devices::row registered{{device_state::reserved, device_state::idle, height{3}, 2},
                            rtx,
                            rtx_spec,
                            "vendor=nvidia",
                            {},
                            height{34}};
    REQUIRE(registered.calendar.book(hour{480'000}, {hour{480'003}, 1}, hour_use::token));
    orders::row resting{};
    resting.limit = price{11};
    resting.left = quantity{10};
    resting.locked = amount{113'000};
    resting.rounds = 3;
    resting.placed = height{7};
    resting.expires = height{99};
    resting.wanted = "vram >= 16_GiB";
    resting.post_only = true;
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
             {"measure", sent(contract::measure{device, 80, 60, 50})},
             {"attest", sent(contract::attest{device, 3})},
             {"suspend", sent(contract::suspend{device})},
             {"reinstate", sent(contract::reinstate{device})},
             {"genesis", encode(contract::genesis_document{{{rtx, rtx_spec, price{10}}},
                                                           {{account(3), {true, false, 2}}}})},
             {"order_key", encode(bid)},
             {"order", encode(resting)},
             {"candle", encode(candles::row{price{1}, price{4}, price{1}, price{2}, quantity{8}})},
             {"holding", encode(holdings::row{quantity{2}})},
             {"class", encode(classes::row{true, rtx_spec})},
             {"market",
              encode(markets::row{{price{9}}, price{8}, quantity{7}, height{6}, height{5}, 4})},
             {"due_key", encode(due::key{height{5}, token})},
             {"due", encode(due::row{true})},
             {"candle_key", encode(candles::key{token, hour{480'000}})},
             {"proceeds_key", encode(proceeds::key{height{5}, 6})},
             {"proceeds", encode(proceeds::row{amount{700}, account(2)})},
             {"device_key", encode(device)},
             {"device", encode(registered)},
             {"holding_key", encode(holdings::key{token, account(3)})},
             {"series", encode(series{3, 2, amount{100}})},
             {"promise_key", encode(promises::key{device, hour{480'003}})},
             {"promise", encode(promises::row{promise_state::claimed, token, account(2), account(3),
                                              amount{5}, time_ms{6}})},
             {"print_key", encode(prints::key{token, height{5}})},
             {"print", encode(prints::row{price{2}, quantity{8}, quantity{3}, amount{27}, 4})},
             {"watch_key", encode(watches::key{height{40}, device})},
             {"watch", encode(watches::row{true})},
             {"warden", encode(wardens::row{true, false, 2})},
             {"bond_of", encode(bond_of(device))}}) == "");
}
