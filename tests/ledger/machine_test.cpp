// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/machine.hpp>  // first: it stands alone

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/app/application.hpp>
#include <blendr/app/block_id.hpp>
#include <blendr/core/random.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/message.hpp>
#include <ledger/fixtures.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

using coins = machine<bank>;
static_assert(app::application<coins>);

constexpr chain_id here{7};

genesis begin_with(std::uint64_t people)
{
    genesis out{};
    out.chain = here;
    out.begins = time_ms{1'000};
    out.money.premine = amount{};
    for (std::uint64_t i = 0; i < people; ++i) {
        out.accounts.push_back({person(i).account(), 100_blnd});
        out.money.premine += 100_blnd;
    }
    out.validators.push_back(
        {person(0).self(), weight{10}, crypto::vrf_secret_key::of(person(0).key()).self()});
    out.validators.push_back({person(1).self(), weight{5}, {}});
    return out;
}

bytes pay(std::uint64_t from, std::uint64_t sequence, std::uint64_t to, amount value,
          amount fee_max = 10_blnd)
{
    transaction tx{};
    tx.chain = here;
    tx.sequence = nonce{sequence};
    tx.fee_max = fee_max;
    tx.tip = 5_grains;
    tx.expires = height{1000};
    tx.messages.push_back(wrap<bank>(bank::transfer{person(to).account(), value}));
    sign(tx, person(from));
    return encode(tx);
}

machine_options with(unsigned threads, std::uint64_t proposer = 0)
{
    machine_options out{};
    out.threads = threads;
    out.proposer = person(proposer);
    return out;
}

/// A block of a chain, as an engine knows it.
struct placed {
    app::proposal_context at{};
    block_id id{};
    bytes payload{};
};
app::proposal_context place(block_id const& parent, std::uint64_t h, std::int64_t time,
                            std::uint64_t proposer = 0)
{
    return {parent, height{h}, time_ms{time}, person(proposer).self()};
}
placed propose(coins& chain, app::proposal_context const& at)
{
    auto payload = chain.propose(at, 1 << 20);
    REQUIRE(payload.has_value());
    auto const id = app::make_block_id(at, app::payload_digest(*payload));
    return {at, id, *std::move(payload)};
}
app::finalized decide(coins& chain, placed const& block)
{
    REQUIRE(chain.verify(block.at, block.id, block.payload) == app::verdict::valid);
    auto out = chain.finalize(block.at, block.id, block.payload);
    chain.commit();
    return out;
}
/// The same block with just these transactions, header and id in keeping with them.
placed holding(placed block, std::vector<bytes> const& raw)
{
    auto view = decode_block(block.payload).value();
    std::vector<bytes_view> txs;
    std::vector<hash256> ids;
    gas sum{};
    rows<registry<bank>> const none{1};
    for (auto const& each : raw) {
        txs.emplace_back(each);
        auto const tx = decode_transaction(each);
        ids.push_back(tx ? tx->id() : hash256{});
        if (!tx) continue;
        auto const needed = ledger::impl::block_preparer<registry<bank>>::needs(none, *tx);
        sum += needed.value_or(gas{});
    }
    view.head.transactions = list_root(ids);
    view.head.gas_used = sum;
    block.payload = encode_block(view.head, txs);
    block.id = app::make_block_id(block.at, app::payload_digest(block.payload));
    return block;
}
amount balance(coins const& chain, std::uint64_t who)
{
    return chain.row<purses>(person(who).account()).balance;
}

}  // namespace

TEST_CASE("machine: genesis pays out the premine and names the validators")
{
    coins chain{with(1)};
    CHECK(chain.last() == app::info{});
    auto const set = chain.init(encode(begin_with(3)));
    REQUIRE(set.has_value());
    CHECK(set->size() == 2);
    CHECK(app::well_formed(*set));
    CHECK(balance(chain, 2) == 100_blnd);
    CHECK(chain.last().last == height{0});
    CHECK_FALSE(chain.init(encode(begin_with(3))).has_value());
}

