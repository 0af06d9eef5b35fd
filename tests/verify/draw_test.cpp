// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/draw.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <set>

#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::verify;

namespace {

hash256 seed(std::uint64_t n)
{
    return seed_of({}, bytes{std::byte(n), std::byte(n >> 8), std::byte(n >> 16)});
}

}  // namespace

TEST_CASE("draw: everybody is drawn once, in proportion to weight, nobody without any")
{
    std::array const bonds{weight{1}, weight{0}, weight{2}, weight{5}, weight{2}};
    std::array<int, 5> first{};
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        auto const all = draw(seed(i), bonds, 9);
        REQUIRE(all.size() == 4);
        REQUIRE(std::set<std::uint32_t>(all.begin(), all.end()).size() == 4);
        ++first[all.front()];
    }
    CHECK(first[1] == 0);
    CHECK(std::abs(first[0] - 2000) < 220);  // five deviations
    CHECK(std::abs(first[2] - 4000) < 290);
    CHECK(std::abs(first[3] - 10'000) < 360);
}

TEST_CASE("draw: weights that do not fit together in 64 bits are weighed all the same")
{
    std::array const huge{weight::max(), weight::max(), weight{1}};
    int second = 0;
    for (std::uint64_t i = 0; i < 2000; ++i) second += draw(seed(i), huge, 1).front() == 1 ? 1 : 0;
    CHECK(std::abs(second - 1000) < 120);
    CHECK(draw(seed(1), huge, 3).size() == 3);
    CHECK(draw(seed(1), {}, 3).empty());
}

TEST_CASE("draw: what the seed gives is frozen, and another purpose is another draw")
{
    std::array const bonds{weight{10}, weight{20}, weight{30}, weight{40}, weight{50}};
    test::vector_list now;
    for (std::uint64_t i = 0; i < 4; ++i) {
        bytes drawn;
        for (auto const each : draw(seed(i), bonds, 5)) drawn.push_back(std::byte(each));
        now.emplace_back("draw-" + std::to_string(i), drawn);
        now.emplace_back("seed-" + std::to_string(i), to_bytes(seed(i)));
    }
    CHECK(test::differs_from_frozen("verify/draw.txt", now) == "");
    CHECK(seed_of({}, as_bytes("a")) != seed_of({}, as_bytes("b")));
}

TEST_CASE("draw: chosen comes true as often as it says")
{
    int hits = 0;
    for (std::uint64_t i = 0; i < 50'000; ++i) hits += chosen(seed(i), 250'000) ? 1 : 0;
    CHECK(std::abs(hits - 12'500) < 500);
    CHECK_FALSE(chosen(seed(1), 0));
    CHECK(chosen(seed(1), million));
}
