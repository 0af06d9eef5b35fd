// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: events, counting, the tree and deciding. Wire and journal: chained_wire.hpp.

#include <algorithm>
#include <utility>

namespace blendr::consensus {

// ---------------------------------------------------------------- events

template <class Self>
void chained<Self>::on(started const& s)
{
    BLENDR_ASSERT(stopped_ && !s.from.sets.empty());
    stopped_ = false;
    root_ = {s.from.last.id, s.from.last.at.at, s.from.last.at.block_time, 0};
    for (auto const& m : s.from.sets)
        if (m.from > root_.at) on(m);
    if (auto const* raw = std::get_if<bytes>(&s.from.why); raw != nullptr)
        if (auto const why = decode<std::vector<certificate>>(*raw); why && !why->empty())
            if (why->front().about.epoch == voters_.epoch()) {
                root_.view = why->front().about.view;
                root_why_ = *why;
                for (auto const& c : *why)
                    if (needs(c)) hold(c);
            }
    replay(s.journal);
    advance(root_.view + 1);
    set(ask_timer, config_.ask_ms);
    stir();
}

template <class Self>
void chained<Self>::on(membership const& m)
{
    if (m.from <= known_to_) return;
    known_to_ = m.from;
    if (voters_.size() == 0 || (m.epoch != voters_.epoch() && m.epoch == root_.at.get() + 1))
        enter_epoch(electorate{m});
    else if (m.epoch != voters_.epoch())
        next_ = electorate{m};
    stirred_ = true;
    flush_early();
    stir();
}

template <class Self>
void chained<Self>::on(received const& r)
{
    if (stopped_) return;
    auto const in = decode<wire_message>(r.message);
    if (!in) return measure("dropped_malformed");
    if (early(*in)) return keep_early(r.from, r.message);
    if (!r.signatures_checked) return emit(again{r.from, to_bytes(r.message)});
    std::visit([&](auto const& each) { take(r.from, each); }, *in);
    stir();
}

template <class Self>
void chained<Self>::on(timer_fired const& t)
{
    if (stopped_) return;
    switch (t.timer) {
    case view_timer:
        give_up();
        resend();  // a vote that its one addressee lost must not cost two views
        self().arm_view();
        break;
    case ask_timer:
        tick();
        break;
    case pace_timer:
        draft_.reset();
        break;
    default:
        self().fired(t.timer);
    }
    stirred_ = true;
    stir();
}

template <class Self>
void chained<Self>::on(built const& b)
{
    if (stopped_ || !draft_ || draft_->request != b.request || draft_->view != view_) return;
    if (!b.payload || b.payload->size() > payload_max) {
        set(pace_timer, std::max<std::int64_t>(config_.delta_ms, 1));  // then asks again
        return;
    }
    auto d = *std::exchange(draft_, std::nullopt);
    block body{d.at, *b.payload};
    auto const id = id_of(body);
    store(id, body);
    put_forward({ballot_kind::propose, voters_.epoch(), d.view, d.prior, id}, std::move(body),
                std::move(d.because));
    stir();
}

template <class Self>
void chained<Self>::on(judged const& j)
{
    auto const at = tree_.find(j.id);
    if (stopped_ || at == tree_.end() || at->second.what != node::state::asked) return;
    bool const valid = j.verdict == app::verdict::valid;
    at->second.what = valid ? node::state::valid : node::state::invalid;
    if (!valid) return measure("invalid_block");
    self().ask_verdicts();
    stirred_ = true;
    stir();
}

/// Whatever a step stirred up may let us vote, lead or decide: tried here and nowhere else.
template <class Self>
void chained<Self>::stir()
{
    while (std::exchange(stirred_, false) && !stopped_) {
        finish_commit();
        if (stopped_) return;
        consider();
        if (!muted() && leads(view_) && !draft_ && !have_cast(ballot_kind::propose, view_) &&
            root_.at < known_to_)
            self().lead();
    }
}

// ---------------------------------------------------------------- ballots

template <class Self>
bool chained<Self>::have_cast(std::uint8_t kind, std::uint64_t v) const
{
    auto const at = rounds_.find(v);
    return at != rounds_.end() && at->second.mine[kind].has_value();
}

template <class Self>
bool chained<Self>::contradict(ballot const& a, ballot const& b) const
{
    if (a.kind != b.kind) return Self::excludes(a.kind, b.kind);
    return a != b;
}

template <class Self>
std::optional<crypto::signature> chained<Self>::sign_once(ballot const& b)
{
    if (muted() || b.view <= root_.view) return std::nullopt;
    auto& r = rounds_[b.view];
    if (r.mine[b.kind]) return std::nullopt;
    for (auto const& cast : r.mine)
        if (cast && contradict(*cast, b)) return std::nullopt;
    r.mine[b.kind] = b;
    if (auto const at = tree_.find(b.id); at != tree_.end() && !at->second.journaled) {
        at->second.journaled = true;
        write(b.view, at->second.body, false);
    }
    write(b.view, b, true);
    return me_.sign(ballot_domain, voters_.statement(b));
}

template <class Self>
bool chained<Self>::cast(std::uint8_t kind, std::uint64_t v, std::uint64_t prior,
                         block_id const& id, std::optional<std::size_t> to)
{
    ballot const b{kind, voters_.epoch(), v, prior, id};
    auto const by = self().sign_once(b);
    if (!by) return false;
    vote out{{b, *by}, std::nullopt};
    if (auto const& heard = rounds_[v].leader; kind == ballot_kind::vote && heard)
        out.leader = heard->by;
    if (!to)
        emit(broadcast{lane::consensus, encode(wire_message{out})});
    else if (*to != *seat_)
        emit(send{voters_.key(*to), lane::consensus, encode(wire_message{out})});
    count(*seat_, out.said);
    return true;
}

template <class Self>
void chained<Self>::count(std::size_t seat, signed_ballot const& said)
{
    auto const& about = said.about;
    auto& r = rounds_[about.view];
    auto& counts = r.counts[about.kind];
    auto const outcome = counts.add(voters_, seat, about, said.by);
    if (outcome == tally::outcome::repeated) return;
    if (outcome == tally::outcome::too_many) return measure("dropped_too_many_choices");
    if (outcome == tally::outcome::contradicts) return accuse(seat, *counts.said(seat), said);
    for (std::uint8_t k = 1; k < Self::kinds; ++k)
        if (k != about.kind && Self::excludes(k, about.kind))
            if (auto const other = r.counts[k].said(seat)) accuse(seat, *other, said);
    auto const* choice = counts.find(about);
    auto const sum = choice->sum;
    if (!r.certificates[about.kind] && sum >= self().quorum())
        hold(tally::certify(*choice, voters_.size()));
    else if (about.kind == ballot_kind::give_up && about.view == view_ &&
             sum > voters_.total() - voters_.quorum())
        give_up();  // somebody honest has given up: the sooner all do, the sooner it ends
}

template <class Self>
void chained<Self>::accuse(std::size_t seat, signed_ballot const& a, signed_ballot const& b)
{
    if (accused_.insert(seat).second) emit(evidence{voters_.key(seat), encode(double_vote{a, b})});
}

template <class Self>
certificate const* chained<Self>::held(std::uint8_t kind, std::uint64_t v) const
{
    auto const at = rounds_.find(v);
    if (at == rounds_.end() || !at->second.certificates[kind]) return nullptr;
    return &*at->second.certificates[kind];
}

template <class Self>
void chained<Self>::hold(certificate const& c, bool journaled)
{
    auto& mine = rounds_[c.about.view].certificates[c.about.kind];
    if (mine) {
        if (mine->about != c.about) halt("two certificates in one view", c.about.id);
        return;
    }
    mine = c;
    if (!journaled) write(c.about.view, c, false);
    if (c.about.kind == ballot_kind::give_up && c.about.view >= view_)
        impatience_ += rounds_[c.about.view].leader ? 4u : 1u;
    stirred_ = true;
    self().certified(certificate{c});
}

template <class Self>
std::uint64_t chained<Self>::high() const
{
    for (auto at = rounds_.rbegin(); at != rounds_.rend(); ++at)
        if (at->second.certificates[ballot_kind::vote]) return at->first;
    return root_.view;
}

template <class Self>
std::optional<block_id> chained<Self>::block_of(std::uint64_t v) const
{
    if (v == root_.view) return root_.id;
    if (auto const* c = held(ballot_kind::vote, v)) return c->about.id;
    return std::nullopt;
}

template <class Self>
void chained<Self>::give_up()
{
    if (root_.at < known_to_) cast(ballot_kind::give_up, view_, 0, {});
}

// ---------------------------------------------------------------- views

template <class Self>
void chained<Self>::advance(std::uint64_t to)
{
    if (to <= view_) return;
    view_ = to;
    draft_.reset();
    progress_ = stirred_ = true;
    self().arm_view();
    thin();
    self().entered();
}

template <class Self>
void chained<Self>::arm_view()
{
    auto patience = config_.view_ms + config_.interval_ms;
    auto const more = static_cast<std::int64_t>(std::min<std::uint64_t>(impatience_, 512));
    patience += patience * more / 8;
    set(view_timer, patience);
}

template <class Self>
bool chained<Self>::hear_leader(signed_ballot const& said)
{
    auto& heard = rounds_[said.about.view].leader;
    if (!heard) {
        heard = said;
        stirred_ = true;
        if (said.about.view < view_) impatience_ += 4;  // it came after we had left
    } else if (heard->about != said.about) {
        accuse(voters_.leader(said.about.view), *heard, said);
        return false;
    }
    return true;
}

/// Whether a block at this height may be voted for now: its set is known, and is this epoch's.
template <class Self>
bool chained<Self>::open(height at) const
{
    return at <= known_to_ && at <= above(root_.at, 2) && !(next_ && at.get() >= next_->epoch());
}

template <class Self>
bool chained<Self>::stands(ballot const& b) const
{
    auto const parent = block_of(b.prior);
    if (b.prior >= b.view || !parent || !usable(*parent)) return false;
    if (b.id == *parent) return true;
    auto const at = tree_.find(b.id);
    auto const below = place_of(*parent);
    if (at == tree_.end() || !below || !usable(b.id)) return false;
    auto const& where = at->second.body.at;
    return where.parent == *parent && where.at == above(below->at) && open(where.at) &&
           where.proposer == leader_key(b.view) && where.block_time > below->time &&
           where.block_time <= after(now_.wall, config_.drift_ms);
}

template <class Self>
void chained<Self>::consider()
{
    auto const at = rounds_.find(view_);
    if (at == rounds_.end() || !at->second.leader || muted()) return;
    auto const b = at->second.leader->about;
    if (have_cast(ballot_kind::vote, view_) || !self().stands(b) || !self().may_vote(b)) return;
    cast(ballot_kind::vote, b.view, b.prior, b.id, self().votes_to(b.view));
}

template <class Self>
void chained<Self>::propose(std::uint64_t prior, std::vector<certificate> because)
{
    auto const parent = block_of(prior);
    auto const below = parent ? place_of(*parent) : std::nullopt;
    if (!below || !usable(*parent)) return;
    auto const next = above(below->at);
    if (!open(next)) {
        bool const coming = next > known_to_ && next <= above(root_.at, 2);
        if (coming) return;  // decided here already: its set is on its way
        put_forward({ballot_kind::propose, voters_.epoch(), view_, prior, *parent}, std::nullopt,
                    std::move(because));
        return;
    }
    if (auto const early_by = after(below->time, config_.interval_ms) - now_.wall; early_by > 0) {
        if (config_.interval_ms > 0) return set(pace_timer, early_by);
    }
    app::proposal_context const where{*parent, next, std::max(now_.wall, after(below->time)),
                                      me_.self};
    draft_ = draft{++requests_, view_, prior, where, std::move(because)};
    emit(build{draft_->request, where});
}

template <class Self>
void chained<Self>::put_forward(ballot const& b, std::optional<block> body,
                                std::vector<certificate> because)
{
    auto const by = sign_once(b);
    if (!by) return;
    if (because.size() > certificates_max)
        because.erase(because.begin() + 1,
                      because.end() - static_cast<std::ptrdiff_t>(certificates_max - 1));
    proposal out{{b, *by}, std::move(body), std::move(because)};
    emit(broadcast{lane::consensus, encode(wire_message{out})});
    rounds_[b.view].offer = out;
    hear_leader(out.said);
    stirred_ = true;
}

// ---------------------------------------------------------------- the tree and deciding

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
void chained<Self>::store(block_id const& id, block const& body)
{
    if (body.at.at <= root_.at || tree_.contains(id)) return;
    if (body.at.at > above(root_.at, 2)) {
        behind_ = true;
        return;
    }
    if (tree_.size() >= blocks_max) return measure("dropped_tree_full");
    tree_.emplace(id, node{body, {}, false, view_});
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
        emit(verify{id, n.body.at, n.body.payload});
    }
}

