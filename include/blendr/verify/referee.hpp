// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/verify/contract.hpp>

namespace blendr::verify {

/// The programs whose steps a chain can recompute: part of its code, chosen where it is composed.
///     struct my_programs { static step_registry const& steps(); };
template <class P>
concept program_list = requires {
    { P::steps() } -> std::same_as<step_registry const&>;
};

/// A chain that recomputes nothing: disputes end by silence alone.
struct no_programs {
    static step_registry const& steps()
    {
        static step_registry const none{};
        return none;
    }
};

inline constexpr std::size_t shown_state_max = std::size_t{1} << 16;

/// Shows the state before the one step that a dispute is down to. Anybody may: it speaks for itself.
struct show {
    hash256 task{};
    bounded<bytes, shown_state_max> state{};
};
BOOST_DESCRIBE_STRUCT(show, (), (task, state))

/// Recomputes the step that two parties differ on. A contract of its own, because only a chain knows
/// its programs: `ledger::machine<…, verify::contract, verify::referee<my_programs>, …>`.
template <program_list Programs>
struct referee {
    static constexpr std::uint16_t id = 8;
    static constexpr std::string_view name = "referee";
    using error = reject;
    using messages = type_list<show>;

    /// A step's work is bounded by the state that it may take.
    static std::uint64_t gas(show const& m) { return 20 * m.state.size(); }

    static contract::dispute_plan touches(show const& m, tx_info const&, auto& access)
    {
        return contract::touches_dispute(m.task, access);
    }
    static error apply(auto& ctx, show const& m, contract::dispute_plan const& rows)
    {
        return contract::prove(ctx, m.task, m.state, Programs::steps(), rows);
    }
};

}  // namespace blendr::verify
