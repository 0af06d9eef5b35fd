// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/snapshot_sync.hpp>

#include <algorithm>
#include <tuple>

#include <blendr/ledger/block.hpp>

namespace blendr::node {

namespace co = consensus;

namespace {

constexpr std::int64_t offers_again_ms = 1'000;
constexpr std::size_t refused_max = 64;
constexpr std::size_t offer_bytes_max = 4096;

std::string block_text(height at) { return "block " + std::to_string(at.get()); }

void put_away(std::vector<app::snapshot>& into, app::snapshot const& what)
{
    if (std::find(into.begin(), into.end(), what) != into.end()) return;
    into.push_back(what);
    if (into.size() > refused_max) into.erase(into.begin());
}

}  // namespace

snapshot_sync::snapshot_sync(app::validator_set begun, hash256 const& chain, prover proves,
                             state_pieces& into, keeper keep)
    : chain_{chain},
      proves_{std::move(proves)},
      into_{into},
      keep_{std::move(keep)}
{
    voters_.emplace_back(height{1}, std::move(begun));
}

void snapshot_sync::drop(crypto::public_key const& who)
{
    if (trail_asked_ && trail_asked_->of == who) trail_asked_.reset();
    if (tail_asked_ && tail_asked_->of == who) tail_asked_.reset();
    std::erase_if(asked_, [&](auto const& each) { return each.second.of == who; });
    if (auto const found = peers_.find(who); found != peers_.end()) found->second.busy = 0;
}

void snapshot_sync::left(crypto::public_key const& who)
{
    drop(who);
    peers_.erase(who);
}

std::optional<std::string> snapshot_sync::take(crypto::public_key const& from,
                                               state_message const& said, time_ms now)
{
    auto const found = peers_.find(from);
    if (found == peers_.end() || done()) return std::nullopt;
    std::optional<std::string> wrong{};
    if (auto const* s = std::get_if<states>(&said)) {
        found->second.offers.assign(s->row.begin(), s->row.end());
        std::erase_if(found->second.offers, [](app::snapshot const& each) {
            return each.chunks == 0 || each.chunks > pieces_max ||
                   each.metadata.size() > offer_bytes_max;
        });
    } else if (auto const* t = std::get_if<trail>(&said)) {
        wrong = take_trail(from, *t, now);
    } else if (auto const* p = std::get_if<piece>(&said)) {
        wrong = take_piece(from, *p, now);
    } else if (auto const* e = std::get_if<tail>(&said)) {
        wrong = take_tail(from, *e, now);
    }
    if (wrong) left(from);
    return wrong;
}

// ---- the trail

co::membership snapshot_sync::voters_at(height at) const
{
    auto const next = std::upper_bound(voters_.begin(), voters_.end(), at,
                                       [](height h, auto const& each) { return h < each.first; });
    auto const& v = *std::prev(next);
    return {at, v.first.get(), v.second, chain_};
}

snapshot_sync::name const* snapshot_sync::named(height at) const
{
    if (names_.empty() || at < names_.front().at.at || at > names_.back().at.at) return nullptr;
    return &names_[at.get() - names_.front().at.at.get()];
}

std::optional<std::string> snapshot_sync::take_trail(crypto::public_key const& from,
                                                     trail const& said, time_ms now)
{
    if (!trail_asked_ || trail_asked_->of != from || said.from != later(end_, 1))
        return std::nullopt;
    trail_asked_.reset();
    if (said.row.empty()) {  // that is all, or it has the beginning no more
        at_tip_ = end_ > height{};
        peers_[from].rests_until = now + rest_ms;
        return std::nullopt;
    }
    std::vector<name> fresh{};
    auto parent = end_id_;
    auto at = said.from;
    auto const voters = voters_at(at);
    auto const voters_name = ledger::validators_root(voters.set);
    bool others = false;
    for (auto const& each : said.row) {
        // Whatever an engine calls the genesis block is the first block's parent.
        if (each.at.at != at || (each.at.parent != parent && at != height{1}))
            return "headers that do not follow each other at " + block_text(at);
        auto const head = ledger::decode_header(each.head);
        if (!head || !ledger::check_place(*head, each.at))
            return "a header that is none at " + block_text(at);
        auto const id = app::make_block_id(each.at, app::payload_digest(each.head, each.body));
        fresh.push_back({each.at, id, ledger::app_hash(head->after_parent)});
        others = head->after_parent.validators != voters_name;
        if (others && &each != &said.row.back())
            return "headers of other voters than it says above " + block_text(at);
        if (others && (said.next.empty() || !app::well_formed(said.next) ||
                       ledger::validators_root(said.next) != head->after_parent.validators))
            return "voters that the header does not name at " + block_text(at);
        parent = id;
        at = later(at, 1);
    }
    auto const& last = fresh.back();
    auto membership = voters;
    membership.from = last.at.at;
    if (!proves_(membership, {last.id, last.at, {}}, said.finality))
        return "headers without a proof at " + block_text(last.at.at);
    at_tip_ = said.row.size() < trail_max / 2 && !others;
    end_ = last.at.at;
    end_id_ = last.id;
    if (others) voters_.emplace_back(later(end_, 1), said.next);
    for (auto& each : fresh) names_.push_back(std::move(each));
    while (names_.size() > names_kept && (!chosen_ || names_.front().at.at < chosen_->at))
        names_.pop_front();
    progress_.trail = end_;
    if (!at_tip_) ++steps_;
    return std::nullopt;
}

// ---- the state

bool snapshot_sync::offers(peer const& p) const
{
    return std::find(p.offers.begin(), p.offers.end(), *chosen_) != p.offers.end();
}

/// The newest state that somebody has and a proven header names, of one height the one that most have: how a
/// state is cut into pieces is proven by nothing. Those that stalled come last.
void snapshot_sync::choose()
{
    std::vector<app::snapshot> all{};
    for (auto const& [key, p] : peers_)
        for (auto const& each : p.offers)
            if (named(each.at) != nullptr && named(later(each.at, 1)) != nullptr &&
                std::find(refused_.begin(), refused_.end(), each) == refused_.end())
                all.push_back(each);
    auto const rank = [&](app::snapshot const& of) {
        bool const fresh = std::find(stalled_.begin(), stalled_.end(), of) == stalled_.end();
        return std::tuple{fresh, of.at, std::count(all.begin(), all.end(), of)};
    };
    std::vector<std::pair<decltype(rank({})), app::snapshot const*>> ranked{};
    for (auto const& each : all) ranked.emplace_back(rank(each), &each);
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](auto const& a, auto const& b) { return a.first > b.first; });
    for (auto const& [place, which] : ranked) {
        auto const& each = *which;
        if (!into_.offer(each, named(later(each.at, 1))->before)) {
            put_away(refused_, each);
            continue;
        }
        chosen_ = each;
        here_.assign(each.chunks, false);
        progress_.state = each.at;
        progress_.pieces = each.chunks;
        progress_.taken = progress_.kept = 0;
        for (std::uint32_t i = 0; i < each.chunks && chosen_ && !whole_; ++i) {
            auto const raw = keep_.load(each.at, i);
            if (!raw) continue;
            auto const how = into_.restore(i, *raw);
            if (how != app::chunk_verdict::corrupt) ++progress_.kept;
            note(i, how);
        }
        return;
    }
}

