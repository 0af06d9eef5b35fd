// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/genesis.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <ledger/fixtures.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

TEST_CASE("genesis: goes through its encoding, and says what cannot work")
{
    genesis document{};
    document.validators.push_back({person(1).self(), weight{1}, {}});
    CHECK(check(document));
    CHECK(encode(read_genesis(encode(document)).value()) == encode(document));
    CHECK(read_genesis({}).error() == reject::malformed_genesis);
    document.validators[0].power = weight{};
    CHECK(check(document).error() == reject::malformed_genesis);
    document.validators.clear();
    CHECK(check(document).error() == reject::no_validators);
}
