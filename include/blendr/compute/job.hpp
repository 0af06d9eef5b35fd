// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/compute/device.hpp>
#include <blendr/compute/receipt.hpp>

namespace blendr::compute {

/// What is bound to one binding of a job's program.
struct bound {
    enum class role : std::uint8_t {
        input = 1,   ///< only read
        output = 2,  ///< written, every word of it
        inout = 3,   ///< read and written, as the program likes
    };
    role as{};
    bytes content{};               ///< of an input or inout
    std::uint64_t output_bytes{};  ///< of an output

    static bound input(bytes content) { return {role::input, std::move(content), 0}; }
    static bound output(std::uint64_t bytes) { return {role::output, {}, bytes}; }
    static bound inout(bytes content) { return {role::inout, std::move(content), 0}; }
};

/// A stranger's work, whole: nothing else decides what comes out.
struct job {
    bytes program{};
    policy under{};
    std::array<std::uint32_t, 3> groups{1, 1, 1};
    bytes push{};
    std::vector<bound> bindings{};  ///< in the order of the program's
    std::chrono::milliseconds deadline{10'000};
    std::uint64_t micro_units_per_second = 0;  ///< the device's rating, for the receipt
};

struct job_result {
    std::vector<bytes> outputs;  ///< of each output and inout, in order
    compute::receipt receipt;
};

/// Runs it and proves that it was done: outputs are full of a secret pattern beforehand, and a word that
/// still holds it is looked at again under another pattern. What no invocation wrote is `incomplete`, with its
/// place. Leaves no memory behind, but the program stays loaded.
result<job_result, failure> run_job(device& on, job const& what);

}  // namespace blendr::compute
