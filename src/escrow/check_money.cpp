// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/check_money.hpp>

#include <algorithm>

#include <blendr/escrow/job.hpp>

namespace blendr::escrow {

namespace {

/// A unit whose check has been opened needs nothing more: that money has left the job already.
bool may_need_check(jobs::row const& of, std::uint32_t number)
{
    auto const waits = [&] {
        return std::any_of(of.draws.begin(), of.draws.end(),
                           [&](waiting_draw const& d) { return d.unit == number; });
    };
    switch (of.money.units[number].at) {
    case unit_state::assigned:
        return true;
    case unit_state::delivered:  // of a product once; else the renter may still object
        return of.what.checks.by != checker::product || waits();
    case unit_state::disputed:
        return waits();
    default:
        return false;
    }
}

/// Set aside, and bound for nothing.
amount loose(jobs::row const& of) { return of.checks - std::min(of.checks, bound_for_checks(of)); }

}  // namespace

amount bound_for_checks(jobs::row const& of)
{
    auto const unit = price_of_checks(of.what).unit;
    if (unit == amount{}) return {};
    std::uint32_t count = 0;
    for (std::uint32_t n = 0; n < of.money.units.size(); ++n) count += may_need_check(of, n);
    return amount{unit.grains() * count};
}

amount missing_for_checks(jobs::row const& of, std::uint32_t units)
{
    amount const needed{price_of_checks(of.what).unit.grains() * units};
    return needed - std::min(needed, loose(of));
}

std::uint32_t units_covered(jobs::row const& of, price each, amount more)
{
    auto const listed = std::count_if(of.money.units.begin(), of.money.units.end(),
                                      [](unit const& u) { return u.at == unit_state::listed; });
    if (each == price{}) return 0;
    auto const deposit = job{of.money}.spare().grains() + more.grains();
    auto const check = price_of_checks(of.what).unit.grains();
    auto const paid = deposit / each.get();
    auto const paid_and_checked = (deposit + loose(of).grains()) / (check + each.get());
    return static_cast<std::uint32_t>(
        std::min({static_cast<u128>(listed), paid, paid_and_checked}));
}

}  // namespace blendr::escrow
