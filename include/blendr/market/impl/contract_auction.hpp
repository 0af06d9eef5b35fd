// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens between blocks: orders come in, auctions run; included by contract.hpp only.

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include <blendr/market/auction.hpp>
#include <blendr/market/contract.hpp>

namespace blendr::market {

namespace impl {

/// Units in an hour at rating one.
inline constexpr std::uint64_t units_per_hour = contract::tokens_rules.units_per_hour;

constexpr amount rounds_cost(std::uint32_t rounds) noexcept
{
    return amount{u128{contract::fee_per_round.grains()} * rounds};
}
/// What an order of that limit, size and number of auctions locks: 64 × 40 bits and some always fit.
constexpr amount lock_of(side way, price limit, quantity size, std::uint32_t rounds) noexcept
{
    return (way == side::buy ? limit * size : amount{}) + rounds_cost(rounds);
}

/// One instrument's orders for the time of its auction.
class batch {
public:
    struct entry {
        order_key key{};
        orders::row row{};
        std::uint32_t owner{};                    // as the auction numbers them
        std::unique_ptr<capability> offers{};     // spot asks, read when first asked for
        std::unique_ptr<requirement> asks_for{};  // selective bids, likewise
        bool read{false};
    };

    /// Numbers the owners. Entries come in key order, so that each side's owners are sorted.
    void number_owners()
    {
        std::vector<address const*> all{};
        for (auto const* one : {&bids, &asks})
            for (auto const& e : *one)
                if (all.empty() || *all.back() != e.key.owner) all.push_back(&e.key.owner);
        auto const less = [](address const* a, address const* b) { return *a < *b; };
        std::sort(all.begin(), all.end(), less);
        all.erase(std::unique(all.begin(), all.end(),
                              [](address const* a, address const* b) { return *a == *b; }),
                  all.end());
        for (auto* one : {&bids, &asks}) {
            std::size_t at = 0;
            for (auto& e : *one) {
                while (*all[at] != e.key.owner) ++at;
                e.owner = static_cast<std::uint32_t>(at);
            }
        }
    }

    /// Older orders first, by their block, then by key: the auction's ids.
    void sort()
    {
        for (auto* one : {&bids, &asks})
            std::sort(one->begin(), one->end(), [](entry const& a, entry const& b) {
                return a.row.placed != b.row.placed ? a.row.placed < b.row.placed : a.key < b.key;
            });
    }

    std::vector<entry> bids{}, asks{};
};

constexpr bool selective(orders::row const& r) noexcept
{
    return r.gang || r.per_provider_max != quantity{0} || !r.wanted.empty();
}

/// The end of a block, on one hook context.
template <class Ctx>
class settlement_day {
public:
    explicit settlement_day(Ctx& ctx) : ctx_{ctx} {}

    void take_in()
    {
        for (auto const& post : ctx_.template posted<orders>()) {
            auto const& e = post.value;
            switch (e.what) {
            case orders::entry::kind::place:
                place(e);
                break;
            case orders::entry::kind::cancel:
                if (auto const& row = ctx_.template row<orders>(e.of); orders::present(row))
                    close(e.of, closed::cause::cancelled);
                break;
            case orders::entry::kind::replace:
                replace(e);
                break;
            }
        }
    }

    void run_auctions()
    {
        std::vector<due::key> waiting{};
        std::uint64_t looks = 0;
        ctx_.template each<due>([&](due::key const& key, due::row const&) {
            looks += ctx_.template row<markets>(key.of).orders;
            if (!waiting.empty() && looks > contract::looks_per_block) return false;
            waiting.push_back(key);
            return true;
        });
        for (auto const& key : waiting) {
            ctx_.template edit<due>(key) = {};
            ctx_.template edit<markets>(key.of).queued = {};
            auction_of(key.of);
        }
    }

private:
    using closed_cause = closed::cause;

    void give(address const& to, amount value)
    {
        if (value != amount{})
            ctx_.give(ctx_.template use<ledger::purses, mode::credit>(to), value);
    }
    void give_tokens(instrument const& of, address const& to, quantity count)
    {
        if (count != quantity{0})
            ctx_.give(ctx_.template use<holdings, mode::credit>({of, to}), count);
    }

