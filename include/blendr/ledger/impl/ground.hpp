// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include <blendr/core/assert.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/branches.hpp>
#include <blendr/ledger/chain_state.hpp>
#include <blendr/ledger/committed.hpp>
#include <blendr/ledger/impl/block_runner.hpp>
#include <blendr/ledger/index.hpp>
#include <blendr/state/tree.hpp>

namespace blendr::ledger::impl {

/// A chain's state on this node and what follows from it: all that a snapshot puts in place at one
/// stroke.
template <class Registry>
struct ground {
    ground(std::uint64_t secret, state::tree::options const& roots, task_pool& pool)
        : blocks{secret, roots},
          seen{blocks},
          runner{blocks, pool}
    {}

    /// Goes on from a block whose state the rows are.
    void take_up(block_node<Registry> from)
    {
        blocks.begin(std::move(from));
        indices.rebuild(blocks.state());
        auto const& count = seen.template row<facts>(0).money;
        BLENDR_ASSERT(money_in(blocks.state()) == count.total());
    }

    branches<Registry> blocks;
    committed_rows<Registry> seen;
    indexes<Registry> indices{};
    block_runner<Registry> runner;
};

}  // namespace blendr::ledger::impl
