// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <blendr/escrow/types.hpp>

namespace blendr::escrow {

inline constexpr std::size_t payers_max = 16;
inline constexpr std::size_t units_max = 1u << 16;
inline constexpr std::size_t agreements_max = 256;

/// Somebody who put money into the job: the renter or a sponsor.
struct payer {
    crypto::address who{};
    amount put_in{};
    friend bool operator==(payer const&, payer const&) = default;
};
BOOST_DESCRIBE_STRUCT(payer, (), (who, put_in))

struct unit {
    unit_state at{unit_state::listed};
    std::uint32_t with{nobody};  ///< the agreement that has or had it
    height due{};                ///< delivered: end of the window; disputed: of the referee's time
    friend bool operator==(unit const&, unit const&) = default;
};
BOOST_DESCRIBE_STRUCT(unit, (), (at, with, due))

struct agreement {
    crypto::address provider{};
    terms by{};
    phase at{phase::open};
    height due{};              ///< the phase's deadline
    std::uint32_t assigned{};  ///< units that it has in each state
    std::uint32_t delivered{};
    std::uint32_t disputed{};
    std::uint32_t paid{};
    amount held{};        ///< of the job's balance, for its unpaid units
    amount bond{};        ///< of the provider, locked now
    height metered_to{};  ///< paid by time: up to here
    amount earned{};      ///< paid so far, fees included
    amount fees{};
    height made{};           ///< when it was matched
    height begun{};          ///< when the provider started; zero if it never did
    fault why{fault::none};  ///< what the provider answers for, if anything
    friend bool operator==(agreement const&, agreement const&) = default;
};
BOOST_DESCRIBE_STRUCT(agreement, (),
                      (provider, by, at, due, assigned, delivered, disputed, paid, held, bond,
                       metered_to, earned, fees, made, begun, why))

/// All that a job is: what a ledger keeps and what two nodes must agree on. Read it freely; only
/// job.hpp changes it.
struct job_state {
    crypto::address renter{};
    height seen{};                ///< the last height at which something happened
    height search_until{};        ///< until then providers are looked for
    std::uint32_t warn_before{};  ///< heights between the warning and the end of the money
    bool over{};                  ///< closed: every grain has left
    bool warned{};                ///< of the end of the money as it stands
    amount balance{};             ///< what is in the job
    amount held{};                ///< of it, for units that are agreed on
    bounded<std::vector<payer>, payers_max> payers{};
    bounded<std::vector<unit>, units_max> units{};
    bounded<std::vector<agreement>, agreements_max> agreements{};
};
BOOST_DESCRIBE_STRUCT(job_state, (),
                      (renter, seen, search_until, warn_before, over, warned, balance, held, payers,
                       units, agreements))

}  // namespace blendr::escrow
