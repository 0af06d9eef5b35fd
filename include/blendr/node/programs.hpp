// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/sealing_key.hpp>
#include <blendr/verify/dispute.hpp>

namespace blendr::node {

/// What a job's `data` names: everything a stranger needs to do its units.
struct job_sheet {
    std::string app{};                           ///< which workload
    crypto::sealing_public_key renter{};         ///< results are sealed for it
    bounded<std::vector<hash256>, 256> units{};  ///< where each unit's input lies
    bool sealed{};  ///< inputs are, all under one key: the renter's letter of that number has it
};
BOOST_DESCRIBE_STRUCT(job_sheet, (), (app, renter, units, sealed))

/// What a unit's `data` names, sealed for the renter.
struct unit_result {
    hash256 nonce{};  ///< of the commitment, so that the renter can check it against the chain
    bytes result{};
};
BOOST_DESCRIBE_STRUCT(unit_result, (), (nonce, result))

/// A unit on its way: its input, and what is done of its result. Its hash is what a chain knows of it
/// (verify::hash_of_state): before the first step it is the input, after the last one the result.
struct run_state {
    bytes unit{};
    bytes done{};
};
BOOST_DESCRIBE_STRUCT(run_state, (), (unit, done))

/// The name of a workload on a chain.
hash256 program_of(std::string_view app);
/// The workload of that name, among those that come with the library; empty when there is none.
std::string app_of(hash256 const& program);

/// What the chain knows a packed unit (work::pack) by, and its result.
hash256 hash_before(bytes_view packed);
hash256 hash_after(bytes_view packed, bytes_view result);

/// In how many steps a referee can recompute the unit; zero: not at all, since it is too large or its
/// results depend on who makes them.
std::uint64_t steps_of(std::string_view app, bytes_view packed);
/// How many bytes of the result are there after so many steps.
std::size_t done_after(std::string_view app, bytes_view packed, std::uint64_t steps);
/// The state after so many steps of a run that ended with `result`.
bytes state_after(std::string_view app, bytes_view packed, bytes_view result, std::uint64_t steps);

/// The largest state that fits a transaction.
inline constexpr std::size_t state_max = 60'000;
/// What one step may cost the chain: paths times bounces times things in the scene.
inline constexpr std::uint64_t step_cost_max = 2'000'000;

/// What the standard chain can recompute: the workloads that come with the library, where they are exact.
struct programs {
    static verify::step_registry const& steps();
};

}  // namespace blendr::node
