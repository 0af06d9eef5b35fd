// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

#include <blendr/compute/error.hpp>
#include <blendr/compute/reflection.hpp>
#include <blendr/compute/spirv.hpp>

namespace blendr::compute {

/// exact: integers alone, same bits on every device. tolerance: floats too, results within a tolerance.
enum class profile : std::uint8_t { exact = 1, tolerance = 2 };

/// What the device at hand offers. The defaults are what every Vulkan 1.3 device must.
struct device_limits {
    std::array<std::uint32_t, 3> local_size_max{128, 128, 64};
    std::uint32_t invocations_max = 128;
    std::uint64_t shared_bytes_max = 16'384;
    std::uint64_t push_bytes_max = 128;
    std::uint32_t storage_buffers_max = 4;
    std::uint32_t uniform_buffers_max = 12;
    bool int8 = false, int16 = false, int64 = false;
    bool float16 = false, float64 = false;
    bool storage8 = false, storage16 = false;
};

/// What is asked of a program. The caps bound what the driver's compiler is made to do.
struct policy {
    profile as = profile::exact;
    device_limits device{};
    /// Loop iterations of one invocation, over all its loops. Loops that go round a constant number of
    /// times pay for all of them at once; so an invocation that traps may go round twice as often.
    std::uint32_t loop_budget = 1u << 24;
    std::uint64_t inlined_size_max = 200'000;
    std::uint64_t private_bytes_max = 16'384;
    std::uint64_t value_bytes_max = 16'384;  ///< of one value in a register or a constant
};

/// The buffer that hardened code reports in: a storage buffer at this place, `trap_bytes` long, zeroed
/// before each dispatch. Word 0 collects `trap` bits, the others are reserved and stay 0. Any bit set
/// means that the job failed, whatever else was written. Frozen.
inline constexpr std::uint32_t trap_set = 3;
inline constexpr std::uint32_t trap_slot = 0;
inline constexpr std::uint64_t trap_bytes = 16;
enum class trap : std::uint32_t {
    loop_budget = 1,    ///< an invocation ran out of loop iterations
    out_of_bounds = 2,  ///< an address outside an array was formed; the nearest element stood in
    unreachable = 4,    ///< the program went where it had promised not to
};

/// The version of the rewriter: same submitted bytes, same policy, same version, same output.
inline constexpr std::uint32_t hardening_version = 3;

/// A program that may run in the worker.
struct admitted {
    hash256 submitted{};  ///< of the bytes as they came: the task's identity
    hash256 code_hash{};  ///< of `code`
    bytes code;           ///< hardened SPIR-V
    reflection needs;     ///< of the submitted program; the trap buffer comes on top
    std::uint32_t version = hardening_version;
    policy under{};
};

/// bytes → a hardened module, or the rule that it breaks. Takes any bytes; time is linear in them.
/// Pure: no clock, no state, no device. SPIRV-Tools validates before and after; its own verdict
/// may differ between its versions, the output of an admitted program does not.
result<admitted, refusal> admit(bytes_view raw, policy const& under);

}  // namespace blendr::compute
