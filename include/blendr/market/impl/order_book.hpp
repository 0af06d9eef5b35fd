// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bodies of order_book; included by order_book.hpp only.

#include <algorithm>
#include <limits>

#include <blendr/market/order_book.hpp>

namespace blendr::market {

inline order_book::order_book(book_config const& config)
    : config_{config},
      pool_{config.orders_max + 1},
      occupied_{config.levels},
      ladder_(config.levels),
      best_ask_{static_cast<std::int32_t>(config.levels)}
{}

inline result<order_book, reject> order_book::make(book_config const& config)
{
    auto const in = [](std::uint32_t n, std::uint32_t max) { return n > 0 && n <= max; };
    if (!in(config.levels, levels_max) || !in(config.orders_max, orders_limit) ||
        config.tick == 0 || config.lowest == price{0})
        return fail{reject::bad_configuration};
    auto const room = std::numeric_limits<std::uint64_t>::max() - config.lowest.get();
    if (config.levels > 1 && config.tick > room / (config.levels - 1))
        return fail{reject::bad_configuration};
    return order_book{config};
}

inline reject order_book::refusal(order const& in) noexcept
{
    if (in.size == quantity{0}) return reject::zero_size;
    if (in.size > size_max) return reject::size_too_large;
    if (in.market) {
        if (in.limit != price{0} || in.post_only || in.expires != height::max())
            return reject::contradictory_order;
        return reject::ok;
    }
    if (in.limit == price{0}) return reject::zero_price;
    if (in.post_only && in.life != lifetime::resting) return reject::contradictory_order;
    return reject::ok;
}

inline bool order_book::fillable(order const& in, std::uint32_t at) const noexcept
{
    auto wanted = in.size.get();
    auto const limit = static_cast<std::int32_t>(at);
    bool const buying = in.way == side::buy;
    auto here = buying ? best_ask_ : best_bid_;
    while (buying ? here <= limit && here < levels() : here >= limit && here >= 0) {
        for (auto slot = ladder_[static_cast<std::uint32_t>(here)].head; slot != none;
             slot = pool_[slot].next) {
            if (pool_[slot].owner == in.owner.get()) {
                if (in.on_self == self_trade::cancel_resting) continue;
                return false;
            }
            if (pool_[slot].left >= wanted) return true;
            wanted -= pool_[slot].left;
        }
        here = buying ? occupied_.at_or_above(here + 1) : occupied_.at_or_below(here - 1);
    }
    return false;
}

inline void order_book::append(std::uint32_t slot, std::uint32_t at, side way) noexcept
{
    auto& queue = ladder_[at];
    auto& order = pool_[slot];
    order.next = none;
    order.prev = queue.tail;
    queue.total += order.left;
    if (queue.tail != none) {
        pool_[queue.tail].next = slot;
    } else {
        queue.head = slot;
        occupied_.set(at);
        auto const here = static_cast<std::int32_t>(at);
        if (way == side::buy)
            best_bid_ = std::max(best_bid_, here);
        else
            best_ask_ = std::min(best_ask_, here);
    }
    queue.tail = slot;
    ++live_;
}

inline void order_book::unlink(std::uint32_t slot) noexcept
{
    auto const& order = pool_[slot];
    auto const at = order.level();
    auto& queue = ladder_[at];
    queue.total -= order.left;
    if (order.prev == none)
        queue.head = order.next;
    else
        pool_[order.prev].next = order.next;
    if (order.next == none)
        queue.tail = order.prev;
    else
        pool_[order.next].prev = order.prev;
    --live_;
    if (queue.head != none) return;
    occupied_.clear(at);
    auto const here = static_cast<std::int32_t>(at);
    if (here == best_bid_)
        best_bid_ = occupied_.at_or_below(here - 1);
    else if (here == best_ask_)
        best_ask_ = occupied_.at_or_above(here + 1);
}

inline void order_book::forget(std::uint32_t slot) noexcept
{
    unlink(slot);
    if (pool_[slot].expiring()) wheel_.leave(pool_, slot);
    pool_.release(slot);
}

template <side Way, class Sink>
void order_book::match(taker& in, Sink& events) noexcept
{
    constexpr bool buying = Way == side::buy;
    auto& best = buying ? best_ask_ : best_bid_;
    auto const limit = static_cast<std::int32_t>(in.limit);
    auto const incoming = pool_.id(in.slot);
    while (in.left != 0 &&
           (buying ? best <= limit && best < levels() : best >= limit && best >= 0)) {
        auto const at = static_cast<std::uint32_t>(best);
        auto const slot = ladder_[at].head;
        auto& order = pool_[slot];
        if (order.owner == in.owner) [[unlikely]] {
            if (in.on_self != self_trade::cancel_incoming) {
                removal const gone{pool_.id(slot), trader_id{order.owner}, quantity{order.left},
                                   removal::cause::own_order};
                forget(slot);
                events(gone);
            }
            if (in.on_self == self_trade::cancel_resting) continue;
            in.stopped = true;
            return;
        }
        auto const size = std::min(in.left, order.left);
        in.left -= size;
        bool const done = size == order.left;
        trade const met{pool_.id(slot),
                        incoming,
                        trader_id{order.owner},
                        trader_id{in.owner},
                        price_at(at),
                        quantity{size},
                        Way,
                        done};
        if (done) {
            forget(slot);
        } else {
            order.left -= size;
            ladder_[at].total -= size;
        }
        events(met);
    }
}

template <book_sink Sink>
result<placed, reject> order_book::submit(order const& in, Sink&& events) noexcept
{
    if (auto const why = refusal(in); why != reject::ok) return fail{why};
    auto const edge = in.way == side::buy ? config_.levels - 1 : 0;
    auto const at = in.market ? edge : level_of(in.limit);
    if (at == none) return fail{reject::price_off_grid};
    if (in.expires < now_) return fail{reject::expired};
    bool const rests = in.life == lifetime::resting && !in.market;
    if (rests && live_ >= config_.orders_max) return fail{reject::book_full};
    if (pool_.full()) return fail{reject::book_full};
    bool const takes = crosses(in.way, at);
    if (takes && in.post_only) return fail{reject::would_take};
    if (in.life == lifetime::all_now && !fillable(in, at)) return fail{reject::cannot_fill};

    taker arriving{pool_.take(), in.owner.get(), at, in.on_self, in.size.get(), false};
    placed out{pool_.id(arriving.slot), {}, {}};
    if (takes) match(in.way, arriving, events);
    out.filled = quantity{in.size.get() - arriving.left};
    if (!rests || arriving.left == 0 || arriving.stopped) {
        pool_.release(arriving.slot);
        return out;
    }
    bool const expiring = in.expires != height::max();
    auto& order = pool_[arriving.slot];
    order.left = arriving.left;
    order.owner = arriving.owner;
    order.place = at | (in.way == side::sell ? node::sell_bit : 0) |
                  (in.post_only ? node::post_only_bit : 0) | (expiring ? node::expiring_bit : 0) |
                  static_cast<std::uint32_t>(in.on_self) << node::on_self_shift;
    append(arriving.slot, at, in.way);
    if (expiring) wheel_.enter(pool_, arriving.slot, in.expires);
    out.resting = quantity{arriving.left};
    return out;
}

inline result<quantity, reject> order_book::cancel(order_id id, trader_id owner) noexcept
{
    auto const slot = pool_.find(id);
    if (slot == none) return fail{reject::unknown_order};
    if (pool_[slot].owner != owner.get()) return fail{reject::not_owner};
    quantity const left{pool_[slot].left};
    forget(slot);
    return left;
}

inline result<placed, reject> order_book::shrink(std::uint32_t slot, quantity size) noexcept
{
    auto& order = pool_[slot];
    ladder_[order.level()].total -= order.left - size.get();
    order.left = size.get();
    return placed{pool_.id(slot), quantity{0}, size};
}

template <book_sink Sink>
result<placed, reject> order_book::replace(order_id id, trader_id owner, price limit, quantity size,
                                           Sink&& events) noexcept
{
    auto const slot = pool_.find(id);
    if (slot == none) return fail{reject::unknown_order};
    auto& order = pool_[slot];
    if (order.owner != owner.get()) return fail{reject::not_owner};
    if (size == quantity{0}) return fail{reject::zero_size};
    if (size > size_max) return fail{reject::size_too_large};
    if (limit == price{0}) return fail{reject::zero_price};
    auto const at = level_of(limit);
    if (at == none) return fail{reject::price_off_grid};
    if (at == order.level() && size.get() <= order.left) return shrink(slot, size);
    auto const way = order.way();
    bool const takes = crosses(way, at);
    if (takes && order.post_only()) return fail{reject::would_take};

    unlink(slot);
    taker arriving{slot, order.owner, at, order.on_self(), size.get(), false};
    order.left = 0;
    if (takes) match(way, arriving, events);
    placed out{id, quantity{size.get() - arriving.left}, {}};
    if (arriving.left == 0 || arriving.stopped) {
        if (order.expiring()) wheel_.leave(pool_, slot);
        pool_.release(slot);
        return out;
    }
    order.left = arriving.left;
    order.place = (order.place & ~node::level_mask) | at;
    append(slot, at, way);
    out.resting = quantity{arriving.left};
    return out;
}

template <book_sink Sink>
void order_book::advance(height to, Sink&& events) noexcept
{
    if (to <= now_) return;
    wheel_.expire(pool_, now_, to, [&](std::uint32_t slot) noexcept {
        removal const gone{pool_.id(slot), trader_id{pool_[slot].owner}, quantity{pool_[slot].left},
                           removal::cause::expired};
        forget(slot);
        events(gone);
    });
    now_ = to;
}

inline std::size_t order_book::depth(side way, std::span<depth_level> out) const noexcept
{
    bool const buying = way == side::buy;
    auto here = buying ? best_bid_ : best_ask_;
    std::size_t n = 0;
    while (n < out.size() && here >= 0 && here < levels()) {
        auto const at = static_cast<std::uint32_t>(here);
        out[n++] = {price_at(at), quantity{ladder_[at].total}};
        here = buying ? occupied_.at_or_below(here - 1) : occupied_.at_or_above(here + 1);
    }
    return n;
}

inline book_snapshot order_book::snapshot() const
{
    book_snapshot out{config_, now_, pool_.used(), {}, {}, {}};
    out.orders.reserve(live_);
    for (auto at = occupied_.at_or_above(0); at < levels(); at = occupied_.at_or_above(at + 1))
        for (auto slot = ladder_[static_cast<std::uint32_t>(at)].head; slot != none;
             slot = pool_[slot].next) {
            auto const& order = pool_[slot];
            out.orders.push_back(
                {pool_.id(slot), trader_id{order.owner}, order.way(),
                 price_at(static_cast<std::uint32_t>(at)), quantity{order.left}, order.post_only(),
                 order.on_self(),
                 order.expiring() ? height{pool_.expiry(slot).expires} : height::max()});
        }
    for (auto slot = pool_.free_head(); slot != none; slot = pool_[slot].next)
        out.free.push_back(pool_.id(slot));
    std::reverse(out.free.begin(), out.free.end());
    wheel_.each(pool_, [&](std::uint32_t slot) { out.expiring.push_back(pool_.id(slot)); });
    return out;
}

inline result<order_book, reject> order_book::restore(book_snapshot const& from,
                                                      book_config const& config)
{
    BLENDR_TRY(order_book book, make(config));
    constexpr fail<reject> bad{reject::bad_snapshot};
    if (from.slots_used > config.orders_max + 1 || from.orders.size() > config.orders_max)
        return bad;
    book.pool_.restore_used(from.slots_used);
    book.now_ = from.now;
    std::vector<bool> seen(from.slots_used);
    auto const fresh = [&](order_id id) {
        auto const slot = static_cast<std::uint32_t>(id.get());
        if (slot >= from.slots_used || id.get() >> 32 == 0 || seen[slot]) return false;
        seen[slot] = true;
        return true;
    };
    std::size_t expiring = 0;
    for (auto const& in : from.orders) {
        auto const slot = static_cast<std::uint32_t>(in.id.get());
        auto const at = book.level_of(in.limit);
        bool const ends = in.expires != height::max();
        if (!fresh(in.id) || at == none || in.left == quantity{0} || in.left > size_max ||
            in.limit == price{0} || in.expires < from.now || in.way > side::sell ||
            in.on_self > self_trade::cancel_both || book.crosses(in.way, at))
            return bad;
        auto& order = book.pool_[slot];
        order.left = in.left.get();
        order.owner = in.owner.get();
        order.generation = static_cast<std::uint32_t>(in.id.get() >> 32);
        order.place = at | (in.way == side::sell ? node::sell_bit : 0) |
                      (in.post_only ? node::post_only_bit : 0) | (ends ? node::expiring_bit : 0) |
                      static_cast<std::uint32_t>(in.on_self) << node::on_self_shift;
        book.append(slot, at, in.way);
        if (ends) book.pool_.expiry(slot) = {in.expires.get(), none, none};
        expiring += ends ? 1 : 0;
    }
    for (auto const id : from.free) {
        if (!fresh(id)) return bad;
        book.pool_.restore_free(static_cast<std::uint32_t>(id.get()),
                                static_cast<std::uint32_t>(id.get() >> 32));
    }
    if (from.expiring.size() != expiring) return bad;
    std::vector<bool> timed(from.slots_used);
    for (auto const id : from.expiring) {
        auto const slot = book.pool_.find(id);
        if (slot == none || !book.pool_[slot].expiring() || timed[slot]) return bad;
        timed[slot] = true;
        book.wheel_.enter(book.pool_, slot, height{book.pool_.expiry(slot).expires});
    }
    return book;
}

}  // namespace blendr::market
