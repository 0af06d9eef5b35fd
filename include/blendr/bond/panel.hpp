// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include <blendr/bond/contract.hpp>
#include <blendr/bond/draw.hpp>

namespace blendr::bond {

/// Those who may be drawn, one entry a bond: side by side, in an order that all nodes share.
struct candidates {
    std::vector<weight> weights{};
    std::vector<crypto::address> owners{};
    std::vector<subject> bonds{};

    /// A bond weighs what is locked in it, counted in `per`; what is on its way out weighs nothing.
    void add(subject const& which, holding const& held, amount per)
    {
        auto const units = held.locked.grains() / std::max(per.grains(), u128{1});
        auto const most = std::numeric_limits<std::uint64_t>::max() >> 16;
        weights.push_back(weight{static_cast<std::uint64_t>(units < most ? units : most)});
        owners.push_back(held.owner);
        bonds.push_back(which);
    }

    std::vector<std::uint32_t> draw(hash256 const& seed, std::span<crypto::address const> excluded,
                                    std::uint32_t count) const
    {
        return draw_owners(seed, weights, owners, excluded, count);
    }
};

/// In any contract's hook: those whose bonds make them validators.
candidates bonded_validators(auto const& ctx_of_hook)
{
    auto ctx = ctx_of_hook;
    candidates out{};
    auto const per = ctx.template row<contract::conditions>(0).per_weight;
    ctx.template each<ledger::validators>([&](crypto::public_key const& voter, auto const& row) {
        auto const which = subject_of(voter);
        if (row.power != weight{})
            out.add(which, ctx.template row<contract::bonds>(which).held, per);
        return true;
    });
    return out;
}

}  // namespace blendr::bond
