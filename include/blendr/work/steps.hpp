// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/verify/dispute.hpp>

#include <blendr/work/error.hpp>
#include <blendr/work/job.hpp>

namespace blendr::work {

/// A unit as a run of small steps, so that a dispute about it comes down to one that a chain can recompute. There are
/// such for the exact variants of
/// - `render`: a step is one path of one pixel, and the state carries a hash of the pixels that are done;
/// - `train`: a step is one row, and the state carries the sums so far;
/// - `analyse`: a step is one row, `hash`: one block, `matmul`: one row of a tile of whole numbers.
/// All are pure, and bounded by what a state may hold.
/// States hold the unit's inputs, so a unit whose inputs pass `step_state_max` cannot be disputed in this way: cut it
/// smaller, or check it by replicas.
inline constexpr std::size_t step_state_max = std::size_t{1} << 16;

/// The programs by which `verify::referee` recomputes a step.
hash256 step_program(std::string_view app_name) noexcept;

/// Adds all of them to a chain's registry.
void add_steps(verify::step_registry& to);

/// The state before the first step, from a unit that its app takes.
result<bytes, problem> first_state(std::string_view app_name, unit const& what);

/// How many steps the unit has.
result<std::uint64_t, problem> count_steps(std::string_view app_name, unit const& what);

/// The state after the last step, if the result is what its worker says.
result<bytes, problem> last_state(std::string_view app_name, unit const& what, bytes_view result);

}  // namespace blendr::work
