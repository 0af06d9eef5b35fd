// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/gossip.hpp>

#include <algorithm>
#include <variant>

#include <boost/describe/class.hpp>

#include <blendr/core/codec.hpp>

namespace blendr::net {

struct announce {
    bounded<std::vector<hash256>, gossip::ids_max> ids{};
};
struct fetch {
    bounded<std::vector<hash256>, gossip::ids_max> ids{};
};
struct things {
    bounded<std::vector<bounded<bytes, gossip::thing_max>>, gossip::ids_max> all{};
};
BOOST_DESCRIBE_STRUCT(announce, (), (ids))
BOOST_DESCRIBE_STRUCT(fetch, (), (ids))
BOOST_DESCRIBE_STRUCT(things, (), (all))
using gossip_message = std::variant<announce, fetch, things>;

namespace {
constexpr crypto::domain name_domain{"net.gossip/1"};
}

hash256 gossip::name_of(bytes_view thing) noexcept { return crypto::hash(name_domain, thing); }

void gossip::recent::add(hash256 const& id)
{
    now_.insert(id);
    if (now_.size() < most_) return;
    before_ = std::exchange(now_, {});
}

void gossip::joined(crypto::public_key const& who)
{
    auto& p = peers_[who];
    p = {};
    for (auto const& [id, thing] : held_) p.to_tell.push_back(id);
}

void gossip::forget(bytes_view thing)
{
    auto const id = name_of(thing);
    seen_.add(id);
    wanted_.erase(id);
    auto const found = held_.find(id);
    if (found == held_.end()) return;
    held_bytes_ -= found->second.size() + 128;
    held_.erase(found);
    if (held_order_.size() > 4 * held_.size() + 1024)
        std::erase_if(held_order_, [&](hash256 const& each) { return !held_.contains(each); });
}

bool gossip::offer(bytes_view thing)
{
    auto const id = name_of(thing);
    if (held_.contains(id)) return false;
    seen_.add(id);
    wanted_.erase(id);
    held_.emplace(id, to_bytes(thing));
    held_order_.push_back(id);
    held_bytes_ += thing.size() + 128;
    while (held_bytes_ > held_bytes_max) {
        auto const oldest = held_.find(held_order_.front());
        held_order_.pop_front();
        if (oldest == held_.end()) continue;
        held_bytes_ -= oldest->second.size() + 128;
        held_.erase(oldest);
    }
    for (auto& [key, p] : peers_) {
        if (p.knows.has(id)) continue;
        p.knows.add(id);
        p.to_tell.push_back(id);
        if (p.to_tell.size() > wanted_max) p.to_tell.clear();  // far behind; others will tell it
    }
    return true;
}

bool gossip::take(crypto::public_key const& from, bytes_view message, time_ms now, sends& out,
                  std::vector<bytes>& fresh)
{
    auto const said = decode<gossip_message>(message);
    if (!said) return false;
    auto const found = peers_.find(from);
    if (found == peers_.end()) return true;  // on its way when it left
    auto& p = found->second;
    if (auto const* a = std::get_if<announce>(&*said)) {
        want(from, p, a->ids, now, out);
    } else if (auto const* f = std::get_if<fetch>(&*said)) {
        give(from, f->ids, out);
    } else if (auto const* t = std::get_if<things>(&*said)) {
        for (auto const& each : t->all) {
            auto const id = name_of(each);
            p.knows.add(id);
            auto const asked = wanted_.find(id);
            if (asked == wanted_.end())
                continue;  // nobody asked, or it came from another meanwhile
            if (auto const whom = peers_.find(asked->second.asked);
                whom != peers_.end() && whom->second.asked > 0)
                --whom->second.asked;
            wanted_.erase(asked);
            seen_.add(id);
            fresh.push_back(each);
        }
    }
    return true;
}

void gossip::want(crypto::public_key const& from, peer& p, std::vector<hash256> const& ids,
                  time_ms now, sends& out)
{
    std::vector<hash256> asked{};
    for (auto const& id : ids) {
        p.knows.add(id);
        if (seen_.has(id)) continue;
        auto const known = wanted_.find(id);
        if (known != wanted_.end()) {
            if (known->second.asked != from && known->second.others.size() < 4)
                known->second.others.push_back(from);
            continue;
        }
        if (wanted_.size() >= wanted_max || p.asked >= wanted_by_peer_max) continue;
        wanted_.emplace(id, wish{from, now, {}});
        ++p.asked;
        asked.push_back(id);
    }
    ask(from, asked, out);
}

void gossip::ask(crypto::public_key const& of, std::vector<hash256> const& ids, sends& out) const
{
    for (std::size_t at = 0; at < ids.size(); at += ids_max) {
        fetch f{};
        auto const end = std::min(at + ids_max, ids.size());
        f.ids.assign(ids.begin() + std::ptrdiff_t(at), ids.begin() + std::ptrdiff_t(end));
        out.emplace_back(of, encode(gossip_message{f}));
    }
}

void gossip::give(crypto::public_key const& to, std::vector<hash256> const& ids, sends& out)
{
    things t{};
    std::size_t size = 0;
    auto const flush = [&] {
        if (!t.all.empty()) out.emplace_back(to, encode(gossip_message{t}));
        t.all.clear();
        size = 0;
    };
    for (auto const& id : ids) {
        auto const found = held_.find(id);
        if (found == held_.end()) continue;
        if (size + found->second.size() > bytes_per_message) flush();
        size += found->second.size();
        t.all.emplace_back(found->second);
    }
    flush();
}

void gossip::tick(time_ms now, sends& out)
{
    for (auto& [key, p] : peers_) {
        for (std::size_t at = 0; at < p.to_tell.size(); at += ids_max) {
            announce a{};
            auto const end = std::min(at + ids_max, p.to_tell.size());
            a.ids.assign(p.to_tell.begin() + std::ptrdiff_t(at),
                         p.to_tell.begin() + std::ptrdiff_t(end));
            out.emplace_back(key, encode(gossip_message{a}));
        }
        p.to_tell.clear();
    }
    std::map<crypto::public_key, std::vector<hash256>> again{};
    for (auto at = wanted_.begin(); at != wanted_.end();) {
        auto& w = at->second;
        if (now - w.at < patience_ms) {
            ++at;
            continue;
        }
        if (auto const silent = peers_.find(w.asked);
            silent != peers_.end() && silent->second.asked > 0)
            --silent->second.asked;
        while (!w.others.empty() && !peers_.contains(w.others.back())) w.others.pop_back();
        if (w.others.empty()) {
            at = wanted_.erase(at);
            continue;
        }
        w.asked = w.others.back();
        w.others.pop_back();
        w.at = now;
        ++peers_[w.asked].asked;
        again[w.asked].push_back(at->first);
        ++at;
    }
    for (auto const& [key, ids] : again) ask(key, ids, out);
}

}  // namespace blendr::net
