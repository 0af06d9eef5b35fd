// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/forecast.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <array>
#include <cmath>

#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::market;

TEST_CASE("forecast: a price that does not move is expected to stay")
{
    forecast f{24};
    CHECK(f.ahead(1) == price{0});
    for (int i = 0; i < 100; ++i) f.observe(price{500});
    CHECK(f.ahead(1) == price{500});
    CHECK(f.ahead(1000) == price{500});
}

TEST_CASE("forecast: a day that repeats is learnt, each hour at its place")
{
    forecast f{24};
    auto const day = [](std::size_t h) { return price{1000 + (h % 24) * 10}; };
    for (std::size_t h = 0; h < 24 * 10; ++h) f.observe(day(h));
    for (std::size_t k = 1; k <= 48; ++k) {
        auto const got = f.ahead(k).get(), wanted = day(24 * 10 + k - 1).get();
        CHECK((got > wanted ? got - wanted : wanted - got) <= 2);
    }
}

TEST_CASE("forecast: on noisy days with a drift it errs less than the last price seen")
{
    rng any{test::seed()};
    forecast f{24};
    double ours = 0, last_seen = 0;
    std::uint64_t last = 0;
    for (std::size_t h = 0; h < 24 * 60; ++h) {
        auto const wave = 200.0 * std::sin(static_cast<double>(h % 24) / 24.0 * 6.2831853);
        auto const x = static_cast<std::uint64_t>(1000.0 + wave + static_cast<double>(h) / 10.0) +
                       any.below(60);
        if (h > 24 * 7) {
            ours += std::abs(static_cast<double>(f.ahead(1).get()) - static_cast<double>(x));
            last_seen += std::abs(static_cast<double>(last) - static_cast<double>(x));
        }
        f.observe(price{x});
        last = x;
    }
    CHECK(ours < 0.7 * last_seen);
}

TEST_CASE("forecast: falling prices end at zero, huge ones within the type")
{
    forecast f{1};
    for (std::uint64_t p = 1000; p > 0; p -= 100) f.observe(price{p});
    CHECK(f.ahead(10'000) < price{1000});
    forecast g{2};
    for (int i = 0; i < 10; ++i) g.observe(price::max());
    CHECK(g.ahead(5) > price{1});
}
