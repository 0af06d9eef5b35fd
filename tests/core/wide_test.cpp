// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/wide.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <boost/multiprecision/cpp_int.hpp>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;

namespace {

using boost::multiprecision::cpp_int;
constexpr u128 most = std::numeric_limits<u128>::max();

cpp_int big(u128 v)
{
    return (cpp_int{static_cast<std::uint64_t>(v >> 64)} << 64) | static_cast<std::uint64_t>(v);
}

/// Wide numbers of every length, often all ones or a power of two: where carries go wrong.
u128 awkward(rng& random)
{
    u128 v = (u128{random()} << 64) | random();
    v >>= random.below(128);
    switch (random.below(8)) {
    case 0:
        return ~v;
    case 1:
        return most >> random.below(128);
    case 2:
        return u128{1} << random.below(128);
    case 3:
        return (most >> random.below(128)) - random.below(3);
    default:
        return v;
    }
}

}  // namespace

TEST_CASE("wide: mul_div is the rounded quotient of the exact product, or nothing" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    int too_large = 0;
    for (int i = 0; i < 200'000; ++i) {
        u128 const a = awkward(random), b = awkward(random), c = awkward(random);
        auto const how = static_cast<rounding>(random.below(3));
        auto const got = mul_div(a, b, c, how);
        if (c == 0) {
            REQUIRE_FALSE(got.has_value());
            continue;
        }
        cpp_int const product = big(a) * big(b), divisor = big(c);
        cpp_int want = product / divisor;
        cpp_int const rest = product % divisor;
        if (how == rounding::up && rest != 0) ++want;
        if (how == rounding::half_up && 2 * rest >= divisor) ++want;
        if (want > big(most)) {
            ++too_large;
            REQUIRE_FALSE(got.has_value());
        } else {
            REQUIRE(got.has_value());
            REQUIRE(big(*got) == want);
        }
    }
    CHECK(too_large > 1000);  // both outcomes were tried
}

TEST_CASE("wide: mul_div at its edges")
{
    CHECK(mul_div(7, 1, 2, rounding::down) == u128{3});
    CHECK(mul_div(7, 1, 2, rounding::up) == u128{4});
    CHECK(mul_div(7, 1, 2, rounding::half_up) == u128{4});
    CHECK(mul_div(5, 1, 4, rounding::half_up) == u128{1});
    CHECK(mul_div(most, most, most, rounding::up) == most);
    CHECK_FALSE(mul_div(most, 2, 1, rounding::down).has_value());
    CHECK_FALSE(mul_div(1, 1, 0, rounding::down).has_value());
    CHECK(mul_div(0, most, 1, rounding::up) == u128{0});
}

TEST_CASE("wide: numbers are written in full")
{
    CHECK(to_string(u128{0}) == "0");
    CHECK(to_string(most) == "340282366920938463463374607431768211455");
}
