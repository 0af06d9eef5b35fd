// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
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

/// Why a chain cannot begin so, and which member of the document it is ("accounts[3]").
struct genesis_fault {
    reject why{};
    std::string where{};

    friend bool operator==(genesis_fault const&, genesis_fault const&) = default;
};

namespace impl {

/// The first entry that stood before, by what `key` makes of it.
template <class T, class Key>
std::optional<std::size_t> first_repeated(std::vector<T> const& list, Key&& key)
{
    std::vector<std::size_t> order(list.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return key(list[a]) < key(list[b]); });
    std::optional<std::size_t> out{};
    for (std::size_t i = 1; i < order.size(); ++i)
        if (!(key(list[order[i - 1]]) < key(list[order[i]])) && (!out || order[i] < *out))
            out = order[i];
    return out;
}

inline std::string entry(char const* list, std::size_t at)
{
    return std::string{list} + '[' + std::to_string(at) + ']';
}

inline result<nothing, genesis_fault> check_accounts(genesis const& document)
{
    auto const& list = document.accounts;
    amount sum{};
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto const next = add(sum, list[i].balance);
        if (!next || *next > document.money.premine)
            return fail{genesis_fault{reject::allocation_mismatch, entry("accounts", i)}};
        sum = *next;
    }
    auto const twice = first_repeated(list, [](auto const& each) { return each.owner; });
    if (twice) return fail{genesis_fault{reject::repeated_entry, entry("accounts", *twice)}};
    return nothing{};
}

inline result<nothing, genesis_fault> check_validators(genesis const& document)
{
    auto const& list = document.validators;
    weight sum{};
    for (std::size_t i = 0; i < list.size(); ++i) {
        auto const next = add(sum, list[i].power);
        if (list[i].power == weight{} || list[i].key.empty() || !next)
            return fail{genesis_fault{reject::wrong_weight, entry("validators", i)}};
        sum = *next;
    }
    auto const twice = first_repeated(list, [](auto const& each) { return each.key; });
    if (twice) return fail{genesis_fault{reject::repeated_entry, entry("validators", *twice)}};
    if (list.empty() && document.sections.empty())
        return fail{genesis_fault{reject::no_validators, "validators"}};
    return nothing{};
}

}  // namespace impl

/// Refuses rules that cannot work, entries that contradict each other and a chain without validators.
/// Contracts judge their sections when the chain begins, and so does who adds all money up.
inline result<nothing, genesis_fault> check(genesis const& document)
{
    if (auto const fees = check(document.fees); !fees)
        return fail{genesis_fault{fees.error(), "fees"}};
    if (auto const money = check(document.money); !money)
        return fail{genesis_fault{money.error(), "money"}};
    BLENDR_CHECK(impl::check_accounts(document));
    BLENDR_CHECK(impl::check_validators(document));
    auto const twice = impl::first_repeated(
        document.sections, [](auto const& each) { return std::string_view{each.contract}; });
    if (twice) return fail{genesis_fault{reject::repeated_entry, impl::entry("sections", *twice)}};
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
