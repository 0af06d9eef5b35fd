// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/core/result.hpp>

#include <blendr/compute/device.hpp>

namespace blendr::compute {

/// Runs small programs whose results are known and says what the device gets wrong: many loop
/// iterations (some drivers stop counting at 65,535), integers at their edges, shared memory and barriers,
/// atomics, indexes out of bounds, memory that begins as zeros. Milliseconds; leaves nothing behind. A
/// device that a native kernel runs on is asked only for what it knows.
result<nothing, failure> self_test(device& on);

}  // namespace blendr::compute
