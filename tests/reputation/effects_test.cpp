// SPDX-License-Identifier: Apache-2.0
#include <blendr/reputation/effects.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::reputation;

TEST_CASE("effects: each is monotone in the score and bounded")
{
    for (std::uint32_t s = 0; s < score_max; ++s) {
        REQUIRE(rank_handicap(s) >= rank_handicap(s + 1));
        REQUIRE(bond_share(s) > bond_share(s + 1));
        REQUIRE(replication_share(s) > replication_share(s + 1));
        REQUIRE(reward_share(s) < reward_share(s + 1));
    }
    CHECK(rank_handicap(0) == 200);
    CHECK(rank_handicap(score_max) == 0);
    CHECK(bond_share(0) == 20'000);
    CHECK(bond_share(score_max) == 5'000);
    CHECK(replication_share(score_max) == 5'000);
    CHECK(reward_share(score_max) == 12'000);
    CHECK(bond_share(5'000) == bond_share(score_max));
    CHECK(rank_price(amount{10'000}, 0) == amount{10'200});
    CHECK(rank_price(amount{10'000}, score_max) == amount{10'000});
    CHECK(rank_price(amount::max(), 0) == amount::max());
}
