// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/sync.hpp>

#include <algorithm>
#include <utility>

#include <blendr/app/block_id.hpp>

namespace blendr::node {

void block_sync::left(crypto::public_key const& who)
{
    peers_.erase(who);
    if (headers_asked_ && headers_asked_->of == who) headers_asked_.reset();
    std::erase_if(bodies_asked_, [&](auto const& each) { return each.second.of == who; });
}

void block_sync::distrust(crypto::public_key const& who, time_ms now)
{
    auto const found = peers_.find(who);
    if (found == peers_.end()) return;
    found->second.distrusted_until = now + distrust_ms;
    if (headers_asked_ && headers_asked_->of == who) headers_asked_.reset();
    std::erase_if(bodies_asked_, [&](auto const& each) { return each.second.of == who; });
    found->second.busy = 0;
}

height block_sync::claimed(time_ms now) const
{
    height out{};
    for (auto const& [key, p] : peers_)
        if (p.distrusted_until <= now) out = std::max(out, p.status.last);
    return out;
}

crypto::public_key const* block_sync::somebody(height has, time_ms now) const
{
    crypto::public_key const* best = nullptr;
    std::size_t busy = 0;
    for (auto const& [key, p] : peers_) {
        if (p.distrusted_until > now || p.status.last < has || p.status.first > has) continue;
        if (p.busy >= chunks_by_peer) continue;
        if (best != nullptr && p.busy >= busy) continue;
        best = &key;
        busy = p.busy;
    }
    return best;
}

bool block_sync::take(crypto::public_key const& from, sync_message const& said, time_ms now, sends&)
{
    auto const found = peers_.find(from);
    if (found == peers_.end()) return true;
    if (auto const* s = std::get_if<sync_status>(&said)) {
        found->second.status = *s;
        return s->first <= s->last;
    }
    if (auto const* h = std::get_if<sync_headers>(&said)) {
        if (!headers_asked_ || headers_asked_->of != from) return true;  // too late
        if (take_headers(from, *h, now)) return true;
        distrust(from, now);
        return false;
    }
    if (auto const* b = std::get_if<sync_bodies>(&said)) {
        if (take_bodies(from, *b)) return true;
        distrust(from, now);
        return false;
    }
    return true;
}

bool block_sync::take_headers(crypto::public_key const& from, sync_headers const& said, time_ms now)
{
    auto const asked = *std::exchange(headers_asked_, std::nullopt);
    if (said.row.empty()) {  // it has them no more, or never had
        distrust(from, now);
        return true;
    }
    if (said.row.size() > asked.count + sync_headers_more) return false;
    if (asked.from != later(certain(), 1)) return true;  // this node has gone on meanwhile
    std::vector<slot> fresh{};
    auto parent = headers_.empty() ? last_id_ : headers_.back().id;
    auto at = asked.from;
    for (auto const& each : said.row) {
        // Whatever an engine calls the genesis block is the first block's parent.
        if (each.at.at != at || (each.at.parent != parent && at != height{1})) return false;
        auto const id = app::make_block_id(each.at, each.payload);
        fresh.push_back({each, id, {}, {}});
        parent = id;
        at = later(at, 1);
    }
    if (!proves_({fresh.back().id, fresh.back().head.at, {}}, said.finality)) {
        // No lie for sure: the voters may have changed in this row. So a shorter one is asked for, and who
        // cannot prove two blocks, whose voters are known, is not asked again for a while.
        if (row_max_ <= 2) distrust(from, now);
        row_max_ = std::max<std::size_t>(row_max_ / 4, 2);
        return true;
    }
    row_max_ = std::min(row_max_ * 2, sync_headers_max);
    for (auto& each : fresh) headers_.push_back(std::move(each));
    return true;
}

bool block_sync::take_bodies(crypto::public_key const& from, sync_bodies const& said)
{
    auto const asked = bodies_asked_.find(said.from);
    if (asked == bodies_asked_.end() || asked->second.of != from) return true;
    auto const count = asked->second.count;
    bodies_asked_.erase(asked);
    auto& p = peers_[from];
    if (p.busy > 0) --p.busy;
    if (said.row.empty() || said.row.size() > count) return false;
    fresh_bodies = true;
    auto at = said.from;
    for (auto const& each : said.row) {
        auto const place = at.get() - last_.get();
        at = later(at, 1);
        if (at.get() - 1 <= last_.get() || place > headers_.size()) continue;
        auto& s = headers_[place - 1];
        if (s.body) continue;
        if (app::payload_digest(each.payload) != s.head.payload) return fresh_bodies = false;
        s.body = each;
        s.from = from;
        bytes_ahead_ += each.payload.size() + each.finality.size();
    }
    return true;
}

void block_sync::tick(time_ms now, sends& out)
{
    if (headers_asked_ && now - headers_asked_->at > patience_ms) {
        auto const slow = headers_asked_->of;
        distrust(slow, now);
    }
    std::vector<crypto::public_key> slow{};
    for (auto const& [from, r] : bodies_asked_)
        if (now - r.at > patience_ms) slow.push_back(r.of);
    for (auto const& each : slow) distrust(each, now);

    auto const best = claimed(now);
    bool const behind = best.get() > last_.get() && best.get() - last_.get() >= behind_min_;
    if (!headers_asked_ && (behind || !headers_.empty()) && best > certain() &&
        headers_.size() + sync_headers_max <= headers_ahead_max) {
        auto const next = later(certain(), 1);
        if (auto const* of = somebody(next, now)) {
            request const r{*of, next, static_cast<std::uint32_t>(row_max_), now};
            headers_asked_ = r;
            out.emplace_back(*of, encode(sync_message{ask_headers{r.from, r.count}}));
        }
    }
    for (std::size_t i = 0; i < headers_.size();) {
        if (headers_[i].body) {
            ++i;
            continue;
        }
        height const from = last_ + std::uint64_t{i + 1};
        std::size_t count = 0;
        while (count < chunk && i + count < headers_.size() && !headers_[i + count].body) ++count;
        auto const asked = bodies_asked_.upper_bound(from);
        if (asked != bodies_asked_.begin()) {
            auto const& before = std::prev(asked)->second;
            auto const end = before.from.get() + before.count;
            if (end > from.get()) {
                i += end - from.get();
                continue;
            }
        }
        if (asked != bodies_asked_.end())
            count = std::min<std::size_t>(count, asked->first.get() - from.get());
        if (i > 0 && bytes_ahead_ > bytes_ahead_max) break;
        auto const* of = somebody(from, now);
        if (of == nullptr) break;
        ++peers_[*of].busy;
        request const r{*of, from, static_cast<std::uint32_t>(count), now};
        bodies_asked_.emplace(from, r);
        out.emplace_back(*of, encode(sync_message{ask_bodies{r.from, r.count}}));
        i += count;
    }
}

void block_sync::advance(height last, block_id const& id)
{
    while (!headers_.empty() && last_ < last) {
        auto const& s = headers_.front();
        if (s.body) bytes_ahead_ -= s.body->payload.size() + s.body->finality.size();
        last_ = later(last_, 1);
        last_id_ = s.id;
        headers_.pop_front();
    }
    if (headers_.empty()) {
        last_ = std::max(last_, last);
        last_id_ = id;
    }
}

std::vector<block_sync::ready_block> block_sync::ready(std::size_t most)
{
    std::vector<ready_block> out{};
    std::size_t whole = 0;
    for (auto const& s : headers_) {
        if (!s.body || (out.size() >= most && whole > 0)) break;
        out.push_back({{s.id, s.head.at, s.body->payload}, s.body->finality, s.from});
        if (!s.body->finality.empty()) whole = out.size();
    }
    out.resize(whole);
    return out;
}

bool block_sync::any_ready() const
{
    for (auto const& s : headers_) {
        if (!s.body) return false;
        if (!s.body->finality.empty()) return true;
    }
    return false;
}

void block_sync::refuse(height from, std::optional<crypto::public_key> const& culprit, time_ms now)
{
    for (auto at = from; at <= certain(); at = later(at, 1)) {
        auto& s = headers_[at.get() - last_.get() - 1];
        if (!s.body || (culprit && s.from != *culprit)) continue;
        bytes_ahead_ -= s.body->payload.size() + s.body->finality.size();
        s.body.reset();
    }
    if (culprit) distrust(*culprit, now);
}

}  // namespace blendr::node
