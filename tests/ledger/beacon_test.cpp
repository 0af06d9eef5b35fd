// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/beacon.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <ledger/fixtures.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

TEST_CASE("beacon: follows from the last one and the proposer's key, and from nothing else")
{
    auto const key = crypto::vrf_secret_key::of(person(1).key()).self();
    auto const last = some_hash(1);
    header head{};
    REQUIRE(prove_beacon(head, last, key, person(1)));
    CHECK(check_beacon(head, last, key));
    CHECK(check_beacon(head, some_hash(2), key).error() == reject::wrong_beacon);
    CHECK(check_beacon(head, last, {}).error() == reject::wrong_beacon);
    auto other = head;
    other.beacon[0] ^= std::byte{1};
    CHECK(check_beacon(other, last, key).error() == reject::wrong_beacon);
    CHECK_FALSE(prove_beacon(head, last, key, person(2)));
    CHECK_FALSE(prove_beacon(head, last, key, {}));
}

TEST_CASE("beacon: without a published key it moves on by itself")
{
    header head{};
    REQUIRE(prove_beacon(head, some_hash(1), {}, {}));
    CHECK(check_beacon(head, some_hash(1), {}));
    CHECK(head.beacon != some_hash(1));
}
