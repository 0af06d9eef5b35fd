// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: views. When they begin and how long they last; what their leader puts forward, and
// when it gets our vote.

#include <algorithm>
#include <utility>

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

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
    draft_ = draft{++requests_, view_, prior, where, std::move(because), {}};
    draft_->patience.begin(now_.monotonic, config_.ask_ms);
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
    hear_leader(out.said);
    rounds_[b.view].offer = std::move(out);
    stirred_ = true;
}

template <class Self>
void chained<Self>::take(public_key const&, proposal&& p)
{
    auto const b = p.said.about;
    if (b.epoch != voters_.epoch()) return measure("dropped_old_epoch");
    if (b.view <= root_.view) return measure("dropped_old_view");  // its certificates are unchecked
    if (b.view > view_ + views_ahead) behind_ = true;
    for (auto& c : p.because)
        if (!stopped_ && needs(c)) hold(std::move(c));
    finish_commit();  // so that the block, two above, has its place
    if (stopped_ || b.epoch != voters_.epoch() || b.view <= root_.view) return;
    if (b.view > view_ + views_ahead) return measure("dropped_far_view");
    if (p.body && id_of(*p.body) != b.id) return measure("dropped_wrong_body");
    if (!hear_leader(p.said)) return;
    if (p.body) store(b.id, std::move(*p.body));
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

}  // namespace blendr::consensus
