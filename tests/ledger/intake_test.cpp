// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/impl/intake.hpp>  // first: it stands alone

#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/app/block_id.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>

#include "fixtures.hpp"
#include "support/support.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

using coins = machine<bank>;
constexpr std::uint64_t people = 6;

machine_options two_threads()
{
    machine_options how{};
    how.threads = 2;
    how.waiting.per_sender_max = 5;
    return how;
}

struct begun : coins {
    begun() : coins{two_threads()}
    {
        genesis document{};
        document.chain = chain_id{7};
        document.money.premine = amount{};
        for (std::uint64_t i = 0; i < people; ++i) {
            document.accounts.push_back({person(i).account(), 100_blnd});
            document.money.premine += 100_blnd;
        }
        document.validators.push_back({person(0).self(), weight{1}, {}});
        REQUIRE(init(encode(document)).has_value());
    }
};

struct wanted {
    std::uint64_t from = 1;
    std::uint64_t sequence = 0;
    std::uint64_t chain = 7;
    std::uint64_t expires = 50;
    amount fee_max = 1_blnd;
    std::uint16_t contract = bank::id;
    bool spoiled = false;
    bool cut = false;
};

bytes make(wanted const& w)
{
    transaction tx{};
    tx.chain = chain_id{w.chain};
    tx.sequence = nonce{w.sequence};
    tx.fee_max = w.fee_max;
    tx.tip = 5_grains;
    tx.expires = height{w.expires};
    tx.messages.push_back(wrap<bank>(bank::transfer{person(0).account(), 1_grains}));
    tx.messages.back().contract = w.contract;
    sign(tx, person(w.from));
    auto out = encode(tx);
    if (w.spoiled) out.back() ^= std::byte{1};
    if (w.cut) out.pop_back();
    return out;
}

void check_same(std::vector<result<hash256, reject>> const& many, coins& one_by_one,
                std::vector<bytes> const& raw, std::map<std::string, int>& seen)
{
    REQUIRE(many.size() == raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        auto const one = one_by_one.submit(raw[i]);
        auto const text = [](auto const& r) {
            return r ? std::string{"taken"} : std::string{text_of(r.error()).name};
        };
        CHECK(text(many[i]) == text(one));
        if (one && many[i]) CHECK(*many[i] == *one);
        ++seen[text(one)];
    }
}

std::vector<bytes_view> views(std::vector<bytes> const& raw) { return {raw.begin(), raw.end()}; }

}  // namespace

TEST_CASE("intake: many at once get the answers that one by one would, each with its own code")
{
    begun batch{}, single{};
    std::vector<bytes> const raw{
        make({}),
        make({}),
        make({.sequence = 1}),
        make({.from = 2, .spoiled = true}),
        make({.from = 2, .cut = true}),
        make({.from = 2, .chain = 8}),
        make({.from = 2, .expires = 0}),
        make({.from = 2, .fee_max = 6_grains}),
        make({.from = 2, .fee_max = 101_blnd}),
        make({.from = 2, .contract = 999}),
        make({.from = 2, .sequence = 64}),
        make({.from = 77}),
        make({.from = 2}),
        make({.from = 3, .expires = 1'000'000}),
    };
    std::map<std::string, int> seen{};
    check_same(batch.submit(views(raw)), single, raw, seen);
    for (auto const* name :
         {"duplicate", "wrong_signature", "truncated", "wrong_chain", "expired", "fee_below_base",
          "underfunded", "unknown_message", "nonce_too_far", "expiry_too_far"})
        CHECK_MESSAGE(seen[name] > 0, name);
    CHECK(batch.waiting().size() == 3);
    CHECK(batch.waiting().consistent());
    CHECK(batch.submit(std::span<bytes_view const>{}).empty());
}

TEST_CASE("intake: what is found wrong cheaply never costs a signature check")
{
    begun chain{};
    std::vector<bytes> const raw{make({.cut = true}), make({.chain = 8}),
                                 make({.expires = 0, .spoiled = true}),
                                 make({.from = 77, .spoiled = true}), make({.contract = 999})};
    for (auto const& each : chain.submit(views(raw))) CHECK_FALSE(each.has_value());
    CHECK(chain.signatures().checked == 0);
}

TEST_CASE("intake: a transaction's signature is checked once from its arrival to its block")
{
    begun chain{};
    std::vector<bytes> raw{};
    for (std::uint64_t from = 1; from < people; ++from)
        for (std::uint64_t sequence = 0; sequence < 4; ++sequence)
            raw.push_back(make({.from = from, .sequence = sequence}));
    for (auto const& each : chain.submit(views(raw))) CHECK(each.has_value());
    CHECK(chain.signatures().checked == raw.size());
    app::proposal_context const at{{}, height{1}, time_ms{1}, person(0).self()};
    auto const payload = chain.propose(at, 1 << 20);
    REQUIRE(payload.has_value());
    auto const id = app::make_block_id(at, app::payload_digest(*payload));
    CHECK(chain.verify(at, id, *payload) == app::verdict::valid);
    CHECK(chain.finalize(at, id, *payload).results.size() == raw.size());
    chain.commit();
    CHECK(chain.signatures().checked == raw.size());
    CHECK(chain.waiting().size() == 0);

    // and of one that nobody had seen, once: ahead of its turn
    begun other{};
    other.look_ahead(*payload);
    CHECK(other.signatures().checked == raw.size());
    CHECK(other.verify(at, id, *payload) == app::verdict::valid);
    CHECK(other.signatures().checked == raw.size());
}

TEST_CASE("intake: a block cannot borrow a waiting transaction's good name for a bad signature")
{
    begun chain{}, other{};
    auto const good = make({});
    REQUIRE(chain.submit(good).has_value());
    app::proposal_context const at{{}, height{1}, time_ms{1}, person(0).self()};
    auto const block = decode_block(*chain.propose(at, 1 << 20));
    REQUIRE(block.has_value());
    auto spoiled = good;
    spoiled[spoiled.size() - 3] ^= std::byte{4};
    CHECK(decode_transaction(spoiled)->id() == decode_transaction(good)->id());
    std::vector<bytes_view> const txs{spoiled};
    auto const payload = encode_block(block->head, txs);
    auto const id = app::make_block_id(at, app::payload_digest(payload));
    for (coins* each : {&chain, &other}) {
        CHECK(each->verify(at, id, payload) == app::verdict::invalid);
        CHECK(each->refused() == reject::block_signature);
    }
}

TEST_CASE("intake: the committed state counts, whatever block is verified but not decided")
{
    begun batch{}, single{};
    app::proposal_context const at{{}, height{1}, time_ms{1}, person(0).self()};
    std::vector<bytes> const first{make({}), make({.from = 2})};
    for (coins* each : {&batch, &single}) {
        for (auto const& raw : first) REQUIRE(each->submit(raw).has_value());
        auto const payload = each->propose(at, 1 << 20);
        auto const id = app::make_block_id(at, app::payload_digest(*payload));
        REQUIRE(each->verify(at, id, *payload) == app::verdict::valid);
    }
    std::vector<bytes> const more{make({.sequence = 1}), make({.from = 3}),
                                  make({.from = 4, .sequence = 2}), make({.from = 2})};
    std::map<std::string, int> seen{};
    check_same(batch.submit(views(more)), single, more, seen);
    CHECK(seen["taken"] == 3);
    CHECK(seen["duplicate"] == 1);
}
