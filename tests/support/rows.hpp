// SPDX-License-Identifier: Apache-2.0
// Blocks for tests that run contracts without a node, and what is in the rows afterwards; whichever contracts there are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/ledger/chain_state.hpp>
#include <blendr/ledger/parallel.hpp>

namespace blendr::test {

/// Transactions of `sender` and `messages`, `chunk` to a part; their nonces are filled in.
template <class Chain, class Tx>
std::vector<std::unique_ptr<ledger::prepared_part<Chain>>>
prepare(ledger::rows<Chain>& rows, std::span<Tx const> txs, std::size_t chunk)
{
    std::vector<std::unique_ptr<ledger::prepared_part<Chain>>> parts;
    std::map<decltype(Tx::sender), std::uint64_t> nonces;
    auto const& purses = rows.template table<ledger::purses>();
    for (std::size_t i = 0; i < txs.size(); i += chunk) {
        auto& part = *parts.emplace_back(std::make_unique<ledger::prepared_part<Chain>>(rows));
        for (auto const& tx : txs.subspan(i, std::min(chunk, txs.size() - i))) {
            auto const at = purses.find(tx.sender);
            auto const known =
                nonces.try_emplace(tx.sender, at == state::no_slot ? 0 : purses.row(at).nonce);
            part.add_tx(tx.sender, known.first->second++, 1, amount{});
            for (auto const& message : tx.messages)
                std::visit(
                    [&]<class M>(M const& m) {
                        part.template add_message<Chain::template message_index<M>>(m);
                    },
                    message);
        }
        part.reserve();
        part.resolve();
    }
    return parts;
}

/// An executor that does one transaction after the other.
inline constexpr auto in_order = [](auto& exact, auto, auto const& block, auto parts, auto results,
                                    auto&) {
    for (auto const& each : parts) ledger::execute_in_order(exact, block, each, 0, results);
};

/// Every row by its table and key.
using picture = std::map<std::pair<std::size_t, bytes>, bytes>;

template <class Chain>
picture look(ledger::rows<Chain> const& rows)
{
    picture out;
    boost::mp11::mp_for_each<boost::mp11::mp_iota_c<Chain::table_count>>([&](auto t) {
        auto const& table =
            rows.template table<typename Chain::template table_at<decltype(t)::value>>();
        for (state::slot i = 0; i < table.size(); ++i)
            if (table.present(i)) out[{t, encode(table.key(i))}] = encode(table.row(i));
    });
    return out;
}

}  // namespace blendr::test
