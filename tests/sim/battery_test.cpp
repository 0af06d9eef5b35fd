// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/battery.hpp>

#include <algorithm>
#include <cstdio>

#include <doctest/doctest.h>

#include "mutants.hpp"

using namespace blendr;

namespace {

/// In the world that shows the bug, the engine without it breaks nothing.
void check_sound(test::mutant const& m, sim::failure const& f)
{
    auto const sound = m.engine.name.starts_with("simplex") ? sim::kind_of<consensus::simplex>()
                                                            : sim::kind_of<consensus::hotstuff2>();
    auto const r = sim::run(sound, f.smallest, sim::options_of(sound));
    CHECK_MESSAGE(!r.violation, m.engine.name << ": so does the engine without the bug, "
                                              << r.violation.value_or(""));
}

}  // namespace

TEST_CASE("battery: catches every mutant" * doctest::test_suite("property"))
{
    for (auto const& m : test::mutants()) {
        sim::effort how{};
        how.seeds = 10;
        how.seed_first = m.seed;
        how.shrink_tries = 0;
        auto const all = sim::battery(m.engine);
        auto const t = std::ranges::find(all, m.trial, &sim::trial::name);
        REQUIRE(t != all.end());
        auto const f = t->run(m.engine, how);
        CHECK_MESSAGE(f.has_value(), m.engine.name << " is not caught");
        if (f) check_sound(m, *f);
    }
}

TEST_CASE("battery: catches every mutant from the first seed on, says when, and makes it small" *
          doctest::test_suite("slow"))
{
    sim::effort how{};
    how.seeds = 60;
    how.shrink_tries = 80;
    for (auto const& m : test::mutants()) {
        auto const f = sim::try_all(m.engine, how);
        CHECK_MESSAGE(f.has_value(), m.engine.name << " is not caught");
        if (!f) continue;
        std::printf("%-46s seeds %4llu  %s: %s\n", m.engine.name.c_str(),
                    static_cast<unsigned long long>(f->seeds_run), f->trial.c_str(),
                    f->why.c_str());
        check_sound(m, *f);
    }
}
