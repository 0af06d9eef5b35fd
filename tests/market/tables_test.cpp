// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/tables.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::market;

static_assert(ledger::table_type<orders> && ledger::ordered<orders>);
static_assert(ledger::holds_money<orders> && ledger::holds_money<proceeds> &&
              ledger::holds_money<promises> && ledger::holds_money<all_series>);
static_assert(proceeds::shared(mode::debit) && !proceeds::shared(mode::write));
static_assert(!devices::shared(mode::write) && !promises::shared(mode::write));

TEST_CASE("tables: orders of one instrument lie together, bids before asks")
{
    instrument const now{device_class{1}, hour{0}}, later{device_class{1}, hour{9}};
    order_key const bid{now, side::buy, {}, 7}, ask{now, side::sell, {}, 1},
        other{later, side::buy, {}, 0};
    CHECK(bid < ask);
    CHECK(ask < other);
}

TEST_CASE("tables: every row survives bytes, and a default row is what an absent one reads as")
{
    orders::row row{};
    row.limit = price{3};
    row.left = quantity{9};
    row.wanted = "vram >= 16_GiB";
    CHECK(decode<orders::row>(encode(row)) == row);
    CHECK_FALSE(orders::present(orders::row{}));
    devices::row device{};
    REQUIRE(device.calendar.book(hour{1}, {hour{4}, 2}, hour_use::token));
    CHECK(decode<devices::row>(encode(device)) == device);
    promises::row promise{promise_state::claimed,
                          instrument{device_class{1}, hour{4}},
                          {},
                          {},
                          amount{5},
                          time_ms{6}};
    CHECK(decode<promises::row>(encode(promise)) == promise);
}
