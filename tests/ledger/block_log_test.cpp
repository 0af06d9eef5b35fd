// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/block_log.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "fixtures.hpp"
#include "support/vectors.hpp"

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

logged_block block_at(std::uint64_t at)
{
    return {some_hash(at),
            {some_hash(at - 1), height{at}, time_ms{5}, person(1).self()},
            bytes(at, std::byte{1}),
            to_bytes(as_bytes("certificate"))};
}

}  // namespace

TEST_CASE("block_log: in memory it holds a row of heights without gaps")
{
    memory_block_log log{};
    CHECK_FALSE(log.held().has_value());
    CHECK(*log.sync() == std::nullopt);
    CHECK(*log.read(height{1}) == std::nullopt);
    for (std::uint64_t at = 5; at < 9; ++at) CHECK(log.append(block_at(at)).has_value());
    CHECK(log.append(block_at(8)).error().what == state::io_fault::misplaced);
    CHECK(log.append(block_at(10)).error().what == state::io_fault::misplaced);
    CHECK(*log.sync() == height{8});
    CHECK(**log.read(height{6}) == block_at(6));
    CHECK(*log.read(height{4}) == std::nullopt);
    CHECK(*log.read(height{9}) == std::nullopt);
    CHECK(log.held() == block_log::range{height{5}, height{8}});
}

TEST_CASE("block_log: pruning leaves the last block")
{
    memory_block_log log{};
    for (std::uint64_t at = 1; at < 5; ++at) REQUIRE(log.append(block_at(at)).has_value());
    CHECK(log.prune(height{3}).has_value());
    CHECK(log.held() == block_log::range{height{3}, height{4}});
    CHECK(log.prune(height::max()).has_value());
    CHECK(log.held() == block_log::range{height{4}, height{4}});
    CHECK(log.append(block_at(5)).has_value());
    CHECK(log.check().has_value());
}

TEST_CASE("block_log: frozen vectors")
{
    CHECK(blendr::test::differs_from_frozen("ledger/logged_block.txt",
                                            {{"logged_block", encode(block_at(3))}}) == "");
}
