// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/check_money.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <utility>

#include <blendr/escrow/job.hpp>

using namespace blendr;
using namespace blendr::escrow;

namespace {

/// Three units, checked at seven grains each at the most, and a deposit.
jobs::row some_job(std::uint64_t deposit)
{
    jobs::row out{};
    out.what.items = out.what.units = 3;
    out.what.checks.by = checker::product;
    out.what.checks.quorum = 7;
    out.what.checks.fee = amount{1};
    effects none;
    auto of = job::open({}, 3, height{9}, 0, height{1}).value();
    if (deposit != 0) REQUIRE(of.deposit({}, amount{deposit}, height{1}, none).has_value());
    out.money = of.state();
    out.checks = price_of_checks(out.what).held;
    return out;
}

}  // namespace

TEST_CASE("check_money: a unit needs money for its check from the day it is handed out until then")
{
    auto row = some_job(0);
    auto& units = row.money.units;
    CHECK(bound_for_checks(row) == amount{});
    for (auto& each : units) each.at = unit_state::assigned;
    CHECK(bound_for_checks(row) == amount{21});
    units[0].at = unit_state::delivered;
    row.draws.push_back({height{4}, 0});
    CHECK(bound_for_checks(row) == amount{21});
    row.draws.clear();  // its inspectors have been drawn: that money is theirs
    CHECK(bound_for_checks(row) == amount{14});
    row.what.checks.by = checker::replicas;
    row.what.checks.most = 8;
    CHECK(bound_for_checks(row) == amount{21});  // the beacon did not ask, the renter may
    units[0].at = unit_state::disputed;
    CHECK(bound_for_checks(row) == amount{14});
    units[1].at = unit_state::paid;
    units[2].at = unit_state::dropped;
    CHECK(bound_for_checks(row) == amount{});
}

TEST_CASE("check_money: no more units are handed out than can be paid and checked")
{
    CHECK(units_covered(some_job(299), price{100}) == 2);
    CHECK(units_covered(some_job(299), price{100}, amount{1}) == 3);
    CHECK(units_covered(some_job(900), price{100}) == 3);
    CHECK(units_covered(some_job(900), price{}) == 0);

    auto row = some_job(300);
    row.checks = amount{13};  // others' checks took the rest
    CHECK(missing_for_checks(row, 1) == amount{});
    CHECK(missing_for_checks(row, 2) == amount{1});
    CHECK(missing_for_checks(row, 3) == amount{8});
    CHECK(units_covered(row, price{100}) == 2);
    CHECK(units_covered(row, price{100}, amount{7}) == 2);
    CHECK(units_covered(row, price{100}, amount{8}) == 3);
    row.money.units[0].at = unit_state::assigned;
    CHECK(missing_for_checks(row, 1) == amount{1});

    row = some_job(300);
    row.what.checks = {};  // the renter looks, at no price
    row.checks = amount{};
    CHECK(missing_for_checks(row, 3) == amount{});
    CHECK(units_covered(row, price{100}) == 3);
}
