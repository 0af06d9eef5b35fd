// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <blendr/core/result.hpp>

#include <blendr/compute/error.hpp>
#include <blendr/compute/spirv.hpp>

namespace blendr::compute {

enum class buffer_kind : std::uint8_t { storage = 1, uniform = 2 };

/// A buffer that the kernel names. Who runs it binds at least `bytes_min()` there.
struct binding {
    std::uint32_t set = 0;
    std::uint32_t slot = 0;
    buffer_kind kind{};
    std::uint64_t fixed_bytes = 0;    ///< what lies before a runtime array, or all of it
    std::uint64_t element_bytes = 0;  ///< the stride of the runtime array; 0 without one

    std::uint64_t bytes_min() const noexcept { return fixed_bytes + element_bytes; }

    friend bool operator==(binding const&, binding const&) = default;
};

/// What a kernel asks of a device, read from the module alone.
struct reflection {
    std::string entry;                          ///< the kernel's name
    std::array<std::uint32_t, 3> local_size{};  ///< with specialisation constants at their defaults
    std::vector<binding> bindings;              ///< sorted by set and slot
    std::uint64_t push_bytes = 0;
    std::uint64_t shared_bytes = 0;   ///< of one workgroup
    std::uint64_t private_bytes = 0;  ///< of one invocation, every call inlined
    std::uint64_t inlined_size = 0;   ///< instructions, weighted by result size, every call inlined

    friend bool operator==(reflection const&, reflection const&) = default;
};

/// Reads a module. Refuses what has not exactly one kernel, recursion, descriptor arrays, pointers that
/// are data, and storage that is not for kernels. Linear in the module's size.
result<reflection, refusal> reflect(spirv_module const& of);

}  // namespace blendr::compute
