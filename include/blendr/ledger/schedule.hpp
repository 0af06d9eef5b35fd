// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/mp11/algorithm.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/prepare.hpp>
#include <blendr/ledger/registry.hpp>

namespace blendr::ledger {

/// Who owns a row while a block is executed: slots in groups, dealt out to a power of two of shards.
/// A group fills whole cache lines, so that shards do not share any.
class shards {
public:
    static constexpr std::size_t count_max = 64;

    explicit shards(unsigned threads, unsigned group_bits = 5) noexcept
        : mask_{std::bit_floor(std::clamp(threads, 1u, unsigned{count_max})) - 1},
          group_bits_{group_bits}
    {}

    std::size_t count() const noexcept { return mask_ + std::size_t{1}; }
    [[gnu::always_inline]] std::uint8_t of(state::slot at) const noexcept
    {
        return static_cast<std::uint8_t>(at >> group_bits_ & mask_);
    }

private:
    unsigned mask_;
    unsigned group_bits_;
};

/// Where a transaction runs: on the shard that owns every row it needs exactly or may empty, or, when
/// there is no such shard, after its chunk, in order.
using home = std::uint8_t;
inline constexpr home ordered_home = 255;

/// Finds the home of each transaction of a block.
///
/// A debit and a write bind a transaction to the row's shard. A read does where the row changes in the
/// block. Where somebody also credits a row that is read or written whole, no shard knows the
/// row's exact value in time, and order decides.
/// Whose turn it is in a chunk.
struct chunk_plan {
    static constexpr std::uint32_t runs_later = std::uint32_t{1} << 31;

    /// By shard: the transactions that are at home there, by number in the chunk, in order. Those without
    /// a home stand, marked, in every list.
    std::vector<std::vector<std::uint32_t>> turns{};
    std::size_t size{};
    std::size_t homeless{};

    /// Whether most of it would run on one shard, or in order anyway.
    bool lopsided() const
    {
        std::size_t heaviest = 0;
        for (auto const& each : turns) heaviest = std::max(heaviest, each.size());
        return homeless * 4 > size || heaviest * 8 > size * 7 || size < 64;
    }
};

template <class Registry, class Pool = task_pool>
class scheduler {
public:
    scheduler(shards owners, Pool& pool) noexcept : owners_{owners}, pool_{&pool} {}

    /// A plan for each part of a block.
    std::vector<chunk_plan> operator()(std::span<std::span<prepared_tx const> const> parts,
                                       bool unordered_reads = false)
    {
        std::vector<chunk_plan> plans(parts.size());
        std::vector<std::vector<home>> homes(parts.size());
        std::vector<std::vector<std::uint64_t>> watched(parts.size());
        each_part(parts.size(), [&](std::size_t p) {
            homes[p].reserve(parts[p].size());
            for (auto const& tx : parts[p]) homes[p].push_back(first_look(tx, watched[p]));
            if (watched[p].empty()) plans[p] = plan(homes[p]);
        });
        watch(watched);
        if (watched_.empty()) return plans;
        each_part(parts.size(), [&](std::size_t p) {
            for (auto const& tx : parts[p]) note_changes(tx);
        });
        each_part(parts.size(), [&](std::size_t p) {
            if (watched[p].empty()) return;
            for (std::size_t i = 0; i < parts[p].size() && !unordered_reads; ++i)
                homes[p][i] = second_look(parts[p][i], homes[p][i]);
            plans[p] = plan(homes[p]);
        });
        return plans;
    }

private:
    struct row_use {
        std::atomic<bool> changed{false};
        std::atomic<bool> credited{false};
    };

    chunk_plan plan(std::vector<home> const& homes) const
    {
        chunk_plan out{};
        out.size = homes.size();
        out.turns.resize(owners_.count());
        for (auto& each : out.turns) each.reserve(homes.size() / owners_.count() * 5 / 4 + 16);
        for (std::uint32_t i = 0; i < homes.size(); ++i)
            if (homes[i] != ordered_home) {
                out.turns[homes[i]].push_back(i);
            } else {
                ++out.homeless;
                for (auto& each : out.turns) each.push_back(i | chunk_plan::runs_later);
            }
        return out;
    }

    static std::uint64_t name(touch const& at) noexcept
    {
        return std::uint64_t{at.table} << 32 | at.at;
    }

    template <class Body>
    void each_part(std::size_t count, Body&& body)
    {
        pool_->parallel_for(count, 1, [&](std::size_t begin, std::size_t end) {
            for (auto p = begin; p < end; ++p) body(p);
        });
    }

    static constexpr auto quantified_tables = [] {
        std::array<bool, Registry::table_count> out{};
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<Registry::table_count>>([&](auto t) {
            out[t] = quantified<typename Registry::template table_at<decltype(t)::value>>;
        });
        return out;
    }();

    static bool wants_watch(touch const& at) noexcept
    {
        return at.how == mode::read || (at.how == mode::write && quantified_tables[at.table]);
    }

    home first_look(prepared_tx const& tx, std::vector<std::uint64_t>& watched) const
    {
        home where = owners_.of(tx.purse);
        for (auto const& at : std::span{tx.touches, tx.touch_count}) {
            if (at.how == mode::credit) continue;
            if (wants_watch(at)) watched.push_back(name(at));
            if (at.how != mode::read && owners_.of(at.at) != where) where = ordered_home;
        }
        return where;
    }

    void watch(std::vector<std::vector<std::uint64_t>> const& watched)
    {
        watched_.clear();
        watched_tables_ = {};
        std::size_t sum = 0;
        for (auto const& each : watched) sum += each.size();
        if (sum == 0) return;
        for (auto const& each : watched)
            for (auto const row : each) {
                watched_.try_emplace(row, static_cast<std::uint32_t>(watched_.size()));
                watched_tables_[row >> 32] = true;
            }
        uses_ = std::vector<row_use>(watched_.size());
    }

    void note_changes(prepared_tx const& tx)
    {
        for (auto const& at : std::span{tx.touches, tx.touch_count}) {
            if (at.how == mode::read || !watched_tables_[at.table]) continue;
            auto const found = watched_.find(name(at));
            if (found == watched_.end()) continue;
            auto& seen = uses_[found->second];
            seen.changed.store(true, std::memory_order_relaxed);
            if (at.how == mode::credit) seen.credited.store(true, std::memory_order_relaxed);
        }
    }

    home second_look(prepared_tx const& tx, home where) const
    {
        for (auto const& at : std::span{tx.touches, tx.touch_count}) {
            if (!wants_watch(at) || where == ordered_home) continue;
            auto const& seen = uses_[watched_.at(name(at))];
            if (!seen.changed.load(std::memory_order_relaxed)) continue;
            if (seen.credited.load(std::memory_order_relaxed) || owners_.of(at.at) != where)
                where = ordered_home;
        }
        return where;
    }

    shards owners_;
    Pool* pool_;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> watched_{};  // looked up, never walked
    std::array<bool, Registry::table_count> watched_tables_{};
    std::vector<row_use> uses_{};
};

}  // namespace blendr::ledger
