// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include <blendr/ledger/branches.hpp>
#include <blendr/ledger/rows.hpp>
#include <blendr/state/same.hpp>

namespace blendr::ledger {

/// The rows after the last committed block, wherever the working state stands. What blocks above it
/// changed is gathered once for each place that the working state comes to, table by table, by the
/// first who asks.
///
/// Any thread, while nobody moves the working state; references last as long.
template <class Registry>
class committed_rows {
public:
    /// Of rows that no block moves: they are what they are.
    explicit committed_rows(rows<Registry> const& state) noexcept : state_{&state} {}
    explicit committed_rows(branches<Registry> const& blocks) noexcept
        : state_{&blocks.state()},
          blocks_{&blocks}
    {}

    /// A default row where there is none.
    template <class T>
    typename T::row const& row(typename T::key const& key) const
    {
        static typename T::row const absent{};
        auto const& table = state_->template table<T>();
        auto const at = table.find(key);
        return at == state::no_slot ? absent : row_at<T>(at);
    }
    template <class T>
    typename T::row const& row_at(state::slot at) const
    {
        auto const& since = changed<T>();
        auto const older = since.before.find(at);
        return older == since.before.end() ? state_->template table<T>().row(at)
                                           : impl::former_row<T>(older->second);
    }

    rows<Registry> const& state() const noexcept { return *state_; }

    /// Present rows in key order, from the first key not below `from`: visit(key, row), until it says
    /// false.
    template <ordered T, class Visit>
    void each(typename T::key const& from, Visit&& visit) const
    {
        auto const& table = state_->template table<T>();
        auto const& since = changed<T>();
        auto next = std::partition_point(since.order.begin(), since.order.end(),
                                         [&](auto at) { return table.key(at) < from; });
        merge<T>(since, next, visit,
                 [&](auto&& see) { table.each_slot(from, std::forward<decltype(see)>(see)); });
    }
    template <ordered T, class Visit>
    void each(Visit&& visit) const
    {
        auto const& since = changed<T>();
        merge<T>(since, since.order.begin(), visit, [&](auto&& see) {
            state_->template table<T>().each_slot(std::forward<decltype(see)>(see));
        });
    }

private:
    /// What uncommitted blocks changed in a table.
    struct changes {
        std::mutex gathering{};
        std::atomic<std::uint64_t> at{0};  // blocks_->moves() when it was gathered
        impl::former_places before{};
        std::vector<state::slot> order{};  // of those that were present, where the table is ordered
    };

    template <class T>
    changes const& changed() const
    {
        auto& out = changes_[Registry::template table_index<T>];
        if (blocks_ == nullptr || out.at.load(std::memory_order_acquire) == blocks_->moves())
            return out;
        std::lock_guard const lock{out.gathering};
        if (out.at.load(std::memory_order_relaxed) != blocks_->moves()) gather<T>(out);
        return out;
    }

    template <class T>
    void gather(changes& out) const
    {
        out.before = blocks_->template uncommitted<T>();
        if constexpr (ordered<T>) {
            auto const& table = state_->template table<T>();
            out.order.clear();
            for (auto const& [at, row] : out.before)
                if (!state::same(impl::former_row<T>(row), typename T::row{}))
                    out.order.push_back(at);
            std::sort(out.order.begin(), out.order.end(),
                      [&](auto a, auto b) { return table.key(a) < table.key(b); });
        }
        out.at.store(blocks_->moves(), std::memory_order_release);
    }

    /// The table's own walk, but for the rows that changed since, and these where they belong.
    template <class T, class Next, class Visit, class Walk>
    void merge(changes const& since, Next next, Visit& visit, Walk&& walk) const
    {
        auto const& table = state_->template table<T>();
        bool more = true;
        auto const older_below = [&](auto const& reached) {
            for (; more && next != since.order.end() && reached(*next); ++next)
                more =
                    visit(table.key(*next), impl::former_row<T>(since.before.find(*next)->second));
        };
        walk([&](state::slot at) {
            older_below([&](state::slot older) { return table.key(older) < table.key(at); });
            if (more && table.present(at) && !since.before.contains(at))
                more = visit(table.key(at), table.row(at));
            return more;
        });
        older_below([](state::slot) { return true; });
    }

    rows<Registry> const* state_;
    branches<Registry> const* blocks_ = nullptr;
    mutable std::array<changes, Registry::table_count> changes_{};
};

}  // namespace blendr::ledger
