// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/deadlines.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <map>
#include <set>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;
using escrow::deadlines;

TEST_CASE("deadlines: what is due comes out by height, then by number, as from a sorted set" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    deadlines heap;
    std::map<std::uint32_t, height> model;
    height now{0};
    for (int i = 0; i < 100'000; ++i) {
        auto const which = static_cast<std::uint32_t>(random.below(300));
        switch (random.below(4)) {
        case 0:
        case 1: {
            height const at{now.get() + random.below(50)};
            heap.set(which, at);
            model[which] = at;
            break;
        }
        case 2:
            heap.erase(which);
            model.erase(which);
            break;
        default: {
            now = now + random.below(3);
            std::set<std::pair<height, std::uint32_t>> due;
            for (auto const& [number, at] : model)
                if (at <= now) due.emplace(at, number);
            auto quota = random.below(20);  // a block does only so much
            for (auto const& [at, number] : due) {
                if (quota-- == 0) break;
                REQUIRE(heap.next() == at);
                REQUIRE(heap.pop_due(now) == number);
                model.erase(number);
            }
        }
        }
        REQUIRE(heap.size() == model.size());
        auto const found = model.find(which);
        REQUIRE(heap.of(which) ==
                (found == model.end() ? std::nullopt : std::optional{found->second}));
    }
}

TEST_CASE("deadlines: nothing is due before its height, and an empty one is never due")
{
    deadlines heap;
    CHECK(heap.next() == height::max());
    CHECK_FALSE(heap.pop_due(height::max()).has_value());
    heap.set(7, height{5});
    CHECK_FALSE(heap.pop_due(height{4}).has_value());
    heap.set(7, height{3});
    CHECK(heap.pop_due(height{4}) == 7u);
    CHECK(heap.empty());
    CHECK_FALSE(heap.of(7).has_value());
}
