// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens between blocks: orders come in, auctions run; included by contract.hpp only.

#include <algorithm>
#include <utility>
#include <vector>

#include <blendr/market/contract.hpp>
#include <blendr/market/impl/contract_clearing.hpp>

namespace blendr::market {

namespace impl {

/// Units in an hour at rating one.
inline constexpr std::uint64_t units_per_hour = contract::tokens_rules.units_per_hour;

constexpr amount rounds_cost(std::uint32_t rounds) noexcept
{
    return amount{u128{contract::fee_per_round.grains()} * rounds};
}
/// What a buyer pays on top of a fill. Rounded down: parts never pay more than the whole.
constexpr amount fee_of(amount value) noexcept
{
    return amount{value.grains() * contract::trading_fee_bps / bps};
}
/// What an order of that limit, size and number of auctions locks: 64 × 40 bits and some always fit.
constexpr amount lock_of(side way, price limit, quantity size, std::uint32_t rounds) noexcept
{
    auto const value = way == side::buy ? limit * size : amount{};
    return value + fee_of(value) + rounds_cost(rounds);
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
            case orders::entry::kind::cancel: {
                auto const at = ctx_.template use<orders, mode::write>(e.of);
                if (orders::present(ctx_.read(at))) close(e.of, at, closed_cause::cancelled, {});
                break;
            }
            case orders::entry::kind::replace:
                replace(e);
                break;
            }
        }
    }

    /// Instruments that have news, oldest first, as many as a block may look at. Each is cleared from
    /// the rows alone, on all cores; then what came of them is carried out in order.
    void run_auctions(std::uint64_t looks_max)
    {
        std::vector<due::key> waiting{};
        std::uint64_t looks = 0;
        ctx_.template each<due>([&](due::key const& key, due::row const&) {
            looks += ctx_.template row<markets>(key.of).orders;
            if (!waiting.empty() && looks > looks_max) return false;
            waiting.push_back(key);
            return true;
        });
        ctx_.in_parallel(
            waiting.size(),
            [&](auto const& view, std::size_t i) {
                return clearing_desk{view, waiting[i].of, waiting[i].since}.run();
            },
            [&](std::size_t i, clearing_day&& found) { carry_out(waiting[i], found); });
    }

