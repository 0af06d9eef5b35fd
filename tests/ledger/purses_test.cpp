// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/purses.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;
using namespace blendr::ledger;

namespace {
struct stranger {
    using tables = type_list<>;
};
}  // namespace

TEST_CASE("purses: a contract may look, take and give, but not write nonce or balance")
{
    static_assert(may_use<stranger, purses, mode::read>());
    static_assert(may_use<stranger, purses, mode::debit>());
    static_assert(may_use<stranger, purses, mode::credit>());
    static_assert(!may_use<stranger, purses, mode::write>());
    static_assert(!may_use<stranger, purses, mode::post>());
    static_assert(holds_money<purses> && quantified<purses>);
    purses::row const mine{7_blnd, 3};
    CHECK(purses::holds(mine) == 7_blnd);
    CHECK(decode<purses::row>(encode(mine)).value() == mine);
}
