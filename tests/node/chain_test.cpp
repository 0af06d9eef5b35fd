// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/chain.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <type_traits>

using namespace blendr;

TEST_CASE("chain: a node drives it through the wall alone, and whoever may only look gets the "
          "lesser half" *
          doctest::test_suite("unit"))
{
    static_assert(std::is_base_of_v<node::chain_view, node::chain>);
    static_assert(!std::is_copy_constructible_v<node::chain_kind> ||
                  std::is_abstract_v<node::chain>);
    CHECK(node::chain_setup{}.store == nullptr);  // in memory unless told otherwise
}
