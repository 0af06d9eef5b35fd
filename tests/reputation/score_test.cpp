// SPDX-License-Identifier: Apache-2.0
#include <blendr/reputation/score.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::reputation;

namespace {

score_rules const by{};
static_assert(score({}, height{0}, score_rules{}) == 300);

}  // namespace

TEST_CASE("score: it stays within its bounds, good evidence never lowers it, bad never raises it" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int life = 0; life < 300; ++life) {
        evidence e{};
        height now{0};
        for (int i = 0; i < 60; ++i) {
            now = now + random.below(random.chance(1, 5) ? 500'000 : 2'000);
            auto const before = score(e, now, by);
            auto const points = random() >> random.between(0, 63);
            auto const best = with(e, points, 100, now, by), worst = with(e, points, 0, now, by);
            REQUIRE(score(best, now, by) >= before);
            REQUIRE(score(worst, now, by) <= before);
            REQUIRE(score(best, now, by) <= score_max);
            e = with(e, points, static_cast<std::uint32_t>(random.below(101)), now, by);
        }
    }
}

TEST_CASE("score: evidence counts half after a half-life and fades to a newcomer's score")
{
    auto const e = with({}, 100'000, 100, height{0}, by);
    CHECK(e.good == 100'000);
    CHECK(faded(e, height{by.half_life}, by).good == 50'000);
    CHECK(faded(e, height{2 * by.half_life}, by).good == 25'000);
    std::uint64_t last = e.good;
    for (std::uint64_t h = 0; h < 3 * by.half_life; h += 997) {
        auto const now = faded(e, height{h}, by).good;
        REQUIRE(now <= last);
        last = now;
    }
    CHECK(score(e, height{0}, by) > 980);
    CHECK(score(e, height{80 * by.half_life}, by) == 300);
    auto const bad = with({}, 100'000, 0, height{0}, by);
    CHECK(score(bad, height{0}, by) < 10);
    CHECK(score(bad, height{80 * by.half_life}, by) == 300);  // nobody is marked for ever
}

TEST_CASE("score: what is taken back leaves no more than rounding" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int i = 0; i < 500; ++i) {
        evidence base{random.below(50'000), random.below(50'000), height{0}};
        auto const points = random.below(5'000);
        auto const rating = static_cast<std::uint32_t>(random.below(101));
        height const then{random.below(1000)};
        height const now = then + random.below(400'000);
        auto const had = faded(base, now, by);
        auto const left =
            without(with(base, points, rating, then, by), points, rating, then, now, by);
        auto const near = [](std::uint64_t a, std::uint64_t b) {
            return (a > b ? a - b : b - a) <= 4;
        };
        REQUIRE(near(left.good, had.good));
        REQUIRE(near(left.bad, had.bad));
    }
}

TEST_CASE("score: what it gives is frozen")
{
    test::vector_list now;
    rng random{7};
    evidence e{};
    height at{0};
    for (int i = 0; i < 12; ++i) {
        at = at + random.below(150'000);
        auto const rating = static_cast<std::uint32_t>(random.below(101));
        e = with(e, random.below(3'000), rating, at, by);
        now.emplace_back("evidence-" + std::to_string(i), encode(e));
        now.emplace_back("score-" + std::to_string(i), encode(score(e, at, by)));
    }
    CHECK(test::differs_from_frozen("reputation/score.txt", now) == "");
}
