// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/prepare.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/ledger/bank.hpp>

using namespace blendr;
using namespace blendr::ledger;

TEST_CASE("prepare: plans name rows by slot, and gas follows from rows, bytes and messages")
{
    using chain = registry<bank>;
    rows<chain> state{1};
    prepared_part<chain> part{state};
    address const ada{hash256{std::byte{1}}};
    address const bob{hash256{std::byte{2}}};
    part.add_tx(ada, 4);
    part.add_message<0>({bob, 7_grains});
    auto const needed = part.needs(100);
    auto const& w = default_weights;
    CHECK(needed == gas{w.transaction + 100 * w.byte + w.message + 3 * w.row});
    part.price(needed, gas_price{2}, 5_grains, 1_blnd);
    part.add_tx(bob, 0);
    CHECK_FALSE(part.add_message(0, {}));
    part.add_message<0>({ada, 1_grains});
    part.price(part.needs(100), gas_price{2}, 5_grains, 1_grains);
    part.reserve();
    part.resolve();
    auto const& table = state.table<purses>();
    auto const txs = std::as_const(part).txs();
    REQUIRE(txs.size() == 2);
    CHECK(txs[0].purse == table.find(ada));
    CHECK(txs[0].fee == gas_price{2} * needed + 5_grains);
    CHECK(txs[0].touch_count == 3);
    CHECK(txs[0].touches[1].at == txs[0].purse);
    CHECK(txs[0].touches[2].at == table.find(bob));
    CHECK(txs[0].touches[2].how == mode::credit);
    CHECK(txs[1].refused == code(reject::fee_below_base));
}
