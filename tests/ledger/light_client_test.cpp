// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/light_client.hpp>  // first: it stands alone

#include <map>

#include <doctest/doctest.h>

#include <blendr/state/tree.hpp>

#include "fixtures.hpp"
#include "support/support.hpp"
#include "support/vectors.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

constexpr crypto::domain vote_domain{"test.vote/1"};
using votes = std::vector<std::pair<crypto::public_key, crypto::signature>>;

/// A certificate of the plainest kind: signatures of a quorum over the block's id.
bool quorum_signed(app::validator_set const& set, block_id const& id, app::proposal_context const&,
                   bytes_view certificate)
{
    auto const all = decode<votes>(certificate);
    if (!all) return false;
    weight sum{};
    auto voter = set.begin();
    for (auto const& [key, signature] : *all) {
        while (voter != set.end() && voter->key < key) ++voter;
        if (voter == set.end() || voter->key != key) return false;
        if (!crypto::verify(key, vote_domain, id, signature)) return false;
        sum += (voter++)->power;
    }
    return sum >= quorum_of(app::total_power(set));
}

/// A chain with a changing state and changing validators, and everything that it could prove.
class chain {
public:
    struct row {
        bytes key{}, value{};
    };

    chain() { sets_[1] = sets_[2] = set_of({0, 1, 2, 3}); }

    light_client::start genesis() const
    {
        return {chain_id{7}, shard_id{}, height{}, some_hash(999), time_ms{}, sets_.at(1)};
    }

    /// The next block, which changes rows and may change the validators two heights later.
    light_block next(std::vector<int> const& new_validators = {})
    {
        auto const at = blocks_.size() + 1;
        header head{};
        head.chain = chain_id{7};
        head.at = height{at};
        head.parent = blocks_.empty() ? some_hash(999) : ids_.back();
        head.block_time = time_ms{static_cast<std::int64_t>(at) * 1000};
        head.proposer = person(0).self();
        head.after_parent = {root_, receipts_root_, validators_root(sets_.at(at + 1))};
        std::vector<hash256> const txs{some_hash(at * 10), some_hash(at * 10 + 1)};
        head.transactions = list_root(txs);
        light_block out{head, some_hash(at * 100), {}, {}};
        if (at == 1 || sets_.at(at) != sets_.at(at - 1)) out.validators = sets_.at(at);
        out.certificate = certify(out, {0, 1, 2, 3, 4, 5});
        blocks_.push_back(out);
        ids_.push_back(id_of(head, out.body_digest));

        sets_[at + 2] = new_validators.empty() ? sets_.at(at + 1) : set_of(new_validators);
        values_["counter"] = std::to_string(at);
        if (at % 2 == 0) values_["row " + std::to_string(at)] = "present";
        std::vector<state::change> changes{};
        for (auto const& [key, value] : values_)
            changes.push_back({state::key_hash(as_bytes(key)), state::value_hash(as_bytes(value))});
        auto const version = tree_.apply(tree_.decided(), changes);
        tree_.decide(version);
        root_ = tree_.root(version);
        receipts_ = {{txs[0], 0, gas{5}, amount{6}, {}}, {txs[1], 65537, gas{7}, amount{8}, {}}};
        receipts_root_ = list_root(std::vector{leaf_of(receipts_[0]), leaf_of(receipts_[1])});
        return out;
    }

    bytes certify(light_block const& block, std::vector<int> const& who) const
    {
        auto const id = id_of(block.head, block.body_digest);
        std::map<crypto::public_key, crypto::signature> sorted{};
        for (int const n : who) {
            auto const voter = person(static_cast<std::uint64_t>(n));
            for (auto const& each : sets_.at(block.head.at.get()))
                if (each.key == voter.self()) sorted[voter.self()] = voter.sign(vote_domain, id);
        }
        return encode(votes{sorted.begin(), sorted.end()});
    }

