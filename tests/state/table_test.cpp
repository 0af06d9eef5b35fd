// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/table.hpp>  // first: it stands alone

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/core/amount.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>

using namespace blendr;

namespace {
struct purse {
    amount balance{};
    std::uint64_t nonce{};
};
using numbers = state::table<std::uint64_t, std::uint64_t>;
}  // namespace

TEST_CASE("table: a key has one slot, and its row begins as a default row")
{
    numbers t;
    CHECK(t.find(5) == state::no_slot);
    auto const at = t.intern(5);
    CHECK(t.intern(5) == at);
    CHECK(t.find(5) == at);
    CHECK(t.key(at) == 5);
    CHECK_FALSE(t.present(at));
    t.row(at) = 7;
    CHECK(t.present(at));
    CHECK(t.keys() == 1);
}

TEST_CASE("table: a purse with its stamp takes 32 bytes and a key 32 more, beside the index")
{
    state::table<hash256, purse> t;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        hash256 key{};
        std::memcpy(key.data(), &i, sizeof i);
        t.intern(key);
    }
    CHECK(t.memory_bytes() <= 1000 * (32 + 32 + 24));
}

TEST_CASE("table: keys with text are told apart by their encoding")
{
    state::table<std::string, std::uint64_t> t;
    auto const a = t.intern("a");
    CHECK(t.intern("b") != a);
    CHECK(t.intern(std::string(100, 'x')) == t.intern(std::string(100, 'x')));
    CHECK(t.intern("a") == a);
}

TEST_CASE("table: against std::map, with slots released and used again" *
          doctest::test_suite("property"))
{
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        CAPTURE(seed);
        rng random{seed};
        numbers t{seed};
        std::map<std::uint64_t, std::uint64_t> model;
        for (int step = 0; step < 3000; ++step) {
            auto const key = random.below(400) << random.below(40);
            auto const at = t.intern(key);
            REQUIRE(t.key(at) == key);
            REQUIRE(t.row(at) == model[key]);
            if (random.chance(1, 3)) {
                t.row(at) = 0;
                model.erase(key);
                t.release(at);
                REQUIRE(t.find(key) == state::no_slot);
            } else {
                t.row(at) = model[key] = random();
            }
            if (model[key] == 0) model.erase(key);
        }
        for (auto const& [key, row] : model) REQUIRE(t.row(t.find(key)) == row);
        REQUIRE(t.keys() >= model.size());
    }
}

TEST_CASE("table: many threads that intern the same keys agree on the slots")
{
    constexpr std::size_t keys = 2000;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        numbers t{seed};
        task_pool pool{4};
        for (std::uint64_t k = 0; k < keys; k += 3) t.intern(k);
        t.reserve(4 * keys);
        std::vector<std::vector<state::slot>> seen(4, std::vector<state::slot>(keys));
        pool.parallel_for(4, 1, [&](std::size_t begin, std::size_t end) {
            for (auto who = begin; who < end; ++who)
                for (std::size_t i = 0; i < keys; ++i) {
                    auto const key = who % 2 == 0 ? i : keys - 1 - i;
                    seen[who][key] = t.intern_shared(key);
                }
        });
        std::set<state::slot> distinct(seen[0].begin(), seen[0].end());
        CHECK(distinct.size() == keys);
        for (auto const& each : seen) CHECK(each == seen[0]);
        for (std::size_t k = 0; k < keys; ++k) REQUIRE(t.key(seen[0][k]) == k);
    }
}
