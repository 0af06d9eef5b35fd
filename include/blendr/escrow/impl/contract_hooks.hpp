// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens between blocks: fills, verdicts, deadlines, money; included by contract.hpp only.

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <blendr/escrow/check_money.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/escrow/impl/contract_messages.hpp>
#include <blendr/escrow/impl/contract_past.hpp>
#include <blendr/verify/spot_check.hpp>

namespace blendr::escrow {

namespace impl {

/// All jobs, on one hook context.
template <class Ctx>
class office {
public:
    explicit office(Ctx const& ctx) : ctx_{ctx}, now_{ctx.block().at} {}

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
    height now() const noexcept { return now_; }

private:
    void give(address const& to, amount value)
    {
        if (value != amount{})
            ctx_.give(ctx_.template use<ledger::purses, mode::credit>(to), value);
    }

    /// Lets `act` change a job; carries out what that asks for.
    template <class Act>
    bool change(job_key const& key, Act&& act)
    {
        auto const& before = ctx_.template row<jobs>(key);
        if (!jobs::present(before)) return false;
        job of{before.money};
        effects out{};
        // a block's share of deadlines may have left this one behind
        if (of.due() < now_) (void)of.tick(height{now_.get() - 1}, out);
        bool const done = act(of, out);
        if (!done && out.empty()) return false;
        ctx_.template edit<jobs>(key).money = of.state();
        carry_out(key, out);
        return done;
    }

    void requeue(job_key const& key)
    {
        auto const& row = ctx_.template row<jobs>(key);
        if (!jobs::present(row)) return;
        auto next = job{row.money}.due();
        if (!row.draws.empty()) next = std::min(next, row.draws.front().at);
        if (next == height::max()) next = height{};
        if (row.money.over) next = now_;  // for the sweep to forget
        if (next == row.queued) return;
        if (row.queued != height{}) ctx_.template edit<due>({row.queued, key}) = {};
        ctx_.template edit<jobs>(key).queued = next;
        if (next != height{}) ctx_.template edit<due>({next, key}) = {true};
    }

    /// A job that is over, once all that it did has been carried out.
    void forget(job_key const& key)
    {
        auto& row = ctx_.template edit<jobs>(key);
        ctx_.template edit<due>({row.queued, key}) = {};
        row = {};
    }

    // -- providers

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

    std::uint32_t score_of(address const& who, reputation::family work) const
    {
        return reputation::score(
            ctx_.template row<reputation::scores>({who, reputation::role::provider, work}), now_,
            ctx_.template row<reputation::conditions>(0).scores);
    }

    // -- checks

    void draw_for(job_key const& key)
    {
        while (true) {
            auto const& row = ctx_.template row<jobs>(key);
            if (!jobs::present(row) || row.draws.empty() || row.draws.front().at > now_) return;
            auto const unit = row.draws.front().unit;
            auto& draws = ctx_.template edit<jobs>(key).draws;
            draws.erase(draws.begin());
            check(key, unit);
        }
    }

    /// Has a unit checked if its draw, or the renter, says so.
    void check(job_key const& key, std::uint32_t number)
    {
        auto& row = ctx_.template edit<jobs>(key);
        auto const state = row.money.units[number].at;
        if (state != unit_state::delivered && state != unit_state::disputed) return;
        auto const with = row.money.units[number].with;
        task_origin const origin{key, row.opened, number, with};
        auto const task = task_of(origin);
        if (row.what.checks.by == checker::product) return check_product(key, origin, task);
        bool const asked = state == unit_state::disputed;
        auto const seed = verify::seed_of(ctx_.block().beacon, encode(origin));
        if (!asked && !verify::chosen(seed, rate_of(row, with))) return;

        auto const& by = row.what.checks;
        verify::contract::inspection what{};
        what.task = task;
        static_cast<bytes&>(what.origin) = encode(origin);
        what.worker = row.money.agreements[with].provider;
        what.commitment = row.claims[number];
        what.patron = key.renter;
        what.rules = {by.quorum, by.most, by.trust, by.commit_within, by.reveal_within, by.within};
        what.run = {row.what.program, by.steps, input_of(row.what, number), by.move_within};
        what.fee = by.fee;
        what.pot = price_of_checks(row.what).unit;
        what.until = later(now_, heights_of_round(by) + 1);
        if (!verify::contract::open(ctx_, what)) return;
        row.checks -= what.pot;
        ctx_.emit(checked{key, unit_id{number}, task});
        if (!asked)
            change(key, [&](job& of, effects& out) {
                return of.object(unit_id{number}, now_, out).has_value();
            });
    }

    void check_product(job_key const& key, task_origin const& origin, hash256 const& task)
    {
        auto& row = ctx_.template edit<jobs>(key);
        auto const& by = row.what.checks;
        auto const range = range_of(row.what, origin.unit);
        verify::contract::product_inspection what{};
        what.task = task;
        static_cast<bytes&>(what.origin) = encode(origin);
        what.worker = row.money.agreements[origin.with].provider;
        what.patron = key.renter;
        what.a = row.what.inputs[0];
        what.b = row.what.inputs[1];
        what.c = row.claims[origin.unit];
        what.first = range.first;
        what.rows = range.second;
        what.inner = by.inner;
        what.columns = by.columns;
        what.inspectors = by.quorum;
        what.attest_within = by.commit_within;
        what.fee = by.fee;
        what.pot = price_of_checks(row.what).unit;
        what.until = row.money.units[origin.unit].due;
        if (!verify::contract::open(ctx_, what)) return;
        row.checks -= what.pot;
        ctx_.emit(checked{key, unit_id{origin.unit}, task});
    }

