// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/any_engine.hpp>

#include <doctest/doctest.h>

using namespace blendr;

#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/solo.hpp>

TEST_CASE("any_engine: a kind knows an engine's name and ballots")
{
    auto const h = sim::kind_of<consensus::hotstuff2>();
    CHECK(h.name == "hotstuff2");
    CHECK(h.kinds == 3);
    CHECK(bool{h.statement_in != nullptr});
    auto const s = sim::kind_of<consensus::solo>({}, "mine");
    CHECK(s.name == "mine");
    CHECK(bool{s.statement_in == nullptr});
}
