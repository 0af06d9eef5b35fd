// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/signatures.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "support/support.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

struct many {
    std::vector<bytes> raw{};
    std::vector<transaction_view> txs{};
    std::vector<hash256> ids{};
    std::vector<crypto::address> senders{};

    void add(bytes one) { raw.push_back(std::move(one)); }
    void look(task_pool& pool)
    {
        txs.clear();
        for (auto const& each : raw) txs.push_back(*decode_transaction(each));
        ids.resize(txs.size());
        senders.resize(txs.size());
        identify(pool, txs, ids, senders);
    }
};

many random_ones(rng& random, std::size_t count)
{
    many out{};
    for (std::size_t i = 0; i < count; ++i) out.add(encode(random_transaction(random)));
    return out;
}

bytes with_bad_signature(bytes raw)
{
    raw[raw.size() - 40] ^= std::byte{1};
    return raw;
}

}  // namespace

TEST_CASE("signatures: many ids and senders at once are those of one by one")
{
    rng random{5};
    task_pool pool{2};
    auto all = random_ones(random, 300);
    all.look(pool);
    for (std::size_t i = 0; i < all.txs.size(); ++i) {
        CHECK(all.ids[i] == all.txs[i].id());
        CHECK(all.senders[i] == crypto::address_of(all.txs[i].sender));
    }
}

TEST_CASE(
    "signatures: each signature is checked once, and the same transaction alone or in a block "
    "costs nothing more")
{
    rng random{6};
    task_pool pool{2};
    signature_checker checker{pool};
    auto all = random_ones(random, 600);
    all.look(pool);
    CHECK(checker.bad_ones(all.txs, all.ids).empty());
    CHECK(checker.count().checked == 600);
    CHECK(checker.bad_ones(all.txs, all.ids).empty());
    CHECK(checker.bad_ones(std::span{all.txs}.subspan(100, 50), std::span{all.ids}.subspan(100, 50))
              .empty());
    CHECK(checker.count().checked == 600);
    CHECK(checker.count().remembered == 650);
}

TEST_CASE("signatures: the bad ones are named, never remembered, and a good id does not vouch for "
          "another signature")
{
    rng random{7};
    task_pool pool{2};
    signature_checker checker{pool};
    auto all = random_ones(random, 500);
    all.look(pool);
    REQUIRE(checker.bad_ones(all.txs, all.ids).empty());

    auto forged = all;
    std::vector<std::size_t> const where{0, 17, 255, 256, 499};
    for (auto const i : where) forged.raw[i] = with_bad_signature(forged.raw[i]);
    forged.look(pool);
    CHECK(forged.ids == all.ids);  // the id does not cover the signature
    for (int again = 0; again < 2; ++again)
        CHECK(checker.bad_ones(forged.txs, forged.ids) == where);
    CHECK(checker.count().bad == 10);
    CHECK(checker.bad_ones(all.txs, all.ids).empty());
}

TEST_CASE("signatures: the verdict is that of one by one" * doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    rng random{seed};
    task_pool pool{2};
    for (std::size_t const count : {1u, 2u, 7u, 8u, 9u, 64u, 257u}) {
        signature_checker checker{pool, {.remembered = 64, .cached_keys = 4}};
        auto all = random_ones(random, count);
        for (auto& each : all.raw)
            if (random.chance(1, 5)) each = with_bad_signature(each);
        all.look(pool);
        std::vector<std::size_t> expected{};
        for (std::size_t i = 0; i < count; ++i)
            if (!well_signed(all.txs[i], all.ids[i])) expected.push_back(i);
        CHECK(checker.bad_ones(all.txs, all.ids) == expected);
    }
}

TEST_CASE("signatures: the memory of good ones is bounded and forgets the oldest")
{
    verified_set known{160};  // 10 a shard
    auto const signature = [](std::uint64_t n) {
        std::array<std::byte, 64> raw{};
        rng{n}.fill(raw);
        return crypto::signature::ed25519(raw);
    };
    for (std::uint64_t n = 0; n < 5000; ++n) known.insert(some_hash(n), signature(n));
    CHECK(known.size() == 160);
    CHECK(known.contains(some_hash(4999), signature(4999)));
    CHECK_FALSE(known.contains(some_hash(4999), signature(4998)));
    CHECK_FALSE(known.contains(some_hash(0), signature(0)));
    std::size_t held = 0;
    for (std::uint64_t n = 0; n < 5000; ++n) held += known.contains(some_hash(n), signature(n));
    CHECK(held == 160);
}

TEST_CASE("signatures: a block that was looked at ahead of its turn costs nothing then")
{
    rng random{8};
    task_pool pool{2};
    signature_checker checker{pool};
    auto all = random_ones(random, 300);
    all.raw[7] = with_bad_signature(all.raw[7]);
    all.look(pool);
    std::vector<bytes_view> const views{all.raw.begin(), all.raw.end()};
    check_ahead(checker, pool, encode_block(plain_header(), views));
    CHECK(checker.count().checked == 300);
    CHECK(checker.bad_ones(all.txs, all.ids) == std::vector<std::size_t>{7});
    CHECK(checker.count().checked == 301);
    check_ahead(checker, pool, as_bytes("no block"));
    CHECK(checker.count().checked == 301);
}
