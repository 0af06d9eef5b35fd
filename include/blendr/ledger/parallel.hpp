// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/assert.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/executor.hpp>
#include <blendr/ledger/impl/shard_lane.hpp>
#include <blendr/ledger/schedule.hpp>

namespace blendr::ledger {

/// Runs a block on all cores and yields exactly what `execute_in_order` does.
///
/// Shards own rows. Chunk by chunk, each shard runs the transactions whose home it is, in block order;
/// credits to another shard's rows are delivered between chunks. So a shard sees a lower bound of
/// each quantity: a debit that succeeds there would have succeeded in order, and nobody sees more
/// than that. One that does not is rolled back and left for later; its rows are tainted, and
/// whatever else needs a tainted row is left for later too, credits to it included. What was left,
/// and what has no home, then runs in block order on exact rows. When much is left, or one
/// shard would do it all, the next chunks run in order at once, with nothing lost.
template <class Registry, defect Defect = defect::none, class Pool = task_pool>
class parallel_executor {
    using shard_lane = impl::shard_lane<Registry, Defect>;

public:
    struct options {
        unsigned shards = 0;      ///< 0: one for each thread of the pool
        unsigned group_bits = 5;  ///< 2^this slots in a row belong to one shard
        bool adaptive = true;     ///< run chunks in order where that is faster
    };

    explicit parallel_executor(Pool& pool) : parallel_executor{pool, options{}} {}
    parallel_executor(Pool& pool, options chosen)
        : pool_{&pool},
          options_{chosen},
          owners_{chosen.shards == 0 ? pool.threads() : chosen.shards, chosen.group_bits}
    {}

    /// Runs the parts of a block, each a chunk. `exact` takes what order needs, and in the end all
    /// posts, events and sums; the rows that shards changed are added to `changes`. `results` are
    /// default outcomes, and stay so where a transaction does well.
    void operator()(lane<Registry>& exact, std::uint32_t stamp, block_info const& block,
                    std::span<std::span<prepared_tx const> const> parts, std::span<outcome> results,
                    std::vector<delta<Registry>>& changes)
    {
        std::vector<chunk_plan> plans{};
        bool const alone = owners_.count() == 1 && options_.adaptive;
        if (!alone)
            plans = scheduler<Registry, Pool>{owners_, *pool_}(parts,
                                                               Defect == defect::reads_unordered);
        lanes_.clear();
        for (std::size_t s = 0; s < owners_.count(); ++s)
            lanes_.emplace_back(exact.state(), stamp, spares.take(), owners_,
                                static_cast<std::uint8_t>(s));
        std::uint32_t first = 0;
        std::size_t in_order = 0;  // chunks still to be run in order
        std::size_t penalty = 1;
        for (std::size_t p = 0; p < parts.size(); ++p) {
            auto const txs = parts[p];
            auto const out = results.subspan(first, txs.size());
            if (alone || (options_.adaptive && (in_order > 0 || plans[p].lopsided()))) {
                execute_in_order(exact, block, txs, first, out);
                in_order -= in_order > 0 ? 1 : 0;
            } else {
                run_chunk(block, txs, plans[p], first, out);
                auto const left = run_left(exact, block, txs, first, out);
                penalty = left * 8 > txs.size() ? std::min<std::size_t>(penalty * 2, 16) : 1;
                in_order = penalty > 1 ? penalty : 0;
            }
            first += static_cast<std::uint32_t>(txs.size());
        }
        merge(exact, changes);
    }

    /// Where lanes get the memory for what they change, and where old changes should go.
    spare_deltas<Registry> spares{};

private:
    void run_chunk(block_info const& block, std::span<prepared_tx const> txs,
                   chunk_plan const& plan, std::uint32_t first, std::span<outcome> results)
    {
        ++chunk_;
        each_shard([&](std::size_t s) {
            lanes_[s].run(block, txs, plan.turns[s], first, results, chunk_);
        });
        each_shard([&](std::size_t s) {
            for (auto& from : lanes_) lanes_[s].deliver(from);
        });
        for (auto& each : lanes_) each.clear_outboxes();
    }

    /// What the shards left of a chunk, in block order: transactions, and credits to tainted rows.
    std::size_t run_left(lane<Registry>& exact, block_info const& block,
                         std::span<prepared_tx const> txs, std::uint32_t first,
                         std::span<outcome> results)
    {
        left_.clear();
        for (auto const& each : lanes_)
            left_.insert(left_.end(), each.left().begin(), each.left().end());
        if (left_.empty()) return 0;
        std::sort(left_.begin(), left_.end());
        if constexpr (Defect == defect::credits_early)
            std::stable_partition(left_.begin(), left_.end(),
                                  [](auto const& each) { return each.is_credit; });
        tx_context context{exact, block};
        std::size_t replayed = 0;
        for (auto const& each : left_) {
            if (each.is_credit) {
                lanes_[each.lane].apply(each, exact);
            } else {
                results[each.tx] =
                    impl::run_one<Registry>(exact, context, txs[each.tx], first + each.tx);
                ++replayed;
            }
        }
        for (auto& each : lanes_) each.clear_left();
        return replayed;
    }

    void merge(lane<Registry>& exact, std::vector<delta<Registry>>& changes)
    {
        for (auto& each : lanes_) {
            exact.absorb(each);
            changes.push_back(std::move(each.before));
        }
        if constexpr (Defect != defect::queues_unsorted) exact.sort_queues();
        lanes_.clear();
    }

    template <class Body>
    void each_shard(Body&& body)
    {
        pool_->parallel_for(owners_.count(), 1, [&](std::size_t begin, std::size_t end) {
            for (auto s = begin; s < end; ++s) body(s);
        });
    }

    Pool* pool_;
    options options_;
    shards owners_;
    std::uint32_t chunk_{};
    std::vector<shard_lane> lanes_{};
    std::vector<impl::left_over> left_{};
};

}  // namespace blendr::ledger
