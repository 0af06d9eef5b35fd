// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/schedule.hpp>  // first: it stands alone

#include <array>
#include <vector>

#include <doctest/doctest.h>

#include <ledger/arena.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

/// Two shards, groups of one slot: even slots belong to shard 0, odd ones to shard 1.
struct planned {
    rows<chain> state{1};
    task_pool pool{1};
    prepared_part<chain> part{state};

    explicit planned(std::size_t people)
    {
        for (std::uint64_t i = 0; i < people; ++i) state.table<purses>().intern(account(i));
    }
    template <class Message>
    void add(std::uint64_t from, Message const& message)
    {
        part.add_tx(account(from), 0, 1, amount{});
        part.add_message<chain::message_index<Message>>(message);
    }
    chunk_plan plan()
    {
        part.reserve();
        part.resolve();
        std::array const parts{std::as_const(part).txs()};
        scheduler<chain> find{shards{2, 0}, pool};
        return find(parts).front();
    }
};
constexpr auto later(std::uint32_t i) { return i | chunk_plan::runs_later; }

}  // namespace

TEST_CASE("schedule: shards are a power of two, and groups of slots are dealt out in turn")
{
    CHECK(shards{1}.count() == 1);
    CHECK(shards{3}.count() == 2);
    CHECK(shards{1000}.count() == shards::count_max);
    shards const two{2, 5};
    CHECK(two.of(0) == two.of(31));
    CHECK(two.of(31) != two.of(32));
    CHECK(two.of(64) == two.of(0));
}

TEST_CASE("schedule: a transaction is at home where what it takes is, whoever it gives to")
{
    planned block{4};
    block.add(0, bank::transfer{account(1), amount{1}});
    block.add(1, bank::transfer{account(2), amount{1}});
    block.add(2, bank::transfer{account(1), amount{1}});
    auto const plan = block.plan();
    CHECK(plan.homeless == 0);
    CHECK(plan.turns == std::vector<std::vector<std::uint32_t>>{{0, 2}, {1}});
}

TEST_CASE("schedule: what needs rows of two shards runs in order, and every shard knows")
{
    planned block{2};
    block.state.table<arena::wells>().intern(0);
    block.state.table<arena::wells>().intern(1);
    block.add(0, arena::pump{0, 1, amount{1}});      // purse and well of shard 0
    block.add(0, arena::pump{1, 0, amount{1}});      // a well of shard 1
    block.add(1, arena::drain{0, 1, 0, amount{1}});  // both wells
    auto const plan = block.plan();
    CHECK(plan.homeless == 2);
    CHECK(plan.turns ==
          std::vector<std::vector<std::uint32_t>>{{0, later(1), later(2)}, {later(1), later(2)}});
}

TEST_CASE("schedule: a read binds only where the row changes in the block")
{
    auto const homeless = [](bool changed) {
        planned block{2};
        block.state.table<arena::notes>().intern(0);
        block.state.table<arena::notes>().intern(1);
        block.add(0, arena::glance{1});  // a note of the other shard
        if (changed) block.add(1, arena::brittle{1, 5, false});
        return block.plan().homeless;
    };
    CHECK(homeless(false) == 0);
    CHECK(homeless(true) == 1);
}
