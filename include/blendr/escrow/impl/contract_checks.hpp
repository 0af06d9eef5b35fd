// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which deliveries are checked, and by whom; included by contract_hooks.hpp only.

#include <algorithm>

#include <blendr/escrow/check_money.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/escrow/impl/contract_books.hpp>
#include <blendr/verify/spot_check.hpp>

namespace blendr::escrow::impl {

/// What verification is asked for.
template <class Ctx>
class checking : public job_books<Ctx> {
public:
    using job_books<Ctx>::job_books;

protected:
    using job_books<Ctx>::change;
    using job_books<Ctx>::ctx_;
    using job_books<Ctx>::give;
    using job_books<Ctx>::now_;

    std::uint32_t score_of(address const& who, reputation::family work) const
    {
        return reputation::score(
            ctx_.template row<reputation::scores>({who, reputation::role::provider, work}), now_,
            ctx_.template row<reputation::conditions>(0).scores);
    }

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
};

}  // namespace blendr::escrow::impl
