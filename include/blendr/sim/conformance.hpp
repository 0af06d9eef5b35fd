// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <doctest/doctest.h>

#include <blendr/sim/battery.hpp>

/// The battery as doctest cases, for authors of engines. Needs doctest; nothing else here does.
namespace blendr::consensus {

/// To be called inside a TEST_CASE: each trial is a SUBCASE. A failure prints its seed and the
/// smallest scenario that still fails. Which trials there are follows from `E::promises`.
///
///     TEST_CASE("my_engine conforms") { blendr::consensus::conformance<my_engine>(); }
///
/// An engine that asks for work is tried with the simulator's: `conformance<nakamoto<sim::ideal_work>>()`.
template <engine E>
void conformance(typename E::config const& config = {}, sim::effort const& how = {})
{
    auto const engine = sim::kind_of<E>(config);
    for (auto const& t : sim::battery(engine)) DOCTEST_SUBCASE(t.name.c_str())
        {
            auto const failed = t.run(engine, how);
            DOCTEST_CHECK_MESSAGE(!failed, (failed ? sim::to_text(*failed) : ""));
        }
}

}  // namespace blendr::consensus