void snapshot_sync::give_up_state(std::vector<app::snapshot>& into)
{
    if (chosen_) put_away(into, *chosen_);
    chosen_.reset();
    here_.clear();
    asked_.clear();
    for (auto& [key, p] : peers_) p.busy = 0;
}

void snapshot_sync::note(std::uint32_t index, app::chunk_verdict how)
{
    using enum app::chunk_verdict;
    if (how == abandoned) return give_up_state(refused_);
    if (how == corrupt) return;
    if (!here_[index]) {
        ++progress_.taken;
        ++steps_;
    }
    here_[index] = true;
    whole_ = how == complete;
}

std::optional<std::string> snapshot_sync::take_piece(crypto::public_key const& from,
                                                     piece const& said, time_ms now)
{
    auto const asked = asked_.find(said.index);
    if (!chosen_ || said.at != chosen_->at || asked == asked_.end() || asked->second.of != from)
        return std::nullopt;
    asked_.erase(asked);
    auto& p = peers_[from];
    if (p.busy > 0) --p.busy;
    if (said.raw.empty()) {  // it has let that state go
        std::erase(p.offers, *chosen_);
        return std::nullopt;
    }
    auto const how = into_.restore(said.index, said.raw);
    if (how == app::chunk_verdict::corrupt)
        return "piece " + std::to_string(said.index) + " of the state after " +
               block_text(said.at) + " is not what the certificate names";
    if (how != app::chunk_verdict::abandoned) keep_.save(said.at, said.index, said.raw);
    moved_at_ = now;
    note(said.index, how);
    return std::nullopt;
}

