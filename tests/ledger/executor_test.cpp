// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/executor.hpp>  // first: it stands alone

#include <vector>

#include <doctest/doctest.h>

#include <ledger/arena.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

struct ready {
    rows<chain> state{1};
    block_info block{height{1}, time_ms{1}, {}, {}};
    prepared_part<chain> part{state};
    address const ada = account(1);
    address const bob = account(2);

    ready()
    {
        auto& table = state.table<purses>();
        table.row(table.intern(ada)).balance = amount{100};
    }
    template <class Message>
    void add(address const& from, std::uint64_t nonce, std::uint64_t fee, Message const& message)
    {
        part.add_tx(from, nonce, 5, amount{fee});
        part.add_message<chain::message_index<Message>>(message);
    }
    purses::row of(address const& who) const
    {
        auto const& table = state.table<purses>();
        return table.row(table.find(who));
    }
};

}  // namespace

TEST_CASE("executor: who cannot pay or comes out of turn is not charged, who fails is")
{
    ready in;
    in.add(in.ada, 1, 1, bank::transfer{in.bob, amount{1}});    // not her next
    in.add(in.ada, 0, 101, bank::transfer{in.bob, amount{1}});  // more than she has
    in.add(in.ada, 0, 10, bank::transfer{in.bob, amount{91}});  // more than is left
    in.add(in.ada, 1, 10, bank::transfer{in.bob, amount{80}});  // all that is left
    in.add(in.bob, 0, 80, bank::transfer{in.ada, amount{1}});   // what just came, as a fee
    in.part.reserve();
    in.part.resolve();
    lane<chain> on{in.state, 1};
    std::vector<outcome> ended(5);
    execute_in_order(on, in.block, std::as_const(in.part).txs(), 0, std::span{ended});
    CHECK(ended[0] == outcome{code(reject::nonce_not_next), false});
    CHECK(ended[1] == outcome{code(reject::underfunded), false});
    CHECK(ended[2] == outcome{code<bank>(bank::error::poor), true});
    CHECK(ended[3] == outcome{0, true});
    CHECK(ended[4] == outcome{code<bank>(bank::error::poor), true});
    CHECK(in.of(in.ada) == purses::row{amount{}, 2});
    CHECK(in.of(in.bob) == purses::row{amount{}, 1});
    CHECK(on.fees == amount{100});
    CHECK(on.gas > 0);
}

TEST_CASE("executor: a message that fails undoes what the ones before it in its transaction did")
{
    ready in;
    in.add(in.ada, 0, 1, arena::brittle{1, 2, false});
    in.part.add_message<chain::message_index<arena::brittle>>({1, 2, true});
    in.add(in.ada, 1, 1, arena::brittle{1, 2, false});
    in.part.reserve();
    in.part.resolve();
    lane<chain> on{in.state, 1};
    std::vector<outcome> ended(2);
    execute_in_order(on, in.block, std::as_const(in.part).txs(), 0, std::span{ended});
    CHECK(ended[0].code == code<arena>(arena::error::broke));
    CHECK(ended[1].code == 0);
    auto const& notes = in.state.table<arena::notes>();
    auto const& wells = in.state.table<arena::wells>();
    CHECK(notes.row(notes.find(1)).text == 1);
    CHECK(wells.row(wells.find(2)).level == amount{3});
}
