// SPDX-License-Identifier: Apache-2.0
#pragma once

// Capacity tokens; included by contract.hpp only.

#include <algorithm>
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
    std::optional<ref<ledger::purses, mode::credit>> holder{};
    std::optional<bond::contract::pledge_plan> bond{};  ///< of the device that is promised
};
struct device_plan {
    ref<devices, mode::write> device{};
    ref<classes, mode::read> known{};
    ref<wardens, mode::read> warden{};
    ref<watches, mode::post> watch{};
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

/// A device comes to owe an hour, or runs one.
inline void take_up(devices::row& device, bool runs, height now)
{
    auto const what = runs ? device_event::start : device_event::reserve;
    (void)device.status.apply(what, now);  // a second promise leaves it reserved
}
/// It no longer does. While it is out of reach, a heartbeat will find it so.
inline void let_go(devices::row& device, bool ran, height at, hour now)
{
    auto& status = device.status;
    auto const& booked = device.calendar.bookings();
    bool const owes = std::any_of(booked.begin(), booked.end(), [&](auto const& b) {
        return b.use == hour_use::token && b.end() > now.get();
    });
    if (ran) (void)status.apply(device_event::finish, at);
    if (status.state == device_state::reserved && !owes)
        (void)status.apply(device_event::release, at);
    if (status.state == device_state::idle && owes) (void)status.apply(device_event::reserve, at);
    if (status.state == device_state::disconnected && (ran || !owes))
        (void)status.apply(device_event::give_up, at);
}
/// The hour that a device had promised is over, or another's to serve.
inline void end_hour(auto& ctx, auto const& rows, instrument const& of, bool ran)
{
    auto& device = ctx.edit(*rows.device);
    (void)device.calendar.give_back({of.when, 1}, hour_use::token);
    let_go(device, ran, ctx.block().at, hour_of(ctx.block().time));
}

}  // namespace impl

template <class M>
auto contract::touches(M const& m, tx_info const& tx, auto& access)
{
    using impl::is_one_of;
    using impl::kind;
    if constexpr (is_one_of<M>(kind<enrol>, kind<retire>, kind<heartbeat>)) {
        impl::device_plan rows{
            access.template use<devices, mode::write>(device_key{tx.sender, m.number}), {}, {}, {}};
        if constexpr (std::is_same_v<M, enrol>)
            rows.known = access.template use<classes, mode::read>(m.of);
        if constexpr (!std::is_same_v<M, retire>)
            rows.watch = access.template use<watches, mode::post>();
        return rows;
    } else if constexpr (is_one_of<M>(kind<measure>, kind<attest>, kind<suspend>,
                                      kind<reinstate>)) {
        impl::device_plan rows{access.template use<devices, mode::write>(m.device),
                               {},
                               access.template use<wardens, mode::read>(tx.sender),
                               {}};
        if constexpr (std::is_same_v<M, reinstate>)
            rows.watch = access.template use<watches, mode::post>();
        return rows;
    } else {
        impl::token_plan rows{};
        rows.known = access.template use<classes, mode::read>(m.of.what);
        rows.own_market = access.template use<markets, mode::read>(m.of);
        rows.spot_market = access.template use<markets, mode::read>(instrument{m.of.what, hour{0}});
        rows.purse = access.template use<ledger::purses, mode::debit>(tx.sender);
        /// The promise that a device makes for the hour, the device, and the bond behind it.
        auto const of_device = [&](device_key const& device) {
            rows.promise =
                access.template use<promises, mode::write>(promises::key{device, m.of.when});
            rows.device = access.template use<devices, mode::write>(device);
            rows.bond = bond::contract::touches_pledge(bond_of(device), device.owner, access);
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
            of_device(m.device);
            if constexpr (std::is_same_v<M, settle>)
                rows.holder = access.template use<ledger::purses, mode::credit>(m.holder);
        } else if constexpr (std::is_same_v<M, substitute>) {
            of_device({tx.sender, m.from});
            device_key const second{tx.sender, m.to};
            rows.other =
                access.template use<promises, mode::write>(promises::key{second, m.of.when});
            rows.second = access.template use<devices, mode::write>(second);
        } else if constexpr (!is_one_of<M>(kind<transfer>, kind<redeem>)) {
            of_device({tx.sender, m.number});
        }
        return rows;
    }
}

contract::error contract::apply(auto& ctx, mint const& m, auto const& rows)
{
    auto const mark = impl::mark_of(ctx.read(rows.known), ctx.read(rows.own_market),
                                    ctx.read(rows.spot_market), tokens_rules);
    if (!mark) return mark.error();
    auto const& device = ctx.read(*rows.device);
    if (device.status.state == device_state::absent || device.of != m.of.what)
        return reject::unknown_device;
    if (device.status.state == device_state::suspended) return reject::suspended;
    if (device.status.state == device_state::disconnected) return reject::wrong_state;
    if (!serves(device.measured, ctx.read(rows.known).spec)) return reject::wrong_device;
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
    if (bond::contract::pledge(ctx, *rows.bond, ctx.tx().sender, m.cover) != bond::error::ok)
        return reject::bond_too_small;
    auto& changed = ctx.edit(*rows.device);
    changed.calendar = std::move(calendar);
    impl::take_up(changed, false, ctx.block().at);
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
    auto& device = ctx.edit(*rows.device);
    (void)device.calendar.give_back({m.of.when, 1}, hour_use::token);
    impl::let_go(device, false, ctx.block().at, hour_of(ctx.block().time));
    ctx.edit(*rows.series) = series;
    ctx.edit(*rows.promise) = promise;
    ctx.edit(*rows.hand).tokens = quantity{hand};
    bond::contract::restore(ctx, *rows.bond, ctx.tx().sender, back->to_issuer);
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
    auto const& status = ctx.read(*rows.device).status;
    if (status.state == device_state::suspended) return reject::suspended;
    if (!status.sells()) return reject::wrong_state;
    impl::take_up(ctx.edit(*rows.device), true, ctx.block().at);
    ctx.edit(*rows.promise) = promise;
    return reject::ok;
}

contract::error contract::apply(auto& ctx, finish const& m, auto const& rows)
{
    auto promise = ctx.read(*rows.promise);
    if (promise.of != m.of) return reject::wrong_state;
    auto const done = impl::promise_steps::finish(promise, ctx.tx().sender, ctx.block().time);
    if (!done) return done.error();
    impl::end_hour(ctx, rows, m.of, true);
    ctx.edit(*rows.promise) = promise;
    bond::contract::restore(ctx, *rows.bond, m.device.owner, done->to_issuer);
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
    bool const ran = promise.state == promise_state::running;
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
    if (promise.state == promise_state::none) impl::end_hour(ctx, rows, m.of, ran);
    ctx.edit(*rows.series) = series;
    ctx.edit(*rows.promise) = promise;
    bond::contract::restore(ctx, *rows.bond, m.device.owner, out.to_issuer);
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
    if (bond::contract::pledge(ctx, *rows.bond, ctx.tx().sender, m.more) != bond::error::ok)
        return reject::bond_too_small;
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
    bool const runs = promise.state == promise_state::none && other.state == promise_state::running;
    impl::end_hour(ctx, rows, m.of, runs);
    auto& second = ctx.edit(*rows.second);
    second.calendar = std::move(calendar);
    impl::take_up(second, runs, ctx.block().at);
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
