// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace blendr::work {

/// Why a job cannot be done, or was not. Numbers are frozen and only ever appended, grouped by whom they
/// concern: 1-99 the plan, 100-199 one unit, 200-299 the run, 300-399 a checkpoint, 400-499 what a
/// workload was given.
enum class fault : std::uint16_t {
    ok = 0,

    empty_range = 1,
    range_too_large = 2,
    too_many_units = 3,
    bad_plan = 4,

    device_failed = 100,   ///< the device, not the program: lost, out of memory, too slow
    wrong_size = 101,      ///< of what it returned
    wrong_result = 102,    ///< and the workload's check said so
    program_failed = 103,  ///< trapped or was refused: no other device would do better

    no_runners = 200,
    all_runners_gone = 201,
    unit_failed = 202,
    cancelled = 203,

    cannot_save = 300,
    not_a_checkpoint = 301,
    another_job = 302,

    bad_input = 400,
};

/// The fault as a sentence for people.
std::string_view message(fault what) noexcept;

/// A fault, and what is particular about this one: the line of a file, the name of a device.
struct problem {
    fault what{};
    std::string why{};

    friend bool operator==(problem const&, problem const&) = default;
};
std::string message(problem const& p);

}  // namespace blendr::work
