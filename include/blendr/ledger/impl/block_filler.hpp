// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/impl/block_runner.hpp>
#include <blendr/ledger/mempool.hpp>
#include <blendr/ledger/merkle_list.hpp>
#include <blendr/ledger/purses.hpp>

namespace blendr::ledger::impl {

/// The payload under `head` with the best of what waits and fits; the runner stands on the parent.
template <class Registry>
bytes fill_block(block_runner<Registry> const& runner, mempool const& waiting, header head,
                 std::size_t bytes_max)
{
    auto const& fixed = runner.template now<rules>();
    bytes_max = std::min(bytes_max, block_bytes_max);
    auto const overhead = encoded_size(head) + 64;
    auto const room = bytes_max > overhead ? bytes_max - overhead : 0;
    auto const chosen = waiting.pick(head.at, head.base_fee, room, fixed.fees.block_limit);
    std::vector<bytes_view> txs;
    std::vector<hash256> ids;
    for (std::size_t i = 0; i < chosen.transactions.size(); ++i) {
        // a block above the last committed one may have used it
        if (chosen.sequences[i].get() < runner.template now<purses>(chosen.senders[i]).nonce)
            continue;
        head.gas_used += chosen.needs_each[i];
        txs.push_back(chosen.transactions[i]);
        ids.push_back(chosen.ids[i]);
    }
    head.transactions = list_root(std::move(ids));
    return encode_block(head, txs);
}

}  // namespace blendr::ledger::impl
