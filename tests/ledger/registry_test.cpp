// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/registry.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/ledger/bank.hpp>

using namespace blendr;
using namespace blendr::ledger;

namespace {
using two = registry<bank>;
}

TEST_CASE("registry: messages have frozen numbers and names")
{
    CHECK(two::index_of(frozen_number{1, 0}) == two::message_index<bank::transfer>);
    CHECK(two::index_of(frozen_number{1, 1}) == two::message_index<bank::multi_send>);
    CHECK(two::index_of(frozen_number{1, 2}) == two::message_count);
    CHECK(two::index_of("bank", "transfer") == 0);
    CHECK(two::index_of("bank", "multi_send") == 1);
    CHECK(two::index_of("bank", "borrow") == two::message_count);
}

TEST_CASE("registry: a row is known by contract, table and key, for ever")
{
    hash256 raw{};
    raw[0] = std::byte{0xaa};
    CHECK(to_hex(state_key<base, purses>(address{raw})) ==
          "00000000aa00000000000000000000000000000000000000000000000000000000000000");
    CHECK(to_hex(state_key<base, facts>(0)) == "0000000200");
}
