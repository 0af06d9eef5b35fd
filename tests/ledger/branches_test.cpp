// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/branches.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <ledger/arena.hpp>
#include <ledger/fixtures.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

namespace {

using tree_of_blocks = branches<chain>;

/// Blocks that give money to one purse.
struct family {
    tree_of_blocks blocks{1, state::tree::options{4}};
    std::uint32_t stamp = 0;

    family()
    {
        tree_of_blocks::node first{};
        first.id = some_hash(0);
        first.version = blocks.tree().decided();
        blocks.begin(std::move(first));
    }
    block_id add(block_id const& parent, std::uint64_t name, std::uint64_t more)
    {
        blocks.move_to(parent);
        auto const* const above = blocks.find(parent);
        tree_of_blocks::node next{};
        next.id = some_hash(name);
        next.head.at = height{above->head.at.get() + 1};
        lane<chain> on{blocks.state(), ++stamp};
        auto const at = blocks.state().table<purses>().intern(account(1));
        on.touch<purses>(at).balance += amount{more};
        on.flush_marks();
        next.did.changes.push_back(std::move(on.before));
        next.version = blocks.tree().apply(above->version, {});
        return blocks.add(std::move(next)).id;
    }
    amount now() const
    {
        auto const& table = blocks.state().table<purses>();
        return table.row(table.find(account(1))).balance;
    }
    amount committed() const { return blocks.committed_row<purses>(account(1)).balance; }
};

}  // namespace

TEST_CASE("branches: moving goes by the common ancestor, and the committed rows stay in sight")
{
    family all;
    auto const root = some_hash(0);
    auto const a1 = all.add(root, 1, 1);
    auto const a2 = all.add(a1, 2, 10);
    auto const b1 = all.add(root, 3, 100);
    CHECK(all.now() == amount{100});
    CHECK(all.committed() == amount{});
    all.blocks.move_to(a2);
    CHECK(all.now() == amount{11});
    CHECK(all.committed() == amount{});
    all.blocks.move_to(root);
    CHECK(all.now() == amount{});
    all.blocks.move_to(b1);
    CHECK(all.now() == amount{100});
}

TEST_CASE(
    "branches: deciding drops what stands beside, committing makes the decided block the root")
{
    family all;
    auto const a1 = all.add(some_hash(0), 1, 1);
    auto const a2 = all.add(a1, 2, 10);
    auto const b1 = all.add(some_hash(0), 3, 100);
    auto const b2 = all.add(b1, 4, 1000);
    all.blocks.decide(a1);
    CHECK(all.blocks.find(b1) == nullptr);
    CHECK(all.blocks.find(b2) == nullptr);
    REQUIRE(all.blocks.find(a2) != nullptr);
    CHECK(all.committed() == amount{});
    std::size_t merged = 0;
    all.blocks.commit([&](auto const& each) { merged += each.id == a1 ? 1U : 100U; });
    CHECK(merged == 1);
    CHECK(all.blocks.committed().id == a1);
    CHECK(all.committed() == amount{1});
    all.blocks.move_to(a2);
    CHECK(all.now() == amount{11});
    CHECK(all.committed() == amount{1});
}
