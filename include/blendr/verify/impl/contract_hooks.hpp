// SPDX-License-Identifier: Apache-2.0
#pragma once

// What happens between blocks: draws, deadlines, decisions; included by contract.hpp only.

#include <optional>

#include <blendr/ledger/base.hpp>
#include <blendr/verify/contract.hpp>
#include <blendr/verify/impl/contract_messages.hpp>

namespace blendr::verify {

namespace impl {

/// The checks that are going on, on one hook context.
template <class Ctx>
class inspectorate {
public:
    explicit inspectorate(Ctx const& ctx) : ctx_{ctx}, now_{ctx.block().at} {}

    void take_in()
    {
        for (auto const& post : ctx_.template posted<due>())
            look_at(post.value.what, post.value.task);
    }

    void sweep()
    {
        std::vector<due::key> waiting{};
        ctx_.template each<due>([&](due::key const& key, due::row const&) {
            if (key.at > now_ || waiting.size() == contract::work_per_block) return false;
            waiting.push_back(key);
            return true;
        });
        for (auto const& key : waiting) look_at(key.what, key.task);
    }

    bool open(contract::inspection const& what)
    {
        if (is_open(ctx_.template row<rounds>(what.task))) return false;
        auto of = round::open(what.task, what.rules, now_);
        if (!of || what.rules.quorum < 2 || what.until <= now_) return false;
        auto const own = ctx_.template row<standings>(what.worker);
        (void)of->add(what.worker, credibility(own), now_);
        (void)of->commit(what.worker, what.commitment, now_);
        rounds::row row{};
        row.of = *std::move(of);
        row.results.emplace_back();
        row.bonds.emplace_back();
        row.run = what.run;
        row.origin = what.origin;
        row.patron = what.patron;
        row.fee = what.fee;
        row.pot = what.pot;
        row.until = what.until;
        row.draws = now_;  // the caller waited for a beacon that the worker could not know
        ctx_.template edit<rounds>(what.task) = std::move(row);
        look_at_round(what.task);
        return true;
    }

    bool open(contract::product_inspection const& what)
    {
        if (is_open(ctx_.template row<products>(what.task)) || what.until <= now_) return false;
        products::row row{};
        row.worker = what.worker;
        row.a = what.a;
        row.b = what.b;
        row.c = what.c;
        row.first = what.first;
        row.rows = what.rows;
        row.inner = what.inner;
        row.columns = what.columns;
        row.origin = what.origin;
        row.patron = what.patron;
        row.fee = what.fee;
        row.pot = what.pot;
        row.attest_by = later(now_, what.attest_within);
        row.until = what.until;
        address const excluded[] = {what.worker, what.patron};
        auto const count = std::min(what.inspectors, static_cast<std::uint32_t>(inspectors_max));
        for (auto const i : candidates().draw(seed(what.task, 0), excluded, count)) {
            row.inspectors.push_back({candidates().owners[i], candidates().bonds[i], false});
            ctx_.emit(drawn{what.task, candidates().owners[i]});
        }
        auto& made = ctx_.template edit<products>(what.task);
        made = std::move(row);
        queue(due_kind::product, what.task, made.queued, std::min(made.attest_by, made.until));
        return true;
    }

    bool open(contract::challenge const& what, bond::subject const& by = {})
    {
        if (is_open(ctx_.template row<disputes>(what.task))) return false;
        auto const of = dispute::open(
            {what.run.program, what.run.steps, what.run.before, what.asserted, what.challenged},
            what.asserter, what.challenger, what.run.move_within, now_);
        if (!of) return false;
        auto& made = ctx_.template edit<disputes>(what.task);
        made = {*of, what.origin, by, what.stake, {}};
        queue(due_kind::dispute, what.task, made.queued, made.of.due);
        ctx_.emit(disputed{what.task, what.asserter, what.challenger});
        return true;
    }

private:
    void look_at(due_kind what, hash256 const& task)
    {
        if (what == due_kind::round) look_at_round(task);
        if (what == due_kind::product) look_at_product(task);
        if (what == due_kind::dispute) look_at_dispute(task);
    }

    /// Moves a task's entry in `due`; height::max() takes it out.
    void queue(due_kind what, hash256 const& task, height& queued, height to)
    {
        if (queued == to) return;
        if (queued != height{}) ctx_.template edit<due>({queued, what, task}) = {};
        queued = to == height::max() ? height{} : to;
        if (queued != height{}) ctx_.template edit<due>({queued, what, task}) = {true};
    }
    template <class Table>
    void erase(due_kind what, hash256 const& task)
    {
        auto& row = ctx_.template edit<Table>(task);
        queue(what, task, row.queued, height::max());
        row = {};
    }

