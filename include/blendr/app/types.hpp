// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr {

/// Names a block among all blocks of all chains; see app/block_id.hpp for how it is made.
using block_id = hash256;

}  // namespace blendr

namespace blendr::app {

/// Somebody who may vote, and how much the vote counts.
struct validator {
    crypto::public_key key{};
    weight power{};

    friend bool operator==(validator const&, validator const&) = default;
};
BOOST_DESCRIBE_STRUCT(validator, (), (key, power))

/// Sorted by key, each key once, every power above zero: see `well_formed`.
using validator_set = std::vector<validator>;

/// Whether `set` is sorted by key without repetition, every power is above zero and the sum fits.
inline bool well_formed(validator_set const& set)
{
    weight total{};
    for (std::size_t i = 0; i < set.size(); ++i) {
        if (set[i].power == weight{}) return false;
        if (i > 0 && !(set[i - 1].key < set[i].key)) return false;
        auto const sum = add(total, set[i].power);
        if (!sum) return false;
        total = *sum;
    }
    return true;
}

/// What all votes of a well-formed set weigh together.
inline weight total_power(validator_set const& set)
{
    weight total{};
    for (auto const& each : set) total += each.power;
    return total;
}

/// Where a block stands: all that an application may depend on. The engine sets the time (its wall
/// clock, above the parent's); an application that needs randomness reads it from the parent.
struct proposal_context {
    block_id parent{};
    height at{};
    time_ms block_time{};
    crypto::public_key proposer{};

    friend bool operator==(proposal_context const&, proposal_context const&) = default;
};
BOOST_DESCRIBE_STRUCT(proposal_context, (), (parent, at, block_time, proposer))

/// What an application thinks of a block. `invalid` is for ever and the same on every honest node.
/// Where no answer can be given yet the optional around it stays empty: abstain, ask again.
enum class verdict : std::uint8_t {
    invalid = 0,
    valid = 1,
};
BOOST_DESCRIBE_ENUM(verdict, invalid, valid)

/// How one transaction of a final block ended.
struct tx_result {
    std::uint32_t code{};  ///< 0 is success; others are contract id << 16 | error, frozen
    std::uint64_t gas_used{};
    bytes receipt{};  ///< the application's own encoding, provable under the next block's header

    friend bool operator==(tx_result const&, tx_result const&) = default;
};
BOOST_DESCRIBE_STRUCT(tx_result, (), (code, gas_used, receipt))

/// What a final block did. The hash and the results must be equal on every node.
struct finalized {
    hash256 app_hash{};                ///< commits to everything the application holds after it
    std::vector<tx_result> results{};  ///< one a transaction, in block order
    validator_set next{};              ///< the whole set, in force two heights later

    friend bool operator==(finalized const&, finalized const&) = default;
};
BOOST_DESCRIBE_STRUCT(finalized, (), (app_hash, results, next))

/// The last committed block: what a restarted host replays from.
struct info {
    height last{};
    hash256 app_hash{};

    friend bool operator==(info const&, info const&) = default;
};
BOOST_DESCRIBE_STRUCT(info, (), (last, app_hash))

/// Whether a transaction is worth keeping for a block. Advice, not consensus.
struct check_result {
    std::uint32_t code{};      ///< 0: keep it
    std::string reason{};      ///< a sentence for people when it is refused
    std::uint64_t priority{};  ///< higher goes first

    friend bool operator==(check_result const&, check_result const&) = default;
};
BOOST_DESCRIBE_STRUCT(check_result, (), (code, reason, priority))

/// An answer about the last committed state, with a proof where the path has one.
struct query_result {
    std::uint32_t code{};
    bytes value{};
    bytes proof{};

    friend bool operator==(query_result const&, query_result const&) = default;
};
BOOST_DESCRIBE_STRUCT(query_result, (), (code, value, proof))

}  // namespace blendr::app
