// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <blendr/state/table.hpp>

namespace blendr::state {

/// A table whose present rows can be walked in key order. Keys need `<`. Whoever changes a row calls
/// `changed`; the order is brought up to date when a walk begins, so that changing a row twice
/// costs the index once. The order holds slots only: 4 to 8 bytes a row. While nobody changes the
/// table any thread may walk it.
template <class Key, class Row>
class ordered_table : public table<Key, Row> {
public:
    using table<Key, Row>::table;

    /// The row at this slot may have come or gone.
    void changed(slot at)
    {
        changed_.push_back(at);
        settled_.store(false, std::memory_order_relaxed);
    }

    /// Visits present rows in key order, from the first key not below `from`, until
    /// `visit(key, row)` says false. `visit` may change rows: one that it empties is not visited any
    /// more, one that it adds is not visited yet.
    template <class Visit>
    void each(Key const& from, Visit&& visit)
    {
        refresh();
        auto const leaf = leaf_of(from);
        if (leaf == leaves_.size()) return;
        auto const at =
            static_cast<std::size_t>(lower(leaves_[leaf], from) - leaves_[leaf].begin());
        walk(leaf, at, visit);
    }
    template <class Visit>
    void each(Visit&& visit)
    {
        refresh();
        walk(0, 0, visit);
    }

    /// The slots of present rows in key order, from the first key not below `from`, until
    /// `visit(slot)` says false. Nothing may change meanwhile; any thread may do this.
    template <class Visit>
    void each_slot(Key const& from, Visit&& visit) const
    {
        refresh();
        auto const leaf = leaf_of(from);
        if (leaf == leaves_.size()) return;
        auto const at =
            static_cast<std::size_t>(lower(leaves_[leaf], from) - leaves_[leaf].begin());
        walk_slots(leaf, at, visit);
    }
    template <class Visit>
    void each_slot(Visit&& visit) const
    {
        refresh();
        walk_slots(0, 0, visit);
    }

    /// Also out of the order.
    void release(slot at)
    {
        refresh();
        table<Key, Row>::release(at);
    }
    void recycle(std::span<slot const> emptied, std::span<slot const> busy)
    {
        refresh();
        table<Key, Row>::recycle(emptied, busy);
    }

    /// Present rows.
    std::size_t count()
    {
        refresh();
        std::size_t sum = 0;
        for (auto const& each : leaves_) sum += each.size();
        return sum;
    }

private:
    static constexpr std::size_t leaf_max = 512;
    using slots = std::vector<slot>;

    template <class Visit>
    void walk(std::size_t from_leaf, std::size_t from, Visit& visit)
    {
        ++walks_;
        auto const see = [&](slot at) {
            return !this->present(at) || visit(this->key(at), std::as_const(*this).row(at));
        };
        walk_slots(from_leaf, from, see);
        --walks_;
    }

    template <class Visit>
    void walk_slots(std::size_t from_leaf, std::size_t from, Visit& visit) const
    {
        bool more = true;
        for (auto i = from_leaf; more && i < leaves_.size(); ++i, from = 0)
            for (auto j = from; more && j < leaves_[i].size(); ++j) more = visit(leaves_[i][j]);
    }

    /// The first leaf whose last key is not below `key`.
    std::size_t leaf_of(Key const& key) const
    {
        auto const found =
            std::partition_point(leaves_.begin(), leaves_.end(),
                                 [&](slots const& each) { return this->key(each.back()) < key; });
        return static_cast<std::size_t>(found - leaves_.begin());
    }
    template <class Leaf>
    auto lower(Leaf& in, Key const& key) const
    {
        return std::partition_point(in.begin(), in.end(),
                                    [&](slot at) { return this->key(at) < key; });
    }

    void refresh() const
    {
        if (settled_.load(std::memory_order_acquire) || walks_ != 0)
            return;  // a walk within a walk goes by its order
        std::lock_guard const lock{refreshing_};
        std::sort(changed_.begin(), changed_.end());
        changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
        for (auto const at : changed_) place(at);
        changed_.clear();
        settled_.store(true, std::memory_order_release);
    }

    void place(slot at) const
    {
        auto const& key = this->key(at);
        bool const wanted = this->present(at);
        auto i = leaf_of(key);
        if (i == leaves_.size()) {
            if (!wanted) return;
            if (i == 0) leaves_.emplace_back();
            i = leaves_.size() - 1;
        }
        auto& in = leaves_[i];
        auto const where = lower(in, key);
        bool const there = where != in.end() && *where == at;
        if (wanted && !there) {
            in.insert(where, at);
            if (in.size() > leaf_max) split(i);
        } else if (!wanted && there) {
            in.erase(where);
            if (in.empty()) leaves_.erase(leaves_.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }

    void split(std::size_t i) const
    {
        auto& full = leaves_[i];
        auto const middle = full.begin() + static_cast<std::ptrdiff_t>(full.size() / 2);
        slots upper(middle, full.end());
        full.erase(middle, full.end());
        leaves_.insert(leaves_.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(upper));
    }

    // the order follows when somebody asks for it, whoever that is
    mutable std::vector<slots> leaves_{};  // in key order, none empty
    mutable std::vector<slot> changed_{};
    mutable std::atomic<bool> settled_{true};
    mutable std::mutex refreshing_{};
    unsigned walks_{};
};

}  // namespace blendr::state
