// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <unordered_map>
#include <vector>

#include <blendr/core/result.hpp>
#include <blendr/market/order.hpp>

namespace blendr::market::testing {

/// The book as one would write it first: a map of lists a side and a hash map of ids. It says what
/// order_book must do, and is what benches measure order_book against.
class naive_book {
public:
    struct limits {
        price lowest{1};
        std::uint64_t tick{1};
        std::uint32_t levels{};
        std::uint32_t orders_max{};
    };
    explicit naive_book(limits l) : limits_{l} {}

    template <class Sink>
    result<placed, reject> submit(order const& in, Sink&& events)
    {
        if (auto const why = refusal(in); why != reject::ok) return fail{why};
        if (!in.market && !on_grid(in.limit)) return fail{reject::price_off_grid};
        if (in.expires < now_) return fail{reject::expired};
        bool const rests = in.life == lifetime::resting && !in.market;
        if (rests && where_.size() >= limits_.orders_max) return fail{reject::book_full};
        if (in.post_only && crosses(in.way, in.limit)) return fail{reject::would_take};
        if (in.life == lifetime::all_now && !fillable(in)) return fail{reject::cannot_fill};

        order_id const id{++last_id_};
        order open = in;
        bool const stopped = match(id, open, events);
        placed out{id, quantity{in.size.get() - open.size.get()}, {}};
        if (!rests || stopped || open.size == quantity{0}) return out;
        rest(id, open);
        out.resting = open.size;
        return out;
    }

    result<quantity, reject> cancel(order_id id, trader_id owner)
    {
        auto const found = where_.find(id);
        if (found == where_.end()) return fail{reject::unknown_order};
        if (found->second->what.owner != owner) return fail{reject::not_owner};
        auto const left = found->second->what.size;
        take_out(id);
        return left;
    }

    template <class Sink>
    result<placed, reject> replace(order_id id, trader_id owner, price limit, quantity size,
                                   Sink&& events)
    {
        auto const found = where_.find(id);
        if (found == where_.end()) return fail{reject::unknown_order};
        auto& old = found->second->what;
        if (old.owner != owner) return fail{reject::not_owner};
        if (size == quantity{0}) return fail{reject::zero_size};
        if (size > quantity{std::uint64_t{1} << 40}) return fail{reject::size_too_large};
        if (limit == price{0}) return fail{reject::zero_price};
        if (!on_grid(limit)) return fail{reject::price_off_grid};
        if (limit == old.limit && size <= old.size) {
            old.size = size;
            return placed{id, quantity{0}, size};
        }
        if (old.post_only && crosses(old.way, limit)) return fail{reject::would_take};
        order open = old;
        open.limit = limit;
        open.size = size;
        take_out(id);
        bool const stopped = match(id, open, events);
        placed out{id, quantity{size.get() - open.size.get()}, {}};
        if (stopped || open.size == quantity{0}) return out;
        rest(id, open);
        out.resting = open.size;
        return out;
    }

    template <class Sink>
    void advance(height to, Sink&& events)
    {
        if (to <= now_) return;
        std::vector<std::pair<order_id, order>> gone{};
        for (auto const& [id, at] : where_)
            if (at->what.expires < to) gone.emplace_back(id, at->what);
        for (auto const& [id, what] : gone) {
            take_out(id);
            events(removal{id, what.owner, what.size, removal::cause::expired});
        }
        now_ = to;
    }

    price best(side way) const
    {
        if (way == side::buy) return bids_.empty() ? price{0} : bids_.begin()->first;
        return asks_.empty() ? price{0} : asks_.begin()->first;
    }
    /// Every level of a side, best first.
    std::vector<std::pair<price, quantity>> depth(side way) const
    {
        std::vector<std::pair<price, quantity>> out{};
        auto const add_all = [&](auto const& levels) {
            for (auto const& [at, orders] : levels) {
                quantity total{};
                for (auto const& e : orders) total += e.what.size;
                out.emplace_back(at, total);
            }
        };
        if (way == side::buy)
            add_all(bids_);
        else
            add_all(asks_);
        return out;
    }
    std::size_t size() const { return where_.size(); }

private:
    struct entry {
        order_id id;
        order what;
    };
    using queue = std::list<entry>;

