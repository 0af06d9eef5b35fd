// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <blendr/core/amount.hpp>
#include <blendr/core/strong.hpp>

namespace blendr::ledger {

struct chain_id_tag {
    static constexpr auto rules = arithmetic::none;
};
struct shard_id_tag {
    static constexpr auto rules = arithmetic::none;
};
struct nonce_tag {
    static constexpr auto rules = arithmetic::point;
};
struct gas_tag {
    static constexpr auto rules = arithmetic::quantity;
};
struct gas_price_tag {
    static constexpr auto rules = arithmetic::none;
};

/// Which chain a transaction is for. Chosen in genesis; two chains must not share one.
using chain_id = strong<chain_id_tag>;
/// Which part of a chain; 0 while there is one.
using shard_id = strong<shard_id_tag, std::uint16_t>;
/// How many transactions of an account came before. The first has nonce 0.
using nonce = strong<nonce_tag>;
/// What work costs: one gas is about one nanosecond of the reference core, see gas.hpp.
using gas = strong<gas_tag>;
/// Grains for one gas.
using gas_price = strong<gas_price_tag>;

/// What that much gas costs. Always fits: 64 × 64 bits.
constexpr amount operator*(gas_price each, gas used) noexcept
{
    return amount{u128{each.get()} * used.get()};
}
constexpr amount operator*(gas used, gas_price each) noexcept { return each * used; }

}  // namespace blendr::ledger
