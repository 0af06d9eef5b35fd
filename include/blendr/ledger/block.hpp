// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/app/block_id.hpp>
#include <blendr/app/types.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/ledger/merkle_list.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/types.hpp>

namespace blendr::ledger {

inline constexpr crypto::domain validators_domain{"validators/1"};
inline constexpr crypto::domain roots_domain{"roots/1"};

inline constexpr std::uint8_t header_version = 1;
inline constexpr std::size_t block_bytes_max = std::size_t{16} << 20;
static_assert(block_bytes_max <=
              elements_max_default);  // else no log and no message could hold one
inline constexpr std::size_t block_transactions_max = std::size_t{1} << 20;
inline constexpr std::size_t beacon_proof_max = 128;

/// Everything that a block commits to about the chain once it was executed.
struct roots {
    hash256 state{};
    hash256 receipts{};
    hash256 validators{};  ///< of the set that is in force two heights later

    friend bool operator==(roots const&, roots const&) = default;
};
BOOST_DESCRIBE_STRUCT(roots, (), (state, receipts, validators))

/// The application hash of these roots.
inline hash256 app_hash(roots const& r) { return crypto::hash(roots_domain, encode(r)); }

/// What a header says about a set of validators.
inline hash256 validators_root(app::validator_set const& set)
{
    return crypto::hash(validators_domain, encode(set));
}

/// The head of a block's payload. `after_parent` is what executing the parent led to, so that a block
/// can be agreed on before it is executed; its validators are those of height + 1. The certificate
/// that makes a block final lies outside.
struct header {
    std::uint8_t version = header_version;
    chain_id chain{};
    shard_id shard{};
    height at{};
    block_id parent{};
    time_ms block_time{};
    crypto::public_key proposer{};
    hash256 beacon{};  ///< follows from the parent's by the proposer's VRF output
    bounded<bytes, beacon_proof_max> beacon_proof{};
    hash256 transactions{};  ///< list root of the transactions' ids
    roots after_parent{};
    gas gas_used{};  ///< what the transactions need, which their messages alone tell
    gas_price base_fee{};

    friend bool operator==(header const&, header const&) = default;
};
BOOST_DESCRIBE_STRUCT(header, (),
                      (version, chain, shard, at, parent, block_time, proposer, beacon,
                       beacon_proof, transactions, after_parent, gas_used, base_fee))

/// Where the header says that it stands.
inline app::proposal_context context_of(header const& h)
{
    return {h.parent, h.at, h.block_time, h.proposer};
}

/// The block's name under the engines of this library, from its header and what its body hashes to.
inline block_id id_of(header const& h, hash256 const& body_digest)
{
    return app::make_block_id(context_of(h), app::payload_digest(encode(h), body_digest));
}

/// A payload taken apart, in place; the payload must outlive it. Transactions are not decoded.
struct block_view {
    header head{};
    bytes_view body{};
    std::vector<bytes_view> transactions{};
};

/// Refuses what is no block, not canonical, too large, or of an unknown version. Looks into no
/// transaction and compares nothing with the chain.
result<block_view, reject> decode_block(bytes_view payload);

/// The header alone, for who does not need the rest.
result<header, reject> decode_header(bytes_view head);

/// The one payload that decodes into these.
bytes encode_block(header const& head, std::span<bytes_view const> transactions);

/// Whether `head` is at the place that the engine gave it. Each difference has its own code.
result<nothing, reject> check_place(header const& head, app::proposal_context const& at);

/// Whether `head` may follow `parent`, as far as two headers tell.
result<nothing, reject> check_follows(header const& head, header const& parent);

/// Whether `head` tells what executing its parent led to. Each difference has its own code.
result<nothing, reject> check_roots(header const& head, roots const& after_parent);

}  // namespace blendr::ledger
