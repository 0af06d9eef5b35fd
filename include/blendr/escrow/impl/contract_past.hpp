// SPDX-License-Identifier: Apache-2.0
#pragma once

// Agreements that are over; included by contract.hpp only.

#include <cstddef>
#include <vector>

#include <blendr/escrow/tables.hpp>

namespace blendr::escrow::impl {

/// An agreement has ended; `name` is what it is rated by, if it may be.
inline void remember(auto& ctx, job_key const& job, jobs::row const& row, agreement_id which,
                     hash256 const& name)
{
    auto const number = which.get();
    ctx.template edit<past>({ctx.block().at, job, number}) = {
        row.money.agreements[number], row.devices[number], row.what.program, row.what.work, name};
}

/// The oldest of what is remembered goes, `most` of it at once.
inline void forget_old(auto& ctx, std::size_t most)
{
    auto const kept = ctx.template row<conditions>(0).past_kept;
    auto const now = ctx.block().at.get();
    if (now <= kept) return;
    std::vector<past::key> old{};
    ctx.template each<past>([&](past::key const& key, past::row const&) {
        if (key.ended.get() + kept >= now || old.size() == most) return false;
        old.push_back(key);
        return true;
    });
    for (auto const& key : old) ctx.template edit<past>(key) = {};
}

}  // namespace blendr::escrow::impl
