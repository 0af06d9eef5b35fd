// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/supply.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>

#include "support/support.hpp"

using namespace blendr;
using namespace blendr::ledger;

namespace {

constexpr supply_rules defaults{};
static_assert(check(defaults).has_value());

amount most(supply_rules const& rules) { return rules.cap - rules.premine; }

}  // namespace

TEST_CASE("supply: by default 1,002,000,000 BLND, 5 % premined and 95 % emitted by halving")
{
    CHECK(to_string(defaults.cap) == "1002000000");
    CHECK(defaults.premine.share(20, 1, rounding::down) == defaults.cap);
    CHECK(to_string(most(defaults)) == "951900000");
    CHECK(emitted(defaults, height{}) == amount{});
    CHECK(emission(defaults, height{}) == amount{});
    CHECK(to_string(emitted(defaults, height{defaults.era_blocks})) == "475950000");
    CHECK(to_string(emitted(defaults, height{2 * defaults.era_blocks})) == "713925000");
    CHECK(emission(defaults, height{1}).grains() / 1'000'000 == 3770);  // 3.77 BLND a block
    CHECK(emitted(defaults, height::max()) == most(defaults));
    CHECK(emission(defaults, height::max()) == amount{});
}

TEST_CASE("supply: block by block the emission adds up to the last grain")
{
    for (std::uint64_t const grains : {0u, 1u, 2u, 97u, 1000u, 12345u}) {
        for (std::uint32_t const slow : {1u, 2u, 3u, 10u, 64u}) {
            supply_rules rules{};
            rules.cap = amount{grains + 50};
            rules.premine = amount{50};
            rules.era_blocks = 7;
            rules.era_whole = slow;
            REQUIRE(check(rules).has_value());
            amount sum{};
            for (std::uint64_t at = 1; at <= 7 * 700; ++at) {
                sum += emission(rules, height{at});
                CHECK(sum == emitted(rules, height{at}));
            }
            CHECK(sum == amount{grains});
        }
    }
}

TEST_CASE(
    "supply: emission never falls back, never passes the cap and never grows from era to era" *
    doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int round = 0; round < 3'000; ++round) {
        supply_rules rules{};
        rules.cap = amount{u128{random()} << random.below(65)};
        rules.premine = *rules.cap.share(random.below(101), 100, rounding::down);
        rules.era_blocks = random.between(1, ~std::uint64_t{0} >> random.between(8, 63));
        rules.era_part = static_cast<std::uint32_t>(random.between(1, 1000));
        rules.era_whole = static_cast<std::uint32_t>(random.between(rules.era_part, 60'000));
        if (!check(rules)) continue;
        height const a{random() >> random.below(64)};
        height const b{random.between(a.get(), height::max().get())};
        CHECK(emitted(rules, a) <= emitted(rules, b));
        CHECK(emitted(rules, b) <= most(rules));
        auto const era = [&](std::uint64_t n) {
            return emitted(rules, height{(n + 1) * rules.era_blocks}) -
                   emitted(rules, height{n * rules.era_blocks});
        };
        CHECK(era(1) <= era(0));
        CHECK(era(9) <= era(8));
    }
}

TEST_CASE("supply: a split loses nothing, whatever is odd")
{
    rng random{7};
    for (int round = 0; round < 5'000; ++round) {
        emission_split split{};
        split.validators = static_cast<std::uint32_t>(random.below(whole_parts + 1));
        split.providers =
            static_cast<std::uint32_t>(random.below(whole_parts + 1 - split.validators));
        split.treasury = whole_parts - split.validators - split.providers;
        amount const whole{random() >> random.below(64)};
        auto const parts = split_emission(split, whole);
        CHECK(parts.validators + parts.providers + parts.treasury == whole);
        CHECK(parts.validators <= whole);
    }
    auto const parts = split_emission(emission_split{}, 10_blnd);
    CHECK(parts == emission_parts{2_blnd, 7_blnd, 1_blnd});
}

TEST_CASE("supply: rules that cannot work are refused, each kind with its code")
{
    auto const refused = [](auto change) {
        supply_rules rules{};
        change(rules);
        return check(rules).error();
    };
    CHECK(refused([](auto& r) { r.premine = r.cap + amount{1}; }) == reject::premine_above_cap);
    CHECK(refused([](auto& r) { r.split.treasury += 1; }) == reject::wrong_split);
    CHECK(refused([](auto& r) { r.split = {~0u, 10'001, 0}; }) == reject::wrong_split);
    CHECK(refused([](auto& r) { r.era_blocks = 0; }) == reject::wrong_schedule);
    CHECK(refused([](auto& r) { r.era_part = 0; }) == reject::wrong_schedule);
    CHECK(refused([](auto& r) { r.era_part = 3; }) == reject::wrong_schedule);
    CHECK(refused([](auto& r) { r.era_whole = 100; }) == reject::wrong_schedule);
}

TEST_CASE("supply: a count is allowed only within the schedule and the cap")
{
    supply count{defaults.premine, emitted(defaults, height{10}), amount{}};
    CHECK(allowed(defaults, count, height{10}));
    CHECK_FALSE(allowed(defaults, count, height{9}));
    count.burned = count.premined + count.emitted;
    CHECK(allowed(defaults, count, height{10}));
    CHECK(count.total() == amount{});
    count.burned += amount{1};
    CHECK_FALSE(allowed(defaults, count, height{10}));
    count = {defaults.premine + amount{1}, amount{}, amount{}};
    CHECK_FALSE(allowed(defaults, count, height{10}));
}