    bytes prove_row(std::string_view key) const
    {
        return state::encode_proof(tree_.prove(tree_.decided(), state::key_hash(as_bytes(key))));
    }
    list_proof prove_receipt(std::size_t n) const
    {
        return prove(std::vector{leaf_of(receipts_[0]), leaf_of(receipts_[1])}, n);
    }
    receipt const& receipt_no(std::size_t n) const { return receipts_[n]; }

    static app::validator_set set_of(std::vector<int> const& who)
    {
        std::map<crypto::public_key, weight> sorted{};
        for (int const n : who) sorted[person(static_cast<std::uint64_t>(n)).self()] = weight{10};
        app::validator_set out{};
        for (auto const& [key, power] : sorted) out.push_back({key, power});
        return out;
    }

private:
    std::map<std::uint64_t, app::validator_set> sets_{};
    std::vector<light_block> blocks_{};
    std::vector<block_id> ids_{};
    std::map<std::string, std::string> values_{};
    state::tree tree_{};
    hash256 root_{}, receipts_root_{};
    std::vector<receipt> receipts_{};
};

}  // namespace

TEST_CASE("light_client: it follows headers through changes of validators")
{
    chain c{};
    light_client client{c.genesis(), quorum_signed};
    for (int at = 1; at <= 12; ++at) {
        auto const block = at == 3   ? c.next({0, 1, 2, 4})
                           : at == 6 ? c.next({2, 3, 4, 5})
                                     : c.next();
        auto const done = client.follow(block);
        CHECK_MESSAGE(done.has_value(), at);
        CHECK(client.tip() == height{static_cast<std::uint64_t>(at)});
        CHECK(client.find(client.tip())->at == client.tip());
    }
}

TEST_CASE(
    "light_client: a value, a receipt, a transaction and an absence are proven, and nothing else")
{
    chain c{};
    light_client client{c.genesis(), quorum_signed};
    for (int at = 1; at <= 4; ++at) REQUIRE(client.follow(c.next()).has_value());
    auto const present = c.prove_row("counter"), absent = c.prove_row("row 3");
    auto const first = c.prove_receipt(0), second = c.prove_receipt(1);
    auto const receipts = std::pair{c.receipt_no(0), c.receipt_no(1)};
    CHECK(client.check_row(height{4}, as_bytes("counter"), as_bytes("4"), present).error() ==
          reject::unknown_height);  // the header that tells is yet to come
    REQUIRE(client.follow(c.next()).has_value());

    auto const row = [&](std::uint64_t at, std::string_view key,
                         std::optional<std::string_view> value, bytes_view proof) {
        auto const shown = value ? std::optional{as_bytes(*value)} : std::nullopt;
        return client.check_row(height{at}, as_bytes(key), shown, proof);
    };
    CHECK(row(4, "counter", "4", present).has_value());
    CHECK(row(4, "row 3", std::nullopt, absent).has_value());
    CHECK(row(4, "counter", "5", present).error() == reject::wrong_state_proof);
    CHECK(row(3, "counter", "4", present).error() == reject::wrong_state_proof);
    CHECK(row(4, "counter", std::nullopt, present).error() == reject::wrong_state_proof);
    CHECK(row(4, "row 3", "present", absent).error() == reject::wrong_state_proof);
    CHECK(row(4, "row 4", std::nullopt, absent).error() == reject::wrong_state_proof);
    CHECK(row(9, "counter", "4", present).error() == reject::unknown_height);
    CHECK(row(~std::uint64_t{0}, "counter", "4", present).error() == reject::unknown_height);
    for (std::size_t bit = 0; bit < present.size() * 8; ++bit) {
        auto bad = present;
        bad[bit / 8] ^= std::byte{1} << (bit % 8);
        CHECK_FALSE(row(4, "counter", "4", bad).has_value());
    }

    CHECK(client.check_receipt(height{4}, receipts.first, first).has_value());
    CHECK(client.check_receipt(height{4}, receipts.second, second).has_value());
    CHECK(client.check_receipt(height{4}, receipts.first, second).error() ==
          reject::wrong_receipt_proof);
    auto forged = receipts.second;
    forged.code = 0;
    CHECK(client.check_receipt(height{4}, forged, second).error() == reject::wrong_receipt_proof);
    CHECK(client.check_receipt(height{5}, receipts.first, first).error() == reject::unknown_height);

    auto const txs = std::vector{some_hash(40), some_hash(41)};
    CHECK(client.check_transaction(height{4}, txs[1], prove(txs, 1)).has_value());
    CHECK(client.check_transaction(height{4}, txs[0], prove(txs, 1)).error() ==
          reject::wrong_transaction_proof);
    CHECK(client.check_transaction(height{6}, txs[0], prove(txs, 0)).error() ==
          reject::unknown_height);
}

