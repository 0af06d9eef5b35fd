// SPDX-License-Identifier: Apache-2.0
#include <node/blobs.hpp>

#include <utility>
#include <variant>

#include <blendr/core/codec.hpp>

namespace blendr::node {
namespace {

constexpr std::int64_t malice = 50;
constexpr std::int64_t forget_failure_ms = 5'000;
constexpr std::int64_t nobody_asks_ms = 600'000;
constexpr std::size_t failures_max = 256;

}  // namespace

node::blob_state blob_service::want(crypto::cid const& what, time_ms now)
{
    node::blob_state out{};
    if (auto const list = store_->list(what)) {
        out.held = true;
        out.size = list->size;
        out.chunks = out.chunks_held = list->chunks.size();
        return out;
    }
    std::lock_guard const lock{mutex_};
    auto found = fetches_.find(what);
    if (found == fetches_.end()) {
        if (auto const failed = failures_.find(what); failed != failures_.end()) {
            if (now - failed->second.first < forget_failure_ms) {
                out.why = failed->second.second;
                return out;
            }
            failures_.erase(failed);
        }
        if (fetches_.size() >= fetches_max) {
            out.why = "too many blobs are being fetched already; ask again";
            return out;
        }
        found = fetches_.try_emplace(what, what, bytes_max_).first;
        auto& f = found->second;
        for (auto const& each : peers_) f.of.joined(each);
        if (auto list = store_->begun(what))
            if (auto have = store_->begin(what, *list)) {
                f.of.resume(*std::move(list), *std::move(have));
                f.turn = f.of.turn();
            }
    }
    auto& f = found->second;
    f.asked_for = now;
    out.fetching = true;
    if (auto const* list = f.of.list()) {
        out.size = list->size;
        out.chunks = list->chunks.size();
        out.chunks_held = f.of.held();
    }
    return out;
}

void blob_service::joined(crypto::public_key const& who)
{
    std::lock_guard const lock{mutex_};
    peers_.insert(who);
    for (auto& [what, f] : fetches_) f.of.joined(who);
}

void blob_service::left(crypto::public_key const& who)
{
    std::lock_guard const lock{mutex_};
    peers_.erase(who);
    for (auto& [what, f] : fetches_) f.of.left(who);
}

void blob_service::serve(crypto::public_key const& to, net::ask_blob const& asked)
{
    auto list = store_->list(asked.what);
    net::tell_blob told{asked.what, list.has_value(), {}};
    if (list) told.list = *std::move(list);
    out_.send(to, encode(net::blob_message{std::move(told)}));
}

void blob_service::serve(crypto::public_key const& to, net::ask_chunk const& asked)
{
    net::tell_chunk told{asked.what, asked.index, {}};
    auto data = store_->read(asked.what, std::uint64_t{asked.index} * net::blob_chunk_bytes,
                             net::blob_chunk_bytes);
    if (data)
        static_cast<bytes&>(told.data) = *std::move(data);
    else if (store_->holds(asked.what))
        out_.note("blob " + to_text(asked.what) + ": " + data.error());
    out_.send(to, encode(net::blob_message{std::move(told)}));
}

/// Whether it goes on: another list has its own room, and what is whole is finished.
bool blob_service::follow(crypto::cid const& what, fetch& f)
{
    auto const stop = [&](std::string why) {
        if (failures_.size() >= failures_max) failures_.clear();
        failures_[what] = {f.asked_for, std::move(why)};
        return false;
    };
    for (;;) {
        auto const* const list = f.of.list();
        if (list == nullptr) return true;
        if (f.turn != f.of.turn()) {
            f.turn = f.of.turn();
            if (auto const room = store_->begin(what, *list); !room) return stop(room.error());
        }
        if (!f.of.complete()) return true;
        auto const done = store_->finish(what);
        if (!done) return stop(done.error());
        if (*done) return false;
        // Whoever gave this list gave it for a blob of another name.
        for (auto const& liar : f.of.refute()) out_.penalise(liar, 2 * malice, "a blob's list");
    }
}

void blob_service::take(crypto::public_key const& from, bytes_view raw, time_ms now)
{
    auto const said = decode<net::blob_message>(raw);
    if (!said) return out_.penalise(from, malice, "a message about a blob");
    if (auto const* asked = std::get_if<net::ask_blob>(&*said)) return serve(from, *asked);
    if (auto const* asked = std::get_if<net::ask_chunk>(&*said)) return serve(from, *asked);
    auto const& what = subject_of(*said);
    std::lock_guard const lock{mutex_};
    auto const found = fetches_.find(what);
    if (found == fetches_.end()) return;  // we do not want it any more
    auto& f = found->second;
    auto const heard = f.of.take(from, *said, now);
    if (!heard.good) out_.penalise(from, 2 * malice, "a chunk or a list that is a lie");
    if (heard.chunk && f.turn == f.of.turn()) {
        auto const kept = store_->add(what, *heard.chunk, std::get<net::tell_chunk>(*said).data);
        if (!kept) {
            out_.note("blob " + to_text(what) + ": " + kept.error());
            failures_[what] = {now, kept.error()};
            fetches_.erase(found);
            return;
        }
    }
    if (!follow(what, f)) {
        fetches_.erase(found);
        return;
    }
    net::blob_fetch::sends out{};
    f.of.tick(now, out);
    for (auto& [to, message] : out) out_.send(to, std::move(message));
}

void blob_service::tick(time_ms now)
{
    std::lock_guard const lock{mutex_};
    for (auto it = fetches_.begin(); it != fetches_.end();) {
        auto& f = it->second;
        net::blob_fetch::sends out{};
        f.of.tick(now, out);
        for (auto& [to, message] : out) out_.send(to, std::move(message));
        bool go_on = follow(it->first, f);
        if (go_on && (f.of.hopeless(now) || now - f.asked_for > nobody_asks_ms)) {
            // What was fetched stays: who asks again goes on from there.
            if (failures_.size() >= failures_max) failures_.clear();
            failures_[it->first] = {now, "no peer has that blob"};
            go_on = false;
        }
        it = go_on ? std::next(it) : fetches_.erase(it);
    }
}

}  // namespace blendr::node
