// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/comparator.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <limits>

using namespace blendr::verify;

static_assert(agree(5, 5, {}));
static_assert(!agree(5, 6, {}));
static_assert(agree(5, 6, {1, 0}));
static_assert(agree(1'000'000, 999'000, {0, 1000}));
static_assert(!agree(1'000'000, 998'999, {0, 1000}));
static_assert(agree(-1'000'000, -999'000, {0, 1000}));
static_assert(!agree(std::numeric_limits<std::int64_t>::min(),
                     std::numeric_limits<std::int64_t>::max(), {0, 1'000'000}));
static_assert(agree(std::numeric_limits<std::int64_t>::min(),
                    std::numeric_limits<std::int64_t>::max(),
                    {std::numeric_limits<std::uint64_t>::max(), 0}));

TEST_CASE("comparator: summaries agree value by value, and only when they are as long")
{
    std::vector<std::int64_t> const a{1, 2, 3}, b{1, 2, 4}, shorter{1, 2};
    CHECK(agree(a, a, {}));
    CHECK_FALSE(agree(a, b, {}));
    CHECK(agree(a, b, {1, 0}));
    CHECK(agree(b, a, {1, 0}));
    CHECK_FALSE(agree(a, shorter, {100, 0}));
}
