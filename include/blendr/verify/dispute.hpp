// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/verify/error.hpp>

namespace blendr::verify {

inline constexpr crypto::domain state_domain{"verify.state/1"};
inline constexpr std::uint64_t steps_max = std::uint64_t{1} << 40;

inline hash256 hash_of_state(bytes_view state) noexcept
{
    return crypto::hash(state_domain, state);
}

/// The steps that a referee can recompute, by program. A step is a pure function of its number and
/// the state before it, total and bounded: part of the chain's code, the same on every node.
class step_registry {
public:
    using step = bytes (*)(std::uint64_t number, bytes_view before);

    struct entry {
        hash256 program{};
        std::size_t state_max{};  ///< longer states are refused before the step sees them
        step run{};
    };

    /// Adds a program's step. A program has one; the second is not taken, and the answer is false.
    bool add(entry const& made);
    entry const* find(hash256 const& program) const noexcept;

private:
    std::vector<entry> entries_;  // by program
};

enum class dispute_stage : std::uint8_t {
    narrowing = 1,  ///< both name the state in the middle
    proving = 2,    ///< one step is left; either shows the state before it
    over = 3,
};
BOOST_DESCRIBE_ENUM(dispute_stage, narrowing, proving, over)

/// How a dispute ended.
enum class ruling : std::uint8_t {
    none = 0,
    asserter_wrong = 1,    ///< the referee's step gives what the challenger says
    challenger_wrong = 2,  ///< it gives what the asserter says
    both_wrong = 3,        ///< it gives neither
    asserter_silent = 4,   ///< missed a move
    challenger_silent = 5,
    both_silent = 6,
};
BOOST_DESCRIBE_ENUM(ruling, none, asserter_wrong, challenger_wrong, both_wrong, asserter_silent,
                    challenger_silent, both_silent)

/// Two parties who agree on the state before a run of N steps and differ on the state after it are
/// led to the first step on which they differ, in ⌈log2 N⌉ rounds; the referee recomputes that one.
/// Both always move at once, so neither gains by waiting; who misses a deadline has lost. An honest
/// party that moves in time never loses.
struct dispute {
    hash256 program{};
    crypto::address asserter{};    ///< who delivered the result
    crypto::address challenger{};  ///< who says otherwise
    std::uint32_t move_within{};   ///< heights
    dispute_stage at{dispute_stage::narrowing};
    ruling end{ruling::none};
    height seen{};
    height due{};
    std::uint64_t low{};   ///< steps after which they agree …
    std::uint64_t high{};  ///< … and after which they differ
    hash256 agreed{};      ///< the state after `low` steps
    hash256 asserted{};    ///< after `high` steps, as each says
    hash256 challenged{};
    std::optional<hash256> asserter_move{};
    std::optional<hash256> challenger_move{};

    /// What a dispute is about. Refused when both claim the same.
    struct about {
        hash256 program{};
        std::uint64_t steps{};
        hash256 before{};
        hash256 asserted{};
        hash256 challenged{};
    };
    static result<dispute, reject> open(about const& what, crypto::address const& asserter,
                                        crypto::address const& challenger,
                                        std::uint32_t move_within, height now);

    /// After how many steps both are to name the state now.
    std::uint64_t asked() const noexcept { return low + (high - low) / 2; }

    result<nothing, reject> move(crypto::address const& who, hash256 const& state, height now);

    /// Shows the state after `low` steps; anybody may, since it speaks for itself.
    result<nothing, reject> prove(bytes_view state, step_registry const& steps, height now);

    /// Does what is due up to and at `now`.
    result<nothing, reject> tick(height now);

private:
    result<nothing, reject> may_happen(height now) const;
    void next_round(height now);
    void finish(ruling how);
};
BOOST_DESCRIBE_STRUCT(dispute, (),
                      (program, asserter, challenger, move_within, at, end, seen, due, low, high,
                       agreed, asserted, challenged, asserter_move, challenger_move))

}  // namespace blendr::verify
