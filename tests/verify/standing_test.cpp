// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/standing.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr::verify;

TEST_CASE("standing: newcomers are always replicated, nobody never is, and one fault starts anew")
{
    replication const rule{};
    standing who{};
    std::uint32_t last = million;
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        auto const rate = replication_rate(who, rule);
        if (i < rule.probation) CHECK(rate == million);
        CHECK(rate <= last);
        CHECK(rate >= rule.least);
        last = rate;
        who = after(who, true);
    }
    CHECK(last == rule.least);
    who = after(who, false);
    CHECK(who == standing{0, 10'000, 1});
    CHECK(replication_rate(who, rule) == million);
    CHECK(replication_rate(who, {0, 0, 0}) == million);  // a rule of nothing trusts nobody at first
}

TEST_CASE("standing: credibility grows with what was proven and is bounded")
{
    CHECK(credibility({}) == 2);
    CHECK(credibility({30, 30, 0}) == 9);
    CHECK(credibility({4'000'000'000, 0, 0}) == 999);
}
