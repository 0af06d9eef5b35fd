// SPDX-License-Identifier: Apache-2.0
#pragma once

// What renters and providers send; included by contract.hpp only.

#include <algorithm>
#include <utility>

#include <blendr/escrow/check_money.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/market/capability.hpp>
#include <blendr/market/requirement.hpp>
#include <blendr/reputation/effects.hpp>

namespace blendr::escrow {

namespace impl {

/// The bond that an agreement asks of somebody with that score.
constexpr amount bond_for(order const& of, std::uint32_t score) noexcept
{
    return of.bond.share(reputation::bond_share(score), basis_points, rounding::up)
        .value_or(amount::max());
}

inline bool covers(bond::holding const& held, amount pledged, crypto::address const& owner,
                   amount needed) noexcept
{
    if (needed == amount{}) return true;
    auto const all = add(pledged, needed);
    return held.owner == owner && all && *all <= held.locked;
}

/// Whether a device meets a requirement, as the market's auction would say.
inline bool eligible(market::devices::row const& device, std::string const& wanted, price each)
{
    if (wanted.empty()) return true;
    auto const asks = market::requirement::parse(wanted);
    auto offers = market::capability::parse(device.capability);
    if (!asks || !offers) return false;
    (void)offers->set(market::attribute::price, each.get());
    (void)offers->set(market::attribute::tier, std::uint64_t{device.status.tier});
    return asks->of(*offers) == market::truth::yes;
}

/// Silent for so long that its lease goes elsewhere, or not there at all.
inline bool gone(market::device_status const& of, height now) noexcept
{
    constexpr market::heartbeat_rules rules{};
    if (of.state == market::device_state::absent || of.state == market::device_state::suspended)
        return true;
    return now > of.heard && now - of.heard > rules.silent_after + rules.give_up_after;
}

/// Does `act` with the message's job; stores it and leaves what is to be done for the end of the
/// block, or says why not, with nothing changed.
template <class Act>
reject with_job(auto& ctx, auto const& rows, job_key const& key, Act&& act)
{
    auto const& row = ctx.read(rows.job);
    if (!jobs::present(row)) return reject::unknown_job;
    job of{row.money};
    effects out{};
    if (auto const why = act(of, out); why != reject::ok) return why;
    ctx.edit(rows.job).money = of.state();
    ctx.post(rows.out, jobs::entry{key, std::move(out), {}});
    return reject::ok;
}
/// The unit is looked at when there is a beacon that nobody knows yet, and not before.
inline void wait_for_draw(jobs::row& row, unit_id which, height now)
{
    std::erase_if(row.draws, [&](waiting_draw const& d) { return d.unit == which.get(); });
    row.draws.push_back({later(now, verify::blocks_until_unknown), which.get()});
}
inline reject why(job::done const& done) noexcept { return done ? reject::ok : done.error(); }

}  // namespace impl

auto contract::touches(submit const& m, tx_info const& tx, auto& access)
{
    return submit_plan{rows_of({tx.sender, m.number}, tx, access),
                       access.template use<bond::contract::conditions, mode::read>(0)};
}
contract::start_plan contract::start_of(job_key const& job, std::uint32_t device,
                                        reputation::family work, tx_info const& tx, auto& access)
{
    market::device_key const mine{tx.sender, device};
    auto const bond = device_bond(mine);
    return {rows_of(job, tx, access),
            access.template use<bond::contract::bonds, mode::read>(bond),
            access.template use<pledges, mode::write>(bond),
            access.template use<market::devices, mode::read>(mine),
            access.template use<reputation::scores, mode::read>(
                reputation::scores::key{tx.sender, reputation::role::provider, work}),
            access.template use<reputation::conditions, mode::read>(0)};
}
auto contract::touches(take const& m, tx_info const& tx, auto& access)
{
    return start_of(m.job, m.device, m.work, tx, access);
}
auto contract::touches(start const& m, tx_info const& tx, auto& access)
{
    return start_of(m.job, m.device, reputation::family::fp32, tx, access);
}
auto contract::touches(report const& m, tx_info const& tx, auto& access)
{
    return report_plan{rows_of(m.job, tx, access),
                       access.template use<market::devices, mode::read>(m.device)};
}
template <class Message>
auto contract::touches(Message const& m, tx_info const& tx, auto& access)
{
    return rows_of(m.job, tx, access);
}

contract::error contract::apply(auto& ctx, submit const& m, submit_plan const& rows)
{
    if (jobs::present(ctx.read(rows.job))) return reject::job_exists;
    if (auto const why = sound(m.what); why != reject::ok) return why;
    if (m.posted > m.what.cap) return reject::above_cap;
    auto const& w = m.what;
    auto const longest = std::uint64_t{w.start_within} * 2 + w.run_within + w.window + w.grace +
                         heights_of_verdict(w.checks);
    // what is pledged can be slashed to the agreement's last day, even by who unbonds at once
    if (w.bond != amount{} && longest > ctx.read(rows.bonds).of.delay) return reject::bad_terms;
    auto const now = ctx.block().at;
    auto const me = ctx.tx().sender;
    auto of = job::open(me, w.units, later(now, w.search_within), w.warn_before, now);
    if (!of) return of.error();
    effects out{};
    if (m.deposit != amount{})
        if (auto const done = of->deposit(me, m.deposit, now, out); !done) return done.error();
    auto const checks = price_of_checks(w).held;
    auto const all = add(m.deposit, checks);
    if (!all || !ctx.take(rows.purse, *all)) return reject::poor;
    jobs::row made{};
    made.what = w;
    made.money = of->state();
    made.claims.resize(w.units);
    made.data.resize(w.units);
    made.posted = m.posted;
    made.checks = checks;
    made.opened = now;
    ctx.edit(rows.job) = std::move(made);
    job_key const key{me, m.number};
    ctx.post(rows.out, jobs::entry{key, std::move(out), {}});
    ctx.emit(submitted{key});
    if (m.deposit != amount{}) ctx.emit(deposited{key, me, m.deposit});
    ctx.emit(listed{key, w.units, m.posted});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, top_up const& m, plan const& rows)
{
    auto const me = ctx.tx().sender;
    return impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        if (auto const done = of.deposit(me, m.value, ctx.block().at, out); !done)
            return done.error();
        if (!ctx.take(rows.purse, m.value)) return reject::poor;
        ctx.emit(deposited{m.job, me, m.value});
        return reject::ok;
    });
}

