// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/branching.hpp>

#include <doctest/doctest.h>

#include <blendr/consensus/authority.hpp>
#include <blendr/sim/ideal.hpp>

using namespace blendr;
using namespace blendr::consensus;

TEST_CASE("branching: blocks without parents and answers to strangers are kept up to a bound")
{
    authority e{{}, sim::ideal_identity(0), 1};
    started s{};
    membership set{height{1}, 1, {{sim::ideal_identity(1).self, weight{1}}}, {}};
    auto second = set;
    second.from = height{2};
    s.from.sets = {set, second};
    effects out{};
    consensus::clock const now{time_ms{0}, time_ms{10'000'000}};
    e.step(s, now, out);
    for (std::uint32_t i = 0; i < 6'000; ++i) {
        auto const who = sim::ideal_identity(i).self;
        block const body{{{std::byte{9}, static_cast<std::byte>(i)},
                          height{2 + i % 4},
                          time_ms{1'000 * (i + 1)},
                          sim::ideal_identity(1).self},
                         {}};
        auto const raw = encode(branch_message{sealed_block{body, encode(slot_seal{i + 1, {}})}});
        e.step(received{who, raw, true}, now, out);
        e.step(received{who, encode(branch_message{branch_ask{}}), true}, now, out);
        out.clear();
    }
    CHECK(e.held() <= authority::orphans_max + authority::peers_max);
}