// ---- the block that it is the state after

std::optional<std::string> snapshot_sync::take_tail(crypto::public_key const& from,
                                                    tail const& said, time_ms now)
{
    if (!whole_ || !tail_asked_ || tail_asked_->of != from || said.from != chosen_->at)
        return std::nullopt;
    tail_asked_.reset();
    beginning out{*chosen_, {}, {}};
    bytes_view why{};
    for (auto const& each : said.row) {
        auto const* known = named(later(chosen_->at, out.blocks.blocks.size()));
        if (known == nullptr) break;
        if (app::make_block_id(known->at, app::payload_digest(each.payload)) != known->id)
            return block_text(known->at.at) + " is not the one that the certificate names";
        out.blocks.blocks.push_back({known->id, known->at, each.payload});
        why = each.finality;
        if (!why.empty()) break;
    }
    if (why.empty()) {  // the trail is not long enough yet, or the peer has them no more
        peers_[from].rests_until = now + rest_ms;
        return std::nullopt;
    }
    auto const& last = out.blocks.blocks.back();
    auto const how = decode<co::finality>(why);
    if (!how || !proves_(voters_at(last.at.at), last, why))
        return block_text(last.at.at) + " comes without a proof";
    out.blocks.why = *how;
    for (auto const& each : voters_)
        if (each.first <= later(chosen_->at, 2)) out.voters.push_back(each);
    begins_ = std::move(out);
    return std::nullopt;
}

// ---- asking

crypto::public_key const* snapshot_sync::somebody(time_ms now) const
{
    crypto::public_key const* best = nullptr;
    time_ms rested{};
    for (auto const& [key, p] : peers_) {
        if (p.rests_until > now || (best != nullptr && p.rests_until >= rested)) continue;
        best = &key;
        rested = p.rests_until;
    }
    return best;
}

void snapshot_sync::ask_pieces(time_ms now, sends& out)
{
    bool anybody = false;
    std::vector<crypto::public_key const*> able{};
    for (auto const& [key, p] : peers_) {
        if (!offers(p)) continue;
        anybody = true;
        if (p.rests_until <= now) able.push_back(&key);
    }
    if (anybody) offered_at_ = now;
    if (now - offered_at_ > patience_ms || now - moved_at_ > stall_ms)
        return give_up_state(stalled_);
    for (std::uint32_t i = 0; i < here_.size() && !able.empty(); ++i) {
        if (here_[i] || asked_.contains(i)) continue;
        auto const best = std::min_element(able.begin(), able.end(), [&](auto* a, auto* b) {
            return peers_.at(*a).busy < peers_.at(*b).busy;
        });
        auto& p = peers_.at(**best);
        if (p.busy >= pieces_by_peer) return;
        ++p.busy;
        asked_[i] = {**best, now};
        out.emplace_back(**best, encode(state_message{ask_piece{chosen_->at, i}}));
    }
}

void snapshot_sync::tick(time_ms now, sends& out)
{
    if (done()) return;
    std::set<crypto::public_key> slow{};
    for (auto const& [index, r] : asked_)
        if (now - r.at > patience_ms) slow.insert(r.of);
    for (auto const& r : {trail_asked_, tail_asked_})
        if (r && now - r->at > patience_ms) slow.insert(r->of);
    for (auto const& each : slow) {
        drop(each);
        peers_[each].rests_until = now + patience_ms;
    }
    if (!trail_asked_)
        if (auto const* of = somebody(now)) {
            trail_asked_ = request{*of, now};
            out.emplace_back(*of, encode(state_message{ask_trail{later(end_, 1)}}));
        }
    if (whole_) {
        if (tail_asked_) return;
        auto const* of = somebody(now);
        if (of == nullptr) return;
        tail_asked_ = request{*of, now};
        out.emplace_back(*of, encode(state_message{ask_tail{chosen_->at}}));
        return;
    }
    for (auto& [key, p] : peers_) {
        if (now - p.offers_asked < offers_again_ms) continue;
        p.offers_asked = now;
        out.emplace_back(key, encode(state_message{ask_states{}}));
    }
    if (!chosen_ && at_tip_) {
        offered_at_ = moved_at_ = now;
        choose();
    }
    if (chosen_ && !whole_) ask_pieces(now, out);
}

}  // namespace blendr::node