    void pay(address const& to, amount value)
    {
        if (value != amount{})
            ctx_.give(ctx_.template use<ledger::purses, mode::credit>(to), value);
    }

    void pay_back(hash256 const& task, verify::origin const& origin, address const& patron,
                  amount value)
    {
        if (value == amount{}) return;
        pay(patron, value);
        ctx_.emit(left{task, origin, patron, value});
    }

    amount fine(bond::subject const& which, address const& reporter, amount value)
    {
        auto const rows = bond::contract::touches_slash(which, reporter, ctx_);
        auto const taken = bond::contract::slash(ctx_, rows, value);
        return taken.burned + taken.reporter;
    }
    /// One who was drawn and did not do it loses a little and is not drawn again until it enlists.
    void punish_silence(hash256 const& task, address const& who, bond::subject const& which)
    {
        auto const lost =
            fine(which, ledger::treasury_pot(), ctx_.template row<conditions>(0).missed);
        ctx_.emit(missed{task, who, lost});
        if (ctx_.template row<workers>(which).owner != who) return;
        ctx_.template edit<workers>(which) = {};
        --ctx_.template edit<roll>(0).count;
        ctx_.emit(enlisted{which, false});
    }

    bond::candidates const& candidates()
    {
        if (candidates_) return *candidates_;
        candidates_.emplace();
        auto const per = ctx_.template row<bond::contract::conditions>(0).per_weight;
        ctx_.template each<workers>([&](bond::subject const& which, workers::row const& row) {
            auto const& held = ctx_.template row<bond::contract::bonds>(which).held;
            if (held.owner == row.owner) candidates_->add(which, held, per);
            return true;
        });
        return *candidates_;
    }
    hash256 seed(hash256 const& task, std::uint32_t attempt) const
    {
        auto purpose = encode(task);
        auto const number = encode(attempt);
        purpose.insert(purpose.end(), number.begin(), number.end());
        return seed_of(ctx_.block().beacon, purpose);
    }

    void look_at_round(hash256 const& task)
    {
        auto& row = ctx_.template edit<rounds>(task);
        if (!is_open(row)) return;
        auto& of = row.of;
        if (of.at != round_stage::agreed && of.due <= now_) (void)of.tick(now_);
        if (row.draws != height{} && row.draws <= now_) draw_for(task, row);
        bool const stuck = of.at == round_stage::hung || of.at == round_stage::wanting;
        bool const better_disputed = of.at == round_stage::hung && opponent(row).has_value();
        if (of.at == round_stage::agreed || row.until <= now_ || better_disputed ||
            (stuck && of.wanted() == 0))
            return close(task, row);
        if (stuck && row.draws == height{}) row.draws = later(now_, blocks_until_unknown);
        auto next = std::min(of.due, row.until);
        if (row.draws != height{}) next = std::min(next, row.draws);
        queue(due_kind::round, task, row.queued, next);
    }

    void draw_for(hash256 const& task, rounds::row& row)
    {
        row.draws = {};
        std::vector<address> excluded{row.patron};
        for (auto const& each : row.of.replicas) excluded.push_back(each.worker);
        auto const places =
            candidates().draw(seed(task, static_cast<std::uint32_t>(row.of.replicas.size())),
                              excluded, row.of.wanted());
        for (auto const i : places) {
            auto const& who = candidates().owners[i];
            auto const known = ctx_.template row<standings>(who);
            if (!row.of.add(who, credibility(known), now_)) continue;
            row.results.emplace_back();
            row.bonds.push_back(candidates().bonds[i]);
            ctx_.emit(drawn{task, who});
        }
        if (places.empty() && row.of.wanted() != 0)
            row.draws = later(now_, row.of.rules.commit_within);
    }

    /// The drawn replica that the checked work is to be led to its first difference with.
    std::optional<std::size_t> opponent(rounds::row const& row) const
    {
        auto const& all = row.of.replicas;
        auto const shown = [](replica const& r) {
            return r.at == replica_state::revealed || r.at == replica_state::agreed ||
                   r.at == replica_state::differed;
        };
        if (row.run.steps == 0 || !shown(all[0]) || all[0].at == replica_state::agreed)
            return std::nullopt;
        for (std::size_t i = 1; i < all.size(); ++i)
            if (shown(all[i]) && all[i].at != replica_state::differed &&
                row.results[i] != row.results[0])
                return i;
        return std::nullopt;
    }

