// SPDX-License-Identifier: Apache-2.0
// What hardened programs do, executed by an interpreter that throws where SPIR-V defines nothing.
#include <blendr/compute/admission.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>

#include "generator.hpp"
#include "interpreted.hpp"
#include "kernels.hpp"

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;

namespace {

using memory = interpreter::memory;

bytes hardened(std::string const& name, std::uint32_t budget = 10'000)
{
    auto under = roomy(profile::exact);
    under.loop_budget = budget;
    return admit(kernel(name), under).value().code;
}

constexpr auto bit(trap t) { return static_cast<std::uint32_t>(t); }

std::vector<std::string> integer_kernels()
{
    std::vector<std::string> names;
    for (auto const* const name :
         {"add", "matmul", "reduce", "spin", "wild", "divide", "calls", "fixed"})
        for (auto const* const ending : {"", ".opt"}) names.push_back(std::string{name} + ending);
    return names;
}

/// Small numbers, and those at the ends.
std::uint32_t any_number(rng& random)
{
    switch (random.below(6)) {
    case 0:
        return 0;
    case 1:
        return 0xFFFFFFFF;
    case 2:
        return 0x80000000;
    case 3:
        return static_cast<std::uint32_t>(random());
    default:
        return static_cast<std::uint32_t>(random.below(16));
    }
}

given any_input(rng& random)
{
    given made;
    for (auto* const each : {&made.a, &made.b}) {
        each->resize(1 + random.below(80));
        for (auto& word : *each) word = any_number(random);
    }
    made.n = any_number(random);
    made.k = any_number(random);
    made.invocation = static_cast<std::uint32_t>(random.below(20));
    return made;
}

}  // namespace

TEST_CASE("hardening: nothing undefined is left, and what was defined stays as it was" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed ", seed);
    rng random{seed};
    std::size_t defined = 0, cured = 0, trapped = 0;
    for (auto const& name : integer_kernels()) {
        auto const before = kernel(name), after = hardened(name, 2'000);
        for (int i = 0; i < 40; ++i) {
            auto const with = any_input(random);
            auto const was = run(before, with);
            auto const is = run(after, with);
            CHECK_MESSAGE(is.undefined == "", name, " ", i);
            if (was.undefined != "") {
                ++cured;
            } else if (is.traps == 0) {
                ++defined;
                CHECK_MESSAGE(is.a == was.a, name, " ", i);
                CHECK_MESSAGE(is.b == was.b, name, " ", i);
            }
            trapped += is.traps != 0;
            // A trap is told only for what was undefined, or for loops that went on too long.
            if (was.undefined == "")
                CHECK_MESSAGE((is.traps & ~bit(trap::loop_budget)) == 0, name, i);
        }
    }
    CHECK(defined > 50);
    CHECK(cured > 100);
    CHECK(trapped > 100);
}

TEST_CASE("hardening: programs made from chance end, defined, and otherwise do as before" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed ", seed);
    rng random{seed};
    std::size_t same = 0, spent = 0, outside = 0;
    for (int i = 0; i < 400; ++i) {
        bytes choices(20 + random.below(60));
        for (auto& each : choices) each = static_cast<std::byte>(random.below(256));
        auto const raw = generator{choices, i % 2 == 0}.make();
        auto under = roomy(profile::exact);
        under.loop_budget = 100;
        auto const made = admit(raw, under);
        REQUIRE_MESSAGE(made.has_value(), message(made.error()), " ", i);
        given const with{memory(64, 7), memory(64), 0, 0, static_cast<std::uint32_t>(i % 64)};
        auto const was = run(raw, with);
        auto const is = run(made->code, with);
        CHECK_MESSAGE(is.undefined == "", i);
        CHECK((is.traps & ~(bit(trap::loop_budget) | bit(trap::out_of_bounds))) == 0);
        spent += (is.traps & bit(trap::loop_budget)) != 0;
        outside += (is.traps & bit(trap::out_of_bounds)) != 0;
        if (was.undefined != "") continue;
        if (is.traps == 0) {
            ++same;
            CHECK_MESSAGE(is.a == was.a, i);
            CHECK_MESSAGE(is.b == was.b, i);
        } else {
            CHECK((is.traps & bit(trap::out_of_bounds)) == 0);
        }
    }
    CHECK(same > 40);
    CHECK(spent > 15);
    CHECK(outside > 15);
}

TEST_CASE("hardening: an endless loop ends, and says so")
{
    for (auto const* const name : {"spin", "spin.opt"}) {
        CAPTURE(name);
        given const with{{1}, {0}};
        CHECK(run(kernel(name), with).undefined == "it does not end");
        auto const is = run(hardened(name, 100), with);
        CHECK(is.undefined == "");
        CHECK(is.traps == bit(trap::loop_budget));
        CHECK(is.b == memory{100});  // as many rounds as the budget has
        CHECK(run(hardened(name, 100), {{12345}, {0}}).traps == 0);
    }
}

TEST_CASE("hardening: the budget is one, whatever loops it is spent in")
{
    // twice() loops up to 4 times for each of n rounds: with less it runs out in either.
    given const with{memory(8, 1000), memory(8), 3, 0, 0};
    CHECK(run(hardened("calls", 100), with).traps == 0);
    CHECK(run(hardened("calls", 5), with).traps == bit(trap::loop_budget));
    CHECK(run(hardened("calls", 0), with).traps == bit(trap::loop_budget));
}

TEST_CASE("hardening: outside of an array is a trap, the last element stands in")
{
    for (auto const* const name : {"add", "add.opt"}) {
        CAPTURE(name);
        auto const code = hardened(name);
        auto const good = run(code, {{1, 2, 3}, {0, 0, 0}, 8, 0, 2});
        CHECK(good.traps == 0);
        CHECK(good.b == memory{0, 0, 10});
        auto const bad = run(code, {{1, 2, 3}, {0, 0, 0}, 8, 0, 5});
        CHECK(bad.traps == bit(trap::out_of_bounds));
        CHECK(bad.b == memory{0, 0, 10});
    }
    auto const wild = run(hardened("wild"), {{0, 1, 2, 3}, {0, 0}, 5, 0x40000000, 0});
    CHECK(wild.undefined == "");
    CHECK(wild.traps == bit(trap::out_of_bounds));
}

TEST_CASE("hardening: what nobody wrote is zero")
{
    given const with{memory(8, 1), memory(8), 1, 0, 0};
    CHECK(run(kernel("calls"), with).undefined == "nobody wrote what it reads");
    CHECK(run(kernel("calls.opt"), with).undefined == "a value is whatever it may be");
    auto const is = run(hardened("calls"), with);
    CHECK(is.undefined == "");
    CHECK(is.traps == 0);
}

TEST_CASE("hardening: an unreachable end is a trap, and a loop of one block counts its rounds")
{
    CHECK(run(hardened("unreachable"), {{5}, {}}).traps == 0);
    CHECK(run(hardened("unreachable", 3), {{5}, {}}).traps == bit(trap::loop_budget));
    CHECK(run(hardened("unreachable"), {{5}, {}}).a == memory{5});
}
