// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/bond/panel.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/freivalds.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/merkle_list.hpp>
#include <blendr/verify/tables.hpp>

namespace blendr::verify {

using ledger::ref;
using ledger::tx_info;
using ledger::type_list;

inline constexpr crypto::domain product_row_domain{"verify.row/1"};

/// Verification on a ledger: bonded workers are drawn by the beacon to do a task again or to check
/// it, commit before they reveal, and are paid when they agree. What it comes to is told to whoever
/// asked, as an event; what happens to money and bonds of the work that was checked is theirs.
///
/// A contract listed later asks for a check in its hooks (`open`). Disagreement about a run that a
/// referee can recompute becomes a dispute; its last step is shown to `referee`, in referee.hpp.
struct contract {
    static constexpr std::uint16_t id = 6;
    static constexpr std::string_view name = "verify";
    using error = reject;

    static constexpr std::uint32_t workers_max = 4'096;
    /// What is due and looked after in one block; the rest waits, first in line.
    static constexpr std::uint32_t work_per_block = 4'096;
    /// Elements of a row or column in a refutation.
    static constexpr std::size_t inner_max = 4'096;

    struct genesis_document {
        conditions::row by{};
    };

    /// A bond's owner may be drawn from now on; and no longer.
    struct enlist {
        bond::subject which{};
    };
    struct leave {
        bond::subject which{};
    };
    struct commit {
        hash256 task{};
        hash256 to{};
    };
    struct reveal {
        hash256 task{};
        hash256 nonce{};
        hash256 result{};
        summary values{};
    };
    /// In a dispute: the state after as many steps as are asked for.
    struct move {
        hash256 task{};
        hash256 state{};
    };
    /// A drawn worker checked the product and found nothing wrong.
    struct attest {
        hash256 task{};
    };
    /// Shows an element of the product that is wrong: a row of A, a column of B, and the row of C.
    struct refute {
        hash256 task{};
        std::uint64_t column{};
        bounded<std::vector<std::int64_t>, inner_max> a{};
        ledger::list_proof in_a{};
        bounded<std::vector<std::int64_t>, inner_max> b{};
        ledger::list_proof in_b{};
        bounded<std::vector<std::int64_t>, inner_max> c{};
        ledger::list_proof in_c{};
    };

    using messages = type_list<enlist, leave, commit, reveal, move, attest, refute>;
    using tables = type_list<conditions, workers, roll, standings, rounds, products, disputes, due>;
    using events =
        type_list<enlisted, drawn, missed, decided, disputed, ruled, attested, refuted, left>;

    static void genesis(auto& ctx, genesis_document const& document)
    {
        ctx.template edit<conditions>(0) = document.by;
    }

    struct roll_plan {
        ref<workers, mode::write> worker{};
        ref<roll, mode::write> all{};
        ref<bond::contract::bonds, mode::read> bond{};
    };
    struct round_plan {
        ref<rounds, mode::write> of{};
        ref<due, mode::post> out{};
    };
    struct dispute_plan {
        ref<disputes, mode::write> of{};
        ref<due, mode::post> out{};
    };
    struct product_plan {
        ref<products, mode::write> of{};
        ref<ledger::purses, mode::credit> purse{};
        ref<due, mode::post> out{};
    };

    static roll_plan touches(enlist const& m, tx_info const&, auto& access)
    {
        return roll_of(m.which, access);
    }
    static roll_plan touches(leave const& m, tx_info const&, auto& access)
    {
        return roll_of(m.which, access);
    }
    static round_plan touches(commit const& m, tx_info const&, auto& access)
    {
        return {access.template use<rounds, mode::write>(m.task),
                access.template use<due, mode::post>()};
    }
    static round_plan touches(reveal const& m, tx_info const&, auto& access)
    {
        return {access.template use<rounds, mode::write>(m.task),
                access.template use<due, mode::post>()};
    }
    static dispute_plan touches(move const& m, tx_info const&, auto& access)
    {
        return touches_dispute(m.task, access);
    }
    static product_plan touches(attest const& m, tx_info const& tx, auto& access)
    {
        return product_of(m.task, tx, access);
    }
    static product_plan touches(refute const& m, tx_info const& tx, auto& access)
    {
        return product_of(m.task, tx, access);
    }

    static error apply(auto& ctx, enlist const& m, roll_plan const& rows);
    static error apply(auto& ctx, leave const& m, roll_plan const& rows);
    static error apply(auto& ctx, commit const& m, round_plan const& rows);
    static error apply(auto& ctx, reveal const& m, round_plan const& rows);
    static error apply(auto& ctx, move const& m, dispute_plan const& rows);
    static error apply(auto& ctx, attest const& m, product_plan const& rows);
    static error apply(auto& ctx, refute const& m, product_plan const& rows);

