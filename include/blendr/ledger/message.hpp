// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <blendr/core/codec.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/registry.hpp>
#include <blendr/ledger/transaction.hpp>

namespace blendr::ledger {

/// A message of contract C as a transaction carries it.
template <contract C, class Message>
wire_message wrap(Message const& m)
{
    constexpr auto index = boost::mp11::mp_find<typename C::messages, Message>::value;
    static_assert(index < boost::mp11::mp_size<typename C::messages>::value,
                  "the contract has no such message");
    wire_message out{C::id, static_cast<std::uint16_t>(index), {}};
    static_cast<bytes&>(out.body) = encode(m);
    return out;
}

}  // namespace blendr::ledger