template <class Self>
void chained<Self>::commit(block_id const& id, std::vector<certificate> const& why)
{
    auto const v = why.front().about.view;
    if (v <= root_.view || (pending_ && pending_->second.front().about.view >= v)) return;
    pending_.emplace(id, why);
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
        path.push_back({id, n.body.at, n.body.payload});
        id = n.body.at.parent;
        if (n.body.at.at <= above(root_.at) && id != root_.id)
            return halt("two final blocks at one height", path.back().id);
    }
    std::reverse(path.begin(), path.end());
    auto const why = std::exchange(pending_, std::nullopt)->second;
    settle(std::move(path), why);
}

template <class Self>
void chained<Self>::settle(std::vector<decide::entry> path, std::vector<certificate> const& why)
{
    root_.view = why.front().about.view;
    root_why_ = why;
    if (!path.empty()) {
        auto const& last = path.back();
        root_ = {last.id, last.at.at, last.at.block_time, root_.view};
        impatience_ = 0;
        emit(decide{std::move(path), encode(why)});
    }
    if (pending_ && pending_->second.front().about.view <= root_.view) pending_.reset();
    progress_ = stirred_ = true;
    prune();
    if (next_ && next_->epoch() == root_.at.get() + 1) {
        auto e = *std::exchange(next_, std::nullopt);
        enter_epoch(std::move(e));
    } else {
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

template <class Self>
void chained<Self>::enter_epoch(electorate e)
{
    voters_ = std::move(e);
    next_.reset();
    seat_ = voters_.seat_of(me_.self);
    root_.view = view_ = 0;
    root_why_.clear();
    rounds_.clear();
    tree_.clear();
    pending_.reset();
    draft_.reset();
    tags_.clear();
    accused_.clear();
    impatience_ = 0;
    std::vector<record> mine{};
    std::erase_if(later_, [&](auto const& each) {
        if (each.first == voters_.epoch()) mine.push_back(each.second);
        return each.first <= voters_.epoch();
    });
    std::vector<bytes> again{};
    for (auto const& r : mine) again.push_back(encode(r));
    replay(again);
    advance(1);
}

template <class Self>
void chained<Self>::halt(std::string_view why, block_id const& theirs)
{
    stopped_ = true;
    emit(halted{why, root_.id, theirs});
}

template <class Self>
std::size_t chained<Self>::held() const
{
    std::size_t sum = tree_.size() + loads_.size() + answered_.size();
    for (auto const& [v, r] : rounds_) {
        ++sum;
        for (auto const& c : r.counts) sum += c.held();
    }
    for (auto const& [who, q] : early_) sum += q.messages.size();
    return sum;
}

}  // namespace blendr::consensus

#include <blendr/consensus/impl/chained_wire.hpp>
