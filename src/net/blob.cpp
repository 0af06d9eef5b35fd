// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/blob.hpp>

#include <algorithm>

#include <blendr/core/assert.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::net {
namespace {

constexpr crypto::domain chunk_domain{"blob.chunk/1"};

std::size_t chunks_in(std::uint64_t size) noexcept
{
    return static_cast<std::size_t>(size / blob_chunk_bytes + (size % blob_chunk_bytes != 0));
}

bytes written(blob_message const& said) { return encode(said); }

}  // namespace

bool sound(blob_list const& list) noexcept
{
    return list.size <= std::uint64_t{blob_chunk_bytes} * blob_chunks_max &&
           list.chunks.size() == chunks_in(list.size);
}

std::size_t chunk_size(blob_list const& list, std::size_t index) noexcept
{
    if (index >= list.chunks.size()) return 0;
    auto const before = std::uint64_t{index} * blob_chunk_bytes;
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(blob_chunk_bytes, list.size - std::min(before, list.size)));
}

hash256 chunk_hash(bytes_view chunk) noexcept { return crypto::hash(chunk_domain, chunk); }

std::optional<blob_list> list_of(bytes_view whole)
{
    blob_list out{};
    out.size = whole.size();
    if (chunks_in(out.size) > blob_chunks_max) return std::nullopt;
    for (std::size_t at = 0; at < whole.size(); at += blob_chunk_bytes)
        out.chunks.push_back(
            chunk_hash(whole.subspan(at, std::min(blob_chunk_bytes, whole.size() - at))));
    return out;
}

cid const& subject_of(blob_message const& said)
{
    return std::visit([](auto const& each) -> cid const& { return each.what; }, said);
}

blob_list const* blob_fetch::list() const noexcept
{
    return lists_.empty() ? nullptr : &lists_.front().list;
}

bool blob_fetch::complete() const noexcept
{
    return !lists_.empty() && held_count_ == lists_.front().list.chunks.size();
}

bool blob_fetch::hopeless(time_ms now) const noexcept
{
    return since_ && now - *since_ > give_up_ms;
}

void blob_fetch::begin()
{
    ++turn_;
    asked_.clear();
    for (auto& [key, each] : peers_) each.in_flight = 0;
    held_.assign(lists_.empty() ? 0 : lists_.front().list.chunks.size(), false);
    held_count_ = 0;
    next_ = 0;
}

void blob_fetch::resume(blob_list list, std::vector<bool> held)
{
    BLENDR_ASSERT(sound(list) && held.size() == list.chunks.size());
    lists_.insert(lists_.begin(), candidate{std::move(list), {}});
    begin();
    held_ = std::move(held);
    held_count_ = static_cast<std::size_t>(std::count(held_.begin(), held_.end(), true));
}

void blob_fetch::answered(std::uint32_t index)
{
    auto const found = asked_.find(index);
    if (found == asked_.end()) return;
    if (auto const who = peers_.find(found->second.to); who != peers_.end())
        --who->second.in_flight;
    asked_.erase(found);
    next_ = std::min<std::size_t>(next_, index);
}

void blob_fetch::disown(crypto::public_key const& who)
{
    std::vector<std::uint32_t> open{};
    for (auto const& [index, q] : asked_)
        if (q.to == who) open.push_back(index);
    for (auto const index : open) answered(index);
    for (auto& each : lists_) each.givers.erase(who);
    // A list that nobody stands for any more is of use only as far as it was fetched.
    for (std::size_t i = lists_.size(); i-- > 1;)
        if (lists_[i].givers.empty()) lists_.erase(lists_.begin() + static_cast<std::ptrdiff_t>(i));
    if (lists_.size() > 1 && lists_.front().givers.empty()) {
        lists_.erase(lists_.begin());
        begin();
    }
}

void blob_fetch::left(crypto::public_key const& who)
{
    disown(who);
    peers_.erase(who);
}

