// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/fees.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>

#include "support/support.hpp"

using namespace blendr;
using namespace blendr::ledger;

namespace {

constexpr fee_rules defaults{};
static_assert(check(defaults).has_value());

gas_price after(gas_price base, std::uint64_t used)
{
    return next_base_fee(defaults, base, gas{used});
}

}  // namespace

TEST_CASE(
    "fees: at the target the base fee stays, full it rises by an eighth, empty it falls by one")
{
    auto const target = defaults.block_target.get();
    CHECK(after(gas_price{8000}, target) == gas_price{8000});
    CHECK(after(gas_price{8000}, 2 * target) == gas_price{9000});
    CHECK(after(gas_price{8000}, target + target / 2) == gas_price{8500});
    CHECK(after(gas_price{8000}, 0) == gas_price{7000});
    CHECK(after(gas_price{8000}, target / 2) == gas_price{7500});
}

TEST_CASE("fees: a low base fee still rises, a floor holds, and the ceiling is no overflow")
{
    auto const target = defaults.block_target.get();
    CHECK(after(gas_price{1}, target + 1) == gas_price{2});
    CHECK(after(gas_price{1}, 0) == defaults.base_fee_min);
    CHECK(after(gas_price::max(), 2 * target) == gas_price::max());
    CHECK(after(gas_price::max(), 0) < gas_price::max());
    CHECK(after(gas_price{8000}, gas::max().get()) == gas_price{9000});
}

TEST_CASE("fees: no block moves the base fee by more than its step" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int round = 0; round < 20'000; ++round) {
        fee_rules rules{};
        rules.block_target = gas{random.between(1, ~std::uint64_t{0} >> random.below(64))};
        rules.step_divisor = static_cast<std::uint32_t>(random.between(2, 100));
        gas_price const base{random.between(1, ~std::uint64_t{0} >> random.below(64))};
        auto const next = next_base_fee(rules, base, gas{random() >> random.below(64)});
        auto const step = std::max<std::uint64_t>(base.get() / rules.step_divisor, 1);
        auto const moved = next > base ? next.get() - base.get() : base.get() - next.get();
        CHECK(moved <= step);
        CHECK(next >= rules.base_fee_min);
    }
}

TEST_CASE("fees: at least half of the base part burns and no grain is lost")
{
    for (std::uint32_t const parts : {5'000u, 6'789u, 10'000u}) {
        fee_rules rules{};
        rules.burned_parts = parts;
        for (std::uint64_t grains = 0; grains < 300; ++grains) {
            auto const split = split_fee(rules, amount{grains}, amount{7});
            CHECK(split.burned + split.proposer == amount{grains + 7});
            CHECK(split.burned + split.burned >= amount{grains});
            CHECK(split.proposer >= amount{7});
        }
    }
    auto const most = gas::max() * gas_price::max();
    CHECK(split_fee(defaults, most, amount{}).burned < most);
}

TEST_CASE("fees: rules that cannot work are refused, each kind with its code")
{
    auto const refused = [](auto change) {
        fee_rules rules{};
        change(rules);
        return check(rules).error();
    };
    CHECK(refused([](auto& r) { r.block_target = gas{}; }) == reject::wrong_fee_step);
    CHECK(refused([](auto& r) { r.block_limit = gas{1}; }) == reject::wrong_fee_step);
    CHECK(refused([](auto& r) { r.base_fee_min = gas_price{}; }) == reject::wrong_fee_step);
    CHECK(refused([](auto& r) { r.base_fee_min = gas_price{101}; }) == reject::wrong_fee_step);
    CHECK(refused([](auto& r) { r.step_divisor = 1; }) == reject::wrong_fee_step);
    CHECK(refused([](auto& r) { r.burned_parts = 4'999; }) == reject::burn_below_half);
    CHECK(refused([](auto& r) { r.burned_parts = 10'001; }) == reject::burn_below_half);
}

TEST_CASE("fees: rank follows the tip for gas, at any size")
{
    CHECK(fee_rank(amount{2}, gas{100}) > fee_rank(amount{1}, gas{100}));
    CHECK(fee_rank(amount{1}, gas{100}) > fee_rank(amount{1}, gas{101}));
    CHECK(fee_rank(amount{3}, gas{300}) == fee_rank(amount{1}, gas{100}));
    CHECK(fee_rank(amount{}, gas{1}) == 0);
    CHECK(fee_rank(amount::max(), gas{1}) == ~std::uint64_t{0});
    CHECK(fee_rank(amount{1}, gas{}) == fee_rank(amount{1}, gas{1}));
}

TEST_CASE("fees: a replacement offers a tenth more, rounded up, and never the same")
{
    CHECK(replacement_min(amount{100}) == amount{110});
    CHECK(replacement_min(amount{101}) == amount{112});
    CHECK(replacement_min(amount{}) == amount{1});
    CHECK(replacement_min(amount{1}) == amount{2});
    CHECK(replacement_min(amount::max()) == amount::max());
}

TEST_CASE("fees: a fee that does not fit is none")
{
    CHECK(fee_of(gas{10}, gas_price{7}, amount{5}) == amount{75});
    CHECK(fee_of(gas::max(), gas_price::max(), amount{}).has_value());
    CHECK_FALSE(fee_of(gas{1}, gas_price{1}, amount::max()).has_value());
}