    std::uint32_t rate_of(jobs::row const& row, std::uint32_t with) const
    {
        auto const& a = row.money.agreements[with];
        if (row.what.checks.by == checker::spot)
            return verify::advised_rate(row.what.checks.cost, a.by.each * quantity{1}, a.bond)
                .value_or(verify::million);
        auto const known = ctx_.template row<verify::standings>(a.provider);
        auto const rule = ctx_.template row<verify::conditions>(0).how_often;
        auto const share = reputation::replication_share(score_of(a.provider, row.what.work));
        auto const rate = std::uint64_t{verify::replication_rate(known, rule)} * share;
        return static_cast<std::uint32_t>(
            std::min<std::uint64_t>(rate / basis_points, verify::million));
    }

    void open_dispute(job_key const& key, objection const& by)
    {
        auto const& row = ctx_.template row<jobs>(key);
        auto const& u = row.money.units[by.unit];
        task_origin const origin{key, row.opened, by.unit, u.with};
        verify::contract::challenge what{};
        what.task = task_of(origin);
        static_cast<bytes&>(what.origin) = encode(origin);
        what.asserter = u.with < row.money.agreements.size() ? row.money.agreements[u.with].provider
                                                             : address{};
        what.challenger = key.renter;
        what.run = {row.what.program, row.what.checks.steps, input_of(row.what, by.unit),
                    row.what.checks.move_within};
        what.asserted = row.claims[by.unit];
        what.challenged = by.claim;
        what.stake = by.stake;
        if (!verify::contract::open(ctx_, what)) give(key.renter, by.stake);
    }

    // -- what a job asks for

    void carry_out(job_key const& key, effects const& todo)
    {
        for (auto const& each : todo) std::visit([&](auto const& e) { carry_out(key, e); }, each);
    }
    void carry_out(job_key const& key, pay const& e)
    {
        give(e.to, e.value);
        if (e.fee != amount{}) ctx_.burn(e.fee);
        ctx_.emit(paid{key, e.from, e.to, e.value, e.fee});
    }
    void carry_out(job_key const& key, refund const& e)
    {
        give(e.to, e.value);
        ctx_.emit(refunded{key, e.to, e.value});
    }
    void carry_out(job_key const&, lock_bond const&) {}  // pledged when it was funded
    void carry_out(job_key const& key, free_bond const& e)
    {
        ctx_.template edit<pledges>(bond_of(key, e.from, e.provider)).value -= e.value;
    }
    void carry_out(job_key const& key, slash_bond const& e)
    {
        auto const which = bond_of(key, e.from, e.provider);
        ctx_.template edit<pledges>(which).value -= e.value;
        auto const reporter = e.reporter == address{} ? ledger::treasury_pot() : e.reporter;
        auto const rows = bond::contract::touches_slash(which, reporter, ctx_);
        auto const taken = bond::contract::slash(ctx_, rows, e.value);
        ctx_.emit(slashed{key, e.from, e.provider, e.why, taken.burned + taken.reporter});
    }
    /// Units of a provider that did not finish may be taken at once, at the price that it had.
    void carry_out(job_key const& key, relist const& e)
    {
        auto& row = ctx_.template edit<jobs>(key);
        if (row.posted == price{}) row.posted = row.money.agreements.back().by.each;
        ctx_.emit(listed{key, e.units, row.posted});
    }
    void carry_out(job_key const&, spent const&) {}  // set aside when it was spent
    void carry_out(job_key const& key, runs_dry const& e) { ctx_.emit(warned{key, e.at}); }
    void carry_out(job_key const& key, moved const& e)
    {
        ctx_.emit(agreement_moved{key, e.which, e.to});
        if (!is_end(e.to)) return;
        auto const& row = ctx_.template row<jobs>(key);
        auto const& a = row.money.agreements[e.which.get()];
        bool const rated = e.to == phase::settled && a.earned != amount{};
        auto const name = rated ? task_of({key, row.opened, nobody, e.which.get()}) : hash256{};
        remember(ctx_, key, row, e.which, name);
        if (rated)
            reputation::contract::settle(ctx_, name,
                                         {a.provider, key.renter, row.what.work, a.earned - a.fees,
                                          a.fees, now_, false, false});
    }
    void carry_out(job_key const& key, closed const&)
    {
        give(key.renter, std::exchange(ctx_.template edit<jobs>(key).checks, amount{}));
        ctx_.emit(job_closed{key});
    }

    bond::subject bond_of(job_key const& key, agreement_id which, address const& provider) const
    {
        return device_bond({provider, ctx_.template row<jobs>(key).devices[which.get()]});
    }

    Ctx ctx_;
    height now_;
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
