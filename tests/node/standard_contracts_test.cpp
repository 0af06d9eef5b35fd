// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/standard_contracts.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <boost/mp11/list.hpp>

#include <blendr/ledger/registry.hpp>

using namespace blendr;

namespace {
template <class... Cs>
struct ids {
    static constexpr std::array<std::uint16_t, sizeof...(Cs)> list{Cs::id...};
};
}  // namespace

TEST_CASE("standard_contracts: numbers are those that stand in receipts, and none is there twice")
{
    using all = node::of_standard_contracts<ids>;
    CHECK(all::list == std::array<std::uint16_t, 9>{1, 2, 3, 5, 6, 8, 4, 7, 9});
    // `registry` refuses a number, a table or a message that two contracts share
    CHECK(node::of_standard_contracts<ledger::registry>::message_count > 40);
}
