// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/engine.hpp>

#include <doctest/doctest.h>

#include <blendr/consensus.hpp>

using namespace blendr;
using namespace blendr::consensus;

static_assert(engine<solo> && engine<authority> && engine<nakamoto<>> && engine<simplex> &&
              engine<hotstuff2>);

TEST_CASE("engine: a decision has one encoding, with a certificate or a depth")
{
    decide d{};
    d.blocks.push_back({{std::byte{1}}, {}, to_bytes("payload")});
    d.why = depth{3, {to_bytes("seal")}};
    CHECK(decode<decide>(encode(d)) == d);
    d.why = to_bytes("certificate");
    CHECK(decode<decide>(encode(d)) == d);
}
