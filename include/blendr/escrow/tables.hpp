// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/bond/contract.hpp>
#include <blendr/escrow/job_state.hpp>
#include <blendr/escrow/order.hpp>
#include <blendr/escrow/types.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/market/tables.hpp>

/// What escrow keeps on a ledger, and what it tells others.
namespace blendr::escrow {

using crypto::address;
using ledger::mode;

inline constexpr crypto::domain task_domain{"escrow.task/1"};

/// A job's name: whose it is and the number that its owner gave it. A number is free again when its
/// job is closed.
struct job_key {
    address renter{};
    std::uint64_t number{};
    friend constexpr auto operator<=>(job_key const&, job_key const&) = default;
};
BOOST_DESCRIBE_STRUCT(job_key, (), (renter, number))

/// One unit in the hands of one provider. Its hash is the task that workers commit to.
struct task_origin {
    job_key job{};
    height opened{};
    std::uint32_t unit{};
    std::uint32_t with{};  ///< the agreement
    friend bool operator==(task_origin const&, task_origin const&) = default;
};
BOOST_DESCRIBE_STRUCT(task_origin, (), (job, opened, unit, with))

inline hash256 task_of(task_origin const& of) { return crypto::hash(task_domain, encode(of)); }

/// The bond that stands behind a device is one, whatever it promises: hours on the market or units
/// of a job. Its owner locks it with `bond.lock_provider`.
inline bond::subject device_bond(market::device_key const& of) { return market::bond_of(of); }

/// Fixed when the chain begins.
struct conditions {
    static constexpr std::string_view name = "conditions";
    using key = std::uint8_t;
    struct row {
        std::uint16_t fee = 250;  ///< of every payment, in basis points; burned
        amount challenge_stake = 5_blnd;
        std::uint64_t past_kept = 20'000;  ///< heights that an agreement is remembered for
        friend bool operator==(row const&, row const&) = default;
    };
};

/// A unit whose checks wait for a beacon.
struct waiting_draw {
    height at{};
    std::uint32_t unit{};
    friend bool operator==(waiting_draw const&, waiting_draw const&) = default;
};
BOOST_DESCRIBE_STRUCT(waiting_draw, (), (at, unit))

/// A renter's objection on its way to a dispute.
struct objection {
    std::uint32_t unit{};
    hash256 claim{};
    amount stake{};
};

struct jobs {
    static constexpr std::string_view name = "jobs";
    static constexpr bool ordered = true;
    using key = job_key;
    struct row {
        escrow::order what{};
        job_state money{};
        /// By unit: a result, or the commitment to one where drawn workers may do it again.
        bounded<std::vector<hash256>, units_per_job> claims{};
        bounded<std::vector<hash256>, units_per_job> data{};  ///< by unit: where its result lies
        bounded<std::vector<waiting_draw>, units_per_job> draws{};      ///< by height, one a unit
        bounded<std::vector<std::uint32_t>, agreements_max> devices{};  ///< by agreement
        price posted{};   ///< at which listed units may be taken; zero: only by the market
        amount checks{};  ///< for drawn workers; the renter's
        height opened{};
        height queued{};  ///< in `due`
    };
    static amount holds(row const& r) { return r.money.balance + r.checks; }
    static bool present(row const& r) noexcept { return r.opened != height{}; }

    /// What a message leaves for the end of its block: money moves then.
    struct entry {
        job_key of{};
        effects done{};
        std::optional<objection> against{};
    };
};

/// How much of a device's bond its running agreements have claimed.
struct pledges {
    static constexpr std::string_view name = "pledges";
    using key = bond::subject;
    struct row {
        amount value{};
        friend bool operator==(row const&, row const&) = default;
    };
};

/// Jobs that have something to do at a height, the earliest first: one entry a job.
struct due {
    static constexpr std::string_view name = "due";
    static constexpr bool ordered = true;
    struct key {
        height at{};
        job_key job{};
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        bool waits{};
        friend bool operator==(row const&, row const&) = default;
    };
};

/// Agreements that are over, the oldest first, for as long as the chain remembers them.
struct past {
    static constexpr std::string_view name = "past";
    static constexpr bool ordered = true;
    struct key {
        height ended{};
        job_key job{};
        std::uint32_t which{};  ///< the agreement
        friend constexpr auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        agreement what{};
        std::uint32_t device{};
        hash256 program{};
        reputation::family work{reputation::family::fp32};
        hash256 name{};  ///< by which both sides may rate it; none when nothing was paid
    };
};

// -- what is told

struct submitted {
    job_key job{};
};
struct deposited {
    job_key job{};
    address by{};
    amount value{};
};
/// `units` wait for a provider, and may be taken at that price, if there is one.
struct listed {
    job_key job{};
    std::uint32_t units{};
    price posted{};
};
struct matched {
    job_key job{};
    agreement_id which{};
    address provider{};
    std::uint32_t device{};
    std::uint32_t units{};  ///< zero: by time
    price each{};
};
struct agreement_moved {
    job_key job{};
    agreement_id which{};
    phase to{};
};
struct delivered {
    job_key job{};
    unit_id unit{};
    hash256 task{};
    hash256 claim{};
};
struct paid {
    job_key job{};
    agreement_id which{};
    address to{};
    amount value{};
    amount fee{};
};
struct refunded {
    job_key job{};
    address to{};
    amount value{};
};
struct slashed {
    job_key job{};
    agreement_id which{};
    address provider{};
    fault why{};
    amount value{};
};
/// The last height that the deposit pays for.
struct warned {
    job_key job{};
    height at{};
};
struct checked {
    job_key job{};
    unit_id unit{};
    hash256 task{};
};
struct job_closed {
    job_key job{};
};

BOOST_DESCRIBE_STRUCT(conditions::row, (), (fee, challenge_stake, past_kept))
BOOST_DESCRIBE_STRUCT(jobs::row, (),
                      (what, money, claims, data, draws, devices, posted, checks, opened, queued))
BOOST_DESCRIBE_STRUCT(pledges::row, (), (value))
BOOST_DESCRIBE_STRUCT(due::key, (), (at, job))
BOOST_DESCRIBE_STRUCT(due::row, (), (waits))
BOOST_DESCRIBE_STRUCT(past::key, (), (ended, job, which))
BOOST_DESCRIBE_STRUCT(past::row, (), (what, device, program, work, name))

}  // namespace blendr::escrow
