// SPDX-License-Identifier: Apache-2.0
// What a supervisor and its worker say to each other: a header of two words, kind and length, then an encoding.
// The worker is not trusted: what it sends is decoded with a limit and checked.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>

#include <blendr/compute/device.hpp>

namespace blendr::compute {

BOOST_DESCRIBE_ENUM(buffer_kind, storage, uniform)
BOOST_DESCRIBE_ENUM(device_kind, native, cpu, integrated, discrete, other)
BOOST_DESCRIBE_ENUM(fault, ok, no_loader, no_driver, no_device, wrong_driver, too_old,
                    feature_missing, no_worker, not_built, refused, unknown_program,
                    does_not_compile, does_not_bind, grid_too_large, out_of_memory, unknown_memory,
                    outside_memory, trapped, timed_out, lost, incomplete, wrong_result)
BOOST_DESCRIBE_STRUCT(binding, (), (set, slot, kind, fixed_bytes, element_bytes))
BOOST_DESCRIBE_STRUCT(reflection, (),
                      (entry, local_size, bindings, push_bytes, shared_bytes, private_bytes,
                       inlined_size))
BOOST_DESCRIBE_STRUCT(device_limits, (),
                      (local_size_max, invocations_max, shared_bytes_max, push_bytes_max,
                       storage_buffers_max, uniform_buffers_max, int8, int16, int64, float16,
                       float64, storage8, storage16))
BOOST_DESCRIBE_STRUCT(device_info, (),
                      (kind, name, driver, vendor, limits, memory_bytes, buffer_bytes_max,
                       offset_alignment, groups_max, shares_memory, isolated))

namespace wire {

inline constexpr int socket_file = 3, arena_file = 4;
inline constexpr std::uint32_t bytes_max = 8u << 20;

enum class kind : std::uint32_t { setup = 1, ready = 2, load = 3, loaded = 4, run = 5, ended = 6 };

struct setup {
    std::uint64_t arena_bytes = 0;
    std::uint32_t device = 0;
    bool any_device = true;
    bool import = true;  ///< use the arena in place where the device can
    bool validation = false;
    bool hardware = false;  ///< set by the worker itself
    std::uint32_t slice_ms = 100;
    std::uint64_t address_space_bytes = 0;
    std::uint64_t cpu_seconds = 0;
    std::uint32_t parent = 0;
};
BOOST_DESCRIBE_STRUCT(setup, (),
                      (arena_bytes, device, any_device, import, validation, hardware, slice_ms,
                       address_space_bytes, cpu_seconds, parent))

struct ready {
    fault what = fault::ok;
    std::string why{};
    device_info info{};
};
BOOST_DESCRIBE_STRUCT(ready, (), (what, why, info))

struct load {
    bytes spirv{};
    bool own = false;
    bool exact = true;
    std::uint32_t loop_budget = 0;
    std::uint64_t inlined_size_max = 0, private_bytes_max = 0, value_bytes_max = 0;
};
BOOST_DESCRIBE_STRUCT(load, (),
                      (spirv, own, exact, loop_budget, inlined_size_max, private_bytes_max,
                       value_bytes_max))

struct loaded {
    fault what = fault::ok;
    std::string why{};
    std::uint64_t id = 0;
    reflection needs{};
    std::vector<std::string> complaints{};
};
BOOST_DESCRIBE_STRUCT(loaded, (), (what, why, id, needs, complaints))

struct range {
    std::uint64_t offset = 0, bytes = 0;
};
BOOST_DESCRIBE_STRUCT(range, (), (offset, bytes))

struct dispatch {
    std::uint64_t program = 0;
    std::array<std::uint32_t, 3> groups{};
    std::vector<range> bound{};
    bytes push{};
};
BOOST_DESCRIBE_STRUCT(dispatch, (), (program, groups, bound, push))

struct run {
    std::vector<dispatch> all{};
    std::uint64_t deadline_us = 0;
};
BOOST_DESCRIBE_STRUCT(run, (), (all, deadline_us))

struct ended {
    fault what = fault::ok;
    std::uint32_t traps = 0, at = 0, slices = 0;
    std::uint64_t device_ns = 0;
    bool usable = true;  ///< the worker can go on
    std::string why{};
    std::vector<std::string> complaints{};
};
BOOST_DESCRIBE_STRUCT(ended, (), (what, traps, at, slices, device_ns, usable, why, complaints))

/// How receiving ended.
enum class heard : std::uint8_t { message, late, closed };

using clock = std::chrono::steady_clock;

/// Sends all of it; false when the other side is gone.
bool send(int socket, kind what, bytes_view payload);

/// Waits for a whole message, at first without sleeping. A message that is too long counts as closed.
heard receive(int socket, kind& what, bytes& payload, clock::time_point until);

}  // namespace wire
}  // namespace blendr::compute