    void place(orders::entry const& e)
    {
        auto& market = ctx_.template edit<markets>(e.of.of);
        bool const twice = orders::present(ctx_.template row<orders>(e.of));
        if (twice || market.orders >= contract::orders_max)
            return refuse(e, twice ? reject::duplicate_client_id : reject::book_full);
        ctx_.template edit<orders>(e.of) = e.now;
        ++market.orders;
        enqueue(e.of.of, market);
    }
    /// What the message locked goes back.
    void refuse(orders::entry const& e, reject why)
    {
        give(e.of.owner, e.now.locked);
        if (e.what == orders::entry::kind::place && e.of.way == side::sell) {
            if (is_spot(e.of.of))
                free_hours(e.of, e.now);
            else
                give_tokens(e.of.of, e.of.owner, e.now.left);
        }
        ctx_.emit(closed{e.of, closed_cause::refused, why});
    }
    /// The device's hours that no sold unit needs are free again.
    void free_hours(order_key const& key, orders::row const& ended)
    {
        auto& device = ctx_.template edit<devices>({key.owner, ended.device});
        auto const per_hour = u128{device.measured.fp32} * units_per_hour;
        if (per_hour == 0) return;
        auto const used = (u128{ended.sold.get()} + per_hour - 1) / per_hour;
        auto const now = hour_of(ctx_.block().time);
        auto const from = std::max<std::uint64_t>(now.get(), ended.time.from.get() +
                                                                 static_cast<std::uint64_t>(used));
        if (from >= ended.time.end()) return;
        window const rest{hour{static_cast<std::uint32_t>(from)},
                          static_cast<std::uint32_t>(ended.time.end() - from)};
        (void)device.calendar.give_back(rest, hour_use::spot);  // a device may be gone since
    }
    void replace(orders::entry const& e)
    {
        auto const old = ctx_.template row<orders>(e.of);
        auto const needed = lock_of(e.of.way, e.now.limit, e.now.left, old.rounds);
        bool const grown = e.of.way == side::sell && e.now.left > old.left;
        if (!orders::present(old) || grown || old.locked + e.now.locked < needed)
            return refuse(e, orders::present(old) ? reject::contradictory_order
                                                  : reject::unknown_order);
        auto& row = ctx_.template edit<orders>(e.of);
        bool const keeps_place = e.now.limit == old.limit && e.now.left <= old.left;
        if (!keeps_place) row.placed = ctx_.block().at;
        row.limit = e.now.limit;
        row.left = e.now.left;
        row.locked = needed;
        give(e.of.owner, old.locked + e.now.locked - needed);
        if (e.of.way == side::sell && !is_spot(e.of.of))
            give_tokens(e.of.of, e.of.owner, old.left - e.now.left);
        enqueue(e.of.of, ctx_.template edit<markets>(e.of.of));
    }
    void enqueue(instrument const& of, markets::row& market)
    {
        if (market.queued != height{0}) return;
        market.queued = ctx_.block().at;
        ctx_.template edit<due>({market.queued, of}) = {true};
    }

    /// The order ends; what it has locked goes back to its owner.
    void close(order_key const& key, closed_cause why)
    {
        auto& row = ctx_.template edit<orders>(key);
        auto const ended = std::exchange(row, {});
        give(key.owner, ended.locked);
        if (key.way == side::sell) {
            if (is_spot(key.of))
                free_hours(key, ended);
            else
                give_tokens(key.of, key.owner, ended.left);
        }
        --ctx_.template edit<markets>(key.of).orders;
        ctx_.emit(closed{key, why, {}});
    }

    batch collect(instrument const& of)
    {
        batch out{};
        auto const now = ctx_.block().at;
        std::vector<order_key> expired{};
        bool const over = !is_spot(of) && of.when <= hour_of(ctx_.block().time);
        ctx_.template each<orders>({of, side::buy, {}, 0},
                                   [&](order_key const& key, orders::row const& row) {
                                       if (key.of != of) return false;
                                       if (over || row.expires < now)
                                           expired.push_back(key);
                                       else
                                           (key.way == side::buy ? out.bids : out.asks)
                                               .push_back({key, row, 0, {}, {}, false});
                                       return true;
                                   });
        for (auto const& key : expired) close(key, closed_cause::expired);
        out.number_owners();
        out.sort();
        return out;
    }

    void auction_of(instrument const& of)
    {
        auto all = collect(of);
        plain_.clear();
        asks_.clear();
        picky_.clear();
        plain_at_.clear();
        picky_at_.clear();
        for (std::uint32_t i = 0; i < all.bids.size(); ++i) {
            auto const& row = all.bids[i].row;
            batch_order const what{order_id{i}, trader_id{all.bids[i].owner}, row.limit, row.left};
            if (selective(row)) {
                picky_.push_back({what, row.gang, row.per_provider_max});
                picky_at_.push_back(i);
            } else {
                plain_.push_back(what);
                plain_at_.push_back(i);
            }
        }
        for (std::uint32_t i = 0; i < all.asks.size(); ++i)
            asks_.push_back({order_id{i}, trader_id{all.asks[i].owner}, all.asks[i].row.limit,
                             all.asks[i].row.left});

        fills_.clear();
        auto const keep = [&](batch_fill const& f) noexcept { fills_.push_back(f); };
        auto const reference = ctx_.template row<markets>(of).reference.at;
        auto const cleared = auction_.run(plain_, asks_, reference, keep);
        auction_.serve(
            picky_,
            [&](std::uint32_t b, std::uint32_t a) {
                return eligible(all.bids[picky_at_[b]], all.asks[a]);
            },
            {}, keep);
        for (auto const& f : fills_)
            settle(of, all.bids[f.selective ? picky_at_[f.bid] : plain_at_[f.bid]], all.asks[f.ask],
                   f);
        record(of, cleared);
        for (auto* one : {&all.bids, &all.asks})
            for (auto const& e : *one) end_round(e);
    }

