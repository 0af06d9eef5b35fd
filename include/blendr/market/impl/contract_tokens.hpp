// SPDX-License-Identifier: Apache-2.0
#pragma once

// Devices and capacity tokens; included by contract.hpp only.

#include <type_traits>
#include <utility>

#include <blendr/market/contract.hpp>

namespace blendr::market {

namespace impl {

using promise_steps = capacity<address>;

/// The rows that a step of a promise may need. Which it uses depends on the message.
struct token_plan {
    ref<classes, mode::read> known{};
    ref<markets, mode::read> own_market{}, spot_market{};
    std::optional<ref<all_series, mode::write>> series{};
    std::optional<ref<promises, mode::write>> promise{}, other{};
    std::optional<ref<devices, mode::write>> device{}, second{};
    std::optional<ref<holdings, mode::write>> hand{};
    std::optional<ref<holdings, mode::debit>> from{};
    std::optional<ref<holdings, mode::credit>> to{};
    ref<ledger::purses, mode::debit> purse{};
    std::optional<ref<ledger::purses, mode::credit>> issuer{}, holder{};
};
struct device_plan {
    ref<devices, mode::write> device{};
    ref<classes, mode::read> known{};
};

template <class M>
constexpr bool is_one_of(auto... kinds) noexcept
{
    return (std::is_same_v<M, typename decltype(kinds)::type> || ...);
}
template <class M>
inline constexpr std::type_identity<M> kind{};

/// What a device hour of the class costs now: its own token's price, or its units at spot.
inline result<amount, reject> mark_of(classes::row const& known, markets::row const& token,
                                      markets::row const& spot, capacity_rules const& rules)
{
    if (!known.listed) return fail{reject::unknown_instrument};
    if (token.reference.at != price{0}) return token.reference.at * quantity{1};
    auto const cost = hour_price(spot.reference.at, known.spec, rules);
    if (!cost) return fail{reject::value_too_large};
    return *cost;
}

/// What a capability says of a device, as a class measures it.
inline class_spec spec_of(capability const& c)
{
    return {c.number(attribute::vram), c.number(attribute::fp32), c.number(attribute::memory),
            c.number(attribute::integer)};
}

}  // namespace impl

template <class M>
auto contract::touches(M const& m, tx_info const& tx, auto& access)
{
    using impl::is_one_of;
    using impl::kind;
    if constexpr (is_one_of<M>(kind<enrol>, kind<retire>, kind<heartbeat>)) {
        impl::device_plan rows{
            access.template use<devices, mode::write>(device_key{tx.sender, m.number}), {}};
        if constexpr (std::is_same_v<M, enrol>)
            rows.known = access.template use<classes, mode::read>(m.of);
        return rows;
    } else {
        impl::token_plan rows{};
        rows.known = access.template use<classes, mode::read>(m.of.what);
        rows.own_market = access.template use<markets, mode::read>(m.of);
        rows.spot_market = access.template use<markets, mode::read>(instrument{m.of.what, hour{0}});
        rows.purse = access.template use<ledger::purses, mode::debit>(tx.sender);
        auto const promise_of = [&](address const& owner, std::uint32_t number) {
            return access.template use<promises, mode::write>(
                promises::key{device_key{owner, number}, m.of.when});
        };
        if constexpr (std::is_same_v<M, transfer>) {
            rows.from = access.template use<holdings, mode::debit>(holdings::key{m.of, tx.sender});
            rows.to = access.template use<holdings, mode::credit>(holdings::key{m.of, m.to});
        } else if constexpr (!is_one_of<M>(kind<start>, kind<finish>, kind<top_up>,
                                           kind<substitute>)) {
            rows.series = access.template use<all_series, mode::write>(m.of);
            if constexpr (!std::is_same_v<M, settle>)
                rows.hand =
                    access.template use<holdings, mode::write>(holdings::key{m.of, tx.sender});
        }
        if constexpr (is_one_of<M>(kind<claim>, kind<finish>, kind<settle>)) {
            rows.promise = promise_of(m.device.owner, m.device.number);
            rows.issuer = access.template use<ledger::purses, mode::credit>(m.device.owner);
            if constexpr (std::is_same_v<M, settle>)
                rows.holder = access.template use<ledger::purses, mode::credit>(m.holder);
        } else if constexpr (std::is_same_v<M, substitute>) {
            rows.promise = promise_of(tx.sender, m.from);
            rows.other = promise_of(tx.sender, m.to);
            rows.device = access.template use<devices, mode::write>(device_key{tx.sender, m.from});
            rows.second = access.template use<devices, mode::write>(device_key{tx.sender, m.to});
        } else if constexpr (!is_one_of<M>(kind<transfer>, kind<redeem>)) {
            rows.promise = promise_of(tx.sender, m.number);
            if constexpr (is_one_of<M>(kind<mint>, kind<buy_back>))
                rows.device =
                    access.template use<devices, mode::write>(device_key{tx.sender, m.number});
        }
        return rows;
    }
}

// -- devices

contract::error contract::apply(auto& ctx, enrol const& m, auto const& rows)
{
    auto const& known = ctx.read(rows.known);
    if (!known.listed) return reject::unknown_instrument;
    auto const offered = capability::parse(m.capability);
    if (!offered) return offered.error();
    auto const spec = impl::spec_of(*offered);
    if (!serves(spec, known.spec)) return reject::wrong_device;
    auto status = ctx.read(rows.device).status;
    if (!status.apply(device_event::enrol, ctx.block().at)) return reject::already_registered;
    auto& device = ctx.edit(rows.device);
    device = {status, m.of, spec, offered->to_text(), {}};
    return reject::ok;
}

contract::error contract::apply(auto& ctx, retire const&, auto const& rows)
{
    auto const& device = ctx.read(rows.device);
    if (device.status.state == device_state::absent) return reject::unknown_device;
    auto calendar = device.calendar;
    calendar.forget_before(hour_of(ctx.block().time));
    if (!calendar.bookings().empty()) return reject::hour_taken;  // its promises come first
    auto status = device.status;
    if (auto const done = status.apply(device_event::retire, ctx.block().at); !done)
        return done.error();
    ctx.edit(rows.device) = {};
    return reject::ok;
}

contract::error contract::apply(auto& ctx, heartbeat const&, auto const& rows)
{
    auto status = ctx.read(rows.device).status;
    if (!status.apply(device_event::heartbeat, ctx.block().at)) return reject::unknown_device;
    ctx.edit(rows.device).status = status;
    return reject::ok;
}

// -- capacity tokens

contract::error contract::apply(auto& ctx, mint const& m, auto const& rows)
{
    auto const mark = impl::mark_of(ctx.read(rows.known), ctx.read(rows.own_market),
                                    ctx.read(rows.spot_market), tokens_rules);
    if (!mark) return mark.error();
    auto const& device = ctx.read(*rows.device);
    if (device.status.state == device_state::absent || device.of != m.of.what)
        return reject::unknown_device;
    if (device.status.state == device_state::suspended) return reject::suspended;
    hour const now = hour_of(ctx.block().time);
    auto calendar = device.calendar;
    calendar.forget_before(now);
    if (auto const booked = calendar.book(now, {m.of.when, 1}, hour_use::token); !booked)
        return booked.error();
    auto series = ctx.read(*rows.series);
    auto promise = ctx.read(*rows.promise);
    auto hand = ctx.read(*rows.hand).tokens.get();
    auto const minted = impl::promise_steps::mint(series, promise, hand, m.of, ctx.tx().sender,
                                                  m.cover, *mark, now, tokens_rules);
    if (!minted) return minted.error();
    if (!ctx.take(rows.purse, m.cover)) return reject::poor;
    ctx.edit(*rows.device).calendar = std::move(calendar);
    ctx.edit(*rows.series) = series;
    ctx.edit(*rows.promise) = promise;
    ctx.edit(*rows.hand).tokens = quantity{hand};
    return reject::ok;
}

contract::error contract::apply(auto& ctx, buy_back const& m, auto const& rows)
{
    auto series = ctx.read(*rows.series);
    auto promise = ctx.read(*rows.promise);
    auto hand = ctx.read(*rows.hand).tokens.get();
    if (promise.of != m.of) return reject::wrong_state;
    auto const back = impl::promise_steps::buy_back(series, promise, hand, ctx.tx().sender);
    if (!back) return back.error();
    auto calendar = ctx.read(*rows.device).calendar;
    if (calendar.give_back({m.of.when, 1}, hour_use::token))
        ctx.edit(*rows.device).calendar = std::move(calendar);
    ctx.edit(*rows.series) = series;
    ctx.edit(*rows.promise) = promise;
    ctx.edit(*rows.hand).tokens = quantity{hand};
    ctx.give(rows.purse, back->to_issuer);
    return reject::ok;
}

contract::error contract::apply(auto& ctx, transfer const& m, auto const& rows)
{
    if (m.count == quantity{0}) return reject::zero_size;
    if (!ctx.take(*rows.from, m.count)) return reject::no_tokens;
    ctx.give(*rows.to, m.count);
    return reject::ok;
}

contract::error contract::apply(auto& ctx, claim const& m, auto const& rows)
{
    auto series = ctx.read(*rows.series);
    auto promise = ctx.read(*rows.promise);
    auto hand = ctx.read(*rows.hand).tokens.get();
    if (promise.of != m.of) return reject::wrong_state;
    auto const done = impl::promise_steps::claim(series, promise, hand, ctx.tx().sender,
                                                 ctx.block().time, tokens_rules);
    if (!done) return done.error();
    ctx.edit(*rows.series) = series;
    ctx.edit(*rows.promise) = promise;
    ctx.edit(*rows.hand).tokens = quantity{hand};
    return reject::ok;
}

contract::error contract::apply(auto& ctx, start const& m, auto const& rows)
{
    auto promise = ctx.read(*rows.promise);
    if (promise.of != m.of) return reject::wrong_state;
    auto const done = impl::promise_steps::start(promise, ctx.tx().sender, ctx.block().time);
    if (!done) return done.error();
    ctx.edit(*rows.promise) = promise;
    return reject::ok;
}

contract::error contract::apply(auto& ctx, finish const& m, auto const& rows)
{
    auto promise = ctx.read(*rows.promise);
    if (promise.of != m.of) return reject::wrong_state;
    auto const done = impl::promise_steps::finish(promise, ctx.tx().sender, ctx.block().time);
    if (!done) return done.error();
    ctx.edit(*rows.promise) = promise;
    ctx.give(*rows.issuer, done->to_issuer);
    return reject::ok;
}

contract::error contract::apply(auto& ctx, settle const& m, auto const& rows)
{
    auto const mark = impl::mark_of(ctx.read(rows.known), ctx.read(rows.own_market),
                                    ctx.read(rows.spot_market), tokens_rules);
    if (!mark) return mark.error();
    auto series = ctx.read(*rows.series);
    auto promise = ctx.read(*rows.promise);
    if (promise.of != m.of || promise.issuer != m.device.owner) return reject::wrong_state;
    auto const now = ctx.block().time;
    settlement out{};
    if (promise.state == promise_state::open && hour_of(now) > m.of.when) {
        auto const lapsed = impl::promise_steps::lapse(series, promise, hour_of(now));
        if (!lapsed) return lapsed.error();
        out = *lapsed;
    } else if (promise.state == promise_state::open) {
        auto const done = impl::promise_steps::foreclose(series, promise, *mark, now, tokens_rules);
        if (!done) return done.error();
    } else {
        if (promise.holder != m.holder) return reject::not_owner;
        // Only its holder can say that a running job was broken off.
        bool const stopped = ctx.tx().sender == m.holder;
        auto const missed = impl::promise_steps::miss(promise, now, stopped, *mark, tokens_rules);
        if (!missed) return missed.error();
        out = *missed;
    }
    ctx.edit(*rows.series) = series;
    ctx.edit(*rows.promise) = promise;
    ctx.give(*rows.issuer, out.to_issuer);
    ctx.give(*rows.holder, out.to_holder);
    return reject::ok;
}

contract::error contract::apply(auto& ctx, top_up const& m, auto const& rows)
{
    auto const mark = impl::mark_of(ctx.read(rows.known), ctx.read(rows.own_market),
                                    ctx.read(rows.spot_market), tokens_rules);
    if (!mark) return mark.error();
    auto promise = ctx.read(*rows.promise);
    if (promise.of != m.of) return reject::wrong_state;
    auto const done = impl::promise_steps::top_up(promise, m.more, *mark, tokens_rules);
    if (!done) return done.error();
    if (!ctx.take(rows.purse, m.more)) return reject::poor;
    ctx.edit(*rows.promise) = promise;
    return reject::ok;
}

contract::error contract::apply(auto& ctx, substitute const& m, auto const& rows)
{
    if (m.from == m.to) return reject::hour_taken;
    auto const& known = ctx.read(rows.known);
    auto promise = ctx.read(*rows.promise);
    auto other = ctx.read(*rows.other);
    if (!known.listed || promise.of != m.of) return reject::wrong_state;
    auto const& device = ctx.read(*rows.second);
    if (device.status.state == device_state::absent) return reject::unknown_device;
    if (!device.status.sells()) return reject::wrong_state;
    hour const now = hour_of(ctx.block().time);
    auto calendar = device.calendar;
    calendar.forget_before(now);
    // The running hour may be stood in for too: it is booked as spot time would be.
    auto const use = m.of.when == now ? hour_use::spot : hour_use::token;
    if (auto const booked = calendar.book(now, {m.of.when, 1}, use); !booked) return booked.error();
    auto const done = impl::promise_steps::substitute(promise, other, ctx.tx().sender,
                                                      device.measured, known.spec);
    if (!done) return done.error();
    auto freed = ctx.read(*rows.device).calendar;
    if (freed.give_back({m.of.when, 1}, hour_use::token))
        ctx.edit(*rows.device).calendar = std::move(freed);
    ctx.edit(*rows.second).calendar = std::move(calendar);
    ctx.edit(*rows.promise) = promise;
    ctx.edit(*rows.other) = other;
    return reject::ok;
}

contract::error contract::apply(auto& ctx, redeem const&, auto const& rows)
{
    auto series = ctx.read(*rows.series);
    auto hand = ctx.read(*rows.hand).tokens.get();
    auto const paid = impl::promise_steps::redeem_foreclosed(series, hand);
    if (!paid) return paid.error();
    ctx.edit(*rows.series) = series;
    ctx.edit(*rows.hand).tokens = quantity{hand};
    ctx.give(rows.purse, paid->to_holder);
    return reject::ok;
}

}  // namespace blendr::market
