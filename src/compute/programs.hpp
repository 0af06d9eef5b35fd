// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/compute/device.hpp>

namespace blendr::compute {

/// The bits of a trap buffer as a sentence.
std::string traps_as_text(std::uint32_t traps);

/// Whether the step fits the program and the device; the parts' memory is not looked at.
outcome check_dispatch(reflection const& needs, dispatch const& what, device_info const& info,
                       std::uint32_t at);

/// A program ready for a driver.
struct prepared {
    hash256 submitted{};
    bytes code;
    reflection needs;
    bool traps = false;  ///< it reports in the trap buffer
    bool counts_groups =
        false;  ///< it reads how many groups there are, so it must run in one piece
};

/// Admits a stranger's program, or reads one's own.
result<prepared, failure> prepare(bytes_view spirv, policy under, device_limits const& limits,
                                  origin whose);

/// The identity of a program: the hash of the bytes as submitted.
hash256 program_hash(bytes_view spirv) noexcept;

}  // namespace blendr::compute
