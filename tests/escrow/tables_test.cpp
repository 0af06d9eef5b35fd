// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/tables.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/verify/tables.hpp>

using namespace blendr;
using namespace blendr::escrow;

TEST_CASE("tables: a task is another for another job, opening, unit or provider")
{
    task_origin const of{{crypto::address{hash256{std::byte{1}}}, 2}, height{3}, 4, 5};
    auto const differs = [&](auto&& change) {
        auto other = of;
        change(other);
        CHECK(task_of(other) != task_of(of));
    };
    differs([](auto& o) { o.job.renter = crypto::address{hash256{std::byte{2}}}; });
    differs([](auto& o) { o.job.number = 9; });
    differs([](auto& o) { o.opened = height{9}; });
    differs([](auto& o) { o.unit = 9; });
    differs([](auto& o) { o.with = 9; });
    CHECK(encode(of).size() <= verify::origin_max);
}

TEST_CASE("tables: each device has its own bond")
{
    market::device_key const mine{crypto::address{hash256{std::byte{1}}}, 0};
    CHECK(device_bond(mine) == device_bond(mine));
    CHECK(device_bond(mine) != device_bond({mine.owner, 1}));
    CHECK(device_bond(mine).what == bond::purpose::provider);
}

TEST_CASE("tables: all the money of a job is seen, and an absent one has none")
{
    jobs::row row{};
    CHECK(!jobs::present(row));
    row.opened = height{1};
    row.money.balance = amount{5};
    row.checks = amount{2};
    CHECK(jobs::present(row));
    CHECK(jobs::holds(row) == amount{7});
}
