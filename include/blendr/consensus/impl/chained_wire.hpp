// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of chained.hpp: what comes in from peers, what goes to the journal, and catching up.

#include <algorithm>
#include <utility>

namespace blendr::consensus {

// ---------------------------------------------------------------- claims

/// Whether a message speaks of something whose voters are not known yet.
template <class Self>
bool chained<Self>::early(wire_message const& in) const
{
    if (stopped_ || voters_.size() == 0) return true;
    if (auto const* p = std::get_if<proposal>(&in)) return p->said.about.epoch > voters_.epoch();
    if (auto const* v = std::get_if<vote>(&in)) return v->said.about.epoch > voters_.epoch();
    if (auto const* c = std::get_if<catch_up>(&in)) {
        if (c->blocks.empty()) return false;
        auto const last = c->blocks.back().at.at;
        return c->blocks.front().at.at > above(root_.at) || last > known_to_ ||
               (next_ && last.get() >= next_->epoch());
    }
    return false;
}

template <class Self>
std::optional<bool> chained<Self>::claims(public_key const& from, bytes_view raw,
                                          std::vector<claim>& out) const
{
    auto const in = decode<wire_message>(raw);
    if (!in) return false;
    if (early(*in)) return std::nullopt;
    if (std::holds_alternative<ask>(*in)) return true;
    return std::visit(
        [&]<class T>(T const& each) {
            if constexpr (std::same_as<T, ask>)
                return true;
            else
                return claims_of(from, each, out);
        },
        *in);
}

// What is skipped here must be skipped by the step as well, however the engine moved on meanwhile:
// every reason to skip, once true, stays true or makes the step drop the message.

template <class Self>
bool chained<Self>::needs(certificate const& c) const
{
    if (c.about.epoch != voters_.epoch() || c.about.view <= root_.view) return false;
    auto const* mine = held(c.about.kind, c.about.view);
    return mine == nullptr || mine->about != c.about;
}

template <class Self>
bool chained<Self>::claims_of(certificate const& c, std::vector<claim>& out) const
{
    if (c.about.kind == ballot_kind::propose || c.about.kind >= Self::kinds) return false;
    return !needs(c) || voters_.check(c, &out);
}

template <class Self>
bool chained<Self>::claims_of(public_key const&, proposal const& p, std::vector<claim>& out) const
{
    auto const& b = p.said.about;
    if (b.kind != ballot_kind::propose || b.prior >= b.view) return false;
    if (b.epoch != voters_.epoch() || b.view <= root_.view) return true;
    auto const at = rounds_.find(b.view);
    if (at == rounds_.end() || !at->second.leader || at->second.leader->about != b)
        out.push_back(voters_.claim_of(voters_.leader(b.view), b, p.said.by));
    return std::all_of(p.because.begin(), p.because.end(),
                       [&](certificate const& c) { return claims_of(c, out); });
}

template <class Self>
bool chained<Self>::claims_of(public_key const& from, vote const& v, std::vector<claim>& out) const
{
    auto const& b = v.said.about;
    if (b.kind == ballot_kind::propose || b.kind >= Self::kinds) return false;
    if (b.kind == ballot_kind::give_up && (b.prior != 0 || b.id != block_id{})) return false;
    if (b.kind != ballot_kind::give_up && b.prior >= b.view) return false;
    if (v.leader && b.kind != ballot_kind::vote) return false;
    auto const seat = voters_.seat_of(from);
    if (b.epoch != voters_.epoch() || b.view <= root_.view || !seat) return true;
    auto const at = rounds_.find(b.view);
    bool const known = at != rounds_.end();
    if (known && at->second.certificates[b.kind] && at->second.certificates[b.kind]->about == b)
        return true;
    out.push_back(voters_.claim_of(*seat, b, v.said.by));
    if (v.leader) {
        auto led = b;
        led.kind = ballot_kind::propose;
        if (!known || !at->second.leader || at->second.leader->about != led)
            out.push_back(voters_.claim_of(voters_.leader(b.view), led, *v.leader));
    }
    return true;
}

template <class Self>
bool chained<Self>::claims_of(public_key const&, tell const& t, std::vector<claim>& out) const
{
    return std::all_of(t.certificates.begin(), t.certificates.end(),
                       [&](certificate const& c) { return claims_of(c, out); });
}

template <class Self>
bool chained<Self>::claims_of(public_key const&, catch_up const& c, std::vector<claim>& out) const
{
    if (c.blocks.empty()) return false;
    if (c.blocks.back().at.at <= root_.at) return true;
    auto const why = decode<std::vector<certificate>>(c.finality);
    if (!why || why->empty() || !Self::proves(*why, id_of(c.blocks.back()))) return false;
    return std::all_of(why->begin(), why->end(),
                       [&](certificate const& each) { return voters_.check(each, &out); });
}

template <class Self>
bool chained<Self>::check(membership const& set, decide::entry const& block, bytes_view raw,
                          std::vector<claim>& out)
{
    auto const why = decode<std::vector<certificate>>(raw);
    if (!why || why->empty() || !Self::proves(*why, block.id)) return false;
    if (block.at.at != set.from || set.epoch > set.from.get()) return false;
    electorate const all{set};
    return std::all_of(why->begin(), why->end(),
                       [&](certificate const& each) { return all.check(each, &out); });
}

template <class Self>
bool chained<Self>::check_evidence(membership const& set, public_key const& who, bytes_view raw,
                                   std::vector<claim>& out)
{
    auto const said = decode<double_vote>(raw);
    if (!said) return false;
    auto const& a = said->first.about;
    auto const& b = said->second.about;
    if (a.epoch != set.epoch || b.epoch != set.epoch || a.view != b.view) return false;
    if (a.kind >= Self::kinds || b.kind >= Self::kinds) return false;
    bool const guilty = a.kind != b.kind ? Self::excludes(a.kind, b.kind) : a != b;
    electorate const all{set};
    auto const seat = all.seat_of(who);
    if (!guilty || !seat) return false;
    out.push_back(all.claim_of(*seat, a, said->first.by));
    out.push_back(all.claim_of(*seat, b, said->second.by));
    return true;
}

// ---------------------------------------------------------------- messages

template <class Self>
void chained<Self>::take(public_key const&, proposal const& p)
{
    auto const b = p.said.about;
    if (b.epoch != voters_.epoch()) return measure("dropped_old_epoch");
    if (b.view <= root_.view) return measure("dropped_old_view");  // its certificates are unchecked
    if (b.view > view_ + views_ahead) behind_ = true;
    for (auto const& c : p.because)
        if (!stopped_ && needs(c)) hold(c);
    finish_commit();  // so that the block, two above, has its place
    if (stopped_ || b.epoch != voters_.epoch() || b.view <= root_.view) return;
    if (b.view > view_ + views_ahead) return measure("dropped_far_view");
    if (p.body && id_of(*p.body) != b.id) return measure("dropped_wrong_body");
    if (!hear_leader(p.said)) return;
    if (p.body) store(b.id, *p.body);
}

template <class Self>
void chained<Self>::take(public_key const& from, vote const& v)
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
void chained<Self>::take(public_key const& from, ask const& a)
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
void chained<Self>::take(public_key const&, tell const& t)
{
    for (auto const& c : t.certificates)
        if (!stopped_ && needs(c)) hold(c);
    if (stopped_) return;
    auto const wanted = lacking();
    for (auto const& b : t.blocks) {
        auto const id = id_of(b);
        if (std::find(wanted.begin(), wanted.end(), id) != wanted.end()) store(id, b);
    }
}

template <class Self>
void chained<Self>::take(public_key const&, catch_up const& c)
{
    if (c.blocks.back().at.at <= root_.at) return;
    auto const why = decode<std::vector<certificate>>(c.finality);
    auto below = root_;
    std::vector<decide::entry> path{};
    for (auto const& b : c.blocks) {
        if (b.at.at <= root_.at) continue;
        auto const id = id_of(b);
        if (b.at.at != above(below.at)) return measure("dropped_gap");
        if (b.at.parent != below.id) return halt("two final blocks at one height", id);
        below = {id, b.at.at, b.at.block_time, 0};
        path.push_back({id, b.at, b.payload});
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

template <class Self>
void chained<Self>::tick()
{
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
void chained<Self>::tell_to(std::size_t seat, std::vector<certificate> const& what)
{
    if (seat_ && seat == *seat_) return;
    tell out{what, {}};
    emit(send{voters_.key(seat), lane::consensus, encode(wire_message{std::move(out)})});
}

/// Messages for an epoch to come wait here, so many a peer; the rest can be asked for later.
template <class Self>
void chained<Self>::keep_early(public_key const& from, bytes_view raw)
{
    behind_ = true;
    if (!early_.contains(from) && early_.size() >= peers_max)
        return measure("dropped_too_many_peers");
    auto& q = early_[from];
    if (q.messages.size() >= early_messages_max || q.size + raw.size() > early_bytes_max)
        return measure("dropped_too_early");
    q.size += raw.size();
    q.messages.push_back(to_bytes(raw));
}

template <class Self>
void chained<Self>::flush_early()
{
    if (out_ == nullptr) return;
    for (auto& [from, q] : std::exchange(early_, {}))
        for (auto& m : q.messages) emit(again{from, std::move(m)});
}

// ---------------------------------------------------------------- journal

template <class Self>
void chained<Self>::write(std::uint64_t v, record const& what, bool barrier)
{
    auto const tag = above(root_.at);
    tags_.try_emplace(v, tag);
    emit(persist{encode(what), barrier, tag});
}

template <class Self>
void chained<Self>::replay(std::vector<bytes> const& journal)
{
    std::uint64_t seen = 0;
    std::vector<certificate> certificates{};
    auto const live = [&](std::uint64_t epoch, std::uint64_t v, record const& r) {
        if (epoch > voters_.epoch()) later_.emplace_back(epoch, r);
        if (epoch != voters_.epoch() || v <= root_.view) return false;
        tags_[v] = height{};  // of an earlier incarnation: stays until the view is decided
        return true;
    };
    for (auto const& raw : journal) {
        auto const r = decode<record>(raw);
        if (!r) {
            // Something was cast that nobody can read now. Ballots are cast at most two heights above
            // what is decided, so epochs that begin later are safe; in earlier ones we stay silent.
            measure("journal_corrupt");
            mute_to_ = std::max(mute_to_, root_.at.get() + 2);
        } else if (auto const* b = std::get_if<ballot>(&*r)) {
            if (!live(b->epoch, b->view, *r) || b->kind >= Self::kinds) continue;
            rounds_[b->view].mine[b->kind] = *b;
            seen = std::max(seen, b->view);
        } else if (auto const* body = std::get_if<block>(&*r)) {
            if (body->at.at <= root_.at) continue;
            if (body->at.at.get() > root_.at.get() + 2 ||
                (next_ && body->at.at.get() >= next_->epoch())) {
                later_.emplace_back(body->at.at.get(), *r);
                continue;
            }
            auto const id = id_of(*body);
            store(id, *body);
            if (auto const at = tree_.find(id); at != tree_.end()) at->second.journaled = true;
        } else if (auto const& c = std::get<certificate>(*r);
                   live(c.about.epoch, c.about.view, *r) && c.about.kind < Self::kinds &&
                   voters_.check(c, nullptr)) {
            certificates.push_back(c);
        }
    }
    advance(std::max(seen, root_.view + 1));
    for (auto const& [v, r] : std::map<std::uint64_t, round>{rounds_})
        for (std::uint8_t k = 1; k < Self::kinds; ++k)
            if (r.mine[k] && seat_)
                count(*seat_, {*r.mine[k], me_.sign(ballot_domain, voters_.statement(*r.mine[k]))});
    for (auto const& c : certificates)
        if (!stopped_ && needs(c)) hold(c, true);
}

}  // namespace blendr::consensus
