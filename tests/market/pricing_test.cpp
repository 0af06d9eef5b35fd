// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/pricing.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::market;

TEST_CASE("pricing: the reference follows clearings, no further a block than its bound")
{
    reference_rules const rules{.move_max_bps = 200, .depth = quantity{1000}};
    reference_price r;
    r.follow({price{1000}, quantity{0}}, rules);
    CHECK(r.at == price{0});
    r.follow({price{1000}, quantity{5}}, rules);
    CHECK(r.at == price{1000});
    r.follow({price{1010}, quantity{1000}}, rules);
    CHECK(r.at == price{1005});  // half of the way
    r.follow({price{900'000}, quantity{1'000'000}}, rules);
    CHECK(r.at == price{1025});  // two per cent of 1005, rounded down
    r.follow({price{1}, quantity{1}}, rules);
    CHECK(r.at == price{1024});  // one unit moves a thousandth of the way
}

TEST_CASE("pricing: the reference reaches the price that keeps clearing, at any numbers")
{
    rng any{test::seed()};
    INFO("seed " << test::seed());
    for (int round = 0; round < 50; ++round) {
        reference_price r{price{1 + any.below(any.chance(1, 2) ? 50 : ~std::uint64_t{0} / 2)}};
        auto const low = r.at.get() / 2 + 1;
        clearing const c{price{low + any.below(r.at.get())}, quantity{200'000}};
        for (int i = 0; i < 5000 && r.at != c.at; ++i) {
            auto const before = r.at.get();
            r.follow(c, {});
            auto const moved = r.at.get() > before ? r.at.get() - before : before - r.at.get();
            REQUIRE(moved <= std::max<std::uint64_t>(before / 50, 1));
            REQUIRE((r.at.get() > before) == (c.at.get() > before));
        }
        CHECK(r.at == c.at);
    }
}

TEST_CASE("pricing: a quote curve joins its points by lines and rounds the seller's way")
{
    auto const curve = *quote_curve::make({{1000, 8000}, {5000, 10'000}, {9000, 30'000}});
    CHECK(curve.quote(price{1000}, 0) == price{800});
    CHECK(curve.quote(price{1000}, 3000) == price{900});
    CHECK(curve.quote(price{1000}, 7000) == price{2000});
    CHECK(curve.quote(price{1000}, 10'000) == price{3000});
    CHECK(curve.quote(price{1}, 0) == price{1});
    CHECK(curve.quote(price{0}, 0) == price{1});
    CHECK(curve.quote(price::max(), 10'000) == price::max());
    auto const falling = *quote_curve::make({{0, 20'000}, {10'000, 10'000}});
    CHECK(falling.quote(price{100}, 5000) == price{150});
}

TEST_CASE("pricing: a curve without points, out of order or without measure is refused")
{
    CHECK_FALSE(quote_curve::make({}));
    CHECK_FALSE(quote_curve::make({{5, 1}, {5, 2}}));
    CHECK_FALSE(quote_curve::make({{10'001, 1}}));
    CHECK_FALSE(quote_curve::make({{0, 0}}));
    CHECK_FALSE(quote_curve::make({{0, 1'000'001}}));
    CHECK_FALSE(quote_curve::make(std::vector<quote_curve::point>(17)));
}
