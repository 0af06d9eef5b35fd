// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: what happens to an engine, and what it stirs up.

#include <utility>

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

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
void chained<Self>::on(received const& r)
{
    if (stopped_) return;
    auto in = decode<wire_message>(r.message);
    if (!in) return measure("dropped_malformed");
    if (early(*in)) return keep_early(r.from, r.message);
    if (!r.signatures_checked) return emit(again{r.from, to_bytes(r.message)});
    std::visit([&](auto& each) { take(r.from, std::move(each)); }, *in);
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
    return sum + early_.messages();
}

}  // namespace blendr::consensus
