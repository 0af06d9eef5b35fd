// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/random.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>

#include <support/vectors.hpp>

using namespace blendr;

static_assert(std::uniform_random_bit_generator<rng>);

TEST_CASE("random: a seed's numbers are frozen for ever")
{
    test::vector_list now;
    for (std::uint64_t const seed : {0ull, 1ull, 0xffff'ffff'ffff'ffffull}) {
        rng random{seed};
        bytes first(64);
        random.fill(first);
        now.emplace_back("seed-" + std::to_string(seed), first);
        rng fork = random.fork(7);
        bytes forked(16);
        fork.fill(forked);
        now.emplace_back("seed-" + std::to_string(seed) + "-fork-7", forked);
        bytes below;
        for (int i = 0; i < 16; ++i) below.push_back(static_cast<std::byte>(random.below(100)));
        now.emplace_back("seed-" + std::to_string(seed) + "-below-100", below);
    }
    hash256 hash{};
    hash[31] = std::byte{1};
    rng hashed{hash};
    bytes first(32);
    hashed.fill(first);
    now.emplace_back("hash", first);
    CHECK(test::differs_from_frozen("core/random.txt", now) == "");
}

TEST_CASE("random: below is even, also for a bound that no power of two divides")
{
    rng random{42};
    std::array<int, 6> seen{};
    for (int i = 0; i < 60'000; ++i) ++seen[random.below(6)];
    for (int const count : seen) CHECK(std::abs(count - 10'000) < 500);  // five deviations
    // Half of all draws would be off here, were the bound taken as a plain remainder.
    std::uint64_t const huge = (std::uint64_t{1} << 63) + 1;
    int low = 0;
    for (int i = 0; i < 10'000; ++i) low += random.below(huge) < huge / 2 ? 1 : 0;
    CHECK(std::abs(low - 5000) < 300);
}

TEST_CASE("random: between includes both ends and takes the whole range")
{
    rng random{3};
    bool low = false, high = false;
    for (int i = 0; i < 200; ++i) {
        auto const v = random.between(10, 12);
        CHECK((v >= 10 && v <= 12));
        low = low || v == 10;
        high = high || v == 12;
    }
    CHECK((low && high));
    random.between(0, rng::max());
    CHECK(random.between(5, 5) == 5);
}

TEST_CASE("random: a shuffle keeps every element and a fork leaves its parent alone")
{
    rng random{9};
    std::array<int, 100> all{};
    for (int i = 0; i < 100; ++i) all[static_cast<std::size_t>(i)] = i;
    auto const before = all;
    random.shuffle(std::span{all});
    CHECK(all != before);
    std::sort(all.begin(), all.end());
    CHECK(all == before);
    rng twin = random;
    (void)random.fork(1);
    CHECK(random() == twin());
    CHECK(random.fork(1)() != random.fork(2)());
}
