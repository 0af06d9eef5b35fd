// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/describe.hpp>

#include <blendr/escrow/job.hpp>
#include <blendr/escrow/queries.hpp>
#include <blendr/escrow/tables.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/reputation/contract.hpp>
#include <blendr/verify/contract.hpp>

namespace blendr::escrow {

using ledger::ref;
using ledger::tx_info;
using ledger::type_list;

/// Jobs on a ledger. `job` holds the rules; here is who may do what, and where money goes.
///
/// A job is submitted with its terms and the money for its checks. Providers come to it in two ways:
/// the renter's spot bid whose client id is the job's number buys units on the market, and the fill's
/// money lies in the job from then on; or somebody takes listed units at the posted price, which is
/// how units of a provider that failed go on without the renter. A provider pledges part of its
/// device's bond, starts, delivers unit by unit, and is paid unit by unit.
///
/// A message changes its job and leaves the money for the end of the block; deadlines are swept then
/// too, the earliest first, no more than a block's share.
struct contract {
    static constexpr std::uint16_t id = 7;
    static constexpr std::string_view name = "escrow";
    using error = reject;

    /// Jobs whose deadlines are looked after in one block; the rest waits, first in line.
    static constexpr std::uint32_t work_per_block = 4'096;

    struct genesis_document {
        conditions::row by{};
    };

    // -- by the renter, or who pays with it
    struct submit {
        std::uint64_t number{};
        order what{};
        amount deposit{};  ///< for work; beside it the purse pays `price_of_checks`
        price posted{};    ///< at which units may be taken; zero: only by the market
    };
    /// By anybody. What is left at the end goes back to the payers in proportion.
    struct top_up {
        job_key job{};
        amount value{};
    };
    struct post_price {
        job_key job{};
        price posted{};
    };
    struct accept {
        job_key job{};
        unit_id unit{};
    };
    struct approve {
        job_key job{};
        agreement_id which{};
    };
    /// Has the unit done again by drawn workers, whatever the beacon would have said.
    struct object {
        job_key job{};
        unit_id unit{};
    };
    /// Claims another result of a run that a referee can recompute, with a stake.
    struct challenge {
        job_key job{};
        unit_id unit{};
        hash256 claim{};
    };
    struct cancel {
        job_key job{};
        agreement_id which{};
    };
    struct cancel_all {
        job_key job{};
    };

    // -- by a provider
    /// Takes listed units at the posted price (none: rents its time), and starts.
    struct take {
        job_key job{};
        std::uint32_t units{};
        std::uint32_t device{};
        reputation::family work{reputation::family::fp32};
    };
    /// Starts what its ask bought on the market.
    struct start {
        job_key job{};
        agreement_id which{};
        std::uint32_t device{};
    };
    struct deliver {
        job_key job{};
        unit_id unit{};
        hash256 claim{};  ///< the result; or the commitment to it, where replicas may be drawn
        std::uint64_t size{};
        hash256 data{};  ///< the blob in which the renter finds it
    };
    struct quit {
        job_key job{};
        agreement_id which{};
    };

    /// By anybody: the provider's device is gone, as the market's registry shows.
    struct report {
        job_key job{};
        agreement_id which{};
        market::device_key device{};
    };

    using messages = type_list<submit, top_up, post_price, accept, approve, object, challenge,
                               cancel, cancel_all, take, start, deliver, quit, report>;
    using tables = type_list<conditions, jobs, pledges, due, past>;
    using events = type_list<submitted, deposited, listed, matched, agreement_moved, delivered,
                             paid, refunded, slashed, warned, checked, job_closed>;

    /// Refuses a fee of more than everything.
    static bool genesis(auto& ctx, genesis_document const& document)
    {
        ctx.template edit<conditions>(0) = document.by;
        return document.by.fee <= basis_points;
    }

    /// The hooks' share of a message: what its job's deadlines will cost later.
    static std::uint64_t gas(submit const& m)
    {
        return 20'000 + 2'000 * std::uint64_t{m.what.units};
    }
    template <class Message>
    static std::uint64_t gas(Message const&)
    {
        return 20'000;
    }

