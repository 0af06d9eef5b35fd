// SPDX-License-Identifier: Apache-2.0
#pragma once

// Placing, cancelling and replacing orders; included by contract.hpp only.

#include <blendr/market/contract.hpp>

namespace blendr::market {

namespace impl {
struct place_plan {
    ref<ledger::purses, mode::debit> purse{};
    ref<classes, mode::read> known{};
    ref<orders, mode::read> own{};
    ref<orders, mode::post> out{};
    std::optional<ref<devices, mode::write>> device{};   // spot asks
    std::optional<ref<holdings, mode::debit>> tokens{};  // asks of tokens
};
struct cancel_plan {
    ref<orders, mode::read> own{};
    ref<orders, mode::post> out{};
};
struct replace_plan {
    ref<ledger::purses, mode::debit> purse{};
    ref<orders, mode::read> own{};
    ref<orders, mode::post> out{};
};

inline reject refusal(contract::place const& m, height now, time_ms time)
{
    if (m.way != side::buy && m.way != side::sell) return reject::contradictory_order;
    if (m.size == quantity{0}) return reject::zero_size;
    if (m.size > order_size_max) return reject::size_too_large;
    if (m.limit == price{0}) return reject::zero_price;
    if (m.expires < now) return reject::expired;
    if (m.rounds == 0) return reject::fee_too_small;
    if (m.rounds > contract::rounds_max) return reject::value_too_large;
    bool const spot = is_spot(m.of);
    if (!spot && m.of.when <= hour_of(time)) return reject::too_late;
    bool const picky = m.gang || m.per_provider_max != quantity{0} || !m.wanted.empty();
    if (picky && (!spot || m.way != side::buy)) return reject::contradictory_order;
    if (m.post_only && (m.immediate || picky)) return reject::contradictory_order;
    bool const backed = m.hours != 0 || m.device != 0;
    if (backed && (!spot || m.way != side::sell)) return reject::contradictory_order;
    return reject::ok;
}
}  // namespace impl

auto contract::touches(place const& m, tx_info const& tx, auto& access)
{
    impl::place_plan rows{
        access.template use<ledger::purses, mode::debit>(tx.sender),
        access.template use<classes, mode::read>(m.of.what),
        access.template use<orders, mode::read>(order_key{m.of, m.way, tx.sender, m.client_id}),
        access.template use<orders, mode::post>(),
        {},
        {}};
    if (m.way == side::sell && is_spot(m.of))
        rows.device = access.template use<devices, mode::write>(device_key{tx.sender, m.device});
    if (m.way == side::sell && !is_spot(m.of))
        rows.tokens = access.template use<holdings, mode::debit>(holdings::key{m.of, tx.sender});
    return rows;
}

contract::error contract::apply(auto& ctx, place const& m, auto const& rows)
{
    if (auto const why = impl::refusal(m, ctx.block().at, ctx.block().time); why != reject::ok)
        return why;
    if (!ctx.read(rows.known).listed) return reject::unknown_instrument;
    if (orders::present(ctx.read(rows.own))) return reject::duplicate_client_id;
    std::string wanted{};
    if (!m.wanted.empty()) {
        auto const parsed = requirement::parse(m.wanted);
        if (!parsed)
            return parsed.error().too_large ? reject::expression_too_long : reject::bad_expression;
        wanted = parsed->to_text();
    }
    hour const now = hour_of(ctx.block().time);
    if (rows.device) {
        auto const& device = ctx.read(*rows.device);
        if (device.status.state == device_state::absent || device.of != m.of.what)
            return reject::unknown_device;
        if (device.status.state == device_state::suspended) return reject::suspended;
        if (!device.status.sells()) return reject::wrong_state;
        if (!serves(device.measured, ctx.read(rows.known).spec)) return reject::wrong_device;
        auto calendar = device.calendar;
        calendar.forget_before(now);
        if (auto const booked = calendar.book(now, {now, m.hours}, hour_use::spot); !booked)
            return booked.error();
        if (u128{m.size.get()} > u128{device.measured.fp32} * impl::units_per_hour * m.hours)
            return reject::size_too_large;
        if (!ctx.take(rows.purse, impl::rounds_cost(m.rounds))) return reject::poor;
        ctx.edit(*rows.device).calendar = std::move(calendar);
    } else if (!ctx.take(rows.purse, impl::lock_of(m.way, m.limit, m.size, m.rounds))) {
        return reject::poor;
    }
    if (rows.tokens && !ctx.take(*rows.tokens, m.size)) return reject::no_tokens;
    orders::row now_row{m.limit,
                        m.size,
                        impl::lock_of(m.way, m.limit, m.size, m.rounds),
                        m.rounds,
                        m.device,
                        ctx.block().at,
                        m.expires,
                        m.immediate,
                        m.gang,
                        m.per_provider_max,
                        std::move(wanted),
                        {},
                        rows.device ? window{now, m.hours} : window{hour{0}, 0},
                        m.post_only};
    ctx.post(rows.out, orders::entry{orders::entry::kind::place,
                                     {m.of, m.way, ctx.tx().sender, m.client_id},
                                     std::move(now_row)});
    return reject::ok;
}

auto contract::touches(cancel const& m, tx_info const&, auto& access)
{
    return impl::cancel_plan{access.template use<orders, mode::read>(m.order),
                             access.template use<orders, mode::post>()};
}

contract::error contract::apply(auto& ctx, cancel const& m, auto const& rows)
{
    if (m.order.owner != ctx.tx().sender) return reject::not_owner;
    if (!orders::present(ctx.read(rows.own))) return reject::unknown_order;
    ctx.post(rows.out, orders::entry{orders::entry::kind::cancel, m.order, {}});
    return reject::ok;
}

auto contract::touches(replace const& m, tx_info const& tx, auto& access)
{
    return impl::replace_plan{access.template use<ledger::purses, mode::debit>(tx.sender),
                              access.template use<orders, mode::read>(m.order),
                              access.template use<orders, mode::post>()};
}

contract::error contract::apply(auto& ctx, replace const& m, auto const& rows)
{
    if (m.order.owner != ctx.tx().sender) return reject::not_owner;
    auto const& old = ctx.read(rows.own);
    if (!orders::present(old)) return reject::unknown_order;
    if (old.expires < ctx.block().at) return reject::expired;
    if (m.size == quantity{0}) return reject::zero_size;
    if (m.size > order_size_max) return reject::size_too_large;
    if (m.limit == price{0}) return reject::zero_price;
    if (m.order.way == side::sell && m.size > old.left) return reject::contradictory_order;
    auto const needed = impl::lock_of(m.order.way, m.limit, m.size, old.rounds);
    auto const more = sub(needed, old.locked).value_or(amount{});
    if (!ctx.take(rows.purse, more)) return reject::poor;
    orders::row change{};
    change.limit = m.limit;
    change.left = m.size;
    change.locked = more;
    ctx.post(rows.out, orders::entry{orders::entry::kind::replace, m.order, std::move(change)});
    return reject::ok;
}

}  // namespace blendr::market
