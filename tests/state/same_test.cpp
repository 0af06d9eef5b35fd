// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/same.hpp>  // first: it stands alone

#include <boost/describe/class.hpp>

#include <doctest/doctest.h>

namespace {
struct bare {
    int a{};
    int b{};
};
BOOST_DESCRIBE_STRUCT(bare, (), (a, b))
}  // namespace

TEST_CASE("same: described members are compared where a struct has no ==")
{
    using blendr::state::same;
    CHECK(same(bare{1, 2}, bare{1, 2}));
    CHECK_FALSE(same(bare{1, 2}, bare{1, 3}));
    CHECK(same(5, 5));
}