    struct plan {
        ref<ledger::purses, mode::debit> purse{};
        ref<jobs, mode::write> job{};
        ref<jobs, mode::post> out{};
        ref<conditions, mode::read> by{};
    };
    struct submit_plan : plan {
        ref<bond::contract::conditions, mode::read> bonds{};
    };
    struct start_plan : plan {
        ref<bond::contract::bonds, mode::read> bond{};
        ref<pledges, mode::write> pledge{};
        ref<market::devices, mode::read> device{};
        ref<reputation::scores, mode::read> score{};
        ref<reputation::conditions, mode::read> scoring{};
    };
    struct report_plan : plan {
        ref<market::devices, mode::read> device{};
    };

    static auto touches(submit const& m, tx_info const& tx, auto& access);
    static auto touches(take const& m, tx_info const& tx, auto& access);
    static auto touches(start const& m, tx_info const& tx, auto& access);
    static auto touches(report const& m, tx_info const& tx, auto& access);
    template <class Message>
    static auto touches(Message const& m, tx_info const& tx, auto& access);

    static error apply(auto& ctx, submit const& m, submit_plan const& rows);
    static error apply(auto& ctx, top_up const& m, plan const& rows);
    static error apply(auto& ctx, post_price const& m, plan const& rows);
    static error apply(auto& ctx, accept const& m, plan const& rows);
    static error apply(auto& ctx, approve const& m, plan const& rows);
    static error apply(auto& ctx, object const& m, plan const& rows);
    static error apply(auto& ctx, challenge const& m, plan const& rows);
    static error apply(auto& ctx, cancel const& m, plan const& rows);
    static error apply(auto& ctx, cancel_all const& m, plan const& rows);
    static error apply(auto& ctx, take const& m, start_plan const& rows);
    static error apply(auto& ctx, start const& m, start_plan const& rows);
    static error apply(auto& ctx, deliver const& m, plan const& rows);
    static error apply(auto& ctx, quit const& m, plan const& rows);
    static error apply(auto& ctx, report const& m, report_plan const& rows);

    /// The renter's bid met an ask: the money goes into the job and the seller has units to do. What
    /// the job cannot use (it is full, over, or the price is above its cap) goes back to the buyer.
    static void on(auto& ctx, market::fill const& f);
    /// A round came to an end, a referee ruled, a product was refuted.
    static void on(auto& ctx, verify::decided const& d);
    static void on(auto& ctx, verify::ruled const& r);
    static void on(auto& ctx, verify::refuted const& r);
    /// What a check did not use goes to its job, as long as that is open.
    static void on(auto& ctx, verify::left const& l);

    static void end_block(auto& ctx);

    // -- what may be asked