std::vector<crypto::public_key> blob_fetch::refute()
{
    BLENDR_ASSERT(!lists_.empty());
    auto const givers = std::move(lists_.front().givers);
    lists_.erase(lists_.begin());
    liars_.insert(givers.begin(), givers.end());
    begin();
    return {givers.begin(), givers.end()};
}

void blob_fetch::tick(time_ms now, sends& out)
{
    bool const anybody =
        std::any_of(lists_.begin(), lists_.end(), [](auto const& l) { return !l.givers.empty(); });
    if (anybody)
        since_.reset();
    else if (!since_)
        since_ = now;
    for (auto& [key, each] : peers_) {
        bool const gives = std::any_of(lists_.begin(), lists_.end(),
                                       [&k = key](auto const& l) { return l.givers.contains(k); });
        if (gives || liars_.contains(key) || (each.asked && now - *each.asked < ask_again_ms))
            continue;
        each.asked = now;
        out.emplace_back(key, written(ask_blob{what_}));
    }
    std::vector<std::uint32_t> late{};
    for (auto const& [index, q] : asked_)
        if (now - q.at > patience_ms) late.push_back(index);
    for (auto const index : late) {
        auto const slow = asked_.at(index).to;
        answered(index);
        if (lists_.size() > 1 || lists_.front().givers.size() > 1) {
            lists_.front().givers.erase(slow);  // it is asked for the list again, later
            if (auto const p = peers_.find(slow); p != peers_.end()) p->second.asked = now;
        }
    }
    if (lists_.empty()) return;
    auto const& from = lists_.front();
    for (auto const& who : from.givers) {
        auto const p = peers_.find(who);
        while (p != peers_.end() && p->second.in_flight < chunks_by_peer) {
            while (next_ < held_.size() &&
                   (held_[next_] || asked_.contains(static_cast<std::uint32_t>(next_))))
                ++next_;
            if (next_ >= held_.size()) return;
            auto const index = static_cast<std::uint32_t>(next_);
            asked_[index] = {who, now};
            ++p->second.in_flight;
            out.emplace_back(who, written(ask_chunk{what_, index}));
        }
    }
}

blob_fetch::heard blob_fetch::take(crypto::public_key const& from, blob_message const& said,
                                   time_ms now)
{
    heard out{};
    if (auto const* const told = std::get_if<tell_blob>(&said)) {
        auto const p = peers_.find(from);
        if (p == peers_.end() || !p->second.asked || liars_.contains(from)) return out;
        p->second.asked = now;
        if (!told->held) return out;
        if (!sound(told->list)) return {false, {}};
        if (told->list.size > bytes_max_) return out;
        auto const same = std::find_if(lists_.begin(), lists_.end(),
                                       [&](auto const& l) { return l.list == told->list; });
        for (auto const& each : lists_)
            if (each.givers.contains(from) && each.list != told->list) return {false, {}};
        if (same != lists_.end()) {
            same->givers.insert(from);
        } else if (lists_.size() < lists_max) {
            lists_.push_back({told->list, {from}});
            if (lists_.size() == 1) begin();
        }
        // A list from an earlier run, which nobody here has, stands in nobody's way.
        if (lists_.size() > 1 && lists_.front().givers.empty()) {
            lists_.erase(lists_.begin());
            begin();
        }
        return out;
    }
    auto const* const told = std::get_if<tell_chunk>(&said);
    if (told == nullptr || lists_.empty()) return out;
    auto const q = asked_.find(told->index);
    if (q == asked_.end() || q->second.to != from) return out;  // late: somebody else was asked
    answered(told->index);
    auto const& list = lists_.front().list;
    if (told->data.empty()) {
        disown(from);
        return out;
    }
    if (told->data.size() != chunk_size(list, told->index) ||
        chunk_hash(told->data) != list.chunks[told->index]) {
        liars_.insert(from);
        disown(from);
        return {false, {}};
    }
    held_[told->index] = true;
    ++held_count_;
    out.chunk = told->index;
    return out;
}

}  // namespace blendr::net
