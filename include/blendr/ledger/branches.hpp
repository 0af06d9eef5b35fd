// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <blendr/app/application.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/chain_state.hpp>
#include <blendr/ledger/receipt.hpp>
#include <blendr/ledger/rows.hpp>
#include <blendr/state/tree.hpp>

namespace blendr::ledger {

namespace impl {
/// Former rows by slot, all of one table's type: one map for every table, since each one costs a
/// compiler as much as a table does.
using former_places = boost::unordered_flat_map<state::slot, void const*>;
template <class T>
typename T::row const& former_row(void const* at) noexcept
{
    return *static_cast<typename T::row const*>(at);
}
}  // namespace impl

/// A block that was executed, and what it led to.
template <class Registry>
struct block_node {
    block_id id{};
    block_id parent{};  ///< of the first block: what the tree begins with, whatever its header says
    header head{};
    roots after{};
    applied<Registry> did{};
    std::vector<receipt> receipts{};
    app::validator_set next{};
    state::tree_version version{};
    std::vector<std::pair<bytes, std::optional<bytes>>>
        stored{};  ///< by key, for the store, when there is one
};

/// The one working state of a node, and the tree of blocks that it moves along. The root of the tree
/// is the last committed block; above it stands what was finalized since, and above that what is
/// only proposed. Moving undoes blocks down to the common ancestor and does others again: it costs
/// the rows that these changed.
template <class Registry>
class branches {
public:
    using node = block_node<Registry>;

    explicit branches(std::uint64_t secret, state::tree::options const& roots)
        : rows_{secret},
          tree_{roots}
    {}

    rows<Registry>& state() noexcept { return rows_; }
    rows<Registry> const& state() const noexcept { return rows_; }
    state::tree& tree() noexcept { return tree_; }
    state::tree const& tree() const noexcept { return tree_; }

    /// Begins with a state that is committed: genesis, or what a store held.
    void begin(node first)
    {
        BLENDR_ASSERT(nodes_.empty());
        ++moves_;
        committed_ = decided_ = position_ = first.id;
        nodes_.emplace(first.id, std::move(first));
    }
    bool begun() const noexcept { return !nodes_.empty(); }

    /// Counts up whenever the rows, or what of them is committed, may have become others.
    std::uint64_t moves() const noexcept { return moves_; }

    node* find(block_id const& id)
    {
        auto const found = nodes_.find(id);
        return found == nodes_.end() ? nullptr : &found->second;
    }
    /// Where a block of that place stands on. A chain that begins with genesis or a snapshot does not
    /// know that block's name: whatever the engine calls it is the first one's parent.
    node* parent_of(app::proposal_context const& at)
    {
        auto& first = nodes_.at(committed_);
        if (first.id == block_id{} && at.at == later(first.head.at, 1)) return &first;
        return find(at.parent);
    }
    node& committed() { return nodes_.at(committed_); }
    node const& committed() const { return nodes_.at(committed_); }
    node& decided() { return nodes_.at(decided_); }
    node const& decided() const { return nodes_.at(decided_); }

    /// Makes the rows those after that block.
    void move_to(block_id const& target)
    {
        std::vector<node*> up;
        auto* from = &nodes_.at(position_);
        auto* to = &nodes_.at(target);
        while (from != to) {
            if (from->head.at >= to->head.at) {
                from->did.swap(rows_);
                from = above(*from);
            } else {
                up.push_back(to);
                to = above(*to);
            }
        }
        std::for_each(up.rbegin(), up.rend(), [&](node* each) { each->did.swap(rows_); });
        if (position_ != target) ++moves_;
        position_ = target;
    }

    /// Takes a block that was just executed on the rows as they are.
    node& add(node executed)
    {
        BLENDR_ASSERT(nodes_.at(position_).head.at < executed.head.at);
        executed.parent = position_;
        position_ = executed.id;
        ++moves_;
        auto const [at, fresh] = nodes_.emplace(executed.id, std::move(executed));
        BLENDR_ASSERT(fresh);
        return at->second;
    }

    /// Makes a child of the last decided block the next decided one; what stands beside it goes.
    void decide(block_id const& id)
    {
        BLENDR_ASSERT(nodes_.at(id).parent == decided_);
        if (!descends(nodes_.at(position_), id)) move_to(id);
        tree_.decide(nodes_.at(id).version);
        for (auto each = nodes_.begin(); each != nodes_.end();)
            each = each->second.head.at <= nodes_.at(decided_).head.at || descends(each->second, id)
                       ? std::next(each)
                       : nodes_.erase(each);
        decided_ = id;
    }

