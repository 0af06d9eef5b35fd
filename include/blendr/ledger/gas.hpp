// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/types.hpp>

namespace blendr::ledger {

/// What work weighs. One gas is about one nanosecond of one core of the reference machine, a 4 GHz
/// x86-64 with AVX-512. What a transaction needs follows from its messages alone, before anything
/// is executed. The numbers are consensus; `bench/run ledger/gas` prints what they stand for.
struct gas_weights {
    std::uint64_t transaction = 6'000;  ///< one signature in a batch, id, queue, receipt
    std::uint64_t byte = 4;             ///< decoded, hashed, sent and kept
    std::uint64_t message = 50;
    std::uint64_t row = 900;  ///< found, changed, undone, hashed into the tree and written
};
inline constexpr gas_weights default_weights{};

template <class C, class Message>
concept weighs_itself = requires(Message const& m)
{
    {
        C::gas(m)
        } -> std::convertible_to<std::uint64_t>;
};

/// What a contract asks for a message beyond its rows and bytes: prepaid work of its hooks, say.
template <class C, class Message>
constexpr std::uint64_t message_gas(Message const& m)
{
    if constexpr (weighs_itself<C, Message>)
        return default_weights.message + C::gas(m);
    else
        return default_weights.message;
}

}  // namespace blendr::ledger
