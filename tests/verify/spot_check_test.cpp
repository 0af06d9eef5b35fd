// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/spot_check.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::verify;

TEST_CASE("spot_check: at the least rate skipping is a loss, one part below it is none" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int i = 0; i < 5000; ++i) {
        amount const cost{random() >> random.below(60)}, reward{random() >> random.below(60)},
            stake{random() >> random.below(60)};
        auto const rate = least_rate(cost, reward, stake);
        if (!rate) {
            CHECK(reward + stake <= cost);
            continue;
        }
        REQUIRE(*rate <= million);
        auto const at = of_skipping(cost, reward, stake, *rate);
        REQUIRE(at.has_value());
        CHECK_FALSE(at->pays);
        CHECK(at->size > amount{});
        auto const advised = advised_rate(cost, reward, stake);
        CHECK((advised >= rate && advised <= million));
        auto const below = of_skipping(cost, reward, stake, *rate - 1);
        CHECK((below->pays || below->size == amount{}));
    }
}

TEST_CASE("spot_check: when nothing is at risk no rate deters")
{
    CHECK_FALSE(least_rate(5_grains, 3_grains, 2_grains).has_value());
    CHECK_FALSE(least_rate(5_grains, amount::max(), amount::max()).has_value());
    CHECK(least_rate(1_grains, 1_grains, 1_grains) == 500'001u);
}