TEST_CASE("machine: genesis that cannot work is refused with a reason, and a good one still begins")
{
    coins chain{with(1)};
    auto const refused = [&](genesis const& document) {
        CHECK_FALSE(chain.init(encode(document)).has_value());
        return chain.refused();
    };
    auto document = begin_with(3);
    document.accounts[0].balance += 1_grains;
    CHECK(refused(document) == reject::allocation_mismatch);
    document = begin_with(3);
    document.validators.clear();
    CHECK(refused(document) == reject::no_validators);
    document = begin_with(3);
    document.sections.push_back({"nobody", {}});
    CHECK(refused(document) == reject::unknown_section);
    document = begin_with(3);
    document.fees.burned_parts = 1;
    CHECK(refused(document) == reject::burn_below_half);
    CHECK_FALSE(chain.init(to_bytes("{")).has_value());
    CHECK(chain.init(encode(begin_with(3))).has_value());
}

TEST_CASE("machine: a block moves money, charges fees, pays the proposer and emits")
{
    coins chain{with(1)};
    REQUIRE(chain.init(encode(begin_with(4))));
    REQUIRE(chain.submit(pay(2, 0, 3, 30_blnd)));
    REQUIRE(chain.submit(pay(3, 0, 2, 120_blnd, 1_blnd)));
    auto const block = propose(chain, place({}, 1, 2'000));
    auto const done = decide(chain, block);
    REQUIRE(done.results.size() == 2);
    CHECK(done.results[0].code == 0);
    auto const receipt = decode<ledger::receipt>(done.results[0].receipt).value();
    CHECK(receipt.fee > 5_grains);
    CHECK(done.next.size() == 2);
    CHECK(balance(chain, 0) > 100_blnd);  // tips, part of the fees, emission
    CHECK(chain.row<purses>(treasury_pot()).balance > amount{});
    CHECK(chain.waiting().size() == 0);
    auto const now = chain.row<facts>(0);
    CHECK(now.at == height{1});
    CHECK(now.money.burned > amount{});
    CHECK(chain.last().app_hash == done.app_hash);
}

TEST_CASE("machine: in a block, a bad nonce or an unpayable fee is a code, uncharged")
{
    coins chain{with(1)};
    REQUIRE(chain.init(encode(begin_with(4))));
    auto const at = place({}, 1, 2'000);
    auto block = propose(chain, at);
    block = holding(block, {pay(2, 3, 3, 1_blnd), pay(7, 0, 3, 1_blnd), pay(2, 7, 3, 1_blnd),
                            pay(3, 0, 2, 1_blnd, 1_grains), pay(3, 1, 2, 1_blnd)});
    auto const done = decide(chain, block);
    CHECK(done.results[0].code == code(reject::nonce_not_next));
    CHECK(done.results[1].code == code(reject::underfunded));
    CHECK(done.results[2].code == code(reject::nonce_not_next));
    CHECK(done.results[3].code == code(reject::fee_below_base));
    CHECK(done.results[4].code == code(reject::nonce_not_next));
    for (auto const& each : done.results) CHECK(each.gas_used == 0);
    CHECK(balance(chain, 2) == 100_blnd);
    CHECK(balance(chain, 3) == 100_blnd);
}

TEST_CASE("machine: every fault of a block has its code and leaves the state as it was")
{
    coins chain{with(2)};
    REQUIRE(chain.init(encode(begin_with(4))));
    for (std::uint64_t n = 0; n < 3; ++n) REQUIRE(chain.submit(pay(2, n, 3, 1_blnd)));
    auto const good = propose(chain, place({}, 1, 2'000));
    auto const before = chain.last();
    auto const refusal = [&](auto&& spoil) {
        auto view = decode_block(good.payload).value();
        auto at = good.at;
        spoil(view.head, view.transactions, at);
        auto const payload = encode_block(view.head, view.transactions);
        auto const id = app::make_block_id(at, app::payload_digest(payload));
        REQUIRE(chain.verify(at, id, payload) == app::verdict::invalid);
        return *chain.refused();
    };
    using txs = std::vector<bytes_view>;
    using place_of = app::proposal_context;
    auto const wrong = [](auto member) {
        return [member](header& h, txs&, place_of&) { (h.*member)[0] ^= std::byte{1}; };
    };
    CHECK(refusal(wrong(&header::beacon)) == reject::wrong_beacon);
    CHECK(refusal(wrong(&header::transactions)) == reject::wrong_transactions_root);
    CHECK(refusal([](header& h, txs&, place_of&) { h.after_parent.state = {}; }) ==
          reject::wrong_state_root);
    CHECK(refusal([](header& h, txs&, place_of&) { h.after_parent.receipts = {}; }) ==
          reject::wrong_receipts_root);
    CHECK(refusal([](header& h, txs&, place_of&) { h.after_parent.validators = {}; }) ==
          reject::wrong_validators_root);
    CHECK(refusal([](header& h, txs&, place_of&) { h.base_fee = gas_price{7}; }) ==
          reject::wrong_base_fee);
    CHECK(refusal([](header& h, txs&, place_of&) { h.gas_used = gas{7}; }) == reject::wrong_gas);
    CHECK(refusal([](header& h, txs&, place_of&) { h.at = height{2}; }) == reject::wrong_height);
    CHECK(refusal([](header& h, txs&, place_of& at) {
              h.block_time = at.block_time = time_ms{1'000};
          }) == reject::wrong_time);
    CHECK(refusal([](header& h, txs&, place_of&) { h.chain = chain_id{8}; }) ==
          reject::block_wrong_chain);
    CHECK(refusal([](header&, txs& t, place_of&) { std::swap(t[0], t[1]); }) ==
          reject::wrong_transactions_root);
    auto const rearranged = [&](auto&& change) {
        return refusal([&](header& h, txs& t, place_of&) {
            change(t);
            std::vector<hash256> ids;
            for (auto const each : t) ids.push_back(decode_transaction(each).value().id());
            h.transactions = list_root(ids);
            h.gas_used = gas{h.gas_used.get() / 3 * t.size()};
        });
    };
    CHECK(rearranged([](txs& t) { std::swap(t[0], t[1]); }) == reject::wrong_order);
    CHECK(rearranged([](txs& t) { t[1] = t[0]; }) == reject::repeated_transaction);
    auto forged = to_bytes(decode_block(good.payload).value().transactions[0]);
    forged.back() ^= std::byte{1};
    CHECK(rearranged([&](txs& t) { t[0] = forged; }) == reject::block_signature);
    CHECK(chain.last() == before);
    CHECK(chain.verify(good.at, good.id, good.payload) == app::verdict::valid);
    CHECK(decide(chain, good).results.size() == 3);
}

TEST_CASE("machine: a block with a transaction that no block may hold is refused for that")
{
    auto document = begin_with(4);
    document.fees.block_target = document.fees.block_limit = gas{40'000};
    coins chain{with(2)};
    REQUIRE(chain.init(encode(document)));
    auto const empty = propose(chain, place({}, 1, 2'000));
    auto const before = chain.last();
    auto const refusal = [&](std::vector<bytes> const& raw) {
        auto const block = holding(empty, raw);
        REQUIRE(chain.verify(block.at, block.id, block.payload) == app::verdict::invalid);
        return *chain.refused();
    };
    auto const fine = pay(2, 0, 3, 1_blnd);
    CHECK(refusal({fine, to_bytes(as_bytes("no transaction"))}) == reject::malformed_transaction);
    CHECK(refusal({fine, bytes(transaction_bytes_max + 1)}) == reject::malformed_transaction);

    transaction odd{};
    odd.chain = here;
    odd.fee_max = 1_blnd;
    odd.expires = height{9};
    auto const refused_message = [&](wire_message what) {
        odd.messages = {};
        odd.messages.push_back(std::move(what));
        sign(odd, person(2));
        return refusal({encode(odd)});
    };
    CHECK(refused_message({77, 0, {}}) == reject::malformed_transaction);  // nobody's message
    CHECK(refused_message({1, 0, {}}) == reject::malformed_transaction);   // half a transfer
    odd.expires = height{0};
    auto const good_message = wrap<bank>(bank::transfer{person(3).account(), 1_blnd});
    CHECK(refused_message(good_message) == reject::block_expired);
    odd.expires = height{1};  // the last height that may hold it
    odd.messages = {};
    odd.messages.push_back(good_message);
    sign(odd, person(2));
    auto const last_call = holding(empty, {encode(odd)});

    std::vector<bytes> many{fine};
    while (decode_block(holding(empty, many).payload)->head.gas_used <= gas{40'000})
        many.push_back(pay(2, many.size(), 3, 1_blnd));
    CHECK(refusal(many) == reject::over_gas_limit);
    many.pop_back();

    auto view = decode_block(empty.payload).value();
    view.head.proposer = person(1).self();
    auto const payload = encode_block(view.head, view.transactions);
    auto const id = app::make_block_id(empty.at, app::payload_digest(payload));
    REQUIRE(chain.verify(empty.at, id, payload) == app::verdict::invalid);
    CHECK(chain.refused() == reject::wrong_proposer);

    CHECK(chain.last() == before);
    CHECK(balance(chain, 2) == 100_blnd);
    CHECK(chain.verify(last_call.at, last_call.id, last_call.payload) == app::verdict::valid);
    auto const full = holding(empty, many);
    CHECK(decide(chain, full).results.size() == many.size());
}

TEST_CASE("machine: an unknown parent is no verdict, and a decided branch drops its siblings")
{
    coins chain{with(1)};
    REQUIRE(chain.init(encode(begin_with(4))));
    REQUIRE(chain.submit(pay(2, 0, 3, 1_blnd)));
    auto const a1 = propose(chain, place({}, 1, 2'000, 0));
    auto const b1 = propose(chain, place({}, 1, 2'500, 0));
    CHECK_FALSE(chain.verify(place(a1.id, 2, 3'000), {}, a1.payload).has_value());
    REQUIRE(chain.verify(a1.at, a1.id, a1.payload) == app::verdict::valid);
    REQUIRE(chain.verify(b1.at, b1.id, b1.payload) == app::verdict::valid);
    auto const a2 = propose(chain, place(a1.id, 2, 3'000));
    CHECK(decode_block(a2.payload).value().transactions.empty());  // a1 has it
    auto const b2 = propose(chain, place(b1.id, 2, 3'000));
    REQUIRE(chain.verify(a2.at, a2.id, a2.payload) == app::verdict::valid);
    REQUIRE(chain.verify(b2.at, b2.id, b2.payload) == app::verdict::valid);
    CHECK(balance(chain, 3) == 100_blnd);  // nothing is committed
    chain.finalize(a1.at, a1.id, a1.payload);
    CHECK(balance(chain, 3) == 100_blnd);
    chain.commit();
    CHECK(balance(chain, 3) == 101_blnd);
    CHECK_FALSE(chain.verify(place(b1.id, 2, 4'000), {}, b2.payload).has_value());
    CHECK(decide(chain, a2).results.empty());
}

TEST_CASE("machine: many branches in any order lead where a straight replay leads, on any threads" *
          doctest::test_suite("property"))
{
    constexpr std::uint64_t people = 12;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        CAPTURE(seed);
        rng random{seed};
        coins busy{with(1 + static_cast<unsigned>(seed % 4))};
        coins plain{with(1)};
        REQUIRE(busy.init(encode(begin_with(people))));
        REQUIRE(plain.init(encode(begin_with(people))));
        std::vector<placed> alive{{}};
        block_id decided{};
        for (std::uint64_t h = 1; h <= 8; ++h) {
            for (std::uint64_t who = 0; who < people; ++who) {
                auto const next = busy.row<purses>(person(who).account()).nonce;
                for (std::uint64_t n = next; n < next + random.below(6); ++n)
                    static_cast<void>(busy.submit(pay(who, n, random.below(people),
                                                      amount{1 + random.below(40'000'000'000)})));
            }
            std::vector<placed> made;
            for (int i = 0; i < 3; ++i) {
                auto const time = static_cast<std::int64_t>(2'000 * h + random.below(1'000));
                auto const proposer = random.below(2);
                coins& by = busy;
                if (proposer == 1) continue;  // person 1 has no key for the beacon here
                made.push_back(propose(by, place(decided, h, time)));
                REQUIRE(busy.verify(made.back().at, made.back().id, made.back().payload) ==
                        app::verdict::valid);
            }
            if (made.empty())
                made.push_back(propose(busy, place(decided, h, 2'000 * std::int64_t(h))));
            auto const& chosen = made[random.below(made.size())];
            auto const a = decide(busy, chosen);
            auto const b = decide(plain, chosen);
            REQUIRE(a == b);
            decided = chosen.id;
        }
        for (std::uint64_t who = 0; who < people; ++who)
            REQUIRE(balance(busy, who) == balance(plain, who));
    }
}

TEST_CASE(
    "machine: a query's proof holds under the next header's state root, for rows and absences")
{
    coins chain{with(1)};
    REQUIRE(chain.init(encode(begin_with(4))));
    REQUIRE(chain.submit(pay(2, 0, 3, 1_blnd)));
    auto const first = propose(chain, place({}, 1, 2'000));
    decide(chain, first);
    auto const second = propose(chain, place(first.id, 2, 3'000));
    auto const root = decode_block(second.payload).value().head.after_parent.state;
    for (std::uint64_t who : {3U, 99U}) {
        auto const owner = person(who).account();
        auto const answer = chain.query("ledger/purses", encode(owner));
        CHECK(answer.code == 0);
        CHECK(answer.value.empty() == (who == 99));
        auto const proof = state::decode_proof(answer.proof).value();
        std::optional<hash256> value;
        if (!answer.value.empty()) value = state::value_hash(answer.value);
        CHECK(state::verify(root, state::key_hash(state_key<base, purses>(owner)), value, proof));
    }
    CHECK(chain.query("ledger/nothing", {}).code == code(query_fault::unknown_path));
    CHECK(chain.query("ledger/purses", {}).code == code(query_fault::malformed_argument));
}

TEST_CASE("machine: a chain is taken up again from its store, and goes on as if nothing had been")
{
    auto how = with(1);
    how.store = std::make_shared<state::memory_store>();
    placed first, second, third;
    app::info last;
    {
        coins chain{how};
        REQUIRE(chain.load());
        CHECK(!chain.tip());
        REQUIRE(chain.init(encode(begin_with(4))));
        REQUIRE(chain.submit(pay(2, 0, 3, 1_blnd)));
        first = propose(chain, place({}, 1, 2'000));
        decide(chain, first);
        last = chain.last();
        REQUIRE(chain.submit(pay(3, 0, 2, 50_blnd)));
        second = propose(chain, place(first.id, 2, 3'000));
    }
    coins again{how};
    REQUIRE(again.load());
    CHECK(again.last() == last);
    REQUIRE(again.tip());
    CHECK(again.tip()->id == first.id);
    CHECK(again.tip()->head.block_time == first.at.block_time);
    CHECK(balance(again, 3) == 101_blnd);
    auto plain = with(1);
    coins other{plain};
    REQUIRE(other.init(encode(begin_with(4))));
    decide(other, first);
    CHECK(decide(again, second) == decide(other, second));

    // a row that was tampered with does not go unseen
    auto const key = state_key<base, purses>(person(3).account());
    auto const richer = encode(purses::row{1'000_blnd, 0});
    std::vector<state::row_change> const batch{{key, bytes_view{richer}}};
    REQUIRE(how.store->write(batch, height{2}));
    coins wary{how};
    CHECK(wary.load().error().what == state::io_fault::corrupt);
}

TEST_CASE("machine: what a store keeps beside the rows is frozen")
{
    app::validator_set const next{{person(0).self(), weight{10}}, {person(1).self(), weight{5}}};
    ledger::impl::stored_tip const tip{
        some_hash(1), plain_header(), {some_hash(4), some_hash(5), some_hash(6)}, next};
    CHECK(blendr::test::differs_from_frozen("ledger/stored_tip.txt", {{"tip", encode(tip)}}) == "");
}

TEST_CASE("machine: slots of keys without a row are given back")
{
    coins chain{with(1)};
    REQUIRE(chain.init(encode(begin_with(3))));
    block_id parent{};
    for (std::uint64_t h = 1; h <= 3; ++h) {
        for (std::uint64_t i = 0; i < 20; ++i)
            REQUIRE(chain.submit(pay(2, 20 * (h - 1) + i, 1'000 * h + i, 1'000_blnd, 1_blnd)));
        auto const block = propose(chain, place(parent, h, 2'000 * static_cast<std::int64_t>(h)));
        auto const done = decide(chain, block);
        REQUIRE(done.results.size() == 20);
        for (auto const& each : done.results) CHECK(each.code == code<bank>(bank::error::poor));
        parent = block.id;
        CHECK(chain.keys<purses>() == 5);  // three people, two pots
    }
}

TEST_CASE("machine: what check refuses, it names")
{
    coins chain{with(1)};
    REQUIRE(chain.init(encode(begin_with(3))));
    auto const refused = [&](bytes const& raw) { return chain.check(raw).code; };
    CHECK(refused(pay(2, 0, 1, 1_blnd)) == 0);
    CHECK(refused({}) == code(reject::truncated));
    CHECK(refused(pay(2, 0, 1, 1_blnd, 1_grains)) == code(reject::fee_below_base));
    CHECK(refused(pay(2, 0, 1, 1_blnd, 101_blnd)) == code(reject::underfunded));
    auto forged = pay(2, 0, 1, 1_blnd);
    forged.back() ^= std::byte{1};
    CHECK(refused(forged) == code(reject::wrong_signature));
    REQUIRE(chain.submit(pay(2, 0, 1, 1_blnd)));
    CHECK(refused(pay(2, 0, 1, 1_blnd)) == code(reject::duplicate));
    transaction odd{};
    odd.chain = here;
    odd.fee_max = 1_blnd;
    odd.expires = height{9};
    odd.messages.push_back({77, 0, {}});
    sign(odd, person(2));
    CHECK(refused(encode(odd)) == code(reject::unknown_message));
    odd.messages[0] = {1, 0, {}};
    sign(odd, person(2));
    CHECK(refused(encode(odd)) == code(reject::malformed_message));
    odd.shard = shard_id{1};
    sign(odd, person(2));
    CHECK(refused(encode(odd)) == code(reject::wrong_shard));
    odd.chain = chain_id{8};
    sign(odd, person(2));
    CHECK(refused(encode(odd)) == code(reject::wrong_chain));

    auto document = begin_with(3);
    document.fees.block_target = document.fees.block_limit = gas{5'000};
    coins narrow{with(1)};
    REQUIRE(narrow.init(encode(document)));
    CHECK(narrow.check(pay(2, 0, 1, 1_blnd)).code == code(reject::gas_above_block));
    CHECK(narrow.submit(pay(2, 0, 1, 1_blnd)).error() == reject::gas_above_block);
    auto const raw = pay(2, 0, 1, 1_blnd);
    bytes_view const one{raw};
    CHECK(narrow.submit(std::span{&one, 1}).front().error() == reject::gas_above_block);
}
