// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens between blocks: fills, verdicts, deadlines; included by contract.hpp only.

#include <algorithm>
#include <utility>
#include <vector>

#include <blendr/escrow/check_money.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/escrow/impl/contract_checks.hpp>

namespace blendr::escrow {

namespace impl {

/// All jobs, on one hook context.
template <class Ctx>
class office : public checking<Ctx> {
public:
    explicit office(Ctx const& ctx) : checking<Ctx>{ctx} {}

    void take_in()
    {
        for (auto const& post : ctx_.template posted<jobs>()) {
            auto const& e = post.value;
            if (e.against) open_dispute(e.of, *e.against);
            carry_out(e.of, e.done);
            requeue(e.of);
        }
    }

    void sweep()
    {
        std::vector<due::key> waiting{};
        ctx_.template each<due>([&](due::key const& key, due::row const&) {
            if (key.at > now_ || waiting.size() == contract::work_per_block) return false;
            waiting.push_back(key);
            return true;
        });
        for (auto const& key : waiting) {
            change(key.job, [&](job& of, effects& out) {
                return of.due() <= now_ && of.tick(now_, out).has_value();
            });
            draw_for(key.job);
            requeue(key.job);
            if (ctx_.template row<jobs>(key.job).money.over) forget(key.job);
        }
    }

    void bought(market::fill const& f)
    {
        job_key const key{f.buyer, f.bid};
        auto const& row = ctx_.template row<jobs>(key);
        if (!jobs::present(row) || !market::is_spot(f.of)) return;  // not about a job
        auto const value = f.at * f.size;
        auto const from = ctx_.template use<market::proceeds, mode::debit>(f.paid);
        if (!ctx_.take(from, value)) return;
        if (!take_on(key, f, value)) give(f.buyer, value);
        requeue(key);
    }

    /// What verification says about a unit, as long as the unit is still in those hands.
    template <class Act>
    void judge(verify::origin const& about, Act&& act)
    {
        auto const at = decode<task_origin>(about);
        if (!at) return;  // another contract's
        auto const& row = ctx_.template row<jobs>(at->job);
        if (!jobs::present(row) || row.opened != at->opened) return;
        if (at->unit >= row.money.units.size() || row.money.units[at->unit].with != at->with)
            return;
        change(at->job, [&](job& of, effects& out) { return act(of, unit_id{at->unit}, out); });
        requeue(at->job);
    }
    /// What a check did not use serves the job's others.
    void take_back(verify::left const& l)
    {
        auto const at = decode<task_origin>(l.origin);
        if (!at) return;  // another contract's
        auto const& row = ctx_.template row<jobs>(at->job);
        if (!jobs::present(row) || row.opened != at->opened || row.money.over) return;
        if (ctx_.take(ctx_.template use<ledger::purses, mode::debit>(l.patron), l.value))
            ctx_.template edit<jobs>(at->job).checks += l.value;
    }

private:
    using job_books<Ctx>::carry_out;
    using job_books<Ctx>::change;
    using job_books<Ctx>::ctx_;
    using job_books<Ctx>::forget;
    using job_books<Ctx>::give;
    using job_books<Ctx>::now_;
    using job_books<Ctx>::requeue;
    using checking<Ctx>::draw_for;
    using checking<Ctx>::open_dispute;
    using checking<Ctx>::score_of;

    bool take_on(job_key const& key, market::fill const& f, amount value)
    {
        auto const& row = ctx_.template row<jobs>(key);
        if (row.what.units == 0 || row.what.demand == 0) return false;
        auto const whole = f.size.get() / row.what.demand;
        auto const each = u128{f.at.get()} * row.what.demand;
        if (whole == 0 || each > row.what.cap.get()) return false;
        price const per_unit{static_cast<std::uint64_t>(each)};
        auto const count = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(whole, units_covered(row, per_unit, value)));
        if (count == 0) return false;
        auto const for_checks = missing_for_checks(row, count);

        market::device_key const device{f.seller, f.device};
        auto const bond = device_bond(device);
        auto const score = score_of(f.seller, row.what.work);
        auto const by = terms_of(row.what, per_unit, bond_for(row.what, score),
                                 ctx_.template row<conditions>(0).fee);
        return change(key, [&](job& of, effects& out) {
            auto tried = of;
            effects steps{};
            if (!tried.deposit(f.buyer, value, now_, steps)) return false;
            auto const which = tried.match(f.seller, count, by, now_, steps);
            if (!which) return false;
            if (for_checks != amount{} && !tried.spend(for_checks, now_, steps)) return false;
            // who sold and has its bond has accepted; others may still bring one and start
            auto const& held = ctx_.template row<bond::contract::bonds>(bond).held;
            auto const& pledged = ctx_.template row<pledges>(bond);
            if (covers(held, pledged.value, f.seller, by.bond) && tried.fund(*which, now_, steps) &&
                by.bond != amount{})
                ctx_.template edit<pledges>(bond).value += by.bond;
            of = std::move(tried);
            out.insert(out.end(), steps.begin(), steps.end());
            auto& changed = ctx_.template edit<jobs>(key);
            changed.devices.push_back(f.device);
            changed.checks += for_checks;
            ctx_.emit(deposited{key, f.buyer, value});
            ctx_.emit(matched{key, *which, f.seller, f.device, count, per_unit});
            return true;
        });
    }
};

}  // namespace impl

void contract::on(auto& ctx, market::fill const& f) { impl::office{ctx}.bought(f); }

void contract::on(auto& ctx, verify::decided const& d)
{
    impl::office all{ctx};
    all.judge(d.origin, [&](job& of, unit_id unit, effects& out) {
        if (d.what == verify::finding::right) return of.acquit(unit, all.now(), out).has_value();
        if (d.what == verify::finding::wrong) return of.forgo(unit, all.now(), out).has_value();
        return false;  // nothing is proven: the verdict's deadline pays
    });
}

void contract::on(auto& ctx, verify::ruled const& r)
{
    impl::office all{ctx};
    all.judge(r.origin, [&](job& of, unit_id unit, effects& out) {
        if (!r.asserter_loses()) return of.acquit(unit, all.now(), out).has_value();
        auto const reporter = r.challenger_loses() ? address{} : r.challenger;
        return of.convict(unit, reporter, all.now(), out).has_value();
    });
}

void contract::on(auto& ctx, verify::refuted const& r)
{
    impl::office all{ctx};
    all.judge(r.origin, [&](job& of, unit_id unit, effects& out) {
        (void)of.object(unit, all.now(), out);
        return of.convict(unit, r.reporter, all.now(), out).has_value();
    });
}

void contract::on(auto& ctx, verify::left const& l) { impl::office{ctx}.take_back(l); }

void contract::end_block(auto& ctx)
{
    impl::office all{ctx};
    all.take_in();
    all.sweep();
    impl::forget_old(ctx, contract::work_per_block);
}

}  // namespace blendr::escrow
