// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "analysis.hpp"

namespace blendr::compute {

/// Loops that go round a number of times that stands in the program: they pay for all rounds before they
/// begin, and none of their rounds is counted.
struct fixed_loops {
    std::vector<bool> headers;  ///< by id: a block that begins such a loop
    std::map<std::uint32_t, std::uint32_t>
        payments;  ///< before this instruction, for what it leads to
};

/// Those of a module that has passed the validator. In linear time; what it does not understand is
/// counted. All that they may cost in one run of the kernel fits into the budget, or there are none.
fixed_loops find_fixed_loops(spirv_module const& m, analysis const& a, std::uint32_t loop_budget);

/// `i` begins at `first` and becomes `i + step` until `i compare limit` does not hold (or, with
/// `stays` false, until it holds).
struct counter {
    op compare = op::nop;  ///< with `i` on the left
    bool stays = true;
    std::uint32_t first = 0, step = 0, limit = 0;
};

/// How many times it holds before it does not; nothing when `i` would go past the end of its numbers
/// first, or is not compared by order.
std::optional<std::uint64_t> rounds_of(counter const& of) noexcept;

}  // namespace blendr::compute
