// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/standard_chain.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <algorithm>

using namespace blendr;

TEST_CASE("standard_chain: bank, bonds and the market are there, and their tables have forms")
{
    auto const kind = node::standard_chain();
    auto const tables = kind.forms->tables();
    for (auto const* each : {"ledger/purses", "ledger/validators", "bond/bonds"})
        CHECK(std::find(tables.begin(), tables.end(), each) != tables.end());
    CHECK(std::any_of(tables.begin(), tables.end(),
                      [](auto const& t) { return t.starts_with("market/"); }));
    for (auto const& each : tables) CHECK(kind.forms->row(each, {}));
}
