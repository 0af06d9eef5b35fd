// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/genesis.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <ledger/fixtures.hpp>
#include <support/vectors.hpp>

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

TEST_CASE("genesis: its encoding is frozen")
{
    genesis document{};
    document.chain = chain_id{7};
    document.begins = time_ms{1'700'000'000'000};
    document.accounts.push_back({person(2).account(), 5_blnd});
    document.validators.push_back(
        {person(0).self(), weight{10}, crypto::vrf_secret_key::of(person(0).key()).self()});
    document.validators.push_back({person(1).self(), weight{5}, {}});
    document.sections.push_back({"bond", to_bytes(as_bytes("a document"))});
    CHECK(blendr::test::differs_from_frozen("ledger/genesis.txt", {{"defaults", encode(genesis{})},
                                                                   {"some", encode(document)}}) ==
          "");
}
