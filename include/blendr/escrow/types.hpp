// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <variant>
#include <vector>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/escrow/agreement.hpp>

namespace blendr::escrow {

struct agreement_id_tag {
    static constexpr auto rules = arithmetic::none;
};
struct unit_id_tag {
    static constexpr auto rules = arithmetic::none;
};
/// The place of an agreement in its job, in the order of matching.
using agreement_id = strong<agreement_id_tag, std::uint32_t>;
/// The place of a unit in its job's split.
using unit_id = strong<unit_id_tag, std::uint32_t>;

inline constexpr std::uint32_t nobody = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::uint32_t basis_points = 10'000;

/// What renter and provider agreed on when they matched; nothing changes it afterwards. Either a
/// price for each unit or one for each height, never both. Spans are in heights.
struct terms {
    price each{};                    ///< for a unit
    price per_height{};              ///< for a height
    amount bond{};                   ///< locked by the provider, for this agreement alone
    std::uint32_t fund_within{};     ///< from the match
    std::uint32_t start_within{};    ///< from the funding
    std::uint32_t run_within{};      ///< from the start
    std::uint32_t window{};          ///< to object, from a unit's delivery
    std::uint32_t verdict_within{};  ///< from an objection
    std::uint32_t grace{};           ///< paused, before it ends
    std::uint32_t notice{};  ///< units or heights that are paid when the renter cancels a run
    std::uint16_t fee{};     ///< of every payment, in basis points

    bool by_units() const noexcept { return each.get() != 0; }
    friend bool operator==(terms const&, terms const&) = default;
};
BOOST_DESCRIBE_STRUCT(terms, (),
                      (each, per_height, bond, fund_within, start_within, run_within, window,
                       verdict_within, grace, notice, fee))

/// How much of the agreement's bond a fault costs, in basis points. Never more than all of it.
constexpr std::uint32_t bond_lost_for(fault what) noexcept
{
    switch (what) {
    case fault::none:
        return 0;
    case fault::no_show:
        return 500;
    case fault::quit:
        return 500;
    case fault::late:
        return 1'000;
    case fault::gone:
        return 1'000;
    case fault::wrong:
        return basis_points;
    }
    return 0;
}

/// What a job asks of the world around it. The order is the order of what happened.
struct pay {
    agreement_id from{};
    crypto::address to{};
    amount value{};  ///< what reaches the provider
    amount fee{};    ///< what the chain keeps or burns; leaves the job too
};
struct refund {
    crypto::address to{};
    amount value{};
};
struct lock_bond {
    agreement_id from{};
    crypto::address provider{};
    amount value{};
};
struct free_bond {
    agreement_id from{};
    crypto::address provider{};
    amount value{};
};
struct slash_bond {
    agreement_id from{};
    crypto::address provider{};
    fault why{};
    amount value{};
    crypto::address reporter{};  ///< default-made when it was a deadline that told
};
struct relist {
    std::uint32_t units{};  ///< wait for a provider again
};
struct runs_dry {
    height at{};  ///< the last height that the deposit pays for
};
struct moved {
    agreement_id which{};
    phase to{};
};
struct closed {};
/// Money left the job to pay for its checks.
struct spent {
    amount value{};
};
using effect = std::variant<pay, refund, lock_bond, free_bond, slash_bond, relist, runs_dry, moved,
                            closed, spent>;
using effects = std::vector<effect>;

}  // namespace blendr::escrow
