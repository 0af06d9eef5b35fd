// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/message.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/ledger/bank.hpp>

using namespace blendr;
using namespace blendr::ledger;

TEST_CASE("message: wrapped, it bears its contract's number, its own and its encoding")
{
    bank::transfer const sent{crypto::address_of("test", as_bytes("bob")), 3_blnd};
    auto const wire = wrap<bank>(sent);
    CHECK(wire.contract == bank::id);
    CHECK(wire.index == 0);
    CHECK(static_cast<bytes const&>(wire.body) == encode(sent));
    CHECK(wrap<bank>(bank::multi_send{}).index == 1);
    using chain = registry<bank>;
    CHECK(chain::index_of({wire.contract, wire.index}) == chain::message_index<bank::transfer>);
}
