// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/types.hpp>

namespace blendr::ledger {

/// What work weighs. One gas is about one nanosecond of one core of the reference machine, an EPYC
/// of nominally 2.6 GHz with AVX-512. What a transaction needs follows from its messages alone,
/// before anything is executed. The numbers are consensus.
///
/// They come from `bench/run ledger/gas`, which takes nanoseconds of one thread from bytes to a
/// committed block of 2,000 transactions over 500,000 accounts, and divides them by the weights.
/// Medians of five runs, on a machine that others were using:
///
/// | what        | weight | ns    | ratio                                                       |
/// |-------------|--------|-------|-------------------------------------------------------------|
/// | transaction | 6,000  | 6,160 | 1.03                                                        |
/// | row         | 900    | 880   | 0.98                                                        |
/// | byte        | 4      | 1.0   | 0.25: sending it to peers and keeping it are not in the ns  |
/// | message     | 50     | 94    | 0.10: with the row of its sender, hot there and weighed 900 |
/// | a transfer  | 9,602  | 7,190 | 0.75: all of these together                                 |
struct gas_weights {
    std::uint64_t transaction = 6'000;  ///< one signature in a batch, id, queue, receipt
    std::uint64_t byte = 4;             ///< decoded and hashed; and sent and kept, by every node
    std::uint64_t message = 50;         ///< dispatched, beside its rows
    std::uint64_t row = 900;  ///< found, changed, undone, hashed into the tree and written
};
inline constexpr gas_weights default_weights{};

template <class C, class Message>
concept weighs_itself = requires(Message const& m) {
    { C::gas(m) } -> std::convertible_to<std::uint64_t>;
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
