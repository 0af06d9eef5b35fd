// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/ordered_table.hpp>  // first: it stands alone

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>

using namespace blendr;

namespace {
using sorted = state::ordered_table<std::uint64_t, std::uint64_t>;
using pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

void set(sorted& t, std::uint64_t key, std::uint64_t row)
{
    auto const at = t.intern(key);
    t.row(at) = row;
    t.changed(at);
}
pairs walk(sorted& t, std::uint64_t from)
{
    pairs out;
    t.each(from, [&](std::uint64_t key, std::uint64_t row) {
        out.emplace_back(key, row);
        return true;
    });
    pairs slots;  // as who may not change anything sees them
    std::as_const(t).each_slot(from, [&](state::slot at) {
        if (t.present(at)) slots.emplace_back(t.key(at), t.row(at));
        return true;
    });
    CHECK(slots == out);
    return out;
}
}  // namespace

TEST_CASE("ordered_table: walks present rows in key order, from any key, until told to stop")
{
    sorted t;
    for (std::uint64_t const k : {30U, 10U, 20U}) set(t, k, k + 1);
    set(t, 15, 0);
    CHECK(walk(t, 0) == pairs{{10, 11}, {20, 21}, {30, 31}});
    CHECK(walk(t, 11) == pairs{{20, 21}, {30, 31}});
    CHECK(walk(t, 31).empty());
    int seen = 0;
    t.each([&](auto, auto) { return ++seen < 2; });
    CHECK(seen == 2);
}

TEST_CASE("ordered_table: a walk may empty rows ahead of it, add rows and walk again")
{
    sorted t;
    for (std::uint64_t k = 1; k <= 5; ++k) set(t, k, k);
    pairs out;
    t.each([&](std::uint64_t key, std::uint64_t row) {
        out.emplace_back(key, row);
        if (key == 2) set(t, 3, 0), set(t, 6, 6);
        return !walk(t, key).empty();
    });
    CHECK(out == pairs{{1, 1}, {2, 2}, {4, 4}, {5, 5}});
    CHECK(walk(t, 3) == pairs{{4, 4}, {5, 5}, {6, 6}});
}

TEST_CASE("ordered_table: against std::map" * doctest::test_suite("property"))
{
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        CAPTURE(seed);
        rng random{seed};
        sorted t{seed};
        std::map<std::uint64_t, std::uint64_t> model;
        for (int round = 0; round < 40; ++round) {
            for (int i = 0; i < 200; ++i) {
                auto const key = random.below(3000);
                auto const row = random.chance(1, 3) ? 0 : random.below(100);
                set(t, key, row);
                if (row == 0)
                    model.erase(key);
                else
                    model[key] = row;
                if (row == 0 && random.chance(1, 4)) t.release(t.find(key));
            }
            auto const from = random.below(3000);
            REQUIRE(walk(t, from) == pairs(model.lower_bound(from), model.end()));
            REQUIRE(t.count() == model.size());
        }
    }
}
