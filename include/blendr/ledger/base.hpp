// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/describe/class.hpp>

#include <blendr/core/strong.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/fees.hpp>
#include <blendr/ledger/purses.hpp>
#include <blendr/ledger/supply.hpp>
#include <blendr/ledger/types.hpp>

namespace blendr::ledger {

/// What a chain was begun with and never changes. One row, under key 0.
struct rules {
    static constexpr std::string_view name = "rules";
    using key = std::uint8_t;
    struct row {
        chain_id chain{};
        shard_id shard{};
        fee_rules fees{};
        supply_rules money{};

        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr bool shared(mode m) { return m == mode::read; }
};
BOOST_DESCRIBE_STRUCT(rules::row, (), (chain, shard, fees, money))

/// Where the chain stands: all that the next block depends on beside the rows. One row, under key 0.
struct facts {
    static constexpr std::string_view name = "facts";
    using key = std::uint8_t;
    struct row {
        height at{};
        time_ms block_time{};
        hash256 beacon{};         ///< of the last block
        hash256 beacon_before{};  ///< of the one before it: what contracts of the next block see
        gas_price base_fee{};     ///< of the next block
        supply money{};

        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr bool shared(mode m) { return m == mode::read; }
};
BOOST_DESCRIBE_STRUCT(facts::row, (), (at, block_time, beacon, beacon_before, base_fee, money))

/// Who votes, in force two heights after the block that left it so. Contracts that decide about
/// weights write it in their hooks.
struct validators {
    static constexpr std::string_view name = "validators";
    static constexpr bool ordered = true;
    using key = crypto::public_key;
    struct row {
        weight power{};
        crypto::vrf_public_key random{};  ///< zeros: its blocks add nothing to the beacon

        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr bool shared(mode m) { return m == mode::read || m == mode::write; }
};
BOOST_DESCRIBE_STRUCT(validators::row, (), (power, random))

/// Contract 0, which every chain has. Its error codes are those of reject.hpp.
struct base {
    static constexpr std::uint16_t id = 0;
    static constexpr std::string_view name = "ledger";
    enum class error : std::uint16_t { ok = 0 };
    using messages = type_list<>;
    using tables = type_list<purses, rules, facts, validators>;
};

/// Where emission goes that is not the proposer's. Contracts that pay providers, and the treasury,
/// take it from there.
inline address providers_pot() { return crypto::address_of("ledger", as_bytes("providers")); }
inline address treasury_pot() { return crypto::address_of("ledger", as_bytes("treasury")); }

}  // namespace blendr::ledger
