// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include <blendr/core/amount.hpp>
#include <blendr/core/assert.hpp>

namespace blendr::market {

/// Tells a provider what prices to expect, from what it has seen: exponential smoothing of level,
/// trend and season (additive). Off-chain only: it uses floating point, and no ledger may.
class forecast {
public:
    struct weights {
        double level = 0.2;  ///< how fast it forgets; each between 0 and 1
        double trend = 0.01;
        double season = 0.2;
        double damping = 0.98;  ///< a trend fades by this much a step
    };

    /// `season` observations repeat: 24 for hourly prices with days. 1 means no season.
    explicit forecast(std::size_t season) : forecast(season, weights{}) {}
    forecast(std::size_t season, weights w) : weights_{w}, season_(season, 0.0)
    {
        BLENDR_ASSERT(season > 0);
    }

    void observe(price seen)
    {
        auto const x = static_cast<double>(seen.get());
        if (count_ < season_.size()) {  // the first season is the starting point
            season_[count_] = x;
            level_ += (x - level_) / static_cast<double>(count_ + 1);
            if (++count_ == season_.size())
                for (auto& s : season_) s -= level_;
            return;
        }
        auto& s = season_[count_ % season_.size()];
        auto const expected = level_ + weights_.damping * trend_;
        auto const level = weights_.level * (x - s) + (1 - weights_.level) * expected;
        trend_ =
            weights_.trend * (level - level_) + (1 - weights_.trend) * weights_.damping * trend_;
        level_ = level;
        s = weights_.season * (x - level_) + (1 - weights_.season) * s;
        ++count_;
    }

    /// What to expect so many observations from now; 1 is the next one. Zero before anything was
    /// seen, and never below zero.
    price ahead(std::size_t steps) const
    {
        BLENDR_ASSERT(steps > 0);
        if (count_ == 0) return price{0};
        auto value = level_;
        if (count_ >= season_.size()) {
            double fading = 1, sum = 0;
            for (std::size_t i = 0; i < steps && fading > 1e-6; ++i)
                sum += fading *= weights_.damping;
            value += sum * trend_ + season_[(count_ + steps - 1) % season_.size()];
        }
        constexpr double most = 9e18;
        if (!(value > 0)) return price{0};
        return price{static_cast<std::uint64_t>(value < most ? value + 0.5 : most)};
    }

    std::size_t observed() const noexcept { return count_; }

private:
    weights weights_;
    double level_{0}, trend_{0};
    std::vector<double> season_;
    std::size_t count_{0};
};

}  // namespace blendr::market