private:
    using closed_cause = closed::cause;
    using order_ref = ref<orders, mode::write>;

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
        auto const market = ctx_.template use<markets, mode::write>(e.of.of);
        auto const at = ctx_.template use<orders, mode::write>(e.of);
        bool const twice = orders::present(ctx_.read(at));
        if (twice || ctx_.read(market).orders >= contract::orders_max)
            return refuse(e, twice ? reject::duplicate_client_id : reject::book_full);
        ctx_.edit(at) = e.now;
        auto& row = ctx_.edit(market);
        ++row.orders;
        enqueue(e.of.of, row);
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
        auto const at = ctx_.template use<devices, mode::write>({key.owner, ended.device});
        auto const per_hour = u128{ctx_.read(at).measured.fp32} * units_per_hour;
        if (per_hour == 0) return;
        auto const used = (u128{ended.sold.get()} + per_hour - 1) / per_hour;
        auto const now = hour_of(ctx_.block().time);
        auto const from = std::max<std::uint64_t>(now.get(), ended.time.from.get() +
                                                                 static_cast<std::uint64_t>(used));
        if (from >= ended.time.end()) return;
        window const rest{hour{static_cast<std::uint32_t>(from)},
                          static_cast<std::uint32_t>(ended.time.end() - from)};
        // a device may be gone since
        (void)ctx_.edit(at).calendar.give_back(rest, hour_use::spot);
    }
    void replace(orders::entry const& e)
    {
        auto const at = ctx_.template use<orders, mode::write>(e.of);
        auto const old = ctx_.read(at);
        auto const needed = lock_of(e.of.way, e.now.limit, e.now.left, old.rounds);
        bool const grown = e.of.way == side::sell && e.now.left > old.left;
        if (!orders::present(old) || grown || old.locked + e.now.locked < needed)
            return refuse(e, orders::present(old) ? reject::contradictory_order
                                                  : reject::unknown_order);
        auto& row = ctx_.edit(at);
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
    void close(order_key const& key, order_ref const& at, closed_cause why, reject refusal)
    {
        auto const ended = std::exchange(ctx_.edit(at), {});
        give(key.owner, ended.locked);
        if (key.way == side::sell) {
            if (is_spot(key.of))
                free_hours(key, ended);
            else
                give_tokens(key.of, key.owner, ended.left);
        }
        --ctx_.template edit<markets>(key.of).orders;
        ctx_.emit(closed{key, why, refusal});
    }

    void carry_out(due::key const& key, clearing_day const& found)
    {
        ctx_.template edit<due>(key) = {};
        auto& market = ctx_.template edit<markets>(key.of);
        market.queued = {};
        if (found.unserved) enqueue(key.of, market);
        for (auto const& each : found.leaving)
            close(each.key, ctx_.template use<orders, mode::write>(each.key), each.why,
                  each.refusal);
        bids_.assign(found.bids.size(), {});
        asks_.assign(found.asks.size(), {});
        amount fees{}, value{};
        for (auto const& t : found.trades) trade(key.of, found, t, fees, value);
        record(key.of, found, value);
        for (std::size_t i = 0; i < bids_.size(); ++i) end_round(found.bids[i], bids_[i]);
        for (std::size_t i = 0; i < asks_.size(); ++i) end_round(found.asks[i], asks_[i]);
        auto const rounds = found.bids.size() + found.asks.size();
        ctx_.burn(fees + rounds_cost(static_cast<std::uint32_t>(rounds)));
    }

    /// What an order did in this auction.
    struct share {
        quantity size{};
        amount paid{};  ///< a bid, with fees; what an ask of tokens earned
    };

    void trade(instrument const& of, clearing_day const& found, clearing_day::trade const& t,
               amount& fees, amount& whole)
    {
        auto const& bid = found.bids[t.bid];
        auto const& ask = found.asks[t.ask];
        auto const value = t.at * t.size;
        auto const fee = fee_of(value);
        fees += fee;
        whole += value;
        bids_[t.bid].size += t.size;
        bids_[t.bid].paid += value + fee;
        asks_[t.ask].size += t.size;
        proceeds::key paid{};
        if (is_spot(of)) {
            paid = {ctx_.block().at, number_++};
            ctx_.template edit<proceeds>(paid) = {value, ask.key.owner};
        } else {
            asks_[t.ask].paid += value;
        }
        ctx_.emit(fill{of, bid.key.owner, ask.key.owner, bid.key.client_id, ask.key.client_id,
                       ask.device, t.at, t.size, paid, fee});
    }

    void record(instrument const& of, clearing_day const& found, amount value)
    {
        if (found.trades.empty()) return;
        auto const& cleared = found.plain;
        auto const at = ctx_.block().at;
        ctx_.template edit<prints>({of, at}) = {cleared.at, cleared.volume, found.selective, value,
                                                static_cast<std::uint32_t>(found.trades.size())};
        // Two out for each one in, once they are old: those kept are bounded, and so is the work.
        if (at.get() > contract::prints_kept) {
            height const oldest{at.get() - contract::prints_kept};
            int out = 2;
            ctx_.template each<prints>({of, height{}}, [&](prints::key const& key, auto const&) {
                bool const old = key.of == of && key.at <= oldest && out-- > 0;
                if (old) ctx_.template edit<prints>(key) = {};
                return old;
            });
        }
        if (cleared.volume == quantity{0}) return;
        auto& market = ctx_.template edit<markets>(of);
        market.reference.follow(cleared, {});
        market.last = cleared.at;
        market.volume = cleared.volume;
        market.cleared = at;
        auto const now = hour_of(ctx_.block().time);
        auto& c = ctx_.template edit<candles>({of, now});
        if (c.volume == quantity{0}) c.open = c.high = c.low = cleared.at;
        c.high = std::max(c.high, cleared.at);
        c.low = std::min(c.low, cleared.at);
        c.close = cleared.at;
        c.volume += cleared.volume;
        if (now.get() >= contract::candles_kept)
            ctx_.template each<candles>({of, hour{0}}, [&](candles::key const& key, auto const&) {
                bool const old = key.of == of && key.at.get() + contract::candles_kept <= now.get();
                if (old) ctx_.template edit<candles>(key) = {};
                return old;
            });
    }

    /// What the order traded is settled, the auction is paid for, and what had its time goes.
    void end_round(clearing_day::entry const& e, share const& did)
    {
        auto const at = ctx_.template use<orders, mode::write>(e.key);
        auto& row = ctx_.edit(at);
        bool const buys = e.key.way == side::buy;
        row.left -= did.size;
        --row.rounds;
        auto const rest = lock_of(e.key.way, row.limit, row.left, row.rounds);
        auto const spent = contract::fee_per_round + (buys ? did.paid : amount{});
        auto const back = row.locked - spent - rest;
        row.locked = rest;
        if (!buys) row.sold += did.size;
        bool const filled = row.left == quantity{0};
        if (filled || row.immediate || row.rounds == 0) {
            row.locked += back;
            close(e.key, at,
                  filled          ? closed_cause::filled
                  : row.immediate ? closed_cause::immediate
                                  : closed_cause::unpaid,
                  {});
        } else {
            give(e.key.owner, back);
        }
        if (buys)
            give_tokens(e.key.of, e.key.owner, is_spot(e.key.of) ? quantity{0} : did.size);
        else
            give(e.key.owner, did.paid);
    }

    Ctx& ctx_;
    std::vector<share> bids_{}, asks_{};
    std::uint32_t number_{0};
};

}  // namespace impl

}  // namespace blendr::market