TEST_CASE("light_client: each bad block has its own code and moves nothing")
{
    chain c{};
    light_client client{c.genesis(), quorum_signed};
    REQUIRE(client.follow(c.next()).has_value());
    REQUIRE(client.follow(c.next({0, 1, 2, 5})).has_value());
    auto const good = c.next();
    auto const refused = [&](auto change) {
        auto block = good;
        change(block);
        auto const tip = client.tip_id();
        auto const why = client.follow(block).error();
        CHECK(client.tip_id() == tip);
        CHECK(client.tip() == height{2});
        return why;
    };
    CHECK(refused([](auto& b) { b.head.chain = chain_id{8}; }) == reject::block_wrong_chain);
    CHECK(refused([](auto& b) { b.head.shard = shard_id{1}; }) == reject::block_wrong_chain);
    CHECK(refused([](auto& b) { b.head.at = height{4}; }) == reject::unconnected_header);
    CHECK(refused([](auto& b) { b.head.parent = some_hash(1); }) == reject::unconnected_header);
    CHECK(refused([](auto& b) { b.head.block_time = time_ms{2000}; }) == reject::wrong_time);
    CHECK(refused([](auto& b) { b.validators = chain::set_of({0, 1, 2}); }) ==
          reject::wrong_validator_set);
    CHECK(refused([](auto& b) { b.head.after_parent.state = some_hash(1); }) ==
          reject::wrong_certificate);
    CHECK(refused([](auto& b) { b.body_digest = some_hash(1); }) == reject::wrong_certificate);
    CHECK(refused([](auto& b) { b.certificate.clear(); }) == reject::wrong_certificate);
    CHECK(refused([&](auto& b) { b.certificate = c.certify(b, {0, 1}); }) ==
          reject::wrong_certificate);
    CHECK(refused([&](auto& b) {
              b.certificate = c.certify(b, {0, 1, 2, 3}), b.certificate[70] ^= std::byte{1};
          }) == reject::wrong_certificate);
    CHECK(client.follow(good).has_value());
    // validators change at height 4; who keeps the old ones, or brings others, is refused
    auto const changed = c.next();
    REQUIRE_FALSE(changed.validators.empty());
    auto without = changed;
    without.validators.clear();
    CHECK(client.follow(without).error() == reject::wrong_validator_set);
    CHECK(client.follow(changed).has_value());
}

TEST_CASE("light_client: it may start at a block that somebody vouches for")
{
    chain c{};
    light_client first{c.genesis(), quorum_signed};
    light_block last{};
    for (int at = 1; at <= 5; ++at) REQUIRE(first.follow(last = c.next()).has_value());
    light_client later{{chain_id{7}, shard_id{}, height{5}, first.tip_id(), last.head.block_time,
                        chain::set_of({0, 1, 2, 3})},
                       quorum_signed};
    auto const next = c.next();
    CHECK(later.follow(next).has_value());
    CHECK(later.find(height{5}) == nullptr);
    CHECK(later.find(height{6}) != nullptr);
}

TEST_CASE("light_client: frozen vectors")
{
    chain c{};
    auto block = c.next();
    block.certificate = to_bytes(as_bytes("the engine's own"));
    CHECK(blendr::test::differs_from_frozen("ledger/light_block.txt",
                                            {{"light_block", encode(block)}}) == "");
}
