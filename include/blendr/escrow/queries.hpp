// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/escrow/tables.hpp>

namespace blendr::ledger {
template <class T>
struct row_step;
}

/// What a provider's agent and a renter's client ask of the jobs on a ledger, and what they are told.
/// Answers come in pages; the next page begins after the last thing of this one.
namespace blendr::escrow::query {

inline constexpr std::uint32_t page_max = 256;
/// Jobs that one question looks at.
inline constexpr std::uint32_t looks_max = 2'048;

/// Jobs with units that wait for a provider, or time to rent, at a posted price. Of a device: those
/// that it may take, and what bond they ask of its owner; without an owner: all.
struct open_jobs {
    market::device_key device{};
    job_key after{};
    std::uint32_t most{};
};
struct opening {
    job_key job{};
    hash256 program{};
    std::uint32_t listed{};  ///< units that are paid for; zero: its time is rented
    price posted{};          ///< for a unit, or for a height
    amount bond{};  ///< that an agreement pledges; of an average provider when none is named
    reputation::family work{reputation::family::fp32};
    std::string wanted{};
    checker by{checker::renter};
    std::uint32_t run_within{};  ///< heights from the start
    height until{};              ///< taken by then
};
struct openings {
    std::vector<opening> list{};
    job_key last{};  ///< where the next page begins
    bool more{};     ///< there may be others
};

/// What a provider has agreed to, and what it has to do for it by when.
struct work_of {
    address provider{};
    job_key after{};
    std::uint32_t most{};
};
enum class duty : std::uint8_t {
    start = 1,  ///< bring the bond, if it is not there, and start
    run = 2,    ///< the units that are assigned
    serve = 3,  ///< its time is rented
    wait = 4,   ///< for money, for a verdict, or for the end of the window
};
struct task {
    unit_id unit{};
    unit_state at{unit_state::assigned};
    height
        due{};  ///< to run: when the agreement is late; delivered or disputed: paid at the latest
    hash256 id{};                    ///< what workers commit to
    std::uint64_t first{}, count{};  ///< of the indexes that it covers
    hash256 input{};
};
struct assignment {
    job_key job{};
    agreement_id which{};
    std::uint32_t device{};
    duty next{duty::wait};
    height due{};  ///< by when; what is missed costs `bond_lost_for` of the bond
    hash256 program{};
    checker by{checker::renter};
    std::uint64_t size{};  ///< of a unit's result; zero: any
    agreement what{};
    std::vector<task> units{};  ///< that are not decided
};

/// What a renter has to do next for its jobs, the most urgent of each job first.
struct needs_of {
    address renter{};
    std::uint64_t from{};  ///< a job's number
    std::uint32_t most{};
};
enum class need : std::uint8_t {
    fund = 1,     ///< an agreement waits for money: more of it, by then
    top_up = 2,   ///< rented time ran dry, or will at that height
    judge = 3,    ///< a unit: accept it, or object; paid by itself then
    provide = 4,  ///< units are listed, and nobody may take them: post a price, or bid for them
    cover = 5,    ///< units are listed, and the deposit does not cover one and its check: top up
};
struct chore {
    job_key job{};
    need what{};
    std::uint32_t number{};  ///< of the unit or the agreement; of units, to provide for or cover
    height by{};
    amount value{};  ///< that is missing, to fund an agreement or to cover all units
};

/// Agreements that are over and in which somebody had a part, the oldest first.
struct past_of {
    address party{};
    past::key after{};
    std::uint32_t most{};
};
struct memory {
    past::key key{};
    past::row what{};
};

/// What devices do, of all that the chain shows. The market's registry knows of hours that were sold and
/// of heartbeats; units and rented time are agreements, of which several may share a device that still
/// sells, so that who asks is told both here. In the order in which they were asked for.
struct engaged {
    bounded<std::vector<market::device_key>, page_max> devices{};
};
struct engagement {
    market::device_key device{};
    /// As the registry says; `sharing`, too, from the block on in which somebody's units were agreed on
    /// until the last of them is delivered.
    market::device_state state{market::device_state::absent};
    std::uint32_t agreements{};  ///< that are not over
    std::uint32_t units{};       ///< to be done for them
    friend bool operator==(engagement const&, engagement const&) = default;
};

BOOST_DESCRIBE_ENUM(duty, start, run, serve, wait)
BOOST_DESCRIBE_ENUM(need, fund, top_up, judge, provide, cover)
BOOST_DESCRIBE_STRUCT(open_jobs, (), (device, after, most))
BOOST_DESCRIBE_STRUCT(opening, (),
                      (job, program, listed, posted, bond, work, wanted, by, run_within, until))
BOOST_DESCRIBE_STRUCT(openings, (), (list, last, more))
BOOST_DESCRIBE_STRUCT(work_of, (), (provider, after, most))
BOOST_DESCRIBE_STRUCT(task, (), (unit, at, due, id, first, count, input))
BOOST_DESCRIBE_STRUCT(assignment, (),
                      (job, which, device, next, due, program, by, size, what, units))
BOOST_DESCRIBE_STRUCT(needs_of, (), (renter, from, most))
BOOST_DESCRIBE_STRUCT(chore, (), (job, what, number, by, value))
BOOST_DESCRIBE_STRUCT(past_of, (), (party, after, most))
BOOST_DESCRIBE_STRUCT(memory, (), (key, what))
BOOST_DESCRIBE_STRUCT(engaged, (), (devices))
BOOST_DESCRIBE_STRUCT(engagement, (), (device, state, agreements, units))

/// What follows from a job's row alone.
std::vector<assignment> assignments_of(job_key const& job, jobs::row const& row,
                                       address const& provider);
std::vector<chore> chores_of(job_key const& job, jobs::row const& row);
bool is_open(jobs::row const& row);

/// What agreements make of one device.
struct load {
    std::uint32_t agreements{};  ///< that are not over
    std::uint32_t units{};       ///< to be done
    std::uint32_t rents{};       ///< agreements by time that are held or run
    bool shares() const noexcept { return units != 0 || rents != 0; }
    friend bool operator==(load const&, load const&) = default;
};

/// What a node keeps in memory to answer: which jobs are open, who works on which, with which device, who
/// had a part in what is over. All of it follows from rows, and is found again from them at start.
class index {
public:
    index();
    ~index();
    index(index&&) noexcept;
    index& operator=(index&&) noexcept;

    void follow(ledger::row_step<jobs> const& step);
    void follow(ledger::row_step<past> const& step);

    std::vector<job_key> open(job_key const& after, std::uint32_t most) const;
    std::vector<job_key> of_provider(address const& who, job_key const& after,
                                     std::uint32_t most) const;
    std::vector<past::key> of_party(address const& who, past::key const& after,
                                    std::uint32_t most) const;
    load of_device(market::device_key const& device) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace blendr::escrow::query
