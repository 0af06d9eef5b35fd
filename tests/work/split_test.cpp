// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/split.hpp>

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>

#include "support/support.hpp"

using namespace blendr;
using namespace blendr::work;

TEST_CASE("split: each point lies in exactly one box, boxes are bounded, edges lie on multiples" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int round = 0; round < 2'000; ++round) {
        extent range, least;
        for (auto* edge : {&range.x, &range.y, &range.z})
            *edge = static_cast<std::uint32_t>(random.below(24) + 1);
        for (auto* edge : {&least.x, &least.y, &least.z})
            *edge = static_cast<std::uint32_t>(random.below(6) + 1);
        auto const points = random.below(range.points() + 10) + 1;
        auto const boxes = split(range, points, least).value();
        std::vector<int> seen(static_cast<std::size_t>(range.points()));
        for (auto const& each : boxes) {
            bool const bounded = each.size.points() <= std::max(points, least.points());
            bool const aligned = each.from.x % least.x == 0 && each.from.y % least.y == 0 &&
                                 each.from.z % least.z == 0;
            REQUIRE(bounded);
            REQUIRE(aligned);
            for (std::uint32_t z = 0; z < each.size.z; ++z)
                for (std::uint32_t y = 0; y < each.size.y; ++y)
                    for (std::uint32_t x = 0; x < each.size.x; ++x)
                        ++seen.at(((each.from.z + z) * range.y + each.from.y + y) * range.x +
                                  each.from.x + x);
        }
        REQUIRE(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
    }
}

TEST_CASE("split: boxes come in order, x fastest, and are as near to cubes as they can be")
{
    auto const boxes = split({8, 8, 1}, 16, {}).value();
    REQUIRE(boxes.size() == 4);
    CHECK(boxes[0] == box{{0, 0, 0}, {4, 4, 1}});
    CHECK(boxes[1] == box{{4, 0, 0}, {4, 4, 1}});
    CHECK(boxes[2] == box{{0, 4, 0}, {4, 4, 1}});
    CHECK(boxes[3] == box{{4, 4, 0}, {4, 4, 1}});
    auto const line = split({10, 1, 1}, 4, {2, 1, 1}).value();
    REQUIRE(line.size() == 3);
    CHECK(line[2] == box{{8, 0, 0}, {2, 1, 1}});
}

TEST_CASE("split: the slowest device bounds the tail, the fastest pays for the cost")
{
    extent const range{1'000'000, 1, 1};
    std::array<double, 2> const even{1e6, 1e6}, uneven{9e6, 1e6};
    split_rules rules;
    rules.cost_s = 0;
    rules.tail = 0.05;
    CHECK(unit_points(range, even, rules) == 25'000);   // half of the speed does 5 % of the time
    CHECK(unit_points(range, uneven, rules) == 5'000);  // a tenth
    rules.cost_s = 1e-3;
    rules.loss = 0.02;
    CHECK(unit_points(range, even, rules) == 50'000);  // a millisecond is 2 % of 50
    CHECK(unit_points(range, uneven, rules) == 450'000);
    CHECK(unit_points(range, {}, rules) == 1'000'000);
    std::array<double, 3> const odd{0.0, -1.0, std::numeric_limits<double>::quiet_NaN()};
    CHECK(unit_points(range, odd, rules) == 1'000'000);
}

TEST_CASE("split: the last boxes of several devices are small, and all together they are the range")
{
    extent const range{1'000'000, 1, 1};
    split_rules rules;
    rules.cost_s = 0;
    std::array<double, 2> const two{1e6, 1e6};
    auto const boxes = split(range, two, rules).value();
    CHECK(boxes.size() == 37 + 3 * 4);
    CHECK(boxes.front().size.x == 25'000);
    CHECK(boxes.back().size.x == 6'250);
    std::uint32_t at = 0;
    for (auto const& each : boxes) {
        REQUIRE(each.from.x == at);
        at += each.size.x;
    }
    CHECK(at == range.x);
    CHECK(split(range, std::span{two}.first(1), rules).value().size() == 20);
    rules.most = 10'000;
    auto const bounded = split(range, two, rules).value();
    CHECK(std::all_of(bounded.begin(), bounded.end(),
                      [](box const& each) { return each.size.x <= 10'000; }));
}

TEST_CASE("split: empty, huge and shredded ranges are refused")
{
    CHECK(split({0, 4, 4}, 4, {}).error().what == fault::empty_range);
    CHECK(split({1u << 31, 1u << 31, 2}, 4, {}).error().what == fault::range_too_large);
    CHECK(split({1u << 31, 2, 1}, 1, {}).error().what == fault::too_many_units);
    CHECK(split({~0u, 1, 1}, 1u << 20, {}).value().size() == 4096);
    CHECK(split({4, 4, 4}, 1, {~0u, ~0u, ~0u}).value().size() == 1);
    CHECK(split({5, 1, 1}, 0, {}).value().size() == 5);
}

TEST_CASE("split: placed boxes make up the whole, and what does not fit is refused")
{
    extent const range{7, 5, 3};
    std::vector<std::byte> want(range.points() * 2), got(want.size());
    for (std::size_t k = 0; k < want.size(); ++k) want[k] = static_cast<std::byte>(k * 7 + 3);
    auto const boxes = split(range, 11, {2, 2, 1}).value();
    for (auto const& each : boxes) {
        bytes values;
        for (std::uint32_t z = 0; z < each.size.z; ++z)
            for (std::uint32_t y = 0; y < each.size.y; ++y) {
                auto const at =
                    (((each.from.z + z) * range.y + each.from.y + y) * range.x + each.from.x) * 2;
                values.insert(values.end(), want.begin() + at, want.begin() + at + each.size.x * 2);
            }
        CHECK(place(got, range, each, values, 2));
        values.pop_back();
        CHECK(!place(got, range, each, values, 2));
    }
    CHECK(got == want);
    CHECK(!place(got, range, {{6, 0, 0}, {2, 1, 1}}, bytes(4), 2));
    CHECK(!place(got, range, {{~0u, 0, 0}, {2, 1, 1}}, bytes(4), 2));
    CHECK(!place(std::span{got}.first(4), range, {{0, 0, 0}, {2, 1, 1}}, bytes(4), 2));
}
