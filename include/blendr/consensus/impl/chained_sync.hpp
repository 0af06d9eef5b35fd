// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: catching up. Who is stuck says where it stands and what it lacks, to one other at a
// time and only from its timer; the answers are certificates, blocks, and decided blocks from the host's log.

#include <algorithm>
#include <utility>

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

template <class Self>
void chained<Self>::tick()
{
    remind();
    auto const wanted = lacking();
    if (!progress_) resend();
    if ((!progress_ || behind_ || !wanted.empty() || pending_) && voters_.size() > 1) {
        auto v = root_.view + 1;
        for (auto at = rounds_.find(v); at != rounds_.end() && at->first == v; ++at, ++v)
            if (std::none_of(at->second.certificates.begin(), at->second.certificates.end(),
                             [](auto const& c) { return c.has_value(); }))
                break;
        auto to = static_cast<std::size_t>(rng_.below(voters_.size()));
        if (seat_ && to == *seat_) to = (to + 1) % voters_.size();
        ask out{voters_.epoch(), v, root_.at, wanted};
        emit(send{voters_.key(to), lane::bulk, encode(wire_message{std::move(out)})});
    }
    progress_ = behind_ = false;
    set(ask_timer, config_.ask_ms);
}

/// Names of blocks that something here points at and nothing here holds.
template <class Self>
std::vector<block_id> chained<Self>::lacking() const
{
    std::vector<block_id> out{};
    auto const want = [&](block_id const& id) {
        if (out.size() < wanted_max && id != root_.id && !tree_.contains(id) &&
            std::find(out.begin(), out.end(), id) == out.end())
            out.push_back(id);
    };
    if (pending_) want(pending_->first);
    for (auto const& [id, n] : tree_)
        if (n.body.at.at > above(root_.at)) want(n.body.at.parent);
    for (auto at = rounds_.rbegin(); at != rounds_.rend(); ++at) {
        if (auto const& c = at->second.certificates[ballot_kind::vote]) want(c->about.id);
        if (at->first == view_ && at->second.leader) want(at->second.leader->about.id);
    }
    return out;
}

/// What we said in the last views, again: somebody may not have heard.
template <class Self>
void chained<Self>::resend()
{
    auto const first = std::max(root_.view + 1, view_ > 2 ? view_ - 2 : 0);
    for (auto at = rounds_.lower_bound(first); at != rounds_.end() && at->first <= view_; ++at) {
        auto const& r = at->second;
        if (r.offer) emit(broadcast{lane::consensus, encode(wire_message{*r.offer})});
        for (std::uint8_t k = 1; k < Self::kinds; ++k) {
            if (!r.mine[k] || muted()) continue;
            vote out{{*r.mine[k], me_.sign(ballot_domain, voters_.statement(*r.mine[k]))}, {}};
            emit(broadcast{lane::consensus, encode(wire_message{std::move(out)})});
        }
    }
}

template <class Self>
void chained<Self>::take(public_key const& from, ask&& a)
{
    auto const last = answered_.find(from);
    if (last == answered_.end() && answered_.size() >= peers_max)
        return measure("dropped_too_many_peers");
    if (last != answered_.end() && now_.monotonic - last->second < config_.ask_ms / 3)
        return measure("dropped_ask_too_often");
    answered_[from] = now_.monotonic;
    if (a.decided < root_.at) {
        if (loads_.size() >= 64) loads_.erase(loads_.begin());
        loads_.emplace(++requests_, from);
        emit(load{requests_, above(a.decided), config_.reply_bytes_max});
    }
    if (a.epoch != voters_.epoch()) {
        behind_ = behind_ || a.epoch > voters_.epoch();
        return;
    }
    if (a.decided > root_.at || a.view > view_) behind_ = true;
    tell out{};
    std::vector<certificate const*> all{};
    if (a.decided == root_.at && a.view <= root_.view)  // a view that repeated our last block, say
        for (auto const& c : root_why_) all.push_back(&c);
    for (auto at = rounds_.lower_bound(a.view); at != rounds_.end(); ++at)
        for (auto const& c : at->second.certificates)
            if (c) all.push_back(&*c);
    for (std::size_t i = 0; i < all.size(); ++i)  // the first and the last of many
        if (i < certificates_max / 2 || i + certificates_max / 2 >= all.size())
            out.certificates.push_back(*all[i]);
    std::size_t size = 0;
    for (auto const& id : a.wanted) {
        auto const at = tree_.find(id);
        if (at == tree_.end()) continue;
        size += at->second.body.payload.size();
        if (size > config_.reply_bytes_max && !out.blocks.empty()) break;
        out.blocks.push_back(at->second.body);
    }
    if (!out.certificates.empty() || !out.blocks.empty())
        emit(send{from, lane::bulk, encode(wire_message{std::move(out)})});
}

template <class Self>
void chained<Self>::take(public_key const&, tell&& t)
{
    for (auto& c : t.certificates)
        if (!stopped_ && needs(c)) hold(std::move(c));
    if (stopped_) return;
    auto const wanted = lacking();
    for (auto& b : t.blocks) {
        auto const id = id_of(b);
        if (std::find(wanted.begin(), wanted.end(), id) != wanted.end()) store(id, std::move(b));
    }
}

template <class Self>
void chained<Self>::take(public_key const&, catch_up&& c)
{
    if (c.blocks.back().at.at <= root_.at) return;
    auto const why = decode<std::vector<certificate>>(c.finality);
    auto below = root_;
    std::vector<decide::entry> path{};
    for (auto& b : c.blocks) {
        if (b.at.at <= root_.at) continue;
        auto const id = id_of(b);
        if (b.at.at != above(below.at)) return measure("dropped_gap");
        if (b.at.parent != below.id) return halt("two final blocks at one height", id);
        below = {id, b.at.at, b.at.block_time, 0};
        path.push_back({id, b.at, std::move(b.payload)});
    }
    if (why->front().about.epoch != voters_.epoch()) return measure("dropped_old_epoch");
    pending_.reset();
    settle(std::move(path), *why);
}

template <class Self>
void chained<Self>::on(loaded const& l)
{
    auto const to = loads_.find(l.request);
    if (stopped_ || to == loads_.end()) return;
    for (auto const& d : l.batches) {
        auto const* why = std::get_if<bytes>(&d.why);
        if (why == nullptr || d.blocks.size() > 8) continue;
        catch_up out{{}, *why};
        for (auto const& e : d.blocks) out.blocks.push_back({e.at, e.payload});
        emit(send{to->second, lane::bulk, encode(wire_message{std::move(out)})});
    }
    loads_.erase(to);
}

template <class Self>
void chained<Self>::tell_to(std::size_t seat, std::vector<certificate> const& what)
{
    if (seat_ && seat == *seat_) return;
    tell out{what, {}};
    emit(send{voters_.key(seat), lane::consensus, encode(wire_message{std::move(out)})});
}

}  // namespace blendr::consensus
