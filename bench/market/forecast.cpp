// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <cmath>

#include <blendr/core/random.hpp>
#include <blendr/market/forecast.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::market;

/// A year of hourly prices: days, weeks, a drift, noise, now and then a jump.
suite const backtest{
    "market/forecast", [](run& out) {
        if (!out.wants("market/forecast/backtest")) return;
        rng any{9};
        forecast f{24};
        double ours = 0, last_seen = 0, level = 10'000;
        std::uint64_t last = 0;
        std::size_t const hours = 24 * 365;
        for (std::size_t h = 0; h < hours; ++h) {
            if (any.below(24 * 30) == 0)
                level *= 0.85 + 0.3 * static_cast<double>(any.below(100)) / 100;
            level *= 1 + (static_cast<double>(any.below(201)) - 100) / 50'000;
            auto const day = 0.15 * std::sin(static_cast<double>(h % 24) / 24 * 6.2831853);
            auto const week = h / 24 % 7 >= 5 ? -0.05 : 0.0;
            auto const noise = (static_cast<double>(any.below(201)) - 100) / 5'000;
            auto const x = level * (1 + day + week + noise);
            if (h > 24 * 14) {
                ours += std::abs(static_cast<double>(f.ahead(1).get()) - x) / x;
                last_seen += std::abs(static_cast<double>(last) - x) / x;
            }
            f.observe(price{static_cast<std::uint64_t>(x)});
            last = static_cast<std::uint64_t>(x);
        }
        auto const n = static_cast<double>(hours - 24 * 14);
        // The yardstick expects the last price seen. Below 1 is better.
        out.report("market/forecast/backtest/error", 100 * ours / n, "%", ours / last_seen);
    }};

}  // namespace
