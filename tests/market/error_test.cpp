// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/error.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <set>
#include <string_view>

using namespace blendr::market;

// Frozen: these numbers are in receipts.
static_assert(static_cast<int>(reject::zero_size) == 1);
static_assert(static_cast<int>(reject::expired) == 100);
static_assert(static_cast<int>(reject::not_owner) == 200);
static_assert(static_cast<int>(reject::unknown_order) == 300);

TEST_CASE("error: every refusal has a sentence of its own, and what is none says so")
{
    std::set<std::string_view> seen;
    for (std::uint16_t n = 0; n < 400; ++n) {
        auto const text = message(static_cast<reject>(n));
        if (text == "unknown reject code") continue;
        CHECK(seen.insert(text).second);
    }
    CHECK(seen.size() == 39);
    CHECK(message(static_cast<reject>(999)) == "unknown reject code");
}
