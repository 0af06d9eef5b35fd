// SPDX-License-Identifier: Apache-2.0
#pragma once

// What may be asked of jobs; included by contract.hpp only.

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <blendr/escrow/check_money.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/escrow/impl/contract_messages.hpp>

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

inline query::openings contract::query(auto const& view, escrow::query::open_jobs const& asked)
{
    using namespace escrow::query;
    openings out{{}, asked.after, false};
    auto const now = view.now().at;
    bool const known = asked.device.owner != address{};
    auto const device = view.template row<market::devices>(asked.device);
    auto const by = view.template row<reputation::conditions>(0).scores;
    auto const held = view.template row<bond::contract::bonds>(device_bond(asked.device)).held;
    auto const pledged = view.template row<pledges>(device_bond(asked.device)).value;
    auto const most = std::min(asked.most, page_max);
    auto const found = view.index().open(asked.after, looks_max);
    out.more = found.size() == looks_max;
    for (auto const& key : found) {
        if (out.list.size() == most) {
            out.more = true;
            break;
        }
        out.last = key;
        auto const& row = view.template row<jobs>(key);
        if (row.money.search_until <= now) continue;  // over by the next block
        auto bond = row.what.bond;
        if (known) {
            if (impl::gone(device.status, now) ||
                !impl::eligible(device, row.what.wanted, row.posted))
                continue;
            auto const score = reputation::score(
                view.template row<reputation::scores>(
                    {asked.device.owner, reputation::role::provider, row.what.work}),
                now, by);
            bond = impl::bond_for(row.what, score);
            if (!impl::covers(held, pledged, asked.device.owner, bond)) continue;
        }
        out.list.push_back({key, row.what.program, units_covered(row, row.posted), row.posted, bond,
                            row.what.work, row.what.wanted, row.what.checks.by, row.what.run_within,
                            row.money.search_until});
    }
    return out;
}

inline std::vector<query::assignment> contract::query(auto const& view,
                                                      escrow::query::work_of const& asked)
{
    using namespace escrow::query;
    std::vector<assignment> out{};
    auto const most = std::min<std::uint32_t>(asked.most, 64);
    for (auto const& key : view.index().of_provider(asked.provider, asked.after, most)) {
        auto some = assignments_of(key, view.template row<jobs>(key), asked.provider);
        out.insert(out.end(), std::make_move_iterator(some.begin()),
                   std::make_move_iterator(some.end()));
        if (out.size() >= most) break;  // all of a job, so that the next page begins after it
    }
    return out;
}

inline std::vector<query::chore> contract::query(auto const& view,
                                                 escrow::query::needs_of const& asked)
{
    using namespace escrow::query;
    std::vector<chore> out{};
    auto const most = std::min(asked.most, page_max);
    if (most == 0) return out;
    view.template each<jobs>({asked.renter, asked.from},
                             [&](job_key const& key, jobs::row const& row) {
                                 if (key.renter != asked.renter) return false;
                                 auto const some = chores_of(key, row);
                                 out.insert(out.end(), some.begin(), some.end());
                                 return out.size() < most;
                             });
    return out;
}

inline std::vector<query::memory> contract::query(auto const& view,
                                                  escrow::query::past_of const& asked)
{
    std::vector<escrow::query::memory> out{};
    auto const most = std::min(asked.most, escrow::query::page_max);
    for (auto const& key : view.index().of_party(asked.party, asked.after, most))
        out.push_back({key, view.template row<past>(key)});
    return out;
}

inline std::vector<query::engagement> contract::query(auto const& view,
                                                      escrow::query::engaged const& asked)
{
    std::vector<escrow::query::engagement> out{};
    for (auto const& device : asked.devices) {
        auto const status = view.template row<market::devices>(device).status;
        auto const on = view.index().of_device(device);
        bool const shares = status.sells() && on.shares();
        out.push_back({device, shares ? market::device_state::sharing : status.state, on.agreements,
                       on.units});
    }
    return out;
}

}  // namespace blendr::escrow