    /// How far a job is.
    struct job_of {
        job_key job{};
    };
    struct progress {
        bool known{};
        std::uint32_t listed{}, assigned{}, delivered{}, disputed{}, paid{}, dropped{};
        amount balance{};  ///< in the job for work …
        amount held{};     ///< … of it for units that are agreed on
        amount checks{};
        price posted{};
        height due{};          ///< when something happens next
        height runs_dry_at{};  ///< the last height that is paid for; the greatest when by units
        std::vector<agreement> agreements{};
    };
    static progress query(auto const& view, job_of const& asked);
    struct unit_of {
        job_key job{};
        unit_id unit{};
    };
    struct unit_progress {
        bool known{};
        escrow::unit where{};
        std::uint64_t first{}, count{};  ///< of the indexes that it covers
        hash256 input{};
        hash256 claim{};
        hash256 data{};
        hash256 task{};
    };
    static unit_progress query(auto const& view, unit_of const& asked);
    struct jobs_of {
        address renter{};
        std::uint64_t from{};
        std::uint32_t most{100};
    };
    struct job_list {
        std::vector<job_key> list{};
    };
    static job_list query(auto const& view, jobs_of const& asked);
    struct price_of {
        order what{};
    };
    static check_price query(auto const&, price_of const& asked)
    {
        return sound(asked.what) == reject::ok ? price_of_checks(asked.what) : check_price{};
    }
    /// For those who work and those who pay, see queries.hpp.
    static escrow::query::openings query(auto const& view, escrow::query::open_jobs const& asked);
    static std::vector<escrow::query::assignment> query(auto const& view,
                                                        escrow::query::work_of const& asked);
    static std::vector<escrow::query::chore> query(auto const& view,
                                                   escrow::query::needs_of const& asked);
    static std::vector<escrow::query::memory> query(auto const& view,
                                                    escrow::query::past_of const& asked);
    static std::vector<escrow::query::engagement> query(auto const& view,
                                                        escrow::query::engaged const& asked);
    using queries = type_list<job_of, unit_of, jobs_of, price_of, escrow::query::open_jobs,
                              escrow::query::work_of, escrow::query::needs_of,
                              escrow::query::past_of, escrow::query::engaged>;
    using index = escrow::query::index;

private:
    static plan rows_of(job_key const& job, tx_info const& tx, auto& access)
    {
        return {access.template use<ledger::purses, mode::debit>(tx.sender),
                access.template use<jobs, mode::write>(job),
                access.template use<jobs, mode::post>(),
                access.template use<conditions, mode::read>(0)};
    }
    static start_plan start_of(job_key const& job, std::uint32_t device, reputation::family work,
                               tx_info const& tx, auto& access);
};

BOOST_DESCRIBE_STRUCT(contract::genesis_document, (), (by))
BOOST_DESCRIBE_STRUCT(contract::submit, (), (number, what, deposit, posted))
BOOST_DESCRIBE_STRUCT(contract::top_up, (), (job, value))
BOOST_DESCRIBE_STRUCT(contract::post_price, (), (job, posted))
BOOST_DESCRIBE_STRUCT(contract::accept, (), (job, unit))
BOOST_DESCRIBE_STRUCT(contract::approve, (), (job, which))
BOOST_DESCRIBE_STRUCT(contract::object, (), (job, unit))
BOOST_DESCRIBE_STRUCT(contract::challenge, (), (job, unit, claim))
BOOST_DESCRIBE_STRUCT(contract::cancel, (), (job, which))
BOOST_DESCRIBE_STRUCT(contract::cancel_all, (), (job))
BOOST_DESCRIBE_STRUCT(contract::take, (), (job, units, device, work))
BOOST_DESCRIBE_STRUCT(contract::start, (), (job, which, device))
BOOST_DESCRIBE_STRUCT(contract::deliver, (), (job, unit, claim, size, data))
BOOST_DESCRIBE_STRUCT(contract::quit, (), (job, which))
BOOST_DESCRIBE_STRUCT(contract::report, (), (job, which, device))
BOOST_DESCRIBE_STRUCT(contract::job_of, (), (job))
BOOST_DESCRIBE_STRUCT(contract::progress, (),
                      (known, listed, assigned, delivered, disputed, paid, dropped, balance, held,
                       checks, posted, due, runs_dry_at, agreements))
BOOST_DESCRIBE_STRUCT(contract::unit_of, (), (job, unit))
BOOST_DESCRIBE_STRUCT(contract::unit_progress, (),
                      (known, where, first, count, input, claim, data, task))
BOOST_DESCRIBE_STRUCT(contract::jobs_of, (), (renter, from, most))
BOOST_DESCRIBE_STRUCT(contract::job_list, (), (list))
BOOST_DESCRIBE_STRUCT(contract::price_of, (), (what))

}  // namespace blendr::escrow

#include <blendr/escrow/impl/contract_books.hpp>     // IWYU pragma: export
#include <blendr/escrow/impl/contract_checks.hpp>    // IWYU pragma: export
#include <blendr/escrow/impl/contract_hooks.hpp>     // IWYU pragma: export
#include <blendr/escrow/impl/contract_messages.hpp>  // IWYU pragma: export
#include <blendr/escrow/impl/contract_queries.hpp>   // IWYU pragma: export
