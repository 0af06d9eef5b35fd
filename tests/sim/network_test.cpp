// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/network.hpp>

#include <algorithm>

#include <doctest/doctest.h>

using namespace blendr;

TEST_CASE("network: the table of places is nearly symmetric, and near is nearer than far")
{
    auto const n = sim::wan();
    for (std::uint32_t a = 0; a < 10; ++a)
        for (std::uint32_t b = 0; b < 10; ++b) {
            auto const there = n.between(a, b);
            auto const back = n.between(b, a);
            CHECK(std::max(there, back) - std::min(there, back) <= 2'000);  // as it was measured
            if (a != b) CHECK(n.between(a, b) > n.between(a, a));
        }
    CHECK(n.between(3, 13) == n.between(3, 3));  // validators beyond the table share regions
}
