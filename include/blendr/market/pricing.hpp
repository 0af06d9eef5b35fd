// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/market/auction.hpp>
#include <blendr/market/error.hpp>

namespace blendr::market {

/// Hundredths of a percent.
inline constexpr std::uint64_t bps = 10'000;

struct reference_rules {
    std::uint64_t move_max_bps = 200;  ///< at most so much a block, of the price before
    quantity depth{100'000};           ///< a volume as large as this moves half of the way
};

/// The price that everything else goes by: it follows the clearings of its class, a bounded step a
/// block. One trade of one unit at a wild price moves it next to nothing, and however much is traded
/// it moves no further than the bound. Integers only; the same on every node.
struct reference_price {
    price at{};

    /// The first clearing sets it. A move that rounds to nothing is one grain when the volume is at
    /// least `depth`, so that it cannot get stuck.
    constexpr void follow(clearing const& c, reference_rules const& rules) noexcept
    {
        if (c.volume == quantity{0}) return;
        if (at == price{0}) {
            at = c.at;
            return;
        }
        bool const up = c.at > at;
        auto const gap = up ? c.at.get() - at.get() : at.get() - c.at.get();
        auto const weight = u128{c.volume.get()} + rules.depth.get();
        auto const wish = static_cast<std::uint64_t>(u128{gap} * c.volume.get() / weight);
        auto const most = static_cast<std::uint64_t>(u128{at.get()} * rules.move_max_bps / bps);
        bool const heavy = c.volume >= rules.depth && gap != 0;
        auto const least = std::uint64_t{heavy ? 1u : 0u};
        auto const step = std::max(std::min(wish, most), least);
        at = price{up ? at.get() + step : at.get() - step};
    }

    friend constexpr bool operator==(reference_price, reference_price) = default;
};

/// A price as a multiple of the reference, by how busy the provider is: points joined by lines, flat
/// before the first and after the last.
class quote_curve {
public:
    static constexpr std::size_t points_max = 16;
    static constexpr std::uint64_t factor_max_bps = 100 * bps;

    struct point {
        std::uint64_t busy_bps{};    ///< share of its units that are sold, 0 to 10 000
        std::uint64_t factor_bps{};  ///< of the reference price
        friend bool operator==(point const&, point const&) = default;
    };

    /// Refuses with bad_configuration no points or too many, points out of order, and factors of
    /// zero or above a hundredfold.
    static result<quote_curve, reject> make(std::vector<point> points)
    {
        bool good = !points.empty() && points.size() <= points_max;
        for (std::size_t i = 0; good && i < points.size(); ++i)
            good = points[i].busy_bps <= bps && points[i].factor_bps > 0 &&
                   points[i].factor_bps <= factor_max_bps &&
                   (i == 0 || points[i - 1].busy_bps < points[i].busy_bps);
        if (!good) return fail{reject::bad_configuration};
        return quote_curve{std::move(points)};
    }

    /// The ask for the next unit. Never below one grain; rounded up, the seller's way.
    price quote(price reference, std::uint64_t busy_bps) const noexcept
    {
        auto const grains = mul_div(reference.get(), factor(busy_bps), bps, rounding::up);
        auto const top = price::max().get();
        return price{grains && *grains < top
                         ? std::max<std::uint64_t>(static_cast<std::uint64_t>(*grains), 1)
                         : top};
    }

    std::uint64_t factor(std::uint64_t busy_bps) const noexcept
    {
        auto const above = std::find_if(points_.begin(), points_.end(),
                                        [&](point const& p) { return p.busy_bps >= busy_bps; });
        if (above == points_.begin()) return points_.front().factor_bps;
        if (above == points_.end()) return points_.back().factor_bps;
        auto const& a = *(above - 1);
        auto const& b = *above;
        auto const run = b.busy_bps - a.busy_bps, into = busy_bps - a.busy_bps;
        return b.factor_bps >= a.factor_bps
                   ? a.factor_bps + (b.factor_bps - a.factor_bps) * into / run
                   : a.factor_bps - (a.factor_bps - b.factor_bps) * into / run;
    }

private:
    explicit quote_curve(std::vector<point> points) : points_{std::move(points)} {}
    std::vector<point> points_;
};

BOOST_DESCRIBE_STRUCT(reference_price, (), (at))
BOOST_DESCRIBE_STRUCT(quote_curve::point, (), (busy_bps, factor_bps))

}  // namespace blendr::market
