// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/chain_state.hpp>  // first: it stands alone

#include <vector>

#include <doctest/doctest.h>

#include <ledger/arena.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

TEST_CASE("chain_state: a block is undone and done again, and its money is told both ways")
{
    rows<chain> state{1};
    auto& table = state.table<purses>();
    auto const ada = table.intern(account(1));
    auto const bob = table.intern(account(2));
    table.row(ada).balance = amount{100};

    prepared_part<chain> part{state};
    part.add_tx(account(1), 0, 1, amount{10});
    part.add_message<chain::message_index<bank::transfer>>({account(2), amount{30}});
    part.reserve();
    part.resolve();
    applied<chain> did{};
    lane<chain> on{state, 1};
    did.outcomes.resize(1);
    execute_in_order(on, block_info{}, std::as_const(part).txs(), 0, std::span{did.outcomes});
    on.flush_marks();
    did.changes.push_back(std::move(on.before));

    auto const moved = money_in(state, std::span{std::as_const(did.changes)});
    CHECK(moved.kept == amount{100});
    CHECK(moved.now == amount{90});  // less the fee, which is nobody's yet
    CHECK(money_in(state) == amount{90});
    did.swap(state);
    CHECK(table.row(ada) == purses::row{amount{100}, 0});
    CHECK(table.row(bob) == purses::row{});
    CHECK(money_in(state) == amount{100});
    did.swap(state);
    CHECK(table.row(ada) == purses::row{amount{60}, 1});
    CHECK(table.row(bob).balance == amount{30});
}
