// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <blendr/core/bytes.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/transaction.hpp>

/// Values that the ledger's tests share.
namespace blendr::ledger::test {

/// The n-th person of every test.
inline crypto::identity person(std::uint64_t n)
{
    std::array<std::byte, 32> seed{};
    rng{0x5eed0000 + n}.fill(seed);
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

inline hash256 some_hash(std::uint64_t n)
{
    hash256 out{};
    rng{n}.fill(out);
    return out;
}

inline bytes some_bytes(rng& random, std::size_t size)
{
    bytes out(size);
    random.fill(out);
    return out;
}

/// A transaction with one small message, not signed yet.
inline transaction plain(nonce sequence = nonce{0})
{
    transaction out{};
    out.chain = chain_id{7};
    out.sequence = sequence;
    out.fee_max = amount{1'000'000};
    out.tip = amount{10};
    out.expires = height{100};
    out.messages.push_back({1, 0, to_bytes(as_bytes("pay somebody"))});
    return out;
}

inline transaction signed_by(crypto::identity const& who, transaction tx)
{
    sign(tx, who);
    return tx;
}

/// A signed transaction of any shape.
inline transaction random_transaction(rng& random)
{
    transaction out{};
    out.chain = chain_id{random()};
    out.shard = shard_id{static_cast<std::uint16_t>(random())};
    out.sequence = nonce{random()};
    out.fee_max = amount{u128{random()} << random.below(65)};
    out.tip = amount{random()};
    out.expires = height{random()};
    auto const count = random.between(1, random.chance(1, 8) ? messages_max : 3);
    for (std::uint64_t i = 0; i < count; ++i)
        out.messages.push_back({static_cast<std::uint16_t>(random()),
                                static_cast<std::uint16_t>(random()),
                                some_bytes(random, random.below(random.chance(1, 4) ? 300 : 40))});
    return signed_by(person(random.below(8)), std::move(out));
}

inline header plain_header()
{
    header out{};
    out.chain = chain_id{7};
    out.at = height{3};
    out.parent = some_hash(1);
    out.block_time = time_ms{1'700'000'000'000};
    out.proposer = person(1).self();
    out.beacon = some_hash(2);
    out.beacon_proof = to_bytes(as_bytes("a proof"));
    out.transactions = some_hash(3);
    out.after_parent = {some_hash(4), some_hash(5), some_hash(6)};
    out.gas_used = gas{12345};
    out.base_fee = gas_price{9};
    return out;
}

}  // namespace blendr::ledger::test
