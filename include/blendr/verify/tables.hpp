// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/bond/contract.hpp>
#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/verify/dispute.hpp>
#include <blendr/verify/round.hpp>
#include <blendr/verify/standing.hpp>

/// What verification keeps on a ledger, and what it tells others.
namespace blendr::verify {

using crypto::address;
using ledger::mode;

inline constexpr std::size_t origin_max = 96;
inline constexpr std::size_t inspectors_max = 8;

/// Words of the contract that asked for a check, said back to it when the check is over.
using origin = bounded<bytes, origin_max>;

/// Fixed when the chain begins.
struct conditions {
    static constexpr std::string_view name = "conditions";
    using key = std::uint8_t;
    struct row {
        replication how_often{};
        amount missed = 1_blnd;        ///< of the bond of one who was drawn and missed a deadline
        amount false_claim = 20_blnd;  ///< of the bond of one whose word a referee proved false
        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr bool shared(mode m) { return m == mode::read; }
};

/// Who may be drawn to do or check the work of others: one row a bond.
struct workers {
    static constexpr std::string_view name = "workers";
    static constexpr bool ordered = true;
    using key = bond::subject;
    struct row {
        address owner{};
        friend bool operator==(row const&, row const&) = default;
    };
    static constexpr bool shared(mode m) { return m == mode::read; }
};

/// How many are enlisted. One row, under key 0.
struct roll {
    static constexpr std::string_view name = "roll";
    using key = std::uint8_t;
    struct row {
        std::uint32_t count{};
        friend bool operator==(row const&, row const&) = default;
    };
};

/// What workers' replicated results were worth.
struct standings {
    static constexpr std::string_view name = "standings";
    using key = address;
    using row = standing;
    static constexpr bool shared(mode m) { return m == mode::read; }
};

/// A run that a referee can recompute step by step; without steps there is none.
struct steps_of {
    hash256 program{};
    std::uint64_t steps{};
    hash256 before{};  ///< the state that the run begins with
    std::uint32_t move_within{};
};

/// One task done again by drawn workers. The first replica is the work that is checked.
struct rounds {
    static constexpr std::string_view name = "rounds";
    using key = hash256;
    struct row {
        round of{};
        bounded<std::vector<hash256>, replicas_max> results{};      ///< as revealed
        bounded<std::vector<bond::subject>, replicas_max> bonds{};  ///< by which each was drawn
        steps_of run{};
        verify::origin origin{};
        address patron{};  ///< gets what is left of the money
        amount fee{};      ///< for each drawn worker whose result is accepted
        amount pot{};
        height until{};   ///< given up then, decided or not
        height draws{};   ///< the next draw; zero when none is needed
        height queued{};  ///< in `due`
    };
    static amount holds(row const& r) { return r.pot; }
};

/// A matrix product that drawn workers check, and that anybody may refute by one element.
struct products {
    static constexpr std::string_view name = "products";
    using key = hash256;
    struct inspector {
        address who{};
        bond::subject bond{};
        bool attested{};
        friend bool operator==(inspector const&, inspector const&) = default;
    };
    struct row {
        address worker{};
        hash256 a{};  ///< root of the list of A's rows …
        hash256 b{};  ///< … of B's columns …
        hash256 c{};  ///< … and of the rows that the worker delivered
        std::uint64_t first{};
        std::uint64_t rows{};  ///< of A, from `first` on
        std::uint64_t inner{};
        std::uint64_t columns{};
        bounded<std::vector<inspector>, inspectors_max> inspectors{};
        verify::origin origin{};
        address patron{};
        amount fee{};
        amount pot{};
        height attest_by{};
        height until{};  ///< can be refuted until then
        address refuted_by{};
        height queued{};
    };
    static amount holds(row const& r) { return r.pot; }
};

/// Two parties on their way to the first step on which they differ.
struct disputes {
    static constexpr std::string_view name = "disputes";
    using key = hash256;
    struct row {
        dispute of{};
        verify::origin origin{};
        bond::subject bond{};  ///< of a challenger who was drawn
        amount stake{};        ///< of one who was not
        height queued{};
    };
    static amount holds(row const& r) { return r.stake; }
};

enum class due_kind : std::uint8_t { round = 1, product = 2, dispute = 3 };
BOOST_DESCRIBE_ENUM(due_kind, round, product, dispute)

/// What waits for its height: one entry each, the earliest first.
struct due {
    static constexpr std::string_view name = "due";
    static constexpr bool ordered = true;
    struct key {
        height at{};
        due_kind what{};
        hash256 task{};
        friend auto operator<=>(key const&, key const&) = default;
    };
    struct row {
        bool waits{};
        friend bool operator==(row const&, row const&) = default;
    };
    /// Left by messages: its deadline may have moved.
    struct entry {
        due_kind what{};
        hash256 task{};
    };
};

// -- what is told

struct enlisted {
    bond::subject which{};
    bool now{};  ///< or no longer
};
struct drawn {
    hash256 task{};
    address worker{};
};
struct missed {
    hash256 task{};
    address worker{};
    amount lost{};
};
/// What a round came to, as far as the work that was checked goes.
enum class finding : std::uint8_t {
    right = 1,   ///< it agrees with what was accepted
    wrong = 2,   ///< it does not: not paid, and nothing is proven
    unsure = 3,  ///< nothing was accepted
};
BOOST_DESCRIBE_ENUM(finding, right, wrong, unsure)
struct decided {
    hash256 task{};
    verify::origin origin{};
    finding what{};
    hash256 accepted{};
};
struct disputed {
    hash256 task{};
    address asserter{};
    address challenger{};
};
struct ruled {
    hash256 task{};
    verify::origin origin{};
    address asserter{};
    address challenger{};
    ruling how{};

    bool asserter_loses() const noexcept
    {
        return how != ruling::challenger_wrong && how != ruling::challenger_silent;
    }
    bool challenger_loses() const noexcept
    {
        return how != ruling::asserter_wrong && how != ruling::asserter_silent;
    }
};
struct attested {
    hash256 task{};
    address worker{};
};
/// What a check did not use was paid back to its patron. Who pays checks out of what it holds for the
/// patron takes it on in `on(context&, left const&)`, before anybody can spend it.
struct left {
    hash256 task{};
    verify::origin origin{};
    address patron{};
    amount value{};
};
/// A product was shown to be wrong, beyond doubt.
struct refuted {
    hash256 task{};
    verify::origin origin{};
    address reporter{};
};

BOOST_DESCRIBE_STRUCT(conditions::row, (), (how_often, missed, false_claim))
BOOST_DESCRIBE_STRUCT(workers::row, (), (owner))
BOOST_DESCRIBE_STRUCT(roll::row, (), (count))
BOOST_DESCRIBE_STRUCT(steps_of, (), (program, steps, before, move_within))
BOOST_DESCRIBE_STRUCT(rounds::row, (),
                      (of, results, bonds, run, origin, patron, fee, pot, until, draws, queued))
BOOST_DESCRIBE_STRUCT(products::inspector, (), (who, bond, attested))
BOOST_DESCRIBE_STRUCT(products::row, (),
                      (worker, a, b, c, first, rows, inner, columns, inspectors, origin, patron,
                       fee, pot, attest_by, until, refuted_by, queued))
BOOST_DESCRIBE_STRUCT(disputes::row, (), (of, origin, bond, stake, queued))
BOOST_DESCRIBE_STRUCT(due::key, (), (at, what, task))
BOOST_DESCRIBE_STRUCT(due::row, (), (waits))

}  // namespace blendr::verify