    /// Merges what was decided into the root, oldest first: `visit(node)` sees each block once. What the
    /// blocks had changed is history then and returned, for its memory.
    template <class Visit>
    std::vector<delta<Registry>> commit(Visit&& visit)
    {
        std::vector<node*> path;
        for (auto* each = &decided(); each->id != committed_; each = above(*each))
            path.push_back(each);
        std::for_each(path.rbegin(), path.rend(), [&](node* each) { visit(*each); });
        auto const keep = decided_;
        std::vector<delta<Registry>> merged;
        for (auto* each : path)
            std::move(each->did.changes.begin(), each->did.changes.end(),
                      std::back_inserter(merged));
        for (auto* each : path) each->did.changes.clear();
        std::erase_if(nodes_, [&](auto const& each) {
            return each.first != keep && each.second.head.at <= nodes_.at(keep).head.at;
        });
        committed_ = keep;
        ++moves_;
        recycle(merged);
        return merged;
    }

    /// A row after the last committed block, wherever the working state stands.
    template <class T>
    typename T::row committed_row(typename T::key const& key) const
    {
        auto const& table = rows_.template table<T>();
        auto const at = table.find(key);
        if (at == state::no_slot) return {};
        auto const* oldest = static_cast<typename T::row const*>(nullptr);
        for (auto each = position_; each != committed_; each = nodes_.at(each).parent)
            for (auto const& part : nodes_.at(each).did.changes)
                for (auto const& row : part.template of<T>())
                    if (row.at == at) oldest = &row.row;
        return oldest != nullptr ? *oldest : table.row(at);
    }

    /// The rows of a table that blocks above the committed one changed, as they were after it, for
    /// as long as nothing moves.
    template <class T>
    impl::former_places uncommitted() const
    {
        return formers<T>(position_, committed_);
    }

    /// What the next `commit` will make of a table's rows: visit(key, before, after), each once, in no
    /// particular order.
    template <class T, class Visit>
    void next_commit(Visit&& visit) const
    {
        auto const& table = rows_.template table<T>();
        auto const above = formers<T>(position_, decided_);
        for (auto const& [at, place] : formers<T>(decided_, committed_)) {
            auto const later = above.find(at);
            auto const& before = impl::former_row<T>(place);
            auto const& after =
                later == above.end() ? table.row(at) : impl::former_row<T>(later->second);
            if (!state::same(before, after)) visit(table.key(at), before, after);
        }
    }

    /// Many of them at once, in order: what undecided blocks changed is looked through only once.
    template <class T, class Visit>
    void committed_rows(std::span<typename T::key const> keys, Visit&& visit) const
    {
        auto const before = formers<T>(position_, committed_);
        typename T::row const absent{};
        auto const& table = rows_.template table<T>();
        for (auto const& key : keys) {
            auto const at = table.find(key);
            auto const changed = before.empty() ? before.end() : before.find(at);
            visit(at == state::no_slot      ? absent
                  : changed != before.end() ? impl::former_row<T>(changed->second)
                                            : table.row(at));
        }
    }

private:
    /// The rows that the blocks from `top` down to the one above `floor` changed, as they were there.
    template <class T>
    impl::former_places formers(block_id const& top, block_id const& floor) const
    {
        impl::former_places out;
        for (auto each = top; each != floor; each = nodes_.at(each).parent)
            for (auto const& part : nodes_.at(each).did.changes)
                for (auto const& row : part.template of<T>())
                    out.insert_or_assign(row.at, static_cast<void const*>(&row.row));
        return out;
    }

    /// Gives back the slots of keys that no living block has a row for.
    void recycle(std::vector<delta<Registry>> const& merged)
    {
        boost::mp11::mp_for_each<
            boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::tables>>(
            [&](auto type) {
                using table = typename decltype(type)::type;
                std::vector<state::slot> emptied;
                std::vector<state::slot> busy;
                for (auto const& each : merged)
                    for (auto const& row : each.template of<table>()) emptied.push_back(row.at);
                for (auto const& [id, each] : nodes_)
                    for (auto const& part : each.did.changes)
                        for (auto const& row : part.template of<table>()) busy.push_back(row.at);
                std::sort(busy.begin(), busy.end());
                rows_.template table<table>().recycle(emptied, busy);
            });
    }

    node* above(node const& from) { return &nodes_.at(from.parent); }

    bool descends(node const& from, block_id const& id)
    {
        auto const floor = nodes_.at(id).head.at;
        auto const* each = &from;
        while (each->head.at > floor) {
            each = find(each->parent);
            if (each == nullptr) return false;  // its parent was dropped just before
        }
        return each->id == id;
    }

    rows<Registry> rows_;
    state::tree tree_;
    std::map<block_id, node> nodes_{};
    block_id committed_{};
    block_id decided_{};
    block_id position_{};
    std::uint64_t moves_{};
};

}  // namespace blendr::ledger