    /// For a referee's message: the right to end one dispute by recomputing its step.
    static dispute_plan touches_dispute(hash256 const& task, auto& access)
    {
        auto own = access.as(ledger::pass<contract>{});
        return {own.template use<disputes, mode::write>(task), own.template use<due, mode::post>()};
    }
    static error prove(auto& ctx, hash256 const& task, bytes_view state, step_registry const& steps,
                       dispute_plan const& rows);

    /// Work to be done again: the worker has committed to its result already.
    struct inspection {
        hash256 task{};
        verify::origin origin{};
        address worker{};
        hash256 commitment{};
        address patron{};  ///< who pays; never drawn
        round_rules rules{};
        steps_of run{};
        amount fee{};
        amount pot{};    ///< taken by the caller
        height until{};  ///< given up then
    };
    /// A delivered product, to be checked by `inspectors` drawn workers.
    struct product_inspection {
        hash256 task{};
        verify::origin origin{};
        address worker{};
        address patron{};
        hash256 a{}, b{}, c{};
        std::uint64_t first{}, rows{}, inner{}, columns{};
        std::uint32_t inspectors{};
        std::uint32_t attest_within{};
        amount fee{};
        amount pot{};
        height until{};
    };
    /// Somebody who was not drawn says otherwise, with a stake taken by the caller.
    struct challenge {
        hash256 task{};
        verify::origin origin{};
        address asserter{};
        address challenger{};
        steps_of run{};
        hash256 asserted{};
        hash256 challenged{};
        amount stake{};
    };
    /// In a hook of a contract listed later. False, with nothing taken: the task is being looked at
    /// already, or rules contradict each other.
    static bool open(auto& ctx, inspection const& what);
    static bool open(auto& ctx, product_inspection const& what);
    static bool open(auto& ctx, challenge const& what);

    /// Draws, ticks and decides what is due.
    static void end_block(auto& ctx);

    // -- what may be asked

    /// What somebody has to do, the earliest first: tasks that it was drawn for or that are its own,
    /// products to attest, disputes to move in.
    struct duties_of {
        address worker{};
        std::uint32_t most{100};
    };
    struct duty {
        hash256 task{};
        due_kind what{};
        verify::origin origin{};
        height due{};
        address patron{};
        round_stage stage{round_stage::committing};  ///< of a round …
        replica_state mine{replica_state::drawn};    ///< … and of the worker in it
        bool drawn{};                                ///< or it is the one whose work is checked
        std::optional<verify::dispute> dispute{};
    };
    struct duty_list {
        std::vector<duty> list{};
    };
    static duty_list query(auto const& view, duties_of const& asked);
    using queries = type_list<duties_of>;

private:
    static roll_plan roll_of(bond::subject const& which, auto& access)
    {
        return {access.template use<workers, mode::write>(which),
                access.template use<roll, mode::write>(0),
                access.template use<bond::contract::bonds, mode::read>(which)};
    }
    static product_plan product_of(hash256 const& task, tx_info const& tx, auto& access)
    {
        return {access.template use<products, mode::write>(task),
                access.template use<ledger::purses, mode::credit>(tx.sender),
                access.template use<due, mode::post>()};
    }
};

/// A row of numbers as a leaf of the list that a product's matrices are committed to by: A by its
/// rows, B by its columns, C by its rows.
inline hash256 leaf_of_row(std::vector<std::int64_t> const& row)
{
    return crypto::hash(product_row_domain, encode(row));
}

BOOST_DESCRIBE_STRUCT(contract::genesis_document, (), (by))
BOOST_DESCRIBE_STRUCT(contract::enlist, (), (which))
BOOST_DESCRIBE_STRUCT(contract::leave, (), (which))
BOOST_DESCRIBE_STRUCT(contract::commit, (), (task, to))
BOOST_DESCRIBE_STRUCT(contract::reveal, (), (task, nonce, result, values))
BOOST_DESCRIBE_STRUCT(contract::move, (), (task, state))
BOOST_DESCRIBE_STRUCT(contract::attest, (), (task))
BOOST_DESCRIBE_STRUCT(contract::refute, (), (task, column, a, in_a, b, in_b, c, in_c))
BOOST_DESCRIBE_STRUCT(contract::duties_of, (), (worker, most))
BOOST_DESCRIBE_STRUCT(contract::duty, (),
                      (task, what, origin, due, patron, stage, mine, drawn, dispute))
BOOST_DESCRIBE_STRUCT(contract::duty_list, (), (list))

}  // namespace blendr::verify

#include <blendr/verify/impl/contract_hooks.hpp>     // IWYU pragma: export
#include <blendr/verify/impl/contract_messages.hpp>  // IWYU pragma: export
#include <blendr/verify/impl/contract_queries.hpp>   // IWYU pragma: export
