// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <blendr/core/amount.hpp>
#include <blendr/escrow/tables.hpp>

/// Whose money checks are paid with, and that there is always enough of it.
///
/// The most that a job's checks may cost once is taken with the order. A unit is handed out only
/// while the most that its check may cost is set aside; what a check does not use comes back to the
/// job. So no unit goes unchecked because the money went to others: when a provider was proven wrong
/// and its units are done again, either what came back covers their checks too, or the deposit does,
/// or they wait for a top-up.
namespace blendr::escrow {

/// Of a job's check money: what units in hands may still need.
amount bound_for_checks(jobs::row const& of);

/// What the deposit has to add to it before `units` more are handed out.
amount missing_for_checks(jobs::row const& of, std::uint32_t units);

/// How many of the listed units can be handed out at that price, paid and checked, with `more` put
/// into the deposit first.
std::uint32_t units_covered(jobs::row const& of, price each, amount more = {});

}  // namespace blendr::escrow
