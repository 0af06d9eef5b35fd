// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/amount.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <concepts>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;

namespace {

template <class A, class B>
concept multiplies = requires(A a, B b) { a* b; };

static_assert(multiplies<price, quantity> && multiplies<quantity, price>);
static_assert(!multiplies<price, price> && !multiplies<amount, amount>);
static_assert(!std::convertible_to<int, amount>);
static_assert(1_blnd == 1'000'000'000_grains);

}  // namespace

TEST_CASE("amount: what does not fit is nothing when asked by name")
{
    CHECK_FALSE(add(amount::max(), 1_grains).has_value());
    CHECK(add(amount::max() - 1_grains, 1_grains) == amount::max());
    CHECK_FALSE(sub(1_grains, 2_grains).has_value());
    CHECK(sub(2_grains, 2_grains) == amount{});
}

TEST_CASE("amount: price times quantity never overflows")
{
    auto const most = std::numeric_limits<std::uint64_t>::max();
    CHECK((price{most} * quantity{most}).grains() == u128{most} * most);
    CHECK(quantity{3} * price{5} == 15_grains);
    CHECK(price_of(16_grains, quantity{3}, rounding::down) == price{5});
    CHECK(price_of(16_grains, quantity{3}, rounding::up) == price{6});
    CHECK_FALSE(price_of(16_grains, quantity{0}, rounding::up).has_value());
    CHECK_FALSE(price_of(amount::max(), quantity{1}, rounding::up).has_value());
}

TEST_CASE("amount: shares rounded down never add up to more than the whole" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int i = 0; i < 2000; ++i) {
        amount const whole{random() >> random.below(64)};
        std::uint64_t parts[4]{};
        std::uint64_t total = 1;
        for (auto& part : parts) total += part = random.below(1000);
        amount given{};
        for (auto const part : parts) given += whole.share(part, total, rounding::down).value();
        CHECK(given <= whole);
    }
}

TEST_CASE("amount: text goes both ways" * doctest::test_suite("property"))
{
    CHECK(to_string(3_blnd + 200'000'000_grains) == "3.2");
    CHECK(to_string(1_grains) == "0.000000001");
    CHECK(to_string(amount{}) == "0");
    CHECK(parse_amount("3.20") == 3_blnd + 200'000'000_grains);
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int i = 0; i < 2000; ++i) {
        amount const value{((u128{random()} << 64) | random()) >> random.below(128)};
        CHECK(parse_amount(to_string(value)) == value);
    }
}

TEST_CASE("amount: text that is no amount is refused with what and where")
{
    using kind = amount_error::kind;
    CHECK(parse_amount("").error() == amount_error{kind::empty, 0});
    CHECK(parse_amount(".5").error() == amount_error{kind::empty, 0});
    CHECK(parse_amount("5.").error() == amount_error{kind::empty, 2});
    CHECK(parse_amount("-5").error() == amount_error{kind::bad_digit, 0});
    CHECK(parse_amount("1 000").error() == amount_error{kind::bad_digit, 1});
    CHECK(parse_amount("1.5e3").error() == amount_error{kind::bad_digit, 3});
    CHECK(parse_amount("1.0000000001").error() == amount_error{kind::too_many_decimals, 11});
    CHECK(parse_amount("340282366920938463463374607431.768211456").error().what == kind::too_large);
    CHECK(parse_amount("340282366920938463463374607431.768211455") == amount::max());
    CHECK(parse_u128("340282366920938463463374607431768211456").error().what == kind::too_large);
    CHECK(message(parse_amount("5.").error()) == "an amount needs a digit at position 2");
}
