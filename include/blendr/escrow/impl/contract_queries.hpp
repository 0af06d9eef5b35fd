// SPDX-License-Identifier: Apache-2.0
#pragma once

// What may be asked of jobs; included by contract.hpp only.

#include <algorithm>

#include <blendr/escrow/contract.hpp>

namespace blendr::escrow {

contract::progress contract::query(auto const& view, job_of const& asked)
{
    auto const& row = view.template row<jobs>(asked.job);
    progress out{};
    if (!jobs::present(row)) return out;
    auto const count = [&](unit_state at) {
        return static_cast<std::uint32_t>(std::count_if(row.money.units.begin(),
                                                        row.money.units.end(),
                                                        [&](unit const& u) { return u.at == at; }));
    };
    job const of{row.money};
    out.known = true;
    out.listed = count(unit_state::listed);
    out.assigned = count(unit_state::assigned);
    out.delivered = count(unit_state::delivered);
    out.disputed = count(unit_state::disputed);
    out.paid = count(unit_state::paid);
    out.dropped = count(unit_state::dropped);
    out.balance = row.money.balance;
    out.held = row.money.held;
    out.checks = row.checks;
    out.posted = row.posted;
    out.due = of.due();
    out.runs_dry_at = of.runs_dry_at();
    out.agreements = row.money.agreements;
    return out;
}

contract::unit_progress contract::query(auto const& view, unit_of const& asked)
{
    auto const& row = view.template row<jobs>(asked.job);
    auto const number = asked.unit.get();
    if (!jobs::present(row) || number >= row.money.units.size()) return {};
    auto const& u = row.money.units[number];
    auto const range = range_of(row.what, number);
    unit_progress out{true,
                      u,
                      range.first,
                      range.second,
                      input_of(row.what, number),
                      row.claims[number],
                      row.data[number],
                      {}};
    if (u.with != nobody) out.task = task_of({asked.job, row.opened, number, u.with});
    return out;
}

contract::job_list contract::query(auto const& view, jobs_of const& asked)
{
    job_list out{};
    auto const most = std::min<std::uint32_t>(asked.most, 1'000);
    view.template each<jobs>({asked.renter, asked.from}, [&](job_key const& key, auto const&) {
        if (key.renter != asked.renter || out.list.size() == most) return false;
        out.list.push_back(key);
        return true;
    });
    return out;
}

contract::work_list contract::query(auto const& view, work_for const& asked)
{
    work_list out{};
    auto const most = std::min<std::uint32_t>(asked.most, 1'000);
    view.template each<jobs>(asked.from, [&](job_key const& key, jobs::row const& row) {
        if (row.money.over) return true;
        found_work each{key, false, 0, row.posted};
        for (auto const& a : row.money.agreements)
            each.engaged = each.engaged || (a.provider == asked.provider && !is_end(a.at));
        if (row.posted != price{})
            for (auto const& u : row.money.units) each.listed += u.at == unit_state::listed;
        if (!each.engaged && each.listed == 0 && (row.posted == price{} || row.what.units != 0))
            return true;
        if (out.list.size() == most) {
            out.next = key;
            return false;
        }
        out.list.push_back(each);
        return true;
    });
    return out;
}

}  // namespace blendr::escrow