    static reject refusal(order const& in)
    {
        if (in.size == quantity{0}) return reject::zero_size;
        if (in.size > quantity{std::uint64_t{1} << 40}) return reject::size_too_large;
        if (in.market)
            return in.limit != price{0} || in.post_only || in.expires != height::max()
                       ? reject::contradictory_order
                       : reject::ok;
        if (in.limit == price{0}) return reject::zero_price;
        return in.post_only && in.life != lifetime::resting ? reject::contradictory_order
                                                            : reject::ok;
    }
    bool on_grid(price at) const
    {
        return at >= limits_.lowest && (at.get() - limits_.lowest.get()) % limits_.tick == 0 &&
               (at.get() - limits_.lowest.get()) / limits_.tick < limits_.levels;
    }
    bool crosses(side way, price limit) const
    {
        auto const other = best(opposite(way));
        if (other == price{0}) return false;
        return way == side::buy ? other <= limit : other >= limit;
    }
    bool reaches(order const& in) const
    {
        return in.market ? best(opposite(in.way)) != price{0} : crosses(in.way, in.limit);
    }
    bool fillable(order const& in) const
    {
        auto wanted = in.size.get();
        auto const walk = [&](auto const& levels, auto within) {
            for (auto const& [at, orders] : levels) {
                if (!in.market && !within(at)) return false;
                for (auto const& e : orders) {
                    if (e.what.owner == in.owner) {
                        if (in.on_self == self_trade::cancel_resting) continue;
                        return false;
                    }
                    if (e.what.size.get() >= wanted) return true;
                    wanted -= e.what.size.get();
                }
            }
            return false;
        };
        return in.way == side::buy ? walk(asks_, [&](price at) { return at <= in.limit; })
                                   : walk(bids_, [&](price at) { return at >= in.limit; });
    }
    queue& front(side way)
    {
        return way == side::buy ? bids_.begin()->second : asks_.begin()->second;
    }

    template <class Sink>
    bool match(order_id id, order& open, Sink& events)
    {
        while (open.size != quantity{0} && reaches(open)) {
            auto const at = best(opposite(open.way));
            auto& first = front(opposite(open.way)).front();
            if (first.what.owner == open.owner) {
                if (open.on_self != self_trade::cancel_incoming) {
                    removal const gone{first.id, first.what.owner, first.what.size,
                                       removal::cause::own_order};
                    take_out(first.id);
                    events(gone);
                }
                if (open.on_self == self_trade::cancel_resting) continue;
                return true;
            }
            auto const size = std::min(open.size, first.what.size);
            open.size -= size;
            first.what.size -= size;
            bool const done = first.what.size == quantity{0};
            trade const met{first.id, id, first.what.owner, open.owner, at, size, open.way, done};
            if (done) take_out(first.id);
            events(met);
        }
        return false;
    }
    void rest(order_id id, order const& open)
    {
        auto& orders = open.way == side::buy ? bids_[open.limit] : asks_[open.limit];
        orders.push_back({id, open});
        where_[id] = std::prev(orders.end());
    }
    void take_out(order_id id)
    {
        auto const at = where_.at(id);
        auto const drop = [&](auto& levels) {
            auto const level = levels.find(at->what.limit);
            level->second.erase(at);
            if (level->second.empty()) levels.erase(level);
        };
        where_.erase(id);
        if (at->what.way == side::buy)
            drop(bids_);
        else
            drop(asks_);
    }

    limits limits_;
    std::map<price, queue, std::greater<>> bids_{};
    std::map<price, queue> asks_{};
    std::unordered_map<order_id, queue::iterator> where_{};
    std::uint64_t last_id_{0};
    height now_{0};
};

}  // namespace blendr::market::testing
