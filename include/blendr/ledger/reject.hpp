// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <boost/describe/enum.hpp>

namespace blendr::ledger {

/// What a refusal means for whoever sent the thing.
enum class reject_group : std::uint8_t {
    malformed = 1,    ///< no node of any chain takes it; do not send it again
    not_allowed = 2,  ///< well formed, but not for this chain or not by this signer
    not_now = 3,      ///< may be taken later, or with other terms
    conflict = 4,     ///< something that is here already stands against it
    bad_block = 5,    ///< a block that no honest node proposes
    not_proven = 6,   ///< a light client cannot follow
    bad_genesis = 7,  ///< the chain cannot start from this document
};
BOOST_DESCRIBE_ENUM(reject_group, malformed, not_allowed, not_now, conflict, bad_block, not_proven,
                    bad_genesis)

/// Every way in which the ledger refuses input. Numbers are for ever: they stand in receipts, so
/// new ones are added and none is reused. As a transaction's code they belong to contract 0.
enum class reject : std::uint16_t {
    // malformed: no node of any chain takes it; do not send it again
    truncated = 100,
    trailing_bytes = 101,
    oversize = 102,
    not_canonical = 103,
    unknown_version = 104,
    unknown_scheme = 105,
    wrong_key_length = 106,
    wrong_signature_length = 107,
    no_messages = 108,
    too_many_messages = 109,
    unknown_message = 110,
    malformed_message = 111,
    // not_allowed: well formed, but not for this chain or not by this signer
    wrong_chain = 200,
    wrong_shard = 201,
    wrong_signature = 202,
    gas_above_block = 203,
    // not_now: may be taken later, or with other terms
    stale_nonce = 300,
    nonce_too_far = 301,
    nonce_not_next = 302,
    expired = 303,
    expiry_too_far = 304,
    fee_below_base = 305,
    underfunded = 306,
    pool_full = 307,
    sender_full = 308,
    // conflict: something that is here already stands against it
    duplicate = 400,
    underpriced_replacement = 401,
    // bad_block: a block that no honest node proposes
    malformed_block = 500,
    oversize_block = 501,
    too_many_transactions = 502,
    malformed_transaction = 503,
    wrong_parent = 504,
    wrong_height = 505,
    wrong_time = 506,
    wrong_proposer = 507,
    wrong_beacon = 508,
    wrong_transactions_root = 509,
    wrong_state_root = 510,
    wrong_receipts_root = 511,
    wrong_validators_root = 512,
    wrong_gas = 513,
    wrong_base_fee = 514,
    over_gas_limit = 515,
    wrong_order = 516,
    repeated_transaction = 517,
    block_signature = 518,
    block_wrong_chain = 519,
    block_expired = 520,
    // not_proven: a light client cannot follow
    unconnected_header = 600,
    wrong_validator_set = 601,
    wrong_certificate = 602,
    wrong_state_proof = 603,
    wrong_receipt_proof = 604,
    unknown_height = 605,
    wrong_transaction_proof = 606,
    // bad_genesis: the chain cannot start from this document
    malformed_genesis = 700,
    premine_above_cap = 701,
    wrong_split = 702,
    wrong_schedule = 703,
    burn_below_half = 704,
    wrong_fee_step = 705,
    allocation_mismatch = 706,
    no_validators = 707,
    repeated_entry = 708,
    wrong_weight = 709,
    unknown_section = 710,
    section_refused = 711,
};

/// A reason with its name and a sentence for people.
struct reject_text {
    reject why{};
    std::string_view name{};
    std::string_view sentence{};
};

/// All of them, by number.
inline constexpr std::array reject_texts{
    reject_text{reject::truncated, "truncated", "the bytes end before the value does"},
    reject_text{reject::trailing_bytes, "trailing_bytes",
                "bytes follow after the end of the value"},
    reject_text{reject::oversize, "oversize",
                "the value has more bytes than a transaction may have"},
    reject_text{reject::not_canonical, "not_canonical",
                "the value is not encoded in the one way that it may be"},
    reject_text{reject::unknown_version, "unknown_version",
                "the transaction's version is not known here"},
    reject_text{reject::unknown_scheme, "unknown_scheme",
                "the key's or signature's scheme is not known here"},
    reject_text{reject::wrong_key_length, "wrong_key_length",
                "the key does not have the length of its scheme"},
    reject_text{reject::wrong_signature_length, "wrong_signature_length",
                "the signature does not have the length of its scheme"},
    reject_text{reject::no_messages, "no_messages", "a transaction needs at least one message"},
    reject_text{reject::too_many_messages, "too_many_messages",
                "the transaction has more messages than allowed"},
    reject_text{reject::unknown_message, "unknown_message",
                "no contract of this chain has a message of that number"},
    reject_text{reject::malformed_message, "malformed_message",
                "a message's body does not decode as its contract says"},
    reject_text{reject::wrong_chain, "wrong_chain", "the transaction is for another chain"},
    reject_text{reject::wrong_shard, "wrong_shard", "the transaction is for another shard"},
    reject_text{reject::wrong_signature, "wrong_signature",
                "the signature does not fit the key and the transaction"},
    reject_text{reject::gas_above_block, "gas_above_block",
                "the transaction needs more gas than a block may use"},
    reject_text{reject::stale_nonce, "stale_nonce", "the nonce was used already"},
    reject_text{reject::nonce_too_far, "nonce_too_far",
                "the nonce is too far ahead of the account's"},
    reject_text{reject::nonce_not_next, "nonce_not_next",
                "in a block the nonce must be the account's next one"},
    reject_text{reject::expired, "expired", "the transaction's expiry height has passed"},
    reject_text{reject::expiry_too_far, "expiry_too_far", "the expiry height is too far ahead"},
    reject_text{reject::fee_below_base, "fee_below_base",
                "the maximum fee does not cover base fee and tip"},
    reject_text{reject::underfunded, "underfunded", "the account cannot pay the fee"},
    reject_text{reject::pool_full, "pool_full",
                "the pool is full of transactions that pay at least as much"},
    reject_text{reject::sender_full, "sender_full",
                "the sender has as many transactions waiting as the pool allows"},
    reject_text{reject::duplicate, "duplicate", "the transaction waits already"},
    reject_text{reject::underpriced_replacement, "underpriced_replacement",
                "a replacement must raise both maximum fee and tip by a tenth"},
    reject_text{reject::malformed_block, "malformed_block", "the block does not decode"},
    reject_text{reject::oversize_block, "oversize_block", "the block has more bytes than allowed"},
    reject_text{reject::too_many_transactions, "too_many_transactions",
                "the block has more transactions than allowed"},
    reject_text{reject::malformed_transaction, "malformed_transaction",
                "a transaction of the block does not decode"},
    reject_text{reject::wrong_parent, "wrong_parent", "the header names another parent"},
    reject_text{reject::wrong_height, "wrong_height",
                "the header's height is not the parent's plus one"},
    reject_text{reject::wrong_time, "wrong_time", "the block's time is not after its parent's"},
    reject_text{reject::wrong_proposer, "wrong_proposer", "the header names another proposer"},
    reject_text{reject::wrong_beacon, "wrong_beacon",
                "the beacon does not follow from the parent's and the proposer's key"},
    reject_text{reject::wrong_transactions_root, "wrong_transactions_root",
                "the transactions are not those of the header's root"},
    reject_text{reject::wrong_state_root, "wrong_state_root",
                "the state root is not the one after the parent"},
    reject_text{reject::wrong_receipts_root, "wrong_receipts_root",
                "the receipts root is not the one after the parent"},
    reject_text{reject::wrong_validators_root, "wrong_validators_root",
                "the validators root is not the one after the parent"},
    reject_text{reject::wrong_gas, "wrong_gas",
                "the gas that the header tells is not the gas that was used"},
    reject_text{reject::wrong_base_fee, "wrong_base_fee",
                "the base fee does not follow from the parent's"},
    reject_text{reject::over_gas_limit, "over_gas_limit",
                "the transactions need more gas than a block may use"},
    reject_text{reject::wrong_order, "wrong_order",
                "a sender's transactions do not stand in the order of their nonces"},
    reject_text{reject::repeated_transaction, "repeated_transaction",
                "a transaction stands in the block twice"},
    reject_text{reject::block_signature, "block_signature",
                "a transaction of the block is wrongly signed"},
    reject_text{reject::block_wrong_chain, "block_wrong_chain",
                "the block, or a transaction of it, is for another chain or shard"},
    reject_text{reject::block_expired, "block_expired", "a transaction of the block had expired"},
    reject_text{reject::unconnected_header, "unconnected_header",
                "the header does not follow the last one trusted"},
    reject_text{reject::wrong_validator_set, "wrong_validator_set",
                "the validators are not those that the trusted header promises"},
    reject_text{reject::wrong_certificate, "wrong_certificate",
                "the certificate does not prove that the block is final"},
    reject_text{reject::wrong_state_proof, "wrong_state_proof",
                "the proof does not lead to the trusted state root"},
    reject_text{reject::wrong_receipt_proof, "wrong_receipt_proof",
                "the proof does not lead to the trusted receipts root"},
    reject_text{reject::unknown_height, "unknown_height",
                "no trusted header speaks of that height"},
    reject_text{reject::wrong_transaction_proof, "wrong_transaction_proof",
                "the proof does not lead to the trusted transactions root"},
    reject_text{reject::malformed_genesis, "malformed_genesis",
                "the genesis document does not decode"},
    reject_text{reject::premine_above_cap, "premine_above_cap", "the premine is more than the cap"},
    reject_text{reject::wrong_split, "wrong_split",
                "the parts of a split do not add up to the whole"},
    reject_text{reject::wrong_schedule, "wrong_schedule",
                "the emission schedule would never end or never start"},
    reject_text{reject::burn_below_half, "burn_below_half",
                "at least half of the base fee must burn"},
    reject_text{reject::wrong_fee_step, "wrong_fee_step",
                "the base fee's step, target or limit is zero or out of order"},
    reject_text{reject::allocation_mismatch, "allocation_mismatch",
                "what genesis hands out is not the premine"},
    reject_text{reject::no_validators, "no_validators", "a chain needs at least one validator"},
    reject_text{reject::repeated_entry, "repeated_entry",
                "an account, a validator or a section stands in genesis twice"},
    reject_text{reject::wrong_weight, "wrong_weight",
                "a validator has no key or no weight, or all weights together are too much"},
    reject_text{reject::unknown_section, "unknown_section",
                "no contract of this chain begins with a section of that name"},
    reject_text{reject::section_refused, "section_refused",
                "a contract does not begin with what its section says"},
};

/// The text of a reason; of one that this version does not know, an empty name.
constexpr reject_text text_of(reject why) noexcept
{
    for (auto const& each : reject_texts)
        if (each.why == why) return each;
    return {why, {}, "unknown reason"};
}

/// A sentence for people.
constexpr std::string_view message(reject why) noexcept { return text_of(why).sentence; }

/// What it means for the sender.
constexpr reject_group group(reject why) noexcept
{
    return static_cast<reject_group>(static_cast<std::uint16_t>(why) / 100);
}

/// As it stands in results and receipts: contract 0 << 16 | reason.
constexpr std::uint32_t code(reject why) noexcept { return static_cast<std::uint16_t>(why); }

}  // namespace blendr::ledger
