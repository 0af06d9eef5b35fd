// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/queries.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <blendr/escrow/check_money.hpp>
#include <blendr/escrow/job.hpp>
#include <blendr/ledger/index.hpp>

namespace blendr::escrow::query {

using ledger::row_step;

namespace {

template <class Key>
using owned = std::set<std::pair<address, Key>>;

/// Up to `most` keys of somebody's, after one of them.
template <class Key>
std::vector<Key> turn(owned<Key> const& all, address const& who, Key const& after,
                      std::uint32_t most)
{
    std::vector<Key> out{};
    for (auto at = all.upper_bound({who, after});
         out.size() < most && at != all.end() && at->first == who; ++at)
        out.push_back(at->second);
    return out;
}

std::set<address> providers_of(jobs::row const& row)
{
    std::set<address> out{};
    for (auto const& a : row.money.agreements)
        if (!is_end(a.at)) out.insert(a.provider);
    return out;
}

/// What a job's agreements ask of each device.
std::map<market::device_key, load> loads_of(jobs::row const& row)
{
    std::map<market::device_key, load> out{};
    auto const& all = row.money.agreements;
    for (std::size_t i = 0; i < all.size() && i < row.devices.size(); ++i) {
        auto const& a = all[i];
        if (is_end(a.at)) continue;
        auto& on = out[{a.provider, row.devices[i]}];
        ++on.agreements;
        on.units += a.assigned;
        on.rents += !a.by.by_units() && (a.at == phase::funded || a.at == phase::running);
    }
    return out;
}

duty duty_of(agreement const& a)
{
    switch (a.at) {
    case phase::open:
    case phase::funded:
        return duty::start;
    case phase::running:
        return a.by.by_units() ? duty::run : duty::serve;
    default:
        return duty::wait;
    }
}

}  // namespace

bool is_open(jobs::row const& row)
{
    if (!jobs::present(row) || row.money.over || row.posted == price{}) return false;
    if (row.what.units == 0) return row.money.agreements.size() < agreements_max;
    return units_covered(row, row.posted) != 0;
}

std::vector<assignment> assignments_of(job_key const& job, jobs::row const& row,
                                       address const& provider)
{
    std::vector<assignment> out{};
    auto const& all = row.money.agreements;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
        auto const& a = all[i];
        if (a.provider != provider || is_end(a.at)) continue;
        assignment each{job,
                        agreement_id{i},
                        row.devices[i],
                        duty_of(a),
                        a.due,
                        row.what.program,
                        row.what.checks.by,
                        row.what.size,
                        a,
                        {}};
        for (std::uint32_t n = 0; n < row.money.units.size(); ++n) {
            auto const& u = row.money.units[n];
            if (u.with != i || u.at == unit_state::paid || u.at == unit_state::dropped) continue;
            auto const range = range_of(row.what, n);
            each.units.push_back({unit_id{n}, u.at, u.at == unit_state::assigned ? a.due : u.due,
                                  task_of({job, row.opened, n, i}), range.first, range.second,
                                  input_of(row.what, n)});
        }
        out.push_back(std::move(each));
    }
    return out;
}

std::vector<chore> chores_of(job_key const& job, jobs::row const& row)
{
    std::vector<chore> out{};
    if (!jobs::present(row) || row.money.over) return out;
    escrow::job const of{row.money};
    auto const& all = row.money.agreements;
    std::uint32_t metered = nobody;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
        auto const& a = all[i];
        auto const needed = a.by.by_units() ? a.by.each * quantity{a.assigned}
                                            : a.by.per_height * quantity{std::max(1u, a.by.notice)};
        if (a.at == phase::open && needed > of.free())
            out.push_back({job, need::fund, i, a.due, needed - of.free()});
        if (a.at == phase::paused) out.push_back({job, need::top_up, i, a.due, {}});
        if (a.at == phase::running && !a.by.by_units()) metered = i;
    }
    if (metered != nobody && of.runs_dry_at() != height::max())
        out.push_back({job, need::top_up, metered, of.runs_dry_at(), {}});
    std::uint32_t listed = 0;
    for (std::uint32_t n = 0; n < row.money.units.size(); ++n) {
        auto const& u = row.money.units[n];
        listed += u.at == unit_state::listed;
        if (u.at == unit_state::delivered) out.push_back({job, need::judge, n, u.due, {}});
    }
    bool const idle = row.money.units.empty() && all.empty();
    if ((listed != 0 || idle) && row.posted == price{})
        out.push_back({job, need::provide, listed, row.money.search_until, {}});
    if (listed != 0 && row.posted != price{} && units_covered(row, row.posted) == 0) {
        auto const needed = row.posted * quantity{listed} + missing_for_checks(row, listed);
        out.push_back({job, need::cover, listed, row.money.search_until, needed - of.spare()});
    }
    std::stable_sort(out.begin(), out.end(),
                     [](chore const& a, chore const& b) { return a.by < b.by; });
    return out;
}

struct index::state {
    std::set<job_key> open{};
    owned<job_key> by_provider{};
    owned<past::key> by_party{};
    std::map<market::device_key, load> by_device{};
};

index::index() : state_{std::make_unique<state>()} {}
index::~index() = default;
index::index(index&&) noexcept = default;
index& index::operator=(index&&) noexcept = default;

void index::follow(row_step<jobs> const& step)
{
    auto const& [key, before, after] = step;
    if (is_open(after))
        state_->open.insert(key);
    else
        state_->open.erase(key);
    for (auto const& who : providers_of(before)) state_->by_provider.erase({who, key});
    for (auto const& who : providers_of(after)) state_->by_provider.insert({who, key});
    for (auto const& [device, was] : loads_of(before)) {
        auto& on = state_->by_device[device];
        on.agreements -= was.agreements;
        on.units -= was.units;
        on.rents -= was.rents;
        if (on == load{}) state_->by_device.erase(device);
    }
    for (auto const& [device, is] : loads_of(after)) {
        auto& on = state_->by_device[device];
        on.agreements += is.agreements;
        on.units += is.units;
        on.rents += is.rents;
    }
}

void index::follow(row_step<past> const& step)
{
    auto const part = [&step](past::row const& row, auto&& change) {
        if (row.what.at == phase::open) return;  // not there
        change(std::pair{step.key.job.renter, step.key});
        change(std::pair{row.what.provider, step.key});
    };
    part(step.before, [&](auto const& name) { state_->by_party.erase(name); });
    part(step.after, [&](auto const& name) { state_->by_party.insert(name); });
}

std::vector<job_key> index::open(job_key const& after, std::uint32_t most) const
{
    std::vector<job_key> out{};
    for (auto at = state_->open.upper_bound(after); out.size() < most && at != state_->open.end();
         ++at)
        out.push_back(*at);
    return out;
}

std::vector<job_key> index::of_provider(address const& who, job_key const& after,
                                        std::uint32_t most) const
{
    return turn(state_->by_provider, who, after, most);
}

load index::of_device(market::device_key const& device) const
{
    auto const found = state_->by_device.find(device);
    return found == state_->by_device.end() ? load{} : found->second;
}

std::vector<past::key> index::of_party(address const& who, past::key const& after,
                                       std::uint32_t most) const
{
    return turn(state_->by_party, who, after, most);
}

}  // namespace blendr::escrow::query
