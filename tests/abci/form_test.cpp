// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/form.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "fixtures.hpp"

using namespace blendr;
using namespace blendr::abci;
using namespace blendr::abci::test;

TEST_CASE("form: a tally's payload splits into its transactions and joins again")
{
    using shape = form<app::tally>;
    bytes payload = number(5);
    auto const six = number(6);
    payload.insert(payload.end(), six.begin(), six.end());
    auto const parts = shape::split(payload);
    REQUIRE(parts);
    CHECK(parts->head.empty());
    REQUIRE(parts->txs.size() == 2);
    CHECK(shape::join(parts->head, parts->txs) == payload);
    payload.pop_back();
    CHECK(!shape::split(payload));
    CHECK(!shape::join(as_bytes("head"), parts->txs));
    auto const five = number(5);
    CHECK(!shape::join({}, {bytes_view{five}.first(7)}));
}

TEST_CASE("form: the first entry has one encoding")
{
    auto const raw = encode(lead{person(1).self(), to_bytes("head")});
    CHECK(to_hex(bytes_view{raw}.first(2)) == "0120");
    CHECK(to_hex(bytes_view{raw}.last(5)) == "0468656164");
    auto const back = decode<lead>(raw);
    REQUIRE(back);
    CHECK(*back == lead{person(1).self(), to_bytes("head")});
}
