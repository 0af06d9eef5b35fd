// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/ideal.hpp>

#include <doctest/doctest.h>

using namespace blendr;

TEST_CASE("ideal: a mark holds for its key and digest only")
{
    crypto::domain const about{"test/1"};
    auto const a = sim::ideal_identity(1);
    auto const by = a.sign(about, as_bytes("hello"));
    CHECK(sim::ideal_holds(a.self, crypto::hash(about, as_bytes("hello")), by));
    CHECK(!sim::ideal_holds(a.self, crypto::hash(about, as_bytes("hullo")), by));
    CHECK(
        !sim::ideal_holds(sim::ideal_identity(2).self, crypto::hash(about, as_bytes("hello")), by));
    CHECK(sim::ideal_work{}({}, {}, sim::ideal_seal({}, {})));
    CHECK(!sim::ideal_work{}({std::byte{1}}, {}, sim::ideal_seal({}, {})));
}
