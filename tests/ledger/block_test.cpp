// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/block.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "support/vectors.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

std::vector<bytes> two_transactions()
{
    return {encode(signed_by(person(1), plain())), encode(signed_by(person(2), plain()))};
}

std::vector<bytes_view> views(std::vector<bytes> const& all) { return {all.begin(), all.end()}; }

}  // namespace

TEST_CASE("block: an encoded block decodes into the same, in place")
{
    auto const txs = two_transactions();
    auto const payload = encode_block(plain_header(), views(txs));
    auto const block = decode_block(payload);
    REQUIRE(block);
    CHECK(block->head == plain_header());
    REQUIRE(block->transactions.size() == 2);
    CHECK(equal(block->transactions[0], txs[0]));
    CHECK(equal(block->transactions[1], txs[1]));
    CHECK(encode_block(block->head, block->transactions) == payload);
    CHECK(payload == app::join_payload(encode(plain_header()), encode(txs)));

    auto const empty = encode_block(plain_header(), {});
    CHECK(decode_block(empty)->transactions.empty());
}

TEST_CASE("block: its id needs the header and the body's digest only")
{
    auto const txs = two_transactions();
    auto const payload = encode_block(plain_header(), views(txs));
    auto const whole = app::make_block_id(context_of(plain_header()), app::payload_digest(payload));
    CHECK(id_of(plain_header(), app::body_digest(decode_block(payload)->body)) == whole);
}

TEST_CASE("block: each kind of bad payload has its own code")
{
    auto const txs = two_transactions();
    auto const body = encode(txs);
    auto const head = encode(plain_header());
    auto const refused = [](bytes const& payload) { return decode_block(payload).error(); };
    CHECK(decode_block(app::join_payload(head, body)).has_value());

    CHECK(refused({}) == reject::malformed_block);
    CHECK(refused(app::join_payload({}, body)) == reject::malformed_block);
    CHECK(refused(app::join_payload(head, {})) == reject::malformed_block);
    auto version = head;
    version[0] = std::byte{2};
    CHECK(refused(app::join_payload(version, body)) == reject::unknown_version);
    auto cut = head;
    cut.pop_back();
    CHECK(refused(app::join_payload(cut, body)) == reject::malformed_block);
    auto nobody = plain_header();
    nobody.proposer = {};
    CHECK(refused(app::join_payload(encode(nobody), body)) == reject::unknown_scheme);
    auto more = body;
    more.push_back({});
    CHECK(refused(app::join_payload(head, more)) == reject::malformed_block);
    auto padded = body;
    padded[0] = std::byte{0x82};
    padded.insert(padded.begin() + 1, std::byte{0});
    CHECK(refused(app::join_payload(head, padded)) == reject::malformed_block);
    bytes const count{std::byte{0x81}, std::byte{0x80}, std::byte{0x40}};  // 2^20 + 1
    CHECK(refused(app::join_payload(head, count)) == reject::too_many_transactions);
    CHECK(refused(bytes(block_bytes_max + 1)) == reject::oversize_block);
}

TEST_CASE("block: the place that the engine gives must be the header's")
{
    auto const head = plain_header();
    auto const at = context_of(head);
    CHECK(check_place(head, at).has_value());
    auto other = at;
    other.parent = some_hash(99);
    CHECK(check_place(head, other).error() == reject::wrong_parent);
    other = at;
    other.at = height{4};
    CHECK(check_place(head, other).error() == reject::wrong_height);
    other = at;
    other.block_time = time_ms{1};
    CHECK(check_place(head, other).error() == reject::wrong_time);
    other = at;
    other.proposer = person(2).self();
    CHECK(check_place(head, other).error() == reject::wrong_proposer);
}

TEST_CASE("block: a header follows its parent in chain, height and time")
{
    auto const parent = plain_header();
    auto child = parent;
    child.at = height{4};
    child.block_time = parent.block_time + std::int64_t{1};
    CHECK(check_follows(child, parent).has_value());
    auto other = child;
    other.chain = chain_id{8};
    CHECK(check_follows(other, parent).error() == reject::block_wrong_chain);
    other = child;
    other.at = height{5};
    CHECK(check_follows(other, parent).error() == reject::wrong_height);
    other = child;
    other.block_time = parent.block_time;
    CHECK(check_follows(other, parent).error() == reject::wrong_time);
    auto last = parent;
    last.at = height::max();
    CHECK(check_follows(child, last).error() == reject::wrong_height);
}

TEST_CASE("block: each wrong root has its own code")
{
    auto const head = plain_header();
    auto roots = head.after_parent;
    CHECK(check_roots(head, roots).has_value());
    roots.state[0] ^= std::byte{1};
    CHECK(check_roots(head, roots).error() == reject::wrong_state_root);
    roots = head.after_parent;
    roots.receipts[0] ^= std::byte{1};
    CHECK(check_roots(head, roots).error() == reject::wrong_receipts_root);
    roots = head.after_parent;
    roots.validators[0] ^= std::byte{1};
    CHECK(check_roots(head, roots).error() == reject::wrong_validators_root);
    CHECK(app_hash(roots) != app_hash(head.after_parent));
}

TEST_CASE("block: frozen vectors")
{
    auto const txs = two_transactions();
    app::validator_set const set{{person(1).self(), weight{5}}, {person(2).self(), weight{6}}};
    CHECK(blendr::test::differs_from_frozen(
              "ledger/block.txt",
              {{"header", encode(plain_header())},
               {"payload", encode_block(plain_header(), views(txs))},
               {"id", to_bytes(id_of(plain_header(), app::body_digest(encode(txs))))},
               {"app_hash", to_bytes(app_hash(plain_header().after_parent))},
               {"validators_root", to_bytes(validators_root(set))}}) == "");
}
