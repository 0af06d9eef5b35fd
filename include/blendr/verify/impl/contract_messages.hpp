// SPDX-License-Identifier: Apache-2.0
#pragma once

// What workers send; included by contract.hpp only.

#include <optional>

#include <blendr/core/wide.hpp>
#include <blendr/verify/contract.hpp>

namespace blendr::verify {

namespace impl {

constexpr bool is_open(rounds::row const& r) noexcept { return r.until != height{}; }
constexpr bool is_open(products::row const& r) noexcept { return r.until != height{}; }
inline bool is_open(disputes::row const& r) noexcept { return r.of.high != 0; }

/// Row times column over the field that products are checked in; nothing when a number is outside.
inline std::optional<std::uint64_t> dot(std::vector<std::int64_t> const& a,
                                        std::vector<std::int64_t> const& b) noexcept
{
    using field = crypto::field_61;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        auto const x = field::element(a[i]);
        auto const y = field::element(b[i]);
        if (!x || !y) return std::nullopt;
        sum = field::reduce(u128{*x} * *y + sum);
    }
    return sum;
}

}  // namespace impl

contract::error contract::apply(auto& ctx, enlist const& m, roll_plan const& rows)
{
    auto const& held = ctx.read(rows.bond).held;
    if (held.owner != ctx.tx().sender) return reject::not_your_bond;
    if (held.locked == amount{}) return reject::no_bond;
    if (ctx.read(rows.worker).owner == ctx.tx().sender) return reject::already_enlisted;
    bool const taken_over = ctx.read(rows.worker).owner != address{};
    if (!taken_over && ctx.read(rows.all).count == workers_max) return reject::too_many_workers;
    if (!taken_over) ++ctx.edit(rows.all).count;
    ctx.edit(rows.worker).owner = ctx.tx().sender;
    ctx.emit(enlisted{m.which, true});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, leave const& m, roll_plan const& rows)
{
    auto const owner = ctx.read(rows.worker).owner;
    if (owner == address{}) return reject::not_enlisted;
    if (owner != ctx.tx().sender) return reject::not_your_bond;
    ctx.edit(rows.worker) = {};
    --ctx.edit(rows.all).count;
    ctx.emit(enlisted{m.which, false});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, commit const& m, round_plan const& rows)
{
    auto const& row = ctx.read(rows.of);
    if (!impl::is_open(row)) return reject::unknown_task;
    auto of = row.of;
    if (auto const done = of.commit(ctx.tx().sender, m.to, ctx.block().at); !done)
        return done.error();
    ctx.edit(rows.of).of = std::move(of);
    ctx.post(rows.out, {due_kind::round, m.task});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, reveal const& m, round_plan const& rows)
{
    auto const& row = ctx.read(rows.of);
    if (!impl::is_open(row)) return reject::unknown_task;
    auto of = row.of;
    auto const me = ctx.tx().sender;
    if (auto const done = of.reveal(me, m.nonce, m.result, m.values, ctx.block().at); !done)
        return done.error();
    auto& changed = ctx.edit(rows.of);
    for (std::size_t i = 0; i < of.replicas.size(); ++i)
        if (of.replicas[i].worker == me) changed.results[i] = m.result;
    changed.of = std::move(of);
    ctx.post(rows.out, {due_kind::round, m.task});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, move const& m, dispute_plan const& rows)
{
    auto const& row = ctx.read(rows.of);
    if (!impl::is_open(row)) return reject::unknown_task;
    auto of = row.of;
    if (auto const done = of.move(ctx.tx().sender, m.state, ctx.block().at); !done)
        return done.error();
    ctx.edit(rows.of).of = of;
    ctx.post(rows.out, {due_kind::dispute, m.task});
    return reject::ok;
}

contract::error contract::prove(auto& ctx, hash256 const& task, bytes_view state,
                                step_registry const& steps, dispute_plan const& rows)
{
    auto const& row = ctx.read(rows.of);
    if (!impl::is_open(row)) return reject::unknown_task;
    auto of = row.of;
    if (auto const done = of.prove(state, steps, ctx.block().at); !done) return done.error();
    ctx.edit(rows.of).of = of;
    ctx.post(rows.out, {due_kind::dispute, task});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, attest const& m, product_plan const& rows)
{
    auto const& row = ctx.read(rows.of);
    if (!impl::is_open(row)) return reject::unknown_task;
    auto const me = std::find_if(row.inspectors.begin(), row.inspectors.end(),
                                 [&](auto const& i) { return i.who == ctx.tx().sender; });
    if (me == row.inspectors.end()) return reject::not_drawn;
    if (me->attested) return reject::already_attested;
    if (row.attest_by < ctx.block().at) return reject::round_over;
    if (row.refuted_by != address{}) return reject::round_over;
    auto const place = me - row.inspectors.begin();
    auto& changed = ctx.edit(rows.of);
    changed.inspectors[static_cast<std::size_t>(place)].attested = true;
    auto const fee = std::min(changed.fee, changed.pot);
    changed.pot -= fee;
    ctx.give(rows.purse, fee);
    ctx.emit(attested{m.task, ctx.tx().sender});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, refute const& m, product_plan const& rows)
{
    auto const& row = ctx.read(rows.of);
    if (!impl::is_open(row)) return reject::unknown_task;
    if (row.refuted_by != address{}) return reject::round_over;
    if (m.a.size() != row.inner || m.b.size() != row.inner || m.c.size() != row.columns ||
        m.column >= row.columns)
        return reject::wrong_size;
    bool const in_place = m.in_c.count == row.rows && m.in_b.count == row.columns &&
                          m.in_b.index == m.column && m.in_c.index < row.rows &&
                          m.in_a.index == row.first + m.in_c.index;
    if (!in_place || !ledger::verify(row.a, leaf_of_row(m.a), m.in_a) ||
        !ledger::verify(row.b, leaf_of_row(m.b), m.in_b) ||
        !ledger::verify(row.c, leaf_of_row(m.c), m.in_c))
        return reject::bad_proof;
    auto const right = impl::dot(m.a, m.b);
    if (!right) return reject::bad_proof;  // the inputs are outside the field: nobody's fault
    auto const said = crypto::field_61::element(m.c[m.column]);
    if (said && *said == *right) return reject::product_is_right;
    ctx.edit(rows.of).refuted_by = ctx.tx().sender;
    ctx.post(rows.out, {due_kind::product, m.task});
    return reject::ok;
}

}  // namespace blendr::verify
