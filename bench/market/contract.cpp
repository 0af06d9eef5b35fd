// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <memory>
#include <vector>

#include "../../tests/market/contract_world.hpp"

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::market;
using namespace blendr::market::testing;

constexpr std::size_t orders_a_block = 20'000;
constexpr std::uint64_t accounts = 50'000;
constexpr std::uint64_t instruments = 16;

/// Bids of many senders for hours of a class, every one for one auction.
std::vector<tx> block_of(rng& any, std::uint64_t number)
{
    auto const first = hour_of(genesis_time).get() + 100;
    std::vector<tx> out(orders_a_block);
    for (auto& each : out) {
        each.sender = account(any.below(accounts));
        contract::place p{};
        p.of = {rtx, hour{first + static_cast<std::uint32_t>(any.below(instruments))}};
        p.way = side::buy;
        p.client_id = number * 64 + any.below(64);
        p.size = quantity{1 + any.below(10)};
        p.limit = price{1 + any.below(20)};
        p.expires = height::max();
        p.immediate = true;
        each.messages.push_back(p);
    }
    return out;
}

/// Blocks of orders, from decoded messages to the end of the auction: rows resolved, executed, hooks
/// run. Signatures and the state's root are measured elsewhere.
suite const blocks{
    "market/contract", [](run& out) {
        if (!out.wants("market/contract/orders")) return;
        task_pool pool{2};
        rng any{5};
        auto const make = [] {
            auto w = std::make_unique<world>(1);
            w->fund(accounts, amount{1'000'000'000'000});
            w->interval_ms = 1;
            return w;
        };
        auto ours = make(), ordered = make();
        ours->pool = &pool;
        std::vector<std::vector<tx>> made;
        for (std::uint64_t b = 0; b < 8; ++b) made.push_back(block_of(any, b));
        ledger::parallel_executor<chain> execute{pool};
        std::size_t i = 0, o = 0;
        out.figure("market/contract/orders/1core", rate("orders/s", orders_a_block),
                   [&] { keep(ordered->run_in_order(made[o++ % made.size()])); }, {.rounds = 5});
        out.compare(
            "market/contract/orders/2core", rate("orders/s", orders_a_block),
            [&] { keep(ours->run_in_parallel(made[i++ % made.size()], 512, execute)); },
            [&] { keep(ordered->run_in_order(made[o++ % made.size()])); },
            {.by = clock::wall, .rounds = 5});
    }};

}  // namespace
