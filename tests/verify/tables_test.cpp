// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/tables.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::verify;

TEST_CASE("tables: a ruling says who loses, and silence of both costs both")
{
    auto const loses = [](ruling how) {
        ruled const r{{}, {}, {}, {}, how};
        return (r.asserter_loses() ? 1 : 0) + (r.challenger_loses() ? 2 : 0);
    };
    CHECK(loses(ruling::asserter_wrong) == 1);
    CHECK(loses(ruling::asserter_silent) == 1);
    CHECK(loses(ruling::challenger_wrong) == 2);
    CHECK(loses(ruling::challenger_silent) == 2);
    CHECK(loses(ruling::both_wrong) == 3);
    CHECK(loses(ruling::both_silent) == 3);
}

TEST_CASE("tables: all the money of checks is seen")
{
    rounds::row round{};
    round.pot = amount{3};
    products::row product{};
    product.pot = amount{4};
    disputes::row dispute{};
    dispute.stake = amount{5};
    CHECK(rounds::holds(round) == amount{3});
    CHECK(products::holds(product) == amount{4});
    CHECK(disputes::holds(dispute) == amount{5});
}
