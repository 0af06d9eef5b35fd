// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/fees.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/supply.hpp>
#include <blendr/ledger/types.hpp>

namespace blendr::ledger {

/// How a chain begins. Written by people as JSON (`genesis_json.hpp` reads it), carried as its
/// encoding; what it is decides everything that follows.
struct genesis {
    struct account {
        address owner{};
        amount balance{};
    };
    struct validator {
        crypto::public_key key{};
        weight power{};
        crypto::vrf_public_key random{};
    };
    struct section {
        std::string contract{};  ///< the contract's name
        bytes document{};        ///< its genesis_document, encoded
    };

    chain_id chain{};
    time_ms begins{};  ///< the first block's time is above it
    fee_rules fees{};
    supply_rules money{};
    std::vector<account> accounts{};  ///< their sum, and what sections hand out, is the premine
    std::vector<validator> validators{};
    std::vector<section> sections{};
};
BOOST_DESCRIBE_STRUCT(genesis::account, (), (owner, balance))
BOOST_DESCRIBE_STRUCT(genesis::validator, (), (key, power, random))
BOOST_DESCRIBE_STRUCT(genesis::section, (), (contract, document))
BOOST_DESCRIBE_STRUCT(genesis, (), (chain, begins, fees, money, accounts, validators, sections))

/// What contract C is given at genesis.
template <class C>
genesis::section section(typename C::genesis_document const& document)
{
    return {std::string{C::name}, encode(document)};
}

/// Refuses rules that cannot work and a chain without validators.
inline result<nothing, reject> check(genesis const& document)
{
    BLENDR_CHECK(check(document.fees));
    BLENDR_CHECK(check(document.money));
    if (document.validators.empty()) return fail{reject::no_validators};
    for (auto const& each : document.validators)
        if (each.power == weight{} || each.key.empty()) return fail{reject::malformed_genesis};
    return nothing{};
}

/// What `init` is given: the document's encoding.
inline result<genesis, reject> read_genesis(bytes_view raw)
{
    auto document = decode<genesis>(raw);
    if (!document) return fail{reject::malformed_genesis};
    return *std::move(document);
}

}  // namespace blendr::ledger
