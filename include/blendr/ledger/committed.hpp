// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/mp11/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

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
        return older == since.before.end() ? state_->template table<T>().row(at) : *older->second;
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
    template <class T>
    struct changes {
        std::mutex gathering{};
        std::atomic<std::uint64_t> at{0};  // blocks_->moves() when it was gathered
        boost::unordered_flat_map<state::slot, typename T::row const*> before{};
        std::vector<state::slot> order{};  // of those that were present, where the table is ordered
    };
    template <class... Ts>
    using changes_of = std::tuple<changes<Ts>...>;

    template <class T>
    changes<T> const& changed() const
    {
        auto& out = std::get<Registry::template table_index<T>>(changes_);
        if (blocks_ == nullptr || out.at.load(std::memory_order_acquire) == blocks_->moves())
            return out;
        std::lock_guard const lock{out.gathering};
        if (out.at.load(std::memory_order_relaxed) != blocks_->moves()) gather<T>(out);
        return out;
    }

    template <class T>
    void gather(changes<T>& out) const
    {
        auto const& table = state_->template table<T>();
        out.before.clear();
        out.order.clear();
        blocks_->template uncommitted<T>([&](state::slot at, typename T::row const& row) {
            out.before.emplace(at, &row);
            if constexpr (ordered<T>)
                if (!state::same(row, typename T::row{})) out.order.push_back(at);
        });
        if constexpr (ordered<T>)
            std::sort(out.order.begin(), out.order.end(),
                      [&](auto a, auto b) { return table.key(a) < table.key(b); });
        out.at.store(blocks_->moves(), std::memory_order_release);
    }

    /// The table's own walk, but for the rows that changed since, and these where they belong.
    template <class T, class Next, class Visit, class Walk>
    void merge(changes<T> const& since, Next next, Visit& visit, Walk&& walk) const
    {
        auto const& table = state_->template table<T>();
        bool more = true;
        auto const older_below = [&](auto const& reached) {
            for (; more && next != since.order.end() && reached(*next); ++next)
                more = visit(table.key(*next), *since.before.find(*next)->second);
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
    mutable boost::mp11::mp_apply<changes_of, typename Registry::tables> changes_{};
};

}  // namespace blendr::ledger
