// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: ballots. Cast once and journaled first; counted by weight into certificates; a
// certificate, once held, is never exchanged for another.

#include <utility>

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

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
void chained<Self>::take(public_key const& from, vote&& v)
{
    auto const& b = v.said.about;
    if (b.epoch != voters_.epoch()) return measure("dropped_old_epoch");
    auto const seat = voters_.seat_of(from);
    if (!seat) return measure("dropped_stranger");
    if (b.view <= root_.view) return measure("dropped_old_view");
    if (b.view > view_ + views_ahead) {
        behind_ = true;
        return measure("dropped_far_view");
    }
    if (b.view + views_behind < view_) return measure("dropped_old_view");
    auto const& r = rounds_[b.view];
    if (r.certificates[b.kind] && r.certificates[b.kind]->about == b) return;
    if (v.leader) {
        auto led = b;
        led.kind = ballot_kind::propose;
        hear_leader({led, *v.leader});
    }
    count(*seat, v.said);
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
void chained<Self>::hold(certificate c, bool journaled)
{
    auto const about = c.about;
    auto& r = rounds_[about.view];
    auto& mine = r.certificates[about.kind];
    if (mine) {
        if (mine->about != about) halt("two certificates in one view", about.id);
        return;
    }
    if (!journaled) write(about.view, c, false);
    mine = std::move(c);
    if (about.kind == ballot_kind::give_up && about.view >= view_)
        impatience_ += r.leader ? 4u : 1u;
    stirred_ = true;
    self().certified(*mine);  // rounds are forgotten only after a step has done with its rules
}

template <class Self>
certificate const* chained<Self>::held(std::uint8_t kind, std::uint64_t v) const
{
    auto const at = rounds_.find(v);
    if (at == rounds_.end() || !at->second.certificates[kind]) return nullptr;
    return &*at->second.certificates[kind];
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

}  // namespace blendr::consensus
