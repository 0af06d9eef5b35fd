// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/agreement.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr::escrow;

static_assert(next(phase::open, event::fund)->to == phase::funded);
static_assert(!next(phase::open, event::start));
static_assert(!next(phase::settled, event::deadline));
static_assert(next(unit_state::delivered, unit_event::accept) == unit_state::paid);
static_assert(!next(unit_state::paid, unit_event::give_back));

TEST_CASE(
    "agreement: only a proof costs the whole bond, and only the provider's own doing costs any")
{
    for (auto const& each : transitions) {
        CHECK((each.blame == fault::wrong) == (each.on == event::convict));
        if (each.on == event::cancel || each.on == event::run_dry || each.on == event::expire)
            CHECK(each.blame == fault::none);
    }
}

TEST_CASE(
    "agreement: every phase and unit state is reached, and every end from every phase is near")
{
    for (int p = static_cast<int>(phase::funded); p <= static_cast<int>(phase::slashed); ++p) {
        bool reached = false;
        for (auto const& each : transitions)
            reached = reached || (each.to == static_cast<phase>(p) && each.from != each.to);
        CHECK(reached);
    }
    for (int u = static_cast<int>(unit_state::assigned); u <= static_cast<int>(unit_state::dropped);
         ++u) {
        bool reached = false;
        for (auto const& each : unit_transitions)
            reached = reached || each.to == static_cast<unit_state>(u);
        CHECK(reached);
    }
}
