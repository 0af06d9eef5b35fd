// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/byzantine.hpp>

#include <doctest/doctest.h>

using namespace blendr;

#include <blendr/consensus/simplex.hpp>
#include <blendr/sim/ideal.hpp>

TEST_CASE("byzantine: a silent node hears and never speaks")
{
    auto const kind = sim::kind_of<consensus::simplex>();
    auto const me = sim::ideal_identity(0);
    auto const node = sim::misbehave(sim::role::silent, kind, me, 1);
    consensus::started s{};
    s.from.sets = {{height{1}, 1, {{me.self, weight{1}}}, {}},
                   {height{2}, 1, {{me.self, weight{1}}}, {}}};
    consensus::effects out{};
    node->step(s, {}, out);
    for (int i = 0; i < 20; ++i) node->step(consensus::timer_fired{0}, {}, out);
    CHECK(!out.empty());
    for (auto const& e : out) {
        CHECK(!std::holds_alternative<consensus::broadcast>(e));
        CHECK(!std::holds_alternative<consensus::send>(e));
    }
}
