// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/parallel.hpp>  // first: it stands alone

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ledger/arena.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

/// Runs one random history both ways. What differs first, or nothing.
template <defect Defect>
std::optional<std::string> differs(std::uint64_t seed, std::size_t blocks, task_pool& pool)
{
    rng random{seed};
    auto const in = climate_of(random);
    world ordered{0};
    world parallel{seed};
    parallel.pool = &pool;
    ordered.fund(in.accounts, in.wells);
    parallel.fund(in.accounts, in.wells);
    typename parallel_executor<chain, Defect>::options how{};
    how.shards = static_cast<unsigned>(1 + random.below(8));
    how.group_bits = static_cast<unsigned>(random.below(3));
    how.adaptive = random.chance(1, 4);
    parallel_executor<chain, Defect> execute{pool, how};
    std::map<address, std::uint64_t> nonces;
    for (std::size_t b = 0; b < blocks; ++b) {
        auto const txs = block_of(random, in, nonces);
        auto const before = parallel.look();
        auto const expected = ordered.run_in_order(txs);
        auto const got = parallel.run(txs, 1 + random.below(80), execute);
        for (std::size_t i = 0; i < txs.size(); ++i)
            if (expected[i] != got[i]) return "outcome of transaction " + std::to_string(i);
        if (ordered.last.fees != parallel.last.fees || ordered.last.gas != parallel.last.gas)
            return "fees";
        if (ordered.look() != parallel.look()) return "rows";
        parallel.last.swap(parallel.state());
        if (parallel.look() != before) return "rows after undoing";
        parallel.last.swap(parallel.state());
        if (ordered.look() != parallel.look()) return "rows after doing it again";
        for (auto const& [key, row] : ordered.look())
            if (key.first == 0)
                nonces[decode<address>(key.second).value()] =
                    decode<purses::row>(row).value().nonce;
    }
    return std::nullopt;
}

/// The first seed that shows a defect; none within so many.
template <defect Defect>
std::optional<std::uint64_t> seed_that_shows(task_pool& pool, std::uint64_t seeds)
{
    for (std::uint64_t seed = 1; seed <= seeds; ++seed)
        if (differs<Defect>(seed, 2, pool)) return seed;
    return std::nullopt;
}

void same_for(std::uint64_t histories, std::uint64_t blocks)
{
    std::vector<std::unique_ptr<task_pool>> pools;
    for (unsigned threads = 1; threads <= 8; ++threads)
        pools.push_back(std::make_unique<task_pool>(threads));
    for (std::uint64_t i = 0; i < histories; ++i) {
        auto const seed = blendr::test::seed() * 1'000'000 + i;
        CAPTURE(seed);
        auto const found = differs<defect::none>(seed, blocks, *pools[i % pools.size()]);
        INFO("differs in ", found.value_or("nothing"));
        REQUIRE_FALSE(found.has_value());
    }
}

}  // namespace

TEST_CASE("parallel: any block gives what order gives, with 1 to 8 threads and shards" *
          doctest::test_suite("property"))
{
    same_for(400, 3);
}

TEST_CASE("parallel: the same over ten thousand blocks" * doctest::test_suite("slow"))
{
    same_for(2500, 4);
}

TEST_CASE("parallel: each deliberately broken executor is caught" * doctest::test_suite("property"))
{
    task_pool pool{2};
    constexpr std::uint64_t seeds = 200;
    auto const shown = [](std::optional<std::uint64_t> seed) {
        MESSAGE("seeds until caught: " << seed.value_or(0));
        return seed.has_value();
    };
    CHECK(shown(seed_that_shows<defect::fails_on_lower_bound>(pool, seeds)));
    CHECK(shown(seed_that_shows<defect::taint_forgotten>(pool, seeds)));
    CHECK(shown(seed_that_shows<defect::credits_early>(pool, seeds)));
    CHECK(shown(seed_that_shows<defect::rollback_partial>(pool, seeds)));
    CHECK(shown(seed_that_shows<defect::reads_unordered>(pool, seeds)));
    CHECK(shown(seed_that_shows<defect::queues_unsorted>(pool, seeds)));
    CHECK_FALSE(seed_that_shows<defect::none>(pool, seeds).has_value());
}
