// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/float_product.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::verify;
using kind = float_finding::kind;

namespace {

struct product {
    std::size_t n, k, m;
    std::vector<float> a, b, c;

    crypto::matrix_view<float> left() const { return {a, n, k}; }
    crypto::matrix_view<float> right() const { return {b, k, m}; }
    crypto::matrix_view<float> result() const { return {c, n, m}; }
};

/// A product as different devices compute it: forwards, backwards, in halves, fused.
product made(rng& random, std::size_t n, std::size_t k, std::size_t m)
{
    product p{
        n, k, m, std::vector<float>(n * k), std::vector<float>(k * m), std::vector<float>(n * m)};
    auto const any = [&] {
        auto const mantissa = static_cast<double>(random()) / 0x1p64 - 0.5;
        return static_cast<float>(std::ldexp(mantissa, static_cast<int>(random.below(12))));
    };
    for (auto& each : p.a) each = any();
    for (auto& each : p.b) each = any();
    auto const way = random.below(4);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < m; ++j) {
            float sum = 0, half = 0;
            for (std::size_t q = 0; q < k; ++q) {
                auto const at = way == 1 ? k - 1 - q : q;
                float const x = p.a[i * k + at], y = p.b[at * m + j];
                if (way == 3)
                    sum = std::fma(x, y, sum);
                else if (way == 2 && q % 2 == 0)
                    half += x * y;
                else
                    sum += x * y;
            }
            p.c[i * m + j] = sum + half;
        }
    return p;
}

hash256 seed_word(rng& random)
{
    hash256 seed{};
    random.fill(seed);
    return seed;
}

}  // namespace

TEST_CASE("float_product: an honest product is never called wrong, whatever the order of its sums" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int i = 0; i < 400; ++i) {
        auto const p =
            made(random, random.between(1, 20), random.between(1, 40), random.between(1, 20));
        REQUIRE(check_float_product(p.left(), p.right(), p.result(), seed_word(random), 5).what ==
                kind::fine);
    }
}

TEST_CASE("float_product: what rounding cannot explain is found in half of the rounds or more" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    int found = 0, tries = 0;
    for (int i = 0; i < 400; ++i) {
        auto p = made(random, 8, 32, 8);
        auto const at = random.below(p.c.size());
        // A row's bound is at most what the largest values of this row allow; go just beyond twice it.
        double size = 0;
        for (std::size_t j = 0; j < p.m; ++j)
            for (std::size_t q = 0; q < p.k; ++q)
                size += std::abs(double{p.a[at / p.m * p.k + q]} * p.b[q * p.m + j]);
        p.c[at] += static_cast<float>(2.5 * 32 * 0x1p-24 * size);
        auto const once =
            check_float_product(p.left(), p.right(), p.result(), seed_word(random), 1);
        ++tries;
        found += once.what == kind::wrong ? 1 : 0;
        if (once.what == kind::wrong) CHECK(once.row == at / p.m);
        REQUIRE(check_float_product(p.left(), p.right(), p.result(), seed_word(random), 40).what ==
                kind::wrong);
    }
    CHECK(found > tries / 2 - 50);
}

TEST_CASE("float_product: what is no product is named")
{
    rng random{3};
    auto p = made(random, 4, 5, 6);
    auto const check = [&] {
        return check_float_product(p.left(), p.right(), p.result(), hash256{});
    };
    CHECK(check().what == kind::fine);
    p.k = 4;
    CHECK(check().what == kind::shape);
    p.k = 5;
    p.c[7] = std::numeric_limits<float>::quiet_NaN();
    CHECK(check().what == kind::not_finite);
    CHECK(check().row == 1);
    p.c[7] = 1e30f;
    CHECK(check().what == kind::wrong);
    CHECK(check_float_product(p.left(), p.right(), p.result(), hash256{}, 1, 0.2).what ==
          kind::too_long);
    CHECK(check_float_product({}, {}, {}, hash256{}).what == kind::fine);
}
