// SPDX-License-Identifier: Apache-2.0
// A job's life on a real chain: signed transactions, blocks, a store, crashes between blocks, queries.
#include <blendr/node/standard_chain.hpp>

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <blendr/app/block_id.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/ledger/transaction.hpp>
#include <blendr/state/store.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::ledger;
using blendr::test::person;

namespace {

using jobs = escrow::contract;
using checks = verify::contract;
using bonds = bond::contract;
using market_place = market::contract;

constexpr std::uint8_t renter = 2, provider = 3, first_worker = 4, workers = 3;
constexpr market::device_class rtx{1};

genesis begin()
{
    genesis out{};
    out.chain = chain_id{7};
    out.begins = market::start_of(market::hour{480'000});
    for (std::uint8_t i = 0; i < first_worker + workers; ++i) {
        out.accounts.push_back({person(i).account(), 1'000_blnd});
        out.money.premine += 1'000_blnd;
    }
    out.money.premine = amount{};
    for (auto const& each : out.accounts) out.money.premine += each.balance;
    out.validators.push_back(
        {person(0).self(), weight{10}, crypto::vrf_secret_key::of(person(0).key()).self()});
    auto const section = [&](std::string_view name, auto const& document) {
        out.sections.push_back({std::string{name}, encode(document)});
    };
    bonds::genesis_document bond{};
    bond.by.of.least = 1_blnd;
    section("bond", bond);
    section("reputation", reputation::contract::genesis_document{});
    section("verify", checks::genesis_document{});
    section("market", market_place::genesis_document{{{rtx, {1, 1, 1, 1}, price{10}}}});
    section("escrow", jobs::genesis_document{});
    return out;
}

/// A chain that dies after every block and comes back from its store.
struct mortal {
    mortal()
    {
        how.threads = 1;
        how.me = person(0);
        how.store = std::make_shared<state::memory_store>();
        begin_again();
    }

    void begin_again()
    {
        live = kind.make(how);
        REQUIRE(live->open(encode(begin())));
    }

    template <class C, class Message>
    void send(int number, Message const& message)
    {
        transaction tx{};
        tx.chain = chain_id{7};
        auto const who = static_cast<std::uint8_t>(number);
        tx.sequence = nonce{nonces[who]++};
        tx.fee_max = 1_blnd;
        tx.expires = height{10'000};
        tx.messages.push_back(wrap<C>(message));
        sign(tx, person(who));
        auto const raw = encode(tx);
        bytes_view const one{raw};
        auto const taken = live->submit(std::span{&one, 1}).front();
        REQUIRE_MESSAGE(taken.has_value(), (taken ? "" : taken.error().reason));
    }

    /// A block of what was sent, all of it well; then the crash.
    void block()
    {
        app::proposal_context const at{parent, live->last().last + std::uint64_t{1},
                                       time_ms{++time * 1'000 + begin().begins.get()},
                                       person(0).self()};
        auto const payload = live->propose(at, 1 << 20);
        REQUIRE(payload.has_value());
        parent = app::make_block_id(at, app::payload_digest(*payload));
        for (auto const& each : live->finalize(at, parent, *payload).results)
            REQUIRE(each.code == 0);
        (void)live->commit();
        begin_again();
    }

    template <class Answer, class Query>
    Answer ask(std::string_view path, Query const& query) const
    {
        auto const got = live->query(path, encode(query));
        REQUIRE(got.code == 0);
        return decode<Answer>(got.value).value();
    }
    jobs::progress progress() const
    {
        return ask<jobs::progress>("escrow/job_of", jobs::job_of{job});
    }

    template <class Row, class Key>
    Row row(std::string_view path, Key const& key) const
    {
        auto const got = live->query(path, encode(key));
        REQUIRE(got.code == 0);
        return got.value.empty() ? Row{} : decode<Row>(got.value).value();
    }

    node::chain_kind kind = node::standard_chain();
    node::chain_setup how{};
    std::unique_ptr<node::chain> live{};
    std::map<std::uint8_t, std::uint64_t> nonces{};
    block_id parent{};
    std::int64_t time{0};
    escrow::job_key job{person(renter).account(), 1};
};

}  // namespace

TEST_CASE("standard_chain: a job is submitted, checked, paid and asked about on a chain that dies "
          "after every block")
{
    mortal c;
    market::device_key const device{person(provider).account(), 0};
    c.send<market_place>(provider,
                         market_place::enrol{0, rtx,
                                             std::string{"vendor=nvidia, vram=24_GiB, "
                                                         "fp32=80, memory=60, integer=50"}});
    c.send<bonds>(provider, bonds::lock_provider{escrow::device_bond(device).id, 50_blnd});
    for (std::uint8_t i = 0; i < workers; ++i)
        c.send<bonds>(first_worker + i, bonds::lock_provider{hash256{std::byte(i + 1)}, 100_blnd});
    c.block();
    for (std::uint8_t i = 0; i < workers; ++i)
        c.send<checks>(first_worker + i,
                       checks::enlist{{bond::purpose::provider, hash256{std::byte(i + 1)}}});
    escrow::order what{};
    what.items = 100;
    what.units = 2;
    what.cap = price{1'000'000'000};
    what.bond = 10_blnd;
    what.search_within = what.start_within = what.run_within = 60;
    what.window = 12;
    what.grace = 5;
    what.checks.by = escrow::checker::replicas;
    what.checks.quorum = 2;
    what.checks.most = 3;
    what.checks.commit_within = what.checks.reveal_within = 6;
    what.checks.fee = 1_blnd;
    c.send<jobs>(renter, jobs::submit{1, what, 3_blnd, price{1'000'000'000}});
    c.block();
    CHECK(c.progress().listed == 2);
    CHECK(c.ask<escrow::check_price>("escrow/price_of", jobs::price_of{what}).held == 4_blnd);
    CHECK(c.ask<jobs::job_list>("escrow/jobs_of", jobs::jobs_of{c.job.renter, 0, 10}).list.size() ==
          1);

    c.send<jobs>(provider, jobs::take{c.job, 2, 0, reputation::family::fp32});
    c.block();
    CHECK(c.progress().assigned == 2);
    hash256 const nonce{std::byte{1}}, result{std::byte{2}};
    auto const digest = verify::digest_of(result, {});
    std::vector<hash256> tasks;
    for (std::uint32_t n = 0; n < 2; ++n) {
        auto const unit =
            c.ask<jobs::unit_progress>("escrow/unit_of", jobs::unit_of{c.job, escrow::unit_id{n}});
        CHECK(unit.count == 50);
        tasks.push_back(unit.task);
        c.send<jobs>(provider,
                     jobs::deliver{c.job, escrow::unit_id{n},
                                   verify::commit({device.owner, unit.task, nonce, digest}), 0});
    }
    c.block();
    for (int i = 0; i < 3; ++i) c.block();
    CHECK(c.progress().disputed == 2);  // both are being replicated

    std::map<crypto::address, int> names;
    for (std::uint8_t i = 0; i < workers; ++i)
        names[person(static_cast<std::uint8_t>(first_worker + i)).account()] = first_worker + i;
    for (auto const& task : tasks) {
        auto const round = c.row<verify::rounds::row>("verify/rounds", task).of;
        REQUIRE(round.replicas.size() == 2);
        auto const who = round.replicas[1].worker;
        c.send<checks>(names.at(who),
                       checks::commit{task, verify::commit({who, task, nonce, digest})});
    }
    c.block();
    for (auto const& task : tasks) {
        auto const who = c.row<verify::rounds::row>("verify/rounds", task).of.replicas[1].worker;
        c.send<checks>(names.at(who), checks::reveal{task, nonce, result, {}});
        c.send<checks>(provider, checks::reveal{task, nonce, result, {}});
    }
    c.block();
    CHECK(!c.progress().known);  // paid, and over
    CHECK(c.row<purses::row>("ledger/purses", device.owner).balance > 951_blnd);
    CHECK(c.row<escrow::pledges::row>("escrow/pledges", escrow::device_bond(device)).value ==
          amount{});
    escrow::task_origin const whole{c.job, height{2}, escrow::nobody, 0};
    reputation::scores::key const subject{device.owner, reputation::role::provider,
                                          reputation::family::fp32};
    c.send<reputation::contract>(renter,
                                 reputation::contract::rate{escrow::task_of(whole), subject, 100});
    c.block();
    using reputation::contract;
    CHECK(c.ask<contract::standing>("reputation/score_of", contract::score_of{subject, {}}).score >
          300);
    CHECK(c.ask<contract::ratings>("reputation/feedback_of",
                                   contract::feedback_of{device.owner, {}, 10})
              .list.size() == 1);
}

TEST_CASE("standard_chain: a genesis whose rules cannot be computed with is refused, by section")
{
    auto const begun = [](std::string_view section, bytes const& document) {
        auto what = begin();
        for (auto& each : what.sections)
            if (each.contract == section) each.document = document;
        return node::standard_chain().make({})->open(encode(what)).has_value();
    };
    jobs::genesis_document fee;
    CHECK(begun("escrow", encode(fee)));
    fee.by.fee = 10'001;
    CHECK(!begun("escrow", encode(fee)));
    reputation::contract::genesis_document rules;
    CHECK(begun("reputation", encode(rules)));
    rules.by.scores.half_life = 0;
    CHECK(!begun("reputation", encode(rules)));
    rules = {};
    rules.by.appeals.panel = 4;
    CHECK(!begun("reputation", encode(rules)));
}
