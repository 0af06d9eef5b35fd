// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/programs.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/work/app.hpp>

#include "job_town.hpp"

using namespace blendr;

namespace {

struct one_unit {
    bytes packed{};
    bytes result{};
};
one_unit first_unit(std::uint32_t units)
{
    auto const what = test::small_picture(units);
    auto const task = work::find_app("render")->make(what.what, {}).value();
    auto const stage = *task->next({}).value();
    auto const device = work::make_native_device(1);
    return {work::pack(stage.units[0]),
            work::find_app("render")->run(stage.units[0], {*device}).value()};
}

}  // namespace

TEST_CASE("programs: what a referee recomputes step by step is what a device makes at once")
{
    auto const one = first_unit(1);
    auto const* const entry = node::programs::steps().find(node::program_of("render"));
    REQUIRE(entry != nullptr);
    auto const steps = node::steps_of("render", one.packed);
    REQUIRE(steps > 1);
    auto state = node::state_after("render", one.packed, one.result, 0);
    CHECK(verify::hash_of_state(state) == node::hash_before(one.packed));
    for (std::uint64_t i = 0; i < steps; ++i) {
        REQUIRE(state == node::state_after("render", one.packed, one.result, i));
        REQUIRE(state.size() <= entry->state_max);
        state = entry->run(i, state);
    }
    CHECK(verify::hash_of_state(state) == node::hash_after(one.packed, one.result));
    CHECK(entry->run(steps, state) == state);  // units of one job may have fewer steps than others
    CHECK(node::state_after("render", one.packed, one.result, steps + 5) == state);
}

TEST_CASE("programs: a state that no run goes through stays as it is")
{
    auto const one = first_unit(1);
    auto const* const entry = node::programs::steps().find(node::program_of("render"));
    for (auto const& bad :
         {bytes{}, bytes(100, std::byte{7}), encode(node::run_state{{}, {}}),
          encode(node::run_state{one.packed, bytes(1)}), encode(node::run_state{one.result, {}})})
        for (std::uint64_t const number : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}})
            CHECK(entry->run(number, bad) == bad);
}

TEST_CASE(
    "programs: a workload has a name on the chain, and what cannot be recomputed has no steps")
{
    CHECK(node::app_of(node::program_of("render")) == "render");
    CHECK(node::app_of(hash256{}).empty());
    CHECK(node::steps_of("render", {}) == 0);
    CHECK(node::steps_of("nobody's", first_unit(1).packed) == 0);
}
