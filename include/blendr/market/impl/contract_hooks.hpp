// SPDX-License-Identifier: Apache-2.0
#pragma once

// The market's turn at a block's begin and end; included by contract.hpp only.

#include <utility>
#include <vector>

#include <blendr/market/contract.hpp>
#include <blendr/market/impl/contract_auction.hpp>
#include <blendr/market/impl/contract_devices.hpp>

namespace blendr::market {

void contract::begin_block(auto& ctx)
{
    std::vector<std::pair<proceeds::key, proceeds::row>> left{};
    ctx.template each<proceeds>([&](proceeds::key const& key, proceeds::row const& row) {
        left.emplace_back(key, row);
        return true;
    });
    for (auto const& [key, row] : left) {
        ctx.template edit<proceeds>(key) = {};
        if (row.value != amount{})
            ctx.give(ctx.template use<ledger::purses, mode::credit>(row.seller), row.value);
    }
}

void contract::end_block(auto& ctx)
{
    impl::sweep{ctx}.run();
    impl::settlement_day day{ctx};
    day.take_in();
    day.run_auctions(looks_per_block);
}

}  // namespace blendr::market
