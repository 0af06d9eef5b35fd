// SPDX-License-Identifier: Apache-2.0
// Which loops are not counted, and that whoever is not counted ends.
#include <compute/loops.hpp>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>

#include "interpreted.hpp"
#include "kernels.hpp"

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;

namespace {

using word = std::uint32_t;
using memory = interpreter::memory;

struct seen {
    std::size_t loops = 0, fixed = 0;
};

seen look(bytes const& raw, word budget = 10'000)
{
    auto const m = spirv_module::parse(raw).value();
    auto const a = analyse(m).value();
    auto const found = find_fixed_loops(m, a, budget);
    seen s;
    for (word i = 0; i < m.size(); ++i) s.loops += static_cast<op>(m[i].opcode()) == op::loop_merge;
    for (bool const each : found.headers) s.fixed += each;
    return s;
}

ran run(bytes const& code, memory a, word n = 0, std::uint64_t steps = 200'000)
{
    return run(code, given{std::move(a), {0}, n, 0, 0, steps});
}

bytes hardened(bytes const& raw, word budget)
{
    auto under = roomy(profile::tolerance);
    under.loop_budget = budget;
    auto made = admit(raw, under);
    REQUIRE_MESSAGE(made.has_value(), message(made.error()));
    return std::move(made->code);
}

constexpr auto spent = static_cast<word>(trap::loop_budget);

/// The words of a module that hold `value`.
std::vector<std::size_t> places(bytes const& raw, word value)
{
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < raw.size() / 4; ++i)
        if (word_at(raw, i) == value) all.push_back(i);
    return all;
}

word at_the_ends(rng& draw)
{
    auto const by = static_cast<word>(draw.below(8));
    switch (draw.below(5)) {
    case 0:
        return by;
    case 1:
        return 0u - by;
    case 2:
        return 0x80000000u + by;
    case 3:
        return 0x7FFFFFFFu - by;
    default:
        return static_cast<word>(draw() >> draw.below(32));
    }
}

}  // namespace

TEST_CASE("loops: rounds are those that a machine goes, or nobody says how many" *
          doctest::test_suite("property"))
{
    rng draw{blendr::test::seed()};
    constexpr std::uint64_t patience = 2'000;
    std::size_t known = 0, unknown = 0, many = 0;
    for (int i = 0; i < 40'000; ++i) {
        counter c;
        c.compare = static_cast<op>(static_cast<int>(op::i_equal) + draw.below(10));
        c.stays = draw.below(2) == 0;
        c.first = at_the_ends(draw);
        c.limit = at_the_ends(draw);
        c.step = at_the_ends(draw);
        std::uint64_t rounds = 0;
        for (word at = c.first; rounds < patience && holds(c.compare, at, c.limit) == c.stays;
             at += c.step)
            ++rounds;
        auto const said = rounds_of(c);
        INFO("first ", c.first, " limit ", c.limit, " step ", c.step, " by ",
             static_cast<int>(c.compare), c.stays ? "" : " not");
        bool const by_order = c.compare != op::i_equal && c.compare != op::i_not_equal;
        if (said) {
            ++known;
            CHECK(by_order);
            if (*said < patience) {
                CHECK(rounds == *said);
            } else {
                ++many;
                CHECK(rounds == patience);
            }
        } else {
            ++unknown;
            // Nothing is lost but what wraps, stands still, or goes by another question.
            if (by_order) CHECK(rounds > 0);
        }
    }
    CHECK(known > 5'000);
    CHECK(many > 100);
    CHECK(unknown > 5'000);
}

TEST_CASE("loops: those whose rounds stand in the program are not counted, and come out the same")
{
    for (auto const* const name : {"fixed", "fixed.opt"}) {
        CAPTURE(name);
        auto const raw = kernel(name);
        auto const seen_ = look(raw);
        // The optimiser may inline; the loop of n rounds is always counted.
        CHECK(seen_.loops >= 6);
        CHECK(seen_.fixed == seen_.loops - 1);
        for (word const n : {0u, 1u, 7u}) {
            auto const was = run(raw, {5}, n);
            auto const is = run(hardened(raw, 10'000), {5}, n);
            CHECK(was.undefined == "");
            CHECK(is.undefined == "");
            CHECK(is.traps == 0);
            CHECK(is.a == was.a);
            CHECK(is.b == was.b);
            CHECK(is.b[0] == 10 * n);
        }
    }
}

TEST_CASE("loops: uncounted ones pay for their rounds, in whatever loop and function they stand")
{
    for (auto const* const name : {"fixed", "fixed.opt"}) {
        CAPTURE(name);
        auto const raw = kernel(name);
        // 8 + 8 + (1 + 15 * (1 + 6)) rounds come first; each of the n costs 1 + 5 + 11, and the last look 1.
        constexpr word first = 8 + 8 + 16 + 15 * 6, each = 1 + 5 + 11;
        for (word const n : {0u, 3u, 10u}) {
            auto const enough = first + n * each + 1;
            CHECK(run(hardened(raw, enough), {5}, n).traps == 0);
            CHECK(run(hardened(raw, enough - 1), {5}, n).traps == spent);
        }
        for (word const budget : {0u, 1u, 50u, 130u, 200u, 1000u}) {
            auto const is = run(hardened(raw, budget), {5}, 1'000'000'000);
            CHECK(is.undefined == "");
            CHECK(is.traps == spent);
            CHECK(is.b[0] <= 2 * budget);
        }
    }
}

TEST_CASE("loops: when all of them together are more than the budget, all are counted")
{
    auto const raw = kernel("fixed");
    CHECK(look(raw, 138).fixed == look(raw).fixed);  // 122, and once 5 and 11
    CHECK(look(raw, 137).fixed == 0);
    CHECK(look(raw, 0).fixed == 0);
}

TEST_CASE("loops: what only looks fixed is counted, and ends")
{
    for (int number = 1; number <= 25; ++number) {
        for (auto const* const ending : {"", ".opt"}) {
            auto const name = std::string{"loops/near_"} + (number < 10 ? "0" : "") +
                              std::to_string(number) + ending;
            CAPTURE(name);
            if (number == 24 && *ending != 0) continue;  // written by hand
            auto const raw = kernel(name);
            auto const seen_ = look(raw);
            CHECK(seen_.loops >= 1);
            CHECK(seen_.fixed == (number == 15 ? 1 : 0));  // the one inside is as it looks
            if (number == 3) continue;                     // the interpreter knows no floats
            for (word const a : {0u, 1u}) {
                auto const is = run(hardened(raw, 1'000), {a, 0u - 1u, 0, 0});
                CHECK(is.undefined == "");
                CHECK((is.traps & ~spent) == 0);
                auto const was = run(raw, {a, 0u - 1u, 0, 0}, 0, 60'000);
                if (was.undefined == "it does not end") CHECK(is.traps == spent);
                if (is.traps == 0) CHECK(is.b == was.b);
            }
        }
    }
}

TEST_CASE(
    "loops: constants of any kind in a plain loop: uncounted only if it ends, and then the same" *
    doctest::test_suite("property"))
{
    rng draw{blendr::test::seed()};
    std::size_t fixed = 0, counted = 0, endless = 0;
    for (auto const* const name : {"loops/counter", "loops/counter.opt"}) {
        auto const original = kernel(name);
        std::array<std::vector<std::size_t>, 3> const at{
            places(original, 111'111), places(original, 222'222), places(original, 333'333)};
        auto const compare = places(original, 5u << 16 | static_cast<word>(op::u_less_than));
        for (auto const& each : at) REQUIRE(each.size() == 1);
        REQUIRE(compare.size() == 1);
        auto const branch = places(original, 4u << 16 | static_cast<word>(op::branch_conditional));
        REQUIRE(branch.size() == 1);
        for (int i = 0; i < 200; ++i) {
            auto raw = original;
            for (auto const& each : at) raw = patched(raw, each[0], at_the_ends(draw));
            auto const by = static_cast<word>(op::i_equal) + static_cast<word>(draw.below(10));
            raw = patched(raw, compare[0], 5u << 16 | by);
            if (draw.below(4) == 0) {  // it stays when it does not hold
                auto const stays = word_at(raw, branch[0] + 2), ends = word_at(raw, branch[0] + 3);
                raw = patched(patched(raw, branch[0] + 2, ends), branch[0] + 3, stays);
            }
            auto const was = run(raw, {0}, 0, 25'000);
            auto const s = look(raw, 1'000);
            REQUIRE(s.loops == 1);
            if (s.fixed == 1) {
                ++fixed;
                CHECK(was.undefined == "");
            } else {
                ++counted;
                endless += was.undefined != "";
            }
            auto const is = run(hardened(raw, 1'000), {0});
            CHECK(is.undefined == "");
            if (is.traps == 0) CHECK(is.b == was.b);
            if (was.undefined != "") CHECK(is.traps == spent);
        }
    }
    CHECK(fixed > 40);
    CHECK(counted > 40);
    CHECK(endless > 10);
}
