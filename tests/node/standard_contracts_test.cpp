// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/standard_contracts.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/ledger/message_json.hpp>

using namespace blendr;

TEST_CASE("standard_contracts: every message of theirs can be written on a command line")
{
    using registry = node::of_standard_contracts<ledger::registry>;
    auto const usage = ledger::message_forms<registry>::usage();
    CHECK(usage.size() == registry::message_count);
    CHECK(usage.front() == "bank.transfer --to <to> --value <value>");
}
