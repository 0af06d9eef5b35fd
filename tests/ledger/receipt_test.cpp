// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/receipt.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "support/vectors.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

TEST_CASE("receipt: every field is in its leaf")
{
    receipt const r{some_hash(1), 65537, gas{500}, amount{4510}, to_bytes(as_bytes("order 7"))};
    auto const raw = encode(r);
    CHECK(decode<receipt>(raw) == r);
    for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
        auto bad = raw;
        bad[bit / 8] ^= std::byte{1} << (bit % 8);
        if (auto const other = decode<receipt>(bad)) CHECK(leaf_of(*other) != leaf_of(r));
    }
}

TEST_CASE("receipt: frozen vectors")
{
    receipt const r{some_hash(1), 65537, gas{500}, amount{4510}, to_bytes(as_bytes("order 7"))};
    CHECK(blendr::test::differs_from_frozen(
              "ledger/receipt.txt", {{"receipt", encode(r)}, {"leaf", to_bytes(leaf_of(r))}}) ==
          "");
}
