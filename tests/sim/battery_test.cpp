// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/battery.hpp>

#include <cstdio>

#include <doctest/doctest.h>

#include "mutants.hpp"

using namespace blendr;

TEST_CASE("battery: catches every mutant, and says after how many seeds" *
          doctest::test_suite("property"))
{
    for (auto const& m : test::mutants()) {
        sim::claims_to_be what{};
        what.seeds = 60;
        auto const f = sim::try_all(m, what);
        CHECK_MESSAGE(f.has_value(), m.name << " is not caught");
        if (!f) continue;
        std::printf("%-46s seeds %4llu  %s: %s\n", m.name.c_str(),
                    static_cast<unsigned long long>(f->seeds_run), f->trial.c_str(),
                    f->why.c_str());
    }
}