contract::error contract::apply(auto& ctx, post_price const& m, plan const& rows)
{
    auto const& row = ctx.read(rows.job);
    if (!jobs::present(row)) return reject::unknown_job;
    if (row.money.over) return reject::job_closed;
    if (ctx.tx().sender != m.job.renter) return reject::not_renter;
    if (m.posted > row.what.cap) return reject::above_cap;
    ctx.edit(rows.job).posted = m.posted;
    ctx.emit(listed{m.job, 0, m.posted});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, accept const& m, plan const& rows)
{
    return impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        if (ctx.tx().sender != m.job.renter) return reject::not_renter;
        return impl::why(of.accept(m.unit, ctx.block().at, out));
    });
}

contract::error contract::apply(auto& ctx, approve const& m, plan const& rows)
{
    return impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        return impl::why(of.approve(m.which, ctx.tx().sender, ctx.block().at, out));
    });
}

contract::error contract::apply(auto& ctx, object const& m, plan const& rows)
{
    auto const& row = ctx.read(rows.job);
    auto const by = row.what.checks.by;
    auto const done = impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        if (ctx.tx().sender != m.job.renter) return reject::not_renter;
        if (by != checker::replicas && by != checker::spot) return reject::not_checkable;
        return impl::why(of.object(m.unit, ctx.block().at, out));
    });
    if (done == reject::ok) impl::wait_for_draw(ctx.edit(rows.job), m.unit, ctx.block().at);
    return done;
}

contract::error contract::apply(auto& ctx, challenge const& m, plan const& rows)
{
    auto const& row = ctx.read(rows.job);
    auto const stake = ctx.read(rows.by).challenge_stake;
    auto const by = row.what.checks.by;
    if (!jobs::present(row)) return reject::unknown_job;
    if (ctx.tx().sender != m.job.renter) return reject::not_renter;
    if (by != checker::renter || row.what.checks.steps == 0) return reject::not_checkable;
    job of{row.money};
    effects out{};
    auto const done = of.object(m.unit, ctx.block().at, out);
    if (!done) return done.error();
    if (row.claims[m.unit.get()] == m.claim) return reject::same_claim;
    if (!ctx.take(rows.purse, stake)) return reject::poor;
    ctx.edit(rows.job).money = of.state();
    ctx.post(rows.out, jobs::entry{m.job, std::move(out), objection{m.unit.get(), m.claim, stake}});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, cancel const& m, plan const& rows)
{
    return impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        return impl::why(of.cancel(m.which, ctx.tx().sender, ctx.block().at, out));
    });
}

contract::error contract::apply(auto& ctx, cancel_all const& m, plan const& rows)
{
    return impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        return impl::why(of.cancel_all(ctx.tx().sender, ctx.block().at, out));
    });
}