    bool eligible(batch::entry& bid, batch::entry& ask)
    {
        if (bid.row.wanted.empty()) return true;
        if (!std::exchange(bid.read, true))
            if (auto parsed = requirement::parse(bid.row.wanted))
                bid.asks_for = std::make_unique<requirement>(*std::move(parsed));
        if (!std::exchange(ask.read, true)) {
            auto const& device = ctx_.template row<devices>({ask.key.owner, ask.row.device});
            if (auto parsed = capability::parse(device.capability)) {
                ask.offers = std::make_unique<capability>(*std::move(parsed));
                (void)ask.offers->set(attribute::price, ask.row.limit.get());
                (void)ask.offers->set(attribute::tier, std::uint64_t{device.status.tier});
            }
        }
        return bid.asks_for && ask.offers && bid.asks_for->of(*ask.offers) == truth::yes;
    }

    void settle(instrument const& of, batch::entry& bid, batch::entry& ask, batch_fill const& f)
    {
        auto const value = f.at * f.size;
        auto& b = ctx_.template edit<orders>(bid.key);
        b.left -= f.size;
        b.locked -= b.limit * f.size;
        give(bid.key.owner, b.limit * f.size - value);
        bid.row.left = b.left;
        auto& a = ctx_.template edit<orders>(ask.key);
        a.left -= f.size;
        a.sold += f.size;
        ask.row.left = a.left;

        proceeds::key paid{};
        if (is_spot(of)) {
            paid = {ctx_.block().at, number_++};
            ctx_.template edit<proceeds>(paid) = {value, ask.key.owner};
        } else {
            give(ask.key.owner, value);
            give_tokens(of, bid.key.owner, f.size);
        }
        ctx_.emit(fill{of, bid.key.owner, ask.key.owner, bid.key.client_id, ask.key.client_id,
                       ask.row.device, f.at, f.size, paid});
    }

    void record(instrument const& of, clearing const& cleared)
    {
        if (cleared.volume == quantity{0}) return;
        auto& market = ctx_.template edit<markets>(of);
        market.reference.follow(cleared, {});
        market.last = cleared.at;
        market.volume = cleared.volume;
        market.cleared = ctx_.block().at;
        auto const now = hour_of(ctx_.block().time);
        auto& c = ctx_.template edit<candles>({of, now});
        if (c.volume == quantity{0}) c.open = c.high = c.low = cleared.at;
        c.high = std::max(c.high, cleared.at);
        c.low = std::min(c.low, cleared.at);
        c.close = cleared.at;
        c.volume += cleared.volume;
        // One out for each one in: those kept are bounded, and so is the work.
        if (now.get() >= contract::candles_kept)
            ctx_.template each<candles>({of, hour{0}}, [&](candles::key const& key, auto const&) {
                bool const old = key.of == of && key.at.get() + contract::candles_kept <= now.get();
                if (old) ctx_.template edit<candles>(key) = {};
                return old;
            });
    }

    /// The auction is paid for, and what had its time goes.
    void end_round(batch::entry const& e)
    {
        auto& row = ctx_.template edit<orders>(e.key);
        row.locked -= contract::fee_per_round;
        --row.rounds;
        ctx_.burn(contract::fee_per_round);
        if (row.left == quantity{0})
            close(e.key, closed_cause::filled);
        else if (row.immediate)
            close(e.key, closed_cause::immediate);
        else if (row.rounds == 0)
            close(e.key, closed_cause::unpaid);
    }

    Ctx& ctx_;
    auction auction_{};
    std::vector<batch_order> plain_{}, asks_{};
    std::vector<selective_bid> picky_{};
    std::vector<std::uint32_t> plain_at_{}, picky_at_{};
    std::vector<batch_fill> fills_{};
    std::uint32_t number_{0};
};

}  // namespace impl

void contract::begin_block(auto& ctx)
{
    std::vector<std::pair<proceeds::key, proceeds::row>> left{};
    ctx.template each<proceeds>([&](proceeds::key const& key, proceeds::row const& row) {
        left.emplace_back(key, row);
        return true;
    });
    for (auto const& [key, row] : left) {
        ctx.template edit<proceeds>(key) = {};
        if (row.value != amount{})
            ctx.give(ctx.template use<ledger::purses, mode::credit>(row.seller), row.value);
    }
}

void contract::end_block(auto& ctx)
{
    impl::settlement_day day{ctx};
    day.take_in();
    day.run_auctions();
}

}  // namespace blendr::market
