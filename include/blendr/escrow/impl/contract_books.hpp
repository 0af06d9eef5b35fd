// SPDX-License-Identifier: Apache-2.0
#pragma once

// A job's row, and what its state machine asks for, carried out; included by contract_checks.hpp only.

#include <algorithm>
#include <utility>
#include <variant>

#include <blendr/escrow/contract.hpp>
#include <blendr/escrow/impl/contract_messages.hpp>
#include <blendr/escrow/impl/contract_past.hpp>

namespace blendr::escrow::impl {

/// Jobs on one hook context: how they change, and where their money goes.
template <class Ctx>
class job_books {
public:
    explicit job_books(Ctx const& ctx) : ctx_{ctx}, now_{ctx.block().at} {}

    height now() const noexcept { return now_; }

protected:
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

}  // namespace blendr::escrow::impl
