// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/transaction.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "support/support.hpp"
#include "support/vectors.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

/// What a transaction's bytes become when one of its fields is written differently.
struct parts {
    bytes before{};
    bytes signature{};
};

parts cut(transaction const& tx) { return {signed_part(tx), encode(tx.signature)}; }

bytes glue(parts const& p)
{
    auto out = p.before;
    out.insert(out.end(), p.signature.begin(), p.signature.end());
    return out;
}

constexpr std::size_t at_scheme = 11;
constexpr std::size_t at_count = 93;

}  // namespace

TEST_CASE("transaction: a view shows what was encoded")
{
    auto const tx = signed_by(person(1), plain(nonce{4}));
    auto const raw = encode(tx);
    auto const view = decode_transaction(raw);
    REQUIRE(view);
    CHECK(view->chain == tx.chain);
    CHECK(view->sender == person(1).self());
    CHECK(view->sequence == nonce{4});
    CHECK(view->fee_max == tx.fee_max);
    CHECK(view->tip == tx.tip);
    CHECK(view->expires == tx.expires);
    CHECK(view->signature == tx.signature);
    CHECK(view->raw.data() == raw.data());
    REQUIRE(view->messages.size() == 1);
    auto const only = *view->messages.begin();
    CHECK(only.contract == 1);
    CHECK(as_text(only.body) == "pay somebody");
    CHECK(view->id() == id_of(tx));
}

TEST_CASE("transaction: the signature covers every field but itself, and the id is what is signed")
{
    auto const good = signed_by(person(1), plain());
    auto const raw = encode(good);
    auto const view = decode_transaction(raw);
    CHECK(well_signed(*view, view->id()));
    for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
        auto bad = raw;
        bad[bit / 8] ^= std::byte{1} << (bit % 8);
        auto const changed = decode_transaction(bad);
        if (changed) CHECK_FALSE(well_signed(*changed, changed->id()));
    }
    auto other = good;
    other.signature = crypto::signature::ed25519({});
    CHECK(id_of(other) == id_of(good));
}

TEST_CASE("transaction: each kind of bad bytes has its own code")
{
    auto const p = cut(signed_by(person(1), plain()));
    auto const refused = [](bytes const& raw) { return decode_transaction(raw).error(); };
    auto const with = [&](std::size_t at, std::uint8_t value) {
        auto changed = p;
        changed.before[at] = std::byte{value};
        return glue(changed);
    };
    CHECK(decode_transaction(glue(p)).has_value());

    CHECK(refused({}) == reject::truncated);
    CHECK(refused(with(0, 2)) == reject::unknown_version);
    CHECK(refused(with(at_scheme, 0)) == reject::unknown_scheme);
    CHECK(refused(with(at_scheme, 2)) == reject::unknown_scheme);
    CHECK(refused(with(at_scheme + 1, 31)) == reject::wrong_key_length);
    CHECK(refused(with(at_scheme + 1, 0x80)) == reject::wrong_key_length);
    CHECK(refused(with(at_count, 0)) == reject::no_messages);
    CHECK(refused(with(at_count, 65)) == reject::too_many_messages);
    CHECK_FALSE(decode_transaction(with(at_count, 2)).has_value());

    auto padded = p;  // one message, written 0x81 0x00
    padded.before[at_count] = std::byte{0x81};
    padded.before.insert(padded.before.begin() + at_count + 1, std::byte{0});
    CHECK(refused(glue(padded)) == reject::not_canonical);

    auto scheme = p;
    scheme.signature[0] = std::byte{9};
    CHECK(refused(glue(scheme)) == reject::unknown_scheme);
    auto length = p;
    length.signature[1] = std::byte{63};
    CHECK(refused(glue(length)) == reject::wrong_signature_length);

    auto longer = glue(p);
    longer.push_back({});
    CHECK(refused(longer) == reject::trailing_bytes);
    CHECK(refused(bytes(transaction_bytes_max + 1, std::byte{1})) == reject::oversize);

    auto const whole = glue(p);
    for (std::size_t size = 1; size < whole.size(); ++size)
        CHECK(refused(bytes{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}) ==
              reject::truncated);
}

TEST_CASE("transaction: the largest one decodes and one byte more is refused")
{
    auto tx = plain();
    tx.messages.front().body.clear();
    auto const empty = encode(signed_by(person(1), tx)).size();
    tx.messages.front().body.resize(transaction_bytes_max - empty - 2);  // its length takes 3 bytes
    CHECK(decode_transaction(encode(signed_by(person(1), tx))).has_value());
    tx.messages.front().body.push_back({});
    CHECK(decode_transaction(encode(signed_by(person(1), tx))).error() == reject::oversize);
}

TEST_CASE("transaction: the view and the codec agree on every input" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int round = 0; round < 400; ++round) {
        auto const tx = random_transaction(random);
        auto raw = encode(tx);
        auto const view = decode_transaction(raw);
        REQUIRE(view);
        CHECK(view->id() == id_of(tx));
        std::size_t at = 0;
        for (auto const each : view->messages) {
            CHECK(each.contract == tx.messages[at].contract);
            CHECK(each.index == tx.messages[at].index);
            CHECK(equal(each.body, tx.messages[at++].body));
        }
        CHECK(at == tx.messages.size());
        for (int change = 0; change < 20; ++change) {
            auto bad = raw;
            if (random.chance(1, 3)) bad.resize(random.below(bad.size() + 1));
            if (random.chance(1, 4)) bad.push_back(static_cast<std::byte>(random()));
            if (!bad.empty())
                bad[random.below(bad.size())] ^= static_cast<std::byte>(1u << random.below(8));
            auto const seen = decode_transaction(bad);
            auto const decoded = decode<transaction>(bad);
            bool const takes = decoded && decoded->version == transaction_version &&
                               !decoded->sender.empty() && !decoded->signature.empty() &&
                               !decoded->messages.empty() && bad.size() <= transaction_bytes_max;
            CHECK(seen.has_value() == takes);
            if (takes) CHECK(encode(*decoded) == bad);
        }
    }
}

TEST_CASE("transaction: frozen vectors")
{
    blendr::test::vector_list now{};
    auto const add = [&](std::string name, transaction const& tx) {
        now.emplace_back(name, encode(tx));
        now.emplace_back(name + ".id", to_bytes(id_of(tx)));
    };
    add("plain", signed_by(person(1), plain()));
    auto many = plain(nonce{300});
    many.shard = shard_id{2};
    many.fee_max = amount::max();
    many.expires = height::max();
    many.messages.push_back({2, 5, {}});
    many.messages.push_back({0xffff, 0xffff, bytes(200, std::byte{0xab})});
    add("three_messages", signed_by(person(2), many));
    CHECK(blendr::test::differs_from_frozen("ledger/transaction.txt", now) == "");
}
