// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include <blendr/bond/contract.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/node/client.hpp>

#include "common.hpp"

// The money of a chain, as a node tells of it.
namespace blendr::test {

/// Asks lie in the book with prepaid auctions until their owners go: they are taken out by hand.
inline void close_shop(node::client const& ask, crypto::identity const& me)
{
    node::outbox out{ask, me, 1_blnd};
    REQUIRE(eventually([&] {
        auto const at = ask.where();
        if (!at) return false;
        out.settle(at->last);
        auto const mine = ask.ask<std::vector<market::query::my_order>>(
            "market/my_orders", market::query::my_orders{me.account(), {}, 100});
        if (!mine) return false;
        for (auto const& each : *mine)
            out.say("close", {ledger::wrap<market::contract>(market::contract::cancel{each.key})});
        return mine->empty() && out.idle();
    }));
}

/// All that these purses and bonds hold, and all that there should be when no job and no order lives:
/// both of one block.
inline std::pair<amount, amount> money(node::client const& ask,
                                       std::span<crypto::address const> purses,
                                       std::span<bond::subject const> bonds)
{
    auto const until = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (std::chrono::steady_clock::now() < until) {
        auto const before = ask.row<ledger::base, ledger::facts>(0);
        amount sum{};
        for (auto const& each : purses)
            if (auto const found = ask.purse_of(each)) sum += found->balance;
        for (auto const& each : bonds)
            if (auto const found = ask.row<bond::contract, bond::contract::bonds>(each))
                sum += found->held.held();
        auto const after = ask.row<ledger::base, ledger::facts>(0);
        if (!before || !after || before->at != after->at) continue;
        auto const& now = after->money;
        return {sum, now.premined + now.emitted - now.burned};
    }
    FAIL("no moment without a new block");
    return {};
}

}  // namespace blendr::test
