// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: the tree of blocks above the last decided one (the root), deciding along it, and what
// is forgotten then.

#include <algorithm>
#include <set>
#include <utility>

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

template <class Self>
bool chained<Self>::usable(block_id const& id) const
{
    if (id == root_.id) return true;
    auto const at = tree_.find(id);
    return at != tree_.end() && at->second.what == node::state::valid;
}

template <class Self>
auto chained<Self>::place_of(block_id const& id) const -> std::optional<place>
{
    if (id == root_.id) return root_;
    auto const at = tree_.find(id);
    if (at == tree_.end()) return std::nullopt;
    auto const& where = at->second.body.at;
    return place{id, where.at, where.block_time, 0};
}

template <class Self>
void chained<Self>::store(block_id const& id, block body)
{
    if (body.at.at <= root_.at || tree_.contains(id)) return;
    if (body.at.at > above(root_.at, 2)) {
        behind_ = true;
        return;
    }
    if (tree_.size() >= blocks_max) return measure("dropped_tree_full");
    tree_.emplace(id, node{std::move(body), {}, false, view_, {}});
    stirred_ = true;
    self().ask_verdicts();
}

/// Ancestors first: a block is shown to the application only on a decided or valid parent.
template <class Self>
void chained<Self>::ask_verdicts()
{
    for (auto& [id, n] : tree_) {
        if (n.what != node::state::waiting || !usable(n.body.at.parent)) continue;
        n.what = node::state::asked;
        n.patience.begin(now_.monotonic, config_.ask_ms);
        emit(verify{id, n.body.at, n.body.payload});
    }
}

/// An application that has said nothing for a while is asked again: for verdicts, for our block.
template <class Self>
void chained<Self>::remind()
{
    for (auto& [id, n] : tree_)
        if (n.what == node::state::asked && n.patience.over(now_.monotonic)) {
            measure("asked_again");
            emit(verify{id, n.body.at, n.body.payload});
        }
    if (draft_ && draft_->patience.over(now_.monotonic)) {
        measure("asked_again");
        emit(build{draft_->request, draft_->at});
    }
}

template <class Self>
void chained<Self>::commit(block_id const& id, std::vector<certificate> why)
{
    auto const v = why.front().about.view;
    if (v <= root_.view || (pending_ && pending_->second.front().about.view >= v)) return;
    pending_.emplace(id, std::move(why));
    stirred_ = true;  // decided when the step has done with its view: an epoch may end with it
}

template <class Self>
void chained<Self>::finish_commit()
{
    if (!pending_) return;
    std::vector<decide::entry> path{};
    for (auto id = pending_->first; id != root_.id;) {
        auto const at = tree_.find(id);
        if (at == tree_.end()) return;  // asked for by the ticks
        auto const& n = at->second;
        if (n.what == node::state::invalid) return halt("a final block is invalid here", id);
        path.push_back({id, n.body.at, {}});
        id = n.body.at.parent;
        if (n.body.at.at <= above(root_.at) && id != root_.id)
            return halt("two final blocks at one height", path.back().id);
    }
    std::reverse(path.begin(), path.end());
    for (auto& b : path) b.payload = std::move(tree_.at(b.id).body.payload);  // pruned right after
    auto why = std::exchange(pending_, std::nullopt)->second;
    settle(std::move(path), std::move(why));
}

template <class Self>
void chained<Self>::settle(std::vector<decide::entry> path, std::vector<certificate> why)
{
    root_.view = why.front().about.view;
    if (!path.empty()) {
        auto const& last = path.back();
        root_ = {last.id, last.at.at, last.at.block_time, root_.view};
        impatience_ = 0;
        emit(decide{std::move(path), encode(why)});
    }
    root_why_ = std::move(why);
    if (pending_ && pending_->second.front().about.view <= root_.view) pending_.reset();
    progress_ = stirred_ = true;
    prune();
    if (next_ && next_->epoch() == root_.at.get() + 1) {
        auto e = *std::exchange(next_, std::nullopt);
        enter_epoch(std::move(e));
    } else {
        adopt_later();
        advance(root_.view + 1);
    }
    auto below = above(root_.at);
    for (auto const& [v, tag] : tags_) below = std::min(below, tag);
    if (below > trimmed_ && later_.empty()) emit(trim{trimmed_ = below});
    flush_early();
}

/// Forgets what the last decision made pointless.
template <class Self>
void chained<Self>::prune()
{
    rounds_.erase(rounds_.begin(), rounds_.upper_bound(root_.view));
    tags_.erase(tags_.begin(), tags_.upper_bound(root_.view));
    std::set<block_id> gone{};
    for (auto const& [id, n] : tree_) {
        auto const& where = n.body.at;
        if (where.at <= root_.at || (where.at == above(root_.at) && where.parent != root_.id))
            gone.insert(id);
    }
    std::erase_if(tree_, [&](auto const& each) {
        auto const& parent = each.second.body.at.parent;
        return gone.contains(each.first) || (parent != root_.id && gone.contains(parent));
    });
    self().ask_verdicts();
}

/// A long wait without decisions must not fill the memory: old views keep their certificates and our
/// own ballots; old blocks stay when somebody may still build on them.
template <class Self>
void chained<Self>::thin()
{
    if (rounds_.size() <= 2 * views_behind || view_ <= views_behind) return;
    auto const old = view_ - views_behind;
    std::set<block_id> keep{};
    for (auto& [v, r] : rounds_) {
        if (auto const& c = r.certificates[ballot_kind::vote]) keep.insert(c->about.id);
        if (auto const& b = r.mine[ballot_kind::vote]) keep.insert(b->id);
        if (v >= old) continue;
        r.counts = {};
        r.offer.reset();
    }
    for (auto const& [id, n] : std::map<block_id, node>{tree_})
        if (keep.contains(id)) keep.insert(n.body.at.parent);
    std::erase_if(tree_, [&](auto const& each) {
        return each.second.view < old && !keep.contains(each.first);
    });
}

}  // namespace blendr::consensus