    void close(hash256 const& task, rounds::row const& open)
    {
        auto const row = open;
        auto const& of = row.of;
        bool const agreed = of.at == round_stage::agreed;
        amount pot = row.pot;
        for (std::size_t i = 0; i < of.replicas.size(); ++i) {
            auto const& each = of.replicas[i];
            if (each.at == replica_state::agreed || each.at == replica_state::differed) {
                auto& known = ctx_.template edit<standings>(each.worker);
                known = after(known, each.at == replica_state::agreed);
            }
            if (i == 0) continue;
            if (each.at == replica_state::missed) punish_silence(task, each.worker, row.bonds[i]);
            if (each.at != replica_state::agreed) continue;
            auto const fee = std::min(row.fee, pot);
            pot -= fee;
            pay(each.worker, fee);
        }
        pay_back(task, row.origin, row.patron, pot);
        erase<rounds>(due_kind::round, task);
        if (auto const against = opponent(row)) {
            contract::challenge const what{
                task,    row.origin,     of.replicas[0].worker, of.replicas[*against].worker,
                row.run, row.results[0], row.results[*against], amount{}};
            if (open_dispute(what, row.bonds[*against])) return;
        }
        auto const first = of.replicas[0].at;
        auto const found = first == replica_state::agreed             ? finding::right
                           : agreed || first == replica_state::missed ? finding::wrong
                                                                      : finding::unsure;
        ctx_.emit(decided{task, row.origin, found, of.accepted});
    }
    bool open_dispute(contract::challenge const& what, bond::subject const& by)
    {
        return open(what, by);
    }

    void look_at_product(hash256 const& task)
    {
        auto& row = ctx_.template edit<products>(task);
        if (!is_open(row)) return;
        if (row.refuted_by != address{}) {
            auto const fined = ctx_.template row<conditions>(0).false_claim;
            for (auto const& each : row.inspectors)
                if (each.attested) (void)fine(each.bond, row.refuted_by, fined);
            ctx_.emit(refuted{task, row.origin, row.refuted_by});
        } else if (row.until > now_) {
            if (row.attest_by <= now_) {
                for (auto const& each : row.inspectors)
                    if (!each.attested) punish_silence(task, each.who, each.bond);
                std::erase_if(row.inspectors, [](auto const& each) { return !each.attested; });
            }
            return queue(due_kind::product, task, row.queued,
                         row.attest_by > now_ ? std::min(row.attest_by, row.until) : row.until);
        }
        pay_back(task, row.origin, row.patron, row.pot);
        erase<products>(due_kind::product, task);
    }

    void look_at_dispute(hash256 const& task)
    {
        auto& row = ctx_.template edit<disputes>(task);
        if (!is_open(row)) return;
        if (row.of.at != dispute_stage::over && row.of.due <= now_) (void)row.of.tick(now_);
        if (row.of.at != dispute_stage::over)
            return queue(due_kind::dispute, task, row.queued, row.of.due);
        ruled const how{task, row.origin, row.of.asserter, row.of.challenger, row.of.end};
        auto const winner = how.asserter_loses() ? ledger::treasury_pot() : how.asserter;
        if (!how.challenger_loses()) {
            pay(how.challenger, row.stake);
        } else {
            if (row.bond.id != hash256{})
                (void)fine(row.bond, winner, ctx_.template row<conditions>(0).false_claim);
            auto const part = amount{row.stake.grains() / 2};
            pay(winner, part);
            if (row.stake != part) ctx_.burn(row.stake - part);
        }
        erase<disputes>(due_kind::dispute, task);
        ctx_.emit(how);
    }

    Ctx ctx_;
    height now_;
    std::optional<bond::candidates> candidates_{};
};

}  // namespace impl

bool contract::open(auto& ctx, inspection const& what)
{
    return impl::inspectorate{ctx.as(ledger::pass<contract>{})}.open(what);
}
bool contract::open(auto& ctx, product_inspection const& what)
{
    return impl::inspectorate{ctx.as(ledger::pass<contract>{})}.open(what);
}
bool contract::open(auto& ctx, challenge const& what)
{
    return impl::inspectorate{ctx.as(ledger::pass<contract>{})}.open(what);
}

void contract::end_block(auto& ctx)
{
    impl::inspectorate all{ctx};
    all.take_in();
    all.sweep();
}

}  // namespace blendr::verify
