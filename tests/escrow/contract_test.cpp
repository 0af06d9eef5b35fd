// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/contract.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <blendr/ledger/message.hpp>
#include <support/vectors.hpp>

#include <blendr/core/task_pool.hpp>

#include "business.hpp"
#include "town.hpp"

using namespace blendr;
using namespace blendr::escrow;
using namespace blendr::escrow::testing;

namespace {

job_key const one{renter, 1};

struct story : town {
    explicit story(std::uint32_t providers = 2, std::uint32_t workers = 0)
    {
        for (auto const& who : {renter, sponsor, stranger}) fund(who, 1'000_blnd);
        for (std::uint32_t i = 0; i < providers; ++i) settle_in(*this, provider(i));
        enlist(*this, workers);
        money_at_first = money();
    }
    /// A job of the renter's, at a posted price of one BLND a unit, with that much put in.
    void submit(order const& what, amount deposit, std::uint64_t number = 1)
    {
        REQUIRE(call(renter, escrows::submit{number, what, deposit, one_blnd}) == fine);
    }
    escrows::progress progress(job_key const& job = one) const
    {
        return escrows::query(view_of(*this), escrows::job_of{job});
    }
    jobs::row job(job_key const& key = one) const { return row<jobs>(key); }
    void until_closed(std::uint64_t most = 2'000)
    {
        for (std::uint64_t i = 0; jobs::present(job()) && i < most; ++i) {
            block();
            REQUIRE(money() == money_at_first);
        }
        REQUIRE(!jobs::present(job()));
    }
    amount pledged(address const& who) const { return row<pledges>(device_bond({who, 0})).value; }
    amount locked(address const& who) const
    {
        return row<bonds::bonds>(device_bond({who, 0})).held.locked;
    }
    amount money_at_first{};
};

/// A worker's way through a round: what it shows, and whether it does.
struct answer {
    hash256 nonce{std::byte{7}};
    hash256 result{};
    verify::summary values{};
    hash256 to(address const& who, hash256 const& task) const
    {
        return verify::commit({who, task, nonce, verify::digest_of(result, values)});
    }
};

}  // namespace

TEST_CASE("escrow::contract: a job is taken at its posted price and paid unit by unit")
{
    story s;
    s.submit(plain_order(3), 5_blnd);
    CHECK(s.balance(renter) == 995_blnd);
    auto const before = s.balance(provider(0));
    REQUIRE(s.call(provider(0), escrows::take{one, 3, 0, reputation::family::fp32}) == fine);
    CHECK(s.job().money.agreements[0].at == phase::running);
    CHECK(s.pledged(provider(0)) > 10_blnd);  // a newcomer pledges more than an average provider
    for (std::uint32_t n = 0; n < 3; ++n)
        REQUIRE(s.call(provider(0), escrows::deliver{one, unit_no(n), {}, 0}) == fine);
    CHECK(s.progress().delivered == 3);
    REQUIRE(s.call(renter, escrows::accept{one, unit_no(1)}) == fine);
    CHECK(s.balance(provider(0)) == before + 975'000'000_grains);  // less the fee of 2.5 %
    s.until_closed();
    CHECK(s.balance(provider(0)) == before + 2'925'000'000_grains);
    CHECK(s.balance(renter) == 997_blnd);
    CHECK(s.pledged(provider(0)) == amount{});
    CHECK(s.burned == 75'000'000_grains);
}

TEST_CASE("escrow::contract: who is drawn is told what to do again, and until when")
{
    story s{1, 5};
    auto const duties = [&](address const& who) {
        return verifiers::query(view_of(s), verifiers::duties_of{who, 10}).list;
    };
    s.submit(replicated_order(2), 3_blnd);
    REQUIRE(s.call(provider(0), escrows::take{one, 2, 0, reputation::family::fp32}) == fine);
    answer const right{};
    auto const what = task(s, one, 0);
    hash256 const there{std::byte{5}};
    REQUIRE(s.call(provider(0), escrows::deliver{one, unit_no(0), right.to(provider(0), what), 0,
                                                 there}) == fine);
    CHECK(escrows::query(view_of(s), escrows::unit_of{one, unit_no(0)}).data == there);
    CHECK(duties(provider(0)).empty());
    s.pass(3);
    auto const drawn = s.row<verify::rounds>(what).of.replicas[1].worker;
    REQUIRE(duties(drawn).size() == 1);
    CHECK(duties(drawn)[0].task == what);
    CHECK(duties(drawn)[0].drawn);
    CHECK(duties(drawn)[0].mine == verify::replica_state::drawn);
    CHECK(duties(drawn)[0].stage == verify::round_stage::committing);
    CHECK(duties(drawn)[0].due == s.row<verify::rounds>(what).of.due);
    REQUIRE(duties(provider(0)).size() == 1);
    CHECK(!duties(provider(0))[0].drawn);
    CHECK(duties(renter).empty());
}

TEST_CASE("escrow::contract: a bid on the market brings its money and its sellers to the job")
{
    story s;
    auto what = plain_order(6);
    what.demand = 10;
    what.cap = price{100'000};
    REQUIRE(s.call(renter, escrows::submit{1, what, amount{}, price{}}) == fine);
    market::instrument const spot{rtx, market::hour{0}};
    auto ask = [&](std::uint64_t limit, std::uint64_t size) {
        return markets::place{.of = spot,
                              .way = market::side::sell,
                              .client_id = 9,
                              .size = quantity{size},
                              .limit = price{limit},
                              .expires = height{1000},
                              .hours = 1};
    };
    auto bid = markets::place{.of = spot,
                              .way = market::side::buy,
                              .client_id = one.number,
                              .size = quantity{60},
                              .limit = price{9'000},
                              .expires = height{1000}};
    std::vector<tx> const txs{
        {provider(0), {ask(8'000, 20)}}, {provider(1), {ask(9'000, 40)}}, {renter, {bid}}};
    auto const had = s.balance(provider(0));
    for (auto const& each : s.run_in_order(txs)) REQUIRE(each.code == fine);
    REQUIRE(s.job().money.agreements.size() == 2);
    CHECK(s.job().money.agreements[0].at == phase::funded);  // its bond was there
    CHECK(s.progress().assigned == 6);
    CHECK(s.job().money.balance == s.job().money.held);
    s.block();
    CHECK(s.balance(provider(0)) == had - amount{1'000});  // the fills' money is not theirs yet
    auto const& all = s.job().money.agreements;
    for (std::uint32_t a = 0; a < 2; ++a)
        REQUIRE(s.call(all[a].provider, escrows::start{one, agreement_no(a), 0}) == fine);
    for (std::uint32_t n = 0; n < 6; ++n) {
        auto const with = s.job().money.units[n].with;
        REQUIRE(s.call(s.job().money.agreements[with].provider,
                       escrows::deliver{one, unit_no(n), {}, 0}) == fine);
    }
    s.until_closed();
    CHECK(s.balance(provider(0)) > had);
}

TEST_CASE("escrow::contract: a fill that its job cannot use goes back to the buyer")
{
    story s;
    auto what = plain_order(1);
    what.demand = 10;
    what.cap = price{50};  // far below what the bid pays
    s.call(renter, escrows::submit{1, what, amount{}, price{}});
    market::instrument const spot{rtx, market::hour{0}};
    auto const before = s.balance(renter);
    std::vector<tx> const txs{{provider(0),
                               {markets::place{.of = spot,
                                               .way = market::side::sell,
                                               .client_id = 9,
                                               .size = quantity{10},
                                               .limit = price{8'000},
                                               .expires = height{1000},
                                               .hours = 1}}},
                              {renter,
                               {markets::place{.of = spot,
                                               .way = market::side::buy,
                                               .client_id = 1,
                                               .size = quantity{10},
                                               .limit = price{8'000},
                                               .expires = height{1000}}}}};
    for (auto const& each : s.run_in_order(txs)) REQUIRE(each.code == fine);
    s.block();
    CHECK(s.progress().listed == 1);
    CHECK(s.balance(renter) ==
          before - amount{1'080});  // an auction, and the fee of what it bought
    CHECK(s.money() == s.money_at_first);
}

TEST_CASE(
    "escrow::contract: units of a provider that fails are listed at once and finished by another")
{
    story s;
    auto what = plain_order(4);
    REQUIRE(s.call(renter, escrows::submit{1, what, 10_blnd, one_blnd}) == fine);
    REQUIRE(s.call(provider(0), escrows::take{one, 4, 0, reputation::family::fp32}) == fine);
    REQUIRE(s.call(provider(0), escrows::deliver{one, unit_no(0), {}, 0}) == fine);
    auto const bond = s.locked(provider(0));
    s.pass(51);  // it is late
    CHECK(s.progress().listed == 3);
    CHECK(s.progress().paid == 1);
    CHECK(s.locked(provider(0)) < bond);
    CHECK(s.pledged(provider(0)) == amount{});
    REQUIRE(s.call(provider(1), escrows::take{one, 3, 0, reputation::family::fp32}) == fine);
    for (std::uint32_t n = 1; n < 4; ++n)
        REQUIRE(s.call(provider(1), escrows::deliver{one, unit_no(n), {}, 0}) == fine);
    s.until_closed();
    CHECK(s.balance(renter) == 996_blnd);
}

TEST_CASE("escrow::contract: a silent device may be reported, one that is heard of may not")
{
    story s;
    auto what = plain_order(2);
    what.run_within = 1'000;
    what.search_within = 2'000;
    s.submit(what, 4_blnd);
    REQUIRE(s.call(provider(0), escrows::take{one, 2, 0, reputation::family::fp32}) == fine);
    escrows::report const told{one, agreement_no(0), {provider(0), 0}};
    CHECK(s.call(stranger, told) == code(reject::not_gone));
    s.pass(300);
    CHECK(s.call(provider(0), markets::heartbeat{0}) == fine);
    s.pass(300);
    CHECK(s.call(stranger, told) == code(reject::not_gone));
    s.pass(60);
    CHECK(s.call(stranger, told) == fine);
    CHECK(s.progress().listed == 2);
}

TEST_CASE("escrow::contract: rented time is streamed, warned of, paused, topped up and ended")
{
    story s;
    auto what = plain_order(0);
    what.items = what.demand = 0;
    what.notice = 2;
    what.run_within = 30;
    REQUIRE(s.call(renter, escrows::submit{1, what, 5_blnd, one_blnd}) == fine);
    REQUIRE(s.call(provider(0), escrows::take{one, 0, 0, reputation::family::fp32}) == fine);
    auto const began = s.now().at;
    CHECK(s.progress().runs_dry_at == began + std::uint64_t{5});
    s.pass(5);
    CHECK(s.job().money.agreements[0].at == phase::paused);
    REQUIRE(s.call(sponsor, escrows::top_up{one, 4_blnd}) == fine);
    CHECK(s.job().money.agreements[0].at == phase::running);
    s.until_closed();
    CHECK(s.money() == s.money_at_first);
}

TEST_CASE("escrow::contract: replicas that agree have the unit paid, and are paid")
{
    story s{1, 5};
    s.submit(replicated_order(1), 2_blnd);
    CHECK(s.balance(renter) == 995_blnd);  // two to pay with, three for checks at the most
    REQUIRE(s.call(provider(0), escrows::take{one, 1, 0, reputation::family::fp32}) == fine);
    answer const right{};
    auto const what = task(s, one, 0);
    REQUIRE(s.call(provider(0),
                   escrows::deliver{one, unit_no(0), right.to(provider(0), what), 0}) == fine);
    s.pass(3);  // a newcomer is always replicated
    auto const round = s.row<verify::rounds>(what);
    REQUIRE(round.of.replicas.size() == 2);
    CHECK(s.progress().disputed == 1);
    auto const drawn = round.of.replicas[1].worker;
    auto const had = s.balance(drawn);
    REQUIRE(s.call(drawn, verifiers::commit{what, right.to(drawn, what)}) == fine);
    REQUIRE(s.call(provider(0), verifiers::reveal{what, right.nonce, right.result, {}}) == fine);
    REQUIRE(s.call(drawn, verifiers::reveal{what, right.nonce, right.result, {}}) == fine);
    CHECK(s.balance(drawn) == had + 1_blnd);
    CHECK(s.row<verify::standings>(provider(0)).streak == 1);
    CHECK(s.row<verify::rounds>(what).until == height{});
    s.until_closed();
    CHECK(s.balance(renter) == 998_blnd);  // one for the unit, one for its check
}

TEST_CASE("escrow::contract: who is outvoted is not paid and keeps its bond")
{
    story s{1, 6};
    s.submit(replicated_order(1), 2_blnd);
    REQUIRE(s.call(provider(0), escrows::take{one, 1, 0, reputation::family::fp32}) == fine);
    answer right{}, wrong{};
    wrong.result = hash256{std::byte{66}};
    auto const what = task(s, one, 0);
    auto const bond = s.locked(provider(0));
    auto const purse = s.balance(provider(0));
    REQUIRE(s.call(provider(0),
                   escrows::deliver{one, unit_no(0), wrong.to(provider(0), what), 0}) == fine);
    s.pass(3);
    for (int block = 0; block < 60 && s.row<verify::rounds>(what).until != height{}; ++block) {
        auto const round = s.row<verify::rounds>(what).of;
        for (auto const& each : round.replicas) {
            auto const& say = each.worker == provider(0) ? wrong : right;
            if (each.at == verify::replica_state::drawn)
                (void)s.call(each.worker, verifiers::commit{what, say.to(each.worker, what)});
            if (each.at == verify::replica_state::committed)
                (void)s.call(each.worker, verifiers::reveal{what, say.nonce, say.result, {}});
        }
        s.block();
    }
    CHECK(s.locked(provider(0)) == bond);
    CHECK(s.balance(provider(0)) == purse);
    CHECK(s.row<verify::standings>(provider(0)).differed == 1);
    s.until_closed();
    CHECK(s.balance(renter) == 998_blnd);  // two replicas, and nothing for the work
}

TEST_CASE(
    "escrow::contract: a wrong run is led to its step, the referee recomputes it, the bond is lost")
{
    constexpr std::uint64_t steps = 64;
    for (std::int64_t const fault : {0, 17, 63}) {
        story s{1, 3};
        s.submit(replicated_order(1, steps), 2_blnd);
        REQUIRE(s.call(provider(0), escrows::take{one, 1, 0, reputation::family::fp32}) == fine);
        auto const begin = encode(std::uint64_t{5});
        auto const state_after = [&](std::uint64_t n, bool honest) {
            return programs::run(begin, n, honest ? -1 : fault);
        };
        answer right{}, wrong{};
        right.result = verify::hash_of_state(state_after(steps, true));
        wrong.result = verify::hash_of_state(state_after(steps, false));
        auto const what = task(s, one, 0);
        auto const bond = s.locked(provider(0));
        REQUIRE(s.call(provider(0),
                       escrows::deliver{one, unit_no(0), wrong.to(provider(0), what), 0}) == fine);
        s.pass(3);
        auto const honest = s.row<verify::rounds>(what).of.replicas.at(1).worker;
        auto const had = s.balance(honest);
        REQUIRE(s.call(honest, verifiers::commit{what, right.to(honest, what)}) == fine);
        REQUIRE(s.call(honest, verifiers::reveal{what, right.nonce, right.result, {}}) == fine);
        REQUIRE(s.call(provider(0), verifiers::reveal{what, wrong.nonce, wrong.result, {}}) ==
                fine);
        auto dispute = s.row<verify::disputes>(what).of;
        REQUIRE(dispute.at == verify::dispute_stage::narrowing);
        for (int rounds = 0; dispute.at == verify::dispute_stage::narrowing; ++rounds) {
            REQUIRE(rounds < 6);
            auto const at = dispute.asked();
            REQUIRE(s.call(honest, verifiers::move{what, verify::hash_of_state(
                                                             state_after(at, true))}) == fine);
            REQUIRE(s.call(provider(0),
                           verifiers::move{what, verify::hash_of_state(state_after(at, false))}) ==
                    fine);
            dispute = s.row<verify::disputes>(what).of;
        }
        CHECK(dispute.low == static_cast<std::uint64_t>(fault));
        verify::show proof{what, {}};
        static_cast<bytes&>(proof.state) = state_after(dispute.low, true);
        REQUIRE(s.call(stranger, proof) == fine);
        auto const lost = bond - s.locked(provider(0));
        CHECK(lost >= 10_blnd);
        CHECK(s.balance(honest) == had + amount{lost.grains() / 5});  // the reporter's part
        CHECK(s.progress().listed == 1);
        s.until_closed();
        CHECK(s.balance(renter) == 1'000_blnd);
    }
}

TEST_CASE("escrow::contract: the renter's challenge puts a stake on another result")
{
    constexpr std::uint64_t steps = 8;
    for (bool const renter_is_right : {true, false}) {
        story s{1, 0};
        auto what = replicated_order(1, steps);
        what.checks = {};
        what.checks.by = checker::renter;
        what.checks.steps = steps;
        what.checks.move_within = 4;
        s.submit(what, 2_blnd);
        REQUIRE(s.call(provider(0), escrows::take{one, 1, 0, reputation::family::fp32}) == fine);
        auto const begin = encode(std::uint64_t{5});
        auto const said = [&](bool wrong, std::uint64_t n) {
            return verify::hash_of_state(programs::run(begin, n, wrong ? 2 : -1));
        };
        REQUIRE(s.call(provider(0),
                       escrows::deliver{one, unit_no(0), said(renter_is_right, steps), 0}) == fine);
        CHECK(s.call(renter, escrows::challenge{one, unit_no(0), said(renter_is_right, steps)}) ==
              code(reject::same_claim));
        REQUIRE(s.call(renter,
                       escrows::challenge{one, unit_no(0), said(!renter_is_right, steps)}) == fine);
        CHECK(s.balance(renter) == 993_blnd);
        auto const about = task(s, one, 0);
        for (auto d = s.row<verify::disputes>(about).of; d.at == verify::dispute_stage::narrowing;
             d = s.row<verify::disputes>(about).of) {
            REQUIRE(s.call(renter, verifiers::move{about, said(!renter_is_right, d.asked())}) ==
                    fine);
            REQUIRE(s.call(provider(0), verifiers::move{about, said(renter_is_right, d.asked())}) ==
                    fine);
        }
        verify::show proof{about, {}};
        static_cast<bytes&>(proof.state) =
            programs::run(begin, s.row<verify::disputes>(about).of.low);
        auto const bond = s.locked(provider(0));
        REQUIRE(s.call(stranger, proof) == fine);
        if (renter_is_right) {
            CHECK(s.locked(provider(0)) < bond);
            CHECK(s.balance(renter) > 998_blnd);  // the stake is back, and the reporter's part
        } else {
            CHECK(s.locked(provider(0)) == bond);
            CHECK(s.balance(renter) == 994_blnd);  // the stake is lost, the unit paid
            CHECK(s.progress().known == false);    // and the job is over
        }
        CHECK(s.money() == s.money_at_first);
    }
}

TEST_CASE("escrow::contract: messages, rows and the genesis document are frozen")
{
    auto const sent = [](auto const& message) { return encode(ledger::wrap<escrows>(message)); };
    auto what = replicated_order(2, 64);
    what.wanted = std::string{"vram >= 16_GiB"};
    job_key const key{account(1), 5};
    auto of = escrow::job::open(account(1), 2, height{60}, 3, height{4}).value();
    effects out;
    (void)of.deposit(account(1), amount{500}, height{4}, out);
    jobs::row row{};
    row.what = what;
    row.money = of.state();
    row.claims.resize(2);
    row.draws.push_back({height{7}, 1});
    row.devices.push_back(3);
    row.posted = price{9};
    row.checks = amount{8};
    row.opened = height{4};
    row.queued = height{7};
    CHECK(blendr::test::differs_from_frozen(
              "escrow/contract.txt",
              {{"submit", sent(escrows::submit{5, what, amount{7}, price{6}})},
               {"top_up", sent(escrows::top_up{key, amount{7}})},
               {"post_price", sent(escrows::post_price{key, price{7}})},
               {"accept", sent(escrows::accept{key, unit_no(3)})},
               {"approve", sent(escrows::approve{key, agreement_no(3)})},
               {"object", sent(escrows::object{key, unit_no(3)})},
               {"challenge", sent(escrows::challenge{key, unit_no(3), hash256{std::byte{2}}})},
               {"cancel", sent(escrows::cancel{key, agreement_no(3)})},
               {"cancel_all", sent(escrows::cancel_all{key})},
               {"take", sent(escrows::take{key, 2, 3, reputation::family::memory})},
               {"start", sent(escrows::start{key, agreement_no(3), 4})},
               {"deliver", sent(escrows::deliver{key, unit_no(3), hash256{std::byte{2}}, 8})},
               {"quit", sent(escrows::quit{key, agreement_no(3)})},
               {"report", sent(escrows::report{key, agreement_no(3), {account(2), 1}})},
               {"genesis", encode(escrows::genesis_document{})},
               {"job", encode(row)},
               {"origin", encode(task_origin{key, height{4}, 1, 0})},
               {"task", encode(task_of({key, height{4}, 1, 0}))},
               {"device_bond", encode(device_bond({account(2), 1}))},
               {"due", encode(due::key{height{7}, key})}}) == "");
}

namespace {

/// What is pledged is what agreements have locked, and every deadline is queued under its height.
void check_books(town const& t)
{
    std::map<bond::subject, amount> owed;
    std::map<bond::subject, amount> kept;
    t.each<jobs>([&](job_key const& key, jobs::row const& row) {
        if (row.money.over) return;  // forgotten by the next sweep
        job const of{row.money};
        auto next = of.due();
        if (!row.draws.empty()) next = std::min(next, row.draws.front().at);
        REQUIRE(row.queued == (next == height::max() ? height{} : next));
        REQUIRE(t.row<due>({row.queued, key}).waits == (row.queued != height{}));
        REQUIRE(row.devices.size() == row.money.agreements.size());
        REQUIRE(row.checks >= bound_for_checks(row));
        for (std::size_t a = 0; a < row.devices.size(); ++a) {
            auto const& each = row.money.agreements[a];
            if (each.bond != amount{})
                owed[device_bond({each.provider, row.devices[a]})] += each.bond;
        }
    });
    t.each<pledges>([&](auto const& key, auto const& row) { kept[key] = row.value; });
    REQUIRE(owed == kept);
}

/// Nobody does anything any more: within the last deadline nothing is left in any hands but purses'.
void check_end(town& t, std::uint64_t within)
{
    for (std::uint64_t i = 0; i < within; ++i) t.block();
    std::size_t left = 0;
    auto const count = [&](auto const&, auto const&) { ++left; };
    t.each<jobs>(count);
    t.each<pledges>(count);
    t.each<due>(count);
    t.each<verify::rounds>(count);
    t.each<verify::disputes>(count);
    t.each<verify::products>(count);
    t.each<verify::due>(count);
    t.each<reputation::appeals>(count);
    t.each<reputation::ended>(count);
    t.each<reputation::due>(count);
    CHECK(left == 0);
}

struct tally {
    std::uint64_t accepted{};
    std::uint64_t blocks{};
    std::uint64_t crashes{};
    std::map<std::uint32_t, std::uint64_t> codes{};
    witness::seen::row told{};
};

/// Blocks of business until so many messages were accepted; then everybody vanishes.
tally live(std::uint64_t seed, std::uint64_t wanted, std::size_t block_max)
{
    town t{};
    business::move_in(t, 20'000'000_blnd);
    t.fund(sponsor, 20'000'000_blnd);
    t.fund(stranger, 1'000_blnd);
    auto const money = t.money();
    business people{t, seed};
    rng crashes{seed};
    tally out{};
    while (out.accepted < wanted) {
        for (auto const& each : t.run_in_order(people.some_block(block_max))) {
            ++out.codes[each.code];
            out.accepted += each.code == 0;
        }
        ++out.blocks;
        REQUIRE(t.money() == money);
        if (crashes.chance(1, 20)) {
            t.crash();
            ++out.crashes;
        }
        if (out.blocks % 16 == 0) check_books(t);
    }
    check_end(t, 700);
    CHECK(t.money() == money);
    out.told = t.row<witness::seen>(0);
    return out;
}

}  // namespace

TEST_CASE(
    "escrow::contract: random business with crashes between blocks conserves every grain and ends" *
    doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    auto const found = live(test::seed(), 6'000, 60);
    MESSAGE(found.accepted << " accepted messages in " << found.blocks << " blocks, "
                           << found.crashes << " crashes, " << found.codes.size() - 1
                           << " kinds of refusal");
    boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, witness::heard>>(
        [&](auto type) {
            using event = typename decltype(type)::type;
            auto const count =
                found.told.counts[boost::mp11::mp_find<witness::heard, event>::value];
            std::string const what{ledger::impl::type_name<event>()};
            MESSAGE(what << ": " << count);
            CHECK(count > 0);
        });
    CHECK(found.codes.size() > 20);
    CHECK(found.crashes > 5);
}

TEST_CASE("escrow::contract: a million agreement events with crashes between blocks" *
          doctest::test_suite("slow"))
{
    INFO("seed " << test::seed());
    auto const found = live(test::seed(), 1'000'000, 400);
    MESSAGE(found.accepted << " accepted messages in " << found.blocks << " blocks, "
                           << found.crashes << " crashes");
}

TEST_CASE("escrow::contract: blocks run in parallel are the blocks run in order" *
          doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    task_pool pool{2};
    for (std::uint64_t s = 0; s < 2; ++s) {
        town ordered{0}, parallel{test::seed() + s};
        for (auto* t : {&ordered, &parallel}) {
            business::move_in(*t, 20'000'000_blnd);
            t->fund(sponsor, 1'000_blnd);
        }
        business people{ordered, test::seed() + s};
        ledger::parallel_executor<chain>::options how{};
        how.shards = s % 2 == 0 ? 2 : 4;
        how.group_bits = s == 0 ? 0 : 1;
        how.adaptive = false;
        ledger::parallel_executor<chain> execute{pool, how};
        for (std::uint64_t b = 0; b < 60; ++b) {
            auto const txs = people.some_block(80);
            auto const a = ordered.run_in_order(txs);
            auto const p = parallel.run_in_parallel(txs, 1 + b % 37, execute);
            REQUIRE(a == p);
            REQUIRE(ordered.look() == parallel.look());
        }
    }
}

TEST_CASE("escrow::contract: a delivery touches its job, its sender and what nobody changes")
{
    town t{};
    ledger::prepared_part<chain> part{t.state()};
    part.add_tx(provider(0), 0, 1, amount{});
    part.add_message<chain::message_index<escrows::deliver>>(escrows::deliver{one, unit_no(0)});
    part.reserve();
    part.resolve();
    auto const& tx = part.txs().front();
    std::size_t writes = 0;
    for (auto const& each : std::span{tx.touches, tx.touch_count}) {
        auto const is = [&](std::size_t table) { return each.table == table; };
        writes += each.how == ledger::mode::write;
        if (each.how == ledger::mode::read) CHECK(is(chain::table_index<conditions>));
        if (each.how == ledger::mode::write) CHECK(is(chain::table_index<jobs>));
        if (each.how == ledger::mode::debit) CHECK(is(chain::table_index<ledger::purses>));
        CHECK(each.how != ledger::mode::credit);
    }
    CHECK(writes == 1);
}

TEST_CASE(
    "escrow::contract: more deadlines than a block's share are carried over, the earliest first")
{
    story s{0, 0};
    s.fund(renter, 1'000'000_blnd);
    auto const count = escrows::work_per_block + 50;
    std::vector<tx> all(1, tx{renter, {}});
    auto what = plain_order(1);
    for (std::uint32_t i = 0; i < count; ++i)
        all[0].messages.push_back(escrows::submit{i, what, 1_blnd, price{}});
    REQUIRE(s.run_in_order(all).front().code == fine);
    auto const ends = s.now().at + std::uint64_t{what.search_within};
    while (s.now().at < ends) s.block();
    std::size_t left = 0;
    s.each<jobs>([&](auto const& key, auto const&) {
        ++left;
        CHECK(key.number >= escrows::work_per_block);
    });
    CHECK(left == 50);
    CHECK(s.call(renter, escrows::top_up{{renter, count - 1}, 1_blnd}) == code(reject::tick_first));
    CHECK(s.balance(renter) == 1'001'000_blnd);
}

namespace {

/// Every message there is about unit 0 and agreement 0 of a job, under its name.
std::vector<std::pair<std::string, any_message>> all_messages()
{
    auto const unit = unit_no(0);
    auto const which = agreement_no(0);
    return {{"submit", escrows::submit{1, plain_order(2), 1_blnd, one_blnd}},
            {"top_up", escrows::top_up{one, 1_blnd}},
            {"post_price", escrows::post_price{one, price{5}}},
            {"accept", escrows::accept{one, unit}},
            {"approve", escrows::approve{one, which}},
            {"object", escrows::object{one, unit}},
            {"challenge", escrows::challenge{one, unit, hash256{std::byte{9}}}},
            {"cancel", escrows::cancel{one, which}},
            {"cancel_all", escrows::cancel_all{one}},
            {"take", escrows::take{one, 1, 0, reputation::family::fp32}},
            {"start", escrows::start{one, which, 0}},
            {"deliver", escrows::deliver{one, unit, hash256{std::byte{8}}, 0}},
            {"quit", escrows::quit{one, which}},
            {"report", escrows::report{one, which, {provider(0), 0}}}};
}

/// The sentence of an escrow's refusal.
std::string_view sentence(std::uint32_t code)
{
    if (code >> 16 != escrows::id) return "unknown reason";
    return message(static_cast<reject>(code & 0xffff));
}

/// All rows but nonces.
test::picture but_nonces(town const& t)
{
    auto out = t.look();
    std::erase_if(out, [](auto const& each) {
        return each.first.first == chain::table_index<ledger::purses>;
    });
    t.each<ledger::purses>([&](address const& who, auto const& row) {
        out[{~std::size_t{0}, encode(who)}] = encode(row.balance);
    });
    return out;
}

/// What is accepted in a state, "message by somebody"; everything else must be refused with a
/// sentence and change nothing that an empty block would not have.
std::set<std::string> accepted_in(town const& state)
{
    std::set<std::string> out;
    town tried{}, quiet{};
    quiet.become(state);
    quiet.block();
    auto const untouched = but_nonces(quiet);
    for (auto const& [name, each] : all_messages())
        for (auto const& [who, by] :
             {std::pair{renter, "renter"}, std::pair{provider(0), "provider"},
              std::pair{stranger, "stranger"}}) {
            tried.become(state);
            auto const code = tried.call(who, each);
            if (code == fine) {
                out.insert(name + " by " + by);
                continue;
            }
            CHECK(sentence(code) != "unknown reason");
            auto const label = name + " by " + by;
            bool const same = but_nonces(tried) == untouched;
            CHECK_MESSAGE(same, label);
        }
    return out;
}
std::set<std::string> operator+(std::set<std::string> a, std::set<std::string> const& b)
{
    a.insert(b.begin(), b.end());
    return a;
}

}  // namespace

TEST_CASE(
    "escrow::contract: in each state what may not happen is refused with a sentence and changes "
    "nothing")
{
    using names = std::set<std::string>;
    names const new_jobs{"submit by provider", "submit by stranger"};  // jobs of their own
    names const anybody{"top_up by renter", "top_up by provider", "top_up by stranger"};
    names const renters{"post_price by renter", "cancel_all by renter"};
    auto const always = new_jobs + anybody + renters;

    story s{1};
    CHECK(accepted_in(s) == new_jobs + names{"submit by renter"});  // there is no job

    auto what = plain_order(2);
    what.inputs.push_back(hash256{std::byte{1}});
    what.checks.steps = 8;
    what.checks.move_within = 4;
    s.submit(what, 5_blnd);
    CHECK(accepted_in(s) == always + names{"take by provider"});  // listed

    REQUIRE(s.call(provider(0), escrows::take{one, 1, 0, reputation::family::fp32}) == fine);
    CHECK(accepted_in(s) == always + names{"take by provider", "deliver by provider",
                                           "quit by provider", "cancel by renter"});  // running

    REQUIRE(s.call(provider(0), escrows::deliver{one, unit_no(0), {}, 0}) == fine);
    CHECK(accepted_in(s) == always + names{"take by provider", "accept by renter",
                                           "approve by renter",
                                           "challenge by renter"});  // delivered

    story disputed{1};
    disputed.become(s);
    REQUIRE(disputed.call(renter, escrows::challenge{one, unit_no(0), hash256{std::byte{7}}}) ==
            fine);
    CHECK(accepted_in(disputed) ==
          always + names{"take by provider", "accept by renter", "approve by renter"});

    s.pass(40);  // paid; the other unit still waits
    CHECK(accepted_in(s) == always + names{"take by provider"});
    s.until_closed();
    CHECK(accepted_in(s) == new_jobs + names{"submit by renter"});

    story timed{1};
    auto rent = plain_order(0);
    rent.items = rent.demand = 0;
    timed.submit(rent, 2_blnd);
    REQUIRE(timed.call(provider(0), escrows::take{one, 0, 0, reputation::family::fp32}) == fine);
    timed.pass(2);
    REQUIRE(timed.job().money.agreements[0].at == phase::paused);
    CHECK(accepted_in(timed) == always + names{"cancel by renter", "quit by provider"});
}

TEST_CASE("escrow::contract: what is asked of a job that it cannot be has its code")
{
    story s{2, 2};
    auto const order = replicated_order(2);
    auto const refused = [&](address const& who, any_message message, reject why) {
        CHECK(s.call(who, std::move(message)) == code(why));
    };
    auto with = [](auto of, auto&& change) { return change(of), of; };
    auto const submit = [&](auto&& change) {
        return escrows::submit{1, with(order, change), 2_blnd, one_blnd};
    };
    refused(renter, submit([](auto& o) { o.cap = price{5}; }), reject::above_cap);
    refused(renter, submit([](auto& o) { o.checks.quorum = 1; }), reject::bad_checks);
    refused(renter, submit([](auto& o) { o.run_within = 1u << 23; }), reject::bad_terms);
    refused(account(999), escrows::submit{1, order, 2_blnd, one_blnd}, reject::poor);
    auto rich = escrows::submit{1, order, amount{u128{1} << 101}, one_blnd};
    refused(renter, rich, reject::value_too_large);

    auto sized = order;
    sized.size = 64;
    sized.wanted = std::string{"vram >= 48_GiB"};
    REQUIRE(s.call(renter, escrows::submit{1, sized, 5_blnd, price{}}) == fine);
    refused(renter, escrows::submit{1, order, 2_blnd, one_blnd}, reject::job_exists);
    escrows::take const all{one, 2, 0, reputation::family::fp32};
    refused(provider(0), all, reject::nothing_posted);
    refused(stranger, escrows::post_price{one, one_blnd}, reject::not_renter);
    REQUIRE(s.call(renter, escrows::post_price{one, one_blnd}) == fine);
    refused(provider(0), all, reject::not_eligible);  // too little memory

    job_key const two{renter, 2};
    sized.wanted.clear();
    REQUIRE(s.call(renter, escrows::submit{2, sized, 5_blnd, one_blnd}) == fine);
    refused(stranger, escrows::take{two, 2, 0, reputation::family::fp32}, reject::not_your_device);
    refused(provider(0), escrows::take{two, 2, 0, reputation::family::memory},
            reject::not_eligible);
    refused(provider(0), escrows::take{two, 3, 0, reputation::family::fp32}, reject::no_units_left);
    refused(provider(0), escrows::take{two, 0, 0, reputation::family::fp32}, reject::zero_units);
    auto greedy = sized;
    greedy.bond = 60_blnd;
    job_key const three{renter, 3};
    REQUIRE(s.call(renter, escrows::submit{3, greedy, 5_blnd, one_blnd}) == fine);
    refused(provider(0), escrows::take{three, 2, 0, reputation::family::fp32},
            reject::bond_too_small);
    job_key const four{renter, 4};
    REQUIRE(s.call(renter, escrows::submit{4, sized, 1_blnd, one_blnd}) == fine);
    refused(provider(0), escrows::take{four, 2, 0, reputation::family::fp32}, reject::underfunded);

    REQUIRE(s.call(provider(0), escrows::take{two, 2, 0, reputation::family::fp32}) == fine);
    refused(provider(0), escrows::deliver{two, unit_no(0), {}, 63}, reject::wrong_size);
    refused(provider(1), escrows::deliver{two, unit_no(0), {}, 64}, reject::not_provider);
    refused(provider(0), escrows::deliver{two, unit_no(2), {}, 64}, reject::unknown_unit);
    REQUIRE(s.call(provider(0), escrows::deliver{two, unit_no(0), {}, 64}) == fine);
    refused(provider(0), escrows::deliver{two, unit_no(0), {}, 64}, reject::wrong_unit_state);
    refused(renter, escrows::challenge{two, unit_no(0), {}}, reject::not_checkable);
    refused(stranger, escrows::object{two, unit_no(0)}, reject::not_renter);
    refused(provider(0), escrows::start{two, agreement_no(0), 1}, reject::not_your_device);
    refused(provider(0), escrows::start{two, agreement_no(5), 0}, reject::unknown_agreement);
    refused(provider(0), escrows::start{two, agreement_no(0), 0}, reject::wrong_phase);
    refused(stranger, escrows::top_up{two, amount{}}, reject::zero_amount);
    refused(account(999), escrows::top_up{two, 1_blnd}, reject::poor);
    s.pass(60);  // late
    refused(provider(0), escrows::deliver{two, unit_no(1), {}, 64}, reject::unknown_job);
    CHECK(s.money() == s.money_at_first);
}

namespace {

/// Two rows times two columns: right as it is, wrong in the last number of each row.
struct matrices {
    using numbers = std::vector<std::int64_t>;
    using all = std::vector<numbers>;
    all const a{{1, 2}, {3, 4}}, b{{5, 6}, {7, 8}};
    all const right{{17, 23}, {39, 53}}, wrong{{17, 24}, {39, 54}};

    static std::vector<hash256> leaves(all const& rows)
    {
        std::vector<hash256> out;
        for (auto const& each : rows) out.push_back(verify::leaf_of_row(each));
        return out;
    }
    static hash256 root(all const& rows) { return ledger::list_root(leaves(rows)); }

    order ordered(std::uint32_t units) const
    {
        auto out = plain_order(units);
        out.items = 2;
        out.inputs.push_back(root(a));
        out.inputs.push_back(root(b));
        out.checks.by = checker::product;
        out.checks.quorum = 2;
        out.checks.commit_within = 5;
        out.checks.fee = 1_blnd;
        out.checks.inner = out.checks.columns = 2;
        return out;
    }
    /// Against the last number of a unit that covers `rows` of the product.
    verifiers::refute refute(hash256 const& about, std::size_t last_row, all const& rows) const
    {
        verifiers::refute out{};
        out.task = about;
        out.column = 1;
        static_cast<numbers&>(out.a) = a[last_row];
        static_cast<numbers&>(out.b) = b[1];
        static_cast<numbers&>(out.c) = rows.back();
        out.in_a = ledger::prove(leaves(a), last_row);
        out.in_b = ledger::prove(leaves(b), 1);
        out.in_c = ledger::prove(leaves(rows), rows.size() - 1);
        return out;
    }
};

}  // namespace

TEST_CASE("escrow::contract: a refuted product costs its provider the bond")
{
    matrices const m;
    story s{1, 3};
    s.submit(m.ordered(1), 3_blnd);
    REQUIRE(s.call(provider(0), escrows::take{one, 1, 0, reputation::family::fp32}) == fine);
    REQUIRE(s.call(provider(0), escrows::deliver{one, unit_no(0), m.root(m.wrong), 0}) == fine);
    s.pass(3);
    auto const about = task(s, one, 0);
    REQUIRE(s.row<verify::products>(about).inspectors.size() == 2);
    auto const bond = s.locked(provider(0));
    auto const had = s.balance(stranger);
    REQUIRE(s.call(stranger, m.refute(about, 1, m.wrong)) == fine);
    CHECK(s.locked(provider(0)) + 10_blnd < bond);
    CHECK(s.balance(stranger) > had);
    CHECK(s.told<verify::refuted>() == 1);
    CHECK(s.progress().listed == 1);
    s.until_closed();
}

TEST_CASE("escrow::contract: units of who was proven wrong go to others only with money to check "
          "them again")
{
    matrices const m;
    story s{2, 3};
    s.submit(m.ordered(2), 2_blnd);  // for two units; beside it the checks of both
    auto const open = [&] { return s.ask(query::open_jobs{{}, {}, 10}).list; };
    REQUIRE(s.call(provider(0), escrows::take{one, 2, 0, reputation::family::fp32}) == fine);
    for (std::uint32_t n = 0; n < 2; ++n)
        REQUIRE(s.call(provider(0), escrows::deliver{one, unit_no(n), m.root({m.wrong[n]}), 0}) ==
                fine);
    CHECK(s.progress().checks == 4_blnd);
    s.pass(3);
    CHECK(s.progress().checks == amount{});  // both are looked at
    auto const first = task(s, one, 0);
    for (auto const& about : {first, task(s, one, 1)})
        for (auto const& each : s.row<verify::products>(about).inspectors)
            REQUIRE(s.call(each.who, verifiers::attest{about}) == fine);  // and they are lazy
    REQUIRE(s.call(stranger, m.refute(first, 0, {m.wrong[0]})) == fine);
    CHECK(s.progress().listed == 2);

    // what checks there were is paid for; nobody is given a unit that nobody would look at
    escrows::take const again{one, 1, 0, reputation::family::fp32};
    CHECK(s.call(provider(1), again) == code(reject::underfunded));
    CHECK(open().empty());
    auto const needs = s.ask(query::needs_of{renter, 0, 10});
    REQUIRE(needs.size() == 1);
    CHECK(needs[0].what == query::need::cover);
    CHECK(needs[0].number == 2);
    CHECK(needs[0].value == 4_blnd);
    REQUIRE(s.call(sponsor, escrows::top_up{one, 1_blnd}) == fine);
    REQUIRE(open().size() == 1);
    CHECK(open()[0].listed == 1);  // two of work, one of the sponsor: a unit and its two inspectors
    CHECK(s.call(provider(1), escrows::take{one, 2, 0, reputation::family::fp32}) ==
          code(reject::underfunded));
    REQUIRE(s.call(provider(1), again) == fine);
    CHECK(s.progress().checks == 2_blnd);
    REQUIRE(s.call(provider(1), escrows::deliver{one, unit_no(0), m.root({m.right[0]}), 0}) ==
            fine);
    s.pass(3);
    CHECK(s.row<verify::products>(task(s, one, 0)).inspectors.size() == 2);
    auto const refute = m.refute(task(s, one, 0), 0, {m.right[0]});
    CHECK(s.call(stranger, refute) == code(verify::reject::product_is_right));
    s.until_closed();
}

TEST_CASE("escrow::contract: what a check does not use serves the job's others, and goes back at "
          "the end")
{
    story s{1, 5};
    s.submit(replicated_order(2), 3_blnd);
    REQUIRE(s.call(provider(0), escrows::take{one, 2, 0, reputation::family::fp32}) == fine);
    auto const had = s.balance(renter);
    answer const right{};
    auto const run = [&](std::uint32_t unit) {
        auto const what = task(s, one, unit);
        REQUIRE(s.call(provider(0), escrows::deliver{one, unit_no(unit),
                                                     right.to(provider(0), what), 0}) == fine);
        s.pass(3);
        auto const drawn = s.row<verify::rounds>(what).of.replicas.at(1).worker;
        REQUIRE(s.call(drawn, verifiers::commit{what, right.to(drawn, what)}) == fine);
        for (auto const& who : {provider(0), drawn})
            REQUIRE(s.call(who, verifiers::reveal{what, right.nonce, right.result, {}}) == fine);
    };
    CHECK(s.progress().checks == 6_blnd);
    run(0);
    CHECK(s.progress().checks == 5_blnd);  // one worker was enough
    CHECK(s.balance(renter) == had);
    run(1);
    CHECK(!s.progress().known);
    CHECK(s.balance(renter) == had + 5_blnd);  // four of the checks, one of the work
}

TEST_CASE(
    "escrow::contract: a settled agreement is rated by both sides, one that was not paid by none")
{
    story s;
    s.submit(plain_order(1), 2_blnd);
    REQUIRE(s.call(provider(0), escrows::take{one, 1, 0, reputation::family::fp32}) == fine);
    task_origin const whole{one, s.job().opened, nobody, 0};
    ratings::rate const good{
        task_of(whole), {provider(0), reputation::role::provider, reputation::family::fp32}, 100};
    CHECK(s.call(renter, good) == code(reputation::reject::not_settled));
    REQUIRE(s.call(provider(0), escrows::deliver{one, unit_no(0), {}, 0}) == fine);
    s.until_closed();
    CHECK(s.call(renter, good) == fine);
    CHECK(s.call(stranger, good) == code(reputation::reject::not_a_party));
    CHECK(s.row<reputation::scores>(good.subject).good == 250);  // a point for each 0.0001 burned

    s.submit(plain_order(1), 2_blnd, 2);
    job_key const two{renter, 2};
    REQUIRE(s.call(provider(1), escrows::take{two, 1, 0, reputation::family::fp32}) == fine);
    task_origin const unpaid{two, s.job(two).opened, nobody, 0};
    REQUIRE(s.call(provider(1), escrows::quit{two, agreement_no(0)}) == fine);
    CHECK(s.call(renter,
                 ratings::rate{task_of(unpaid),
                               {provider(1), reputation::role::provider, reputation::family::fp32},
                               0}) == code(reputation::reject::not_settled));
}

TEST_CASE("escrow::contract: on the market the better name sells first, and nobody's price changes")
{
    for (bool const picky : {false, true}) {
        story s;
        auto const ask = [&](std::uint32_t who, std::uint64_t limit) {
            markets::place p{};
            p.of = {rtx, market::hour{0}};
            p.way = market::side::sell;
            p.size = quantity{10};
            p.limit = price{limit};
            p.expires = height{1000};
            p.rounds = 10;
            p.hours = 1;
            return tx{provider(who), {p}};
        };
        // auctions that were paid for and not needed come back with the rest
        auto const about = [](amount got, amount value) {
            return got >= value && got - value < amount{10'000};
        };
        reputation::scores::key const good{provider(1), reputation::role::provider,
                                           reputation::family::fp32};
        auto& scores = s.state().table<reputation::scores>();
        scores.row(scores.intern(good)) = {50'000, 0, height{0}};
        auto const placed = s.now().at;
        std::vector const asks{ask(0, 10'000'000), ask(1, 10'050'000)};
        for (auto const& each : s.run_in_order(asks)) REQUIRE(each.code == fine);
        markets::place bid{};
        bid.of = {rtx, market::hour{0}};
        bid.way = market::side::buy;
        bid.size = quantity{12};
        bid.limit = price{10'500'000};
        bid.expires = height{1000};
        if (picky) bid.wanted = std::string{"vram >= 16_GiB"};
        auto const before0 = s.balance(provider(0)), before1 = s.balance(provider(1));
        REQUIRE(s.call(renter, bid) == fine);
        auto const print = s.row<market::prints>({bid.of, later(placed, 2)});
        s.block();
        auto const got0 = s.balance(provider(0)) - before0;
        auto const got1 = s.balance(provider(1)) - before1;
        if (picky) {
            CHECK(about(got1, price{10'050'000} * quantity{10}));
            CHECK(got0 == price{10'000'000} * quantity{2});
        } else {
            CHECK(about(got1, print.at * quantity{10}));
            CHECK(got0 == print.at * quantity{2});
            CHECK(print.at >= price{10'050'000});
        }
    }
}