contract::error contract::apply(auto& ctx, take const& m, start_plan const& rows)
{
    auto const& row = ctx.read(rows.job);
    auto const me = ctx.tx().sender;
    auto const now = ctx.block().at;
    amount needed{}, for_checks{};
    auto const done = impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        if (row.posted == price{}) return reject::nothing_posted;
        auto const& device = ctx.read(rows.device);
        if (impl::gone(device.status, now)) return reject::not_your_device;
        if (m.work != row.what.work || !impl::eligible(device, row.what.wanted, row.posted))
            return reject::not_eligible;
        auto const score =
            reputation::score(ctx.read(rows.score), now, ctx.read(rows.scoring).scores);
        needed = impl::bond_for(row.what, score);
        if (!impl::covers(ctx.read(rows.bond).held, ctx.read(rows.pledge).value, me, needed))
            return reject::bond_too_small;
        auto const by = terms_of(row.what, row.posted, needed, ctx.read(rows.by).fee);
        auto const which = of.match(me, m.units, by, now, out);
        if (!which) return which.error();
        if (auto const good = of.fund(*which, now, out); !good) return good.error();
        for_checks = missing_for_checks(row, m.units);
        if (for_checks != amount{})
            if (auto const good = of.spend(for_checks, now, out); !good) return good.error();
        ctx.emit(matched{m.job, *which, me, m.device, m.units, row.posted});
        return impl::why(of.start(*which, me, now, out));
    });
    if (done != reject::ok) return done;
    auto& changed = ctx.edit(rows.job);
    changed.devices.push_back(m.device);
    changed.checks += for_checks;
    if (needed != amount{}) ctx.edit(rows.pledge).value += needed;
    return done;
}

contract::error contract::apply(auto& ctx, start const& m, start_plan const& rows)
{
    auto const& row = ctx.read(rows.job);
    auto const me = ctx.tx().sender;
    auto const now = ctx.block().at;
    amount needed{};
    auto const done = impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        auto const& all = row.money.agreements;
        if (m.which.get() >= all.size()) return reject::unknown_agreement;
        if (all[m.which.get()].provider != me) return reject::not_provider;
        if (row.devices[m.which.get()] != m.device) return reject::not_your_device;
        if (all[m.which.get()].at == phase::open) {
            needed = all[m.which.get()].by.bond;
            if (!impl::covers(ctx.read(rows.bond).held, ctx.read(rows.pledge).value, me, needed))
                return reject::bond_too_small;
            if (auto const good = of.fund(m.which, now, out); !good) return good.error();
        }
        return impl::why(of.start(m.which, me, now, out));
    });
    if (done == reject::ok && needed != amount{}) ctx.edit(rows.pledge).value += needed;
    return done;
}

contract::error contract::apply(auto& ctx, deliver const& m, plan const& rows)
{
    auto const& row = ctx.read(rows.job);
    auto const now = ctx.block().at;
    task_origin origin{m.job, row.opened, m.unit.get(), 0};
    auto const done = impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        if (row.what.size != 0 && m.size != row.what.size) return reject::wrong_size;
        auto const why = impl::why(of.deliver(m.unit, ctx.tx().sender, now, out));
        if (why == reject::ok) origin.with = row.money.units[m.unit.get()].with;
        return why;
    });
    if (done != reject::ok) return done;
    auto& changed = ctx.edit(rows.job);
    changed.claims[m.unit.get()] = m.claim;
    changed.data[m.unit.get()] = m.data;
    if (changed.what.checks.by != checker::renter) impl::wait_for_draw(changed, m.unit, now);
    ctx.emit(delivered{m.job, m.unit, task_of(origin), m.claim});
    return done;
}

contract::error contract::apply(auto& ctx, quit const& m, plan const& rows)
{
    return impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        return impl::why(of.quit(m.which, ctx.tx().sender, ctx.block().at, out));
    });
}

contract::error contract::apply(auto& ctx, report const& m, report_plan const& rows)
{
    auto const& row = ctx.read(rows.job);
    return impl::with_job(ctx, rows, m.job, [&](job& of, effects& out) {
        auto const& all = row.money.agreements;
        if (m.which.get() >= all.size()) return reject::unknown_agreement;
        if (all[m.which.get()].provider != m.device.owner ||
            row.devices[m.which.get()] != m.device.number)
            return reject::not_your_device;
        if (!impl::gone(ctx.read(rows.device).status, ctx.block().at)) return reject::not_gone;
        return impl::why(of.fail(m.which, ctx.block().at, out));
    });
}

}  // namespace blendr::escrow
