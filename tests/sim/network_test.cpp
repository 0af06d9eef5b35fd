// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/network.hpp>

#include <doctest/doctest.h>

using namespace blendr;

TEST_CASE("network: the table of regions is symmetric and near is nearer than far")
{
    auto const n = sim::wan();
    for (std::uint32_t a = 0; a < 10; ++a)
        for (std::uint32_t b = 0; b < 10; ++b) {
            CHECK(n.between(a, b) == n.between(b, a));
            if (a != b) CHECK(n.between(a, b) > n.between(a, a));
        }
    CHECK(n.between(3, 13) == n.between(3, 3));  // validators beyond the table share regions
}
