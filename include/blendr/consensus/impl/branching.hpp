// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of branching.hpp.

namespace blendr::consensus {

template <class Self>
void branching<Self>::step(event const& in, clock now, effects& out)
{
    now_ = now;
    out_ = &out;
    if (!stopped_ || std::holds_alternative<started>(in))
        std::visit([this](auto const& each) { this->on(each); }, in);
    out_ = nullptr;
}

template <class Self>
std::optional<bool> branching<Self>::claims(public_key const&, bytes_view raw,
                                            std::vector<claim>& out) const
{
    auto const in = decode<branch_message>(raw);
    if (!in) return false;
    std::optional<bool> all = true;
    auto const add = [&](sealed_block const& b) {
        auto const one = self().claims_of(id_of(b.body), b, out);
        if (!one || !*one) all = one;
    };
    if (auto const* b = std::get_if<sealed_block>(&*in)) add(*b);
    if (auto const* t = std::get_if<branch_tell>(&*in))
        for (auto const& b : t->blocks)
            if (all == true) add(b);
    return all;
}

template <class Self>
void branching<Self>::on(started const& s)
{
    stopped_ = false;
    root_ = best_ = s.from.last.id;
    base_.what.body = {s.from.last.at, s.from.last.payload};
    base_.verdict = node::state::valid;
    for (auto const& m : s.from.sets) on(m);
    self().on_started(s);
    emit(set_timer{ask_timer, ask_ms_ / 4 + 1});
    behind_ = true;
    self().branch_changed();
}

template <class Self>
void branching<Self>::on(received const& r)
{
    auto const in = decode<branch_message>(r.message);
    if (!in) return measure("dropped_malformed");
    if (auto const* a = std::get_if<branch_ask>(&*in)) return answer(r.from, *a);
    if (!r.signatures_checked) {
        behind_ = true;  // its makers are not known yet
        return measure("dropped_too_early");
    }
    if (auto const* b = std::get_if<sealed_block>(&*in)) store(id_of(b->body), *b);
    if (auto const* t = std::get_if<branch_tell>(&*in))
        for (auto const& b : t->blocks)
            if (!stopped_) store(id_of(b.body), b);
}

template <class Self>
void branching<Self>::on(timer_fired const& t)
{
    if (t.timer != ask_timer) return self().fired(t.timer);
    remind();
    ask_somebody();
    emit(set_timer{ask_timer, ask_ms_});
}

template <class Self>
void branching<Self>::store(block_id const& id, sealed_block const& b)
{
    auto const& where = b.body.at;
    if (where.at <= root_height() || tree_.contains(id)) return;
    if (where.block_time > after(now_.wall, drift_ms_)) return measure("dropped_from_the_future");
    auto const parent = tree_.find(where.parent);
    if (where.parent != root_ && parent == tree_.end()) {
        behind_ = true;
        return keep_orphan(id, b);
    }
    auto const& below = where.parent == root_ ? base_ : parent->second;
    if (where.at != above(below.what.body.at.at) ||
        where.block_time <= below.what.body.at.block_time)
        return measure("dropped_misplaced");
    if (tree_.size() >= tree_max) return measure("dropped_tree_full");
    node fresh{b, {}, 0, {}, {}};
    auto const own = self().weigh(id, fresh, below);
    if (!own) return measure("dropped_bad_seal");
    fresh.weight = below.weight + *own;
    tree_.emplace(id, std::move(fresh));
    ask_verdicts();
    adopt_orphans();
}

template <class Self>
void branching<Self>::keep_orphan(block_id const& id, sealed_block const& b)
{
    auto const size = [](sealed_block const& each) { return each.body.payload.size() + 256; };
    if (size(b) > orphan_bytes_max) return measure("dropped_orphan");
    if (auto const known = orphans_.find(id); known != orphans_.end())
        orphan_bytes_ -= size(known->second);  // under another seal, perhaps a better one
    orphans_.insert_or_assign(id, b);
    orphan_bytes_ += size(b);
    while (orphans_.size() > orphans_max || orphan_bytes_ > orphan_bytes_max) {
        auto const out =
            orphans_.begin()->first == id ? std::next(orphans_.begin()) : orphans_.begin();
        orphan_bytes_ -= size(out->second);
        orphans_.erase(out);
        measure("dropped_orphan");
    }
    note_foreign(id);
}

template <class Self>
void branching<Self>::adopt_orphans()
{
    for (auto at = orphans_.begin(); at != orphans_.end(); ++at) {
        auto const& parent = at->second.body.at.parent;
        if (parent != root_ && !tree_.contains(parent)) continue;
        auto const [id, b] = *at;
        orphan_bytes_ -= b.body.payload.size() + 256;
        orphans_.erase(at);
        return store(id, b);  // which looks for more
    }
}

template <class Self>
void branching<Self>::ask_verdicts()
{
    for (auto& [id, n] : tree_) {
        auto const& parent = n.what.body.at.parent;
        if (n.verdict != node::state::waiting || at(parent).verdict != node::state::valid) continue;
        n.verdict = node::state::asked;
        n.patience.begin(now_.monotonic, ask_ms_);
        emit(verify{id, n.what.body.at, n.what.body.payload});
    }
}

/// An application that has said nothing for a while is asked again.
template <class Self>
void branching<Self>::remind()
{
    for (auto& [id, n] : tree_)
        if (n.verdict == node::state::asked && n.patience.over(now_.monotonic)) {
            measure("asked_again");
            emit(verify{id, n.what.body.at, n.what.body.payload});
        }
}

template <class Self>
void branching<Self>::on(judged const& j)
{
    auto const found = tree_.find(j.id);
    if (found == tree_.end() || found->second.verdict != node::state::asked) return;
    bool const valid = j.verdict == app::verdict::valid;
    found->second.verdict = valid ? node::state::valid : node::state::invalid;
    if (!valid) return measure("invalid_block");
    ask_verdicts();
    choose();
}

template <class Self>
bool branching<Self>::heavier(block_id const& a, block_id const& b) const
{
    auto const& x = at(a);
    auto const& y = at(b);
    if (x.weight != y.weight) return x.weight > y.weight;
    return self().prefers(x, y);
}

template <class Self>
void branching<Self>::choose()
{
    auto const before = best_;
    for (auto const& [id, n] : tree_)
        if (n.verdict == node::state::valid && heavier(id, best_)) best_ = id;
    if (best_ == before) return;
    if (best_node().what.body.at.parent != before) {
        bool extends = false;
        for (auto id = best_; id != root_ && !extends; id = at(id).what.body.at.parent)
            extends = id == before;
        if (!extends && before != root_) emit(reorg{before, best_});
    }
    decide_deep();
    self().branch_changed();
}

template <class Self>
void branching<Self>::decide_deep()
{
    auto const top = best_node().what.body.at.at.get();
    if (top < root_height().get() + depth_ + 1) return;
    auto const upto = top - depth_;
    std::vector<block_id> path{};
    for (auto id = best_; id != root_; id = at(id).what.body.at.parent)
        if (at(id).what.body.at.at.get() <= upto) path.push_back(id);
    std::reverse(path.begin(), path.end());
    decide out{};
    depth why{depth_, {}};
    for (auto const& id : path) {
        auto const& n = at(id);
        out.blocks.push_back({id, n.what.body.at, n.what.body.payload});
        why.seals.push_back(n.what.seal);
    }
    out.why = std::move(why);
    auto last = tree_.extract(path.back());
    root_ = last.key();
    base_ = std::move(last.mapped());
    // What does not stand on the new root goes: the stale blocks of this stretch.
    std::int64_t stale = 0;
    for (bool again = true; again;) {
        again = false;
        for (auto it = tree_.begin(); it != tree_.end();) {
            auto const& parent = it->second.what.body.at.parent;
            if (parent == root_ || tree_.contains(parent)) {
                ++it;
                continue;
            }
            stale += std::find(path.begin(), path.end(), it->first) == path.end();
            it = tree_.erase(it);
            again = true;
        }
    }
    std::erase_if(orphans_, [&](auto const& o) {
        if (o.second.body.at.at > root_height()) return false;
        orphan_bytes_ -= o.second.body.payload.size() + 256;
        return true;
    });
    if (stale != 0) measure("stale_blocks", stale);
    emit(std::move(out));
    self().decided_to(root_height());
}

/// A branch from below our root that is higher than ours: what was decided here is not what others
/// build on.
template <class Self>
void branching<Self>::note_foreign(block_id const& id)
{
    auto const* low = &orphans_.at(id);
    auto const top = low->body.at.at;
    for (auto next = orphans_.find(low->body.at.parent); next != orphans_.end();
         next = orphans_.find(low->body.at.parent))
        low = &next->second;
    if (low->body.at.at != above(root_height()) || low->body.at.parent == root_) return;
    if (top <= best_node().what.body.at.at || top.get() < root_height().get() + depth_) return;
    stopped_ = true;
    emit(halted{"a longer branch forks below what was decided", root_, id});
}

template <class Self>
void branching<Self>::ask_somebody()
{
    if (others_.empty()) return;
    (void)behind_;  // also when nothing seems to be missing: a lost block shows in nothing else
    behind_ = false;
    auto const& to = others_[rng_.below(others_.size())];
    emit(send{to, lane::bulk, encode(branch_message{branch_ask{root_height(), best_}})});
}

template <class Self>
void branching<Self>::answer(public_key const& from, branch_ask const& a)
{
    auto const last = answered_.find(from);
    if (last == answered_.end() && answered_.size() >= peers_max)
        return measure("dropped_too_many_peers");
    if (last != answered_.end() && now_.monotonic - last->second < ask_ms_ / 4)
        return measure("dropped_ask_too_often");
    answered_[from] = now_.monotonic;
    if (a.best == best_) return;
    if (a.decided < root_height()) {
        if (loads_.size() >= 64) loads_.erase(loads_.begin());
        loads_.emplace(++requests_, std::pair{from, a});
        emit(load{requests_, above(a.decided), 1u << 20});
    }
    branch_tell out{};
    for (auto id = best_; id != root_; id = at(id).what.body.at.parent)
        out.blocks.push_back(at(id).what);
    std::reverse(out.blocks.begin(), out.blocks.end());
    std::erase_if(out.blocks, [&](sealed_block const& b) { return too_far(b.body.at.at, a); });
    if (out.blocks.size() > 64) out.blocks.resize(64);
    if (!out.blocks.empty()) emit(send{from, lane::bulk, encode(branch_message{std::move(out)})});
}

template <class Self>
void branching<Self>::on(loaded const& l)
{
    auto const to = loads_.find(l.request);
    if (to == loads_.end()) return;
    branch_tell out{};
    for (auto const& d : l.batches) {
        auto const* why = std::get_if<depth>(&d.why);
        if (why == nullptr || why->seals.size() != d.blocks.size()) continue;
        for (std::size_t i = 0; i < d.blocks.size() && out.blocks.size() < 64; ++i)
            if (!too_far(d.blocks[i].at.at, to->second.second))
                out.blocks.push_back({{d.blocks[i].at, d.blocks[i].payload}, why->seals[i]});
    }
    if (!out.blocks.empty())
        emit(send{to->second.first, lane::bulk, encode(branch_message{std::move(out)})});
    loads_.erase(to);
}

}  // namespace blendr::consensus
