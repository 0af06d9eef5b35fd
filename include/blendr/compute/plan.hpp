// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <blendr/core/result.hpp>

#include <blendr/compute/device.hpp>

namespace blendr::compute {

/// A version of Vulkan, or of a driver: 25.0.7.
struct version3 {
    std::uint32_t major = 0, minor = 0, patch = 0;
    friend constexpr auto operator<=>(version3 const&, version3 const&) = default;
};
std::string to_text(version3 v);

/// Everything that a Vulkan driver says about a device, as plain data: a plan can be made and tested
/// without one.
struct snapshot {
    struct heap {
        std::uint64_t bytes = 0;
        std::uint64_t free_bytes = 0;  ///< as far as the driver tells; 0 when it does not
        bool on_device = false;
    };
    struct memory_type {
        std::uint32_t heap = 0;
        bool on_device = false, visible = false, coherent = false, cached = false;
    };
    struct queue_family {
        std::uint32_t queues = 0;
        bool compute = false, graphics = false;
        std::uint32_t timestamp_bits = 0;
    };
    struct features {
        bool timeline_semaphores = false, robust_access = false, robust_access2 = false;
        bool int8 = false, int16 = false, int64 = false, float16 = false, float64 = false;
        bool storage8 = false, storage16 = false;
        bool host_memory = false;    ///< takes memory of the process as its own
        bool memory_budget = false;  ///< tells how much is free
        bool float32_rounds_to_even = false, float32_keeps_denormals = false,
             float32_keeps_infinities = false;
    };

    std::uint32_t index = 0;  ///< among those enumerated
    device_kind kind{};
    std::string name;
    std::string driver;  ///< its name: "llvmpipe", "NVIDIA"
    std::string driver_details;
    std::uint32_t vendor = 0;
    version3 api{};
    version3 driver_version{};  ///< read out of the driver's own words; zeros when they hold none
    std::array<std::byte, 16> uuid{};
    device_limits limits{};  ///< without the features
    std::uint64_t storage_range_max = 0;
    std::uint64_t buffer_bytes_max = 0;
    std::uint64_t offset_alignment = 1;
    std::uint64_t host_pointer_alignment = 4096;
    std::array<std::uint32_t, 3> groups_max{};
    double timestamp_ns = 0;  ///< of one tick
    std::vector<heap> heaps;
    std::vector<memory_type> types;
    std::vector<queue_family> queues;
    features has{};
};

/// What is wished of a device.
struct wishes {
    bool strangers = true;           ///< it is to run strangers' programs
    std::uint64_t memory_bytes = 0;  ///< the most to use; 0: what the device's heap has
    bool staging = false;            ///< copy through staging buffers even where memory is shared
};

/// How a device will be made and used.
struct device_plan {
    std::uint32_t queue_family = 0;
    std::uint32_t device_type = 0;  ///< memory types, by number
    std::uint32_t upload_type = 0;
    std::uint32_t download_type = 0;
    bool shares_memory = false;  ///< the device's memory is seen by the processor, and cached
    bool host_memory = false;
    bool timestamps = false;
    device_info info;
    snapshot::features enable{};
};

/// Pure. Refuses what is too old, what lacks a feature that everything here needs, and drivers that are
/// known to be wrong, with the words a person needs to mend it.
result<device_plan, failure> make_plan(snapshot const& seen, wishes const& asked = {});

/// The version that a driver's own words hold: "Mesa 25.0.7-2 (LLVM 15.0.6)" is 25.0.7.
version3 read_version(std::string_view words) noexcept;

}  // namespace blendr::compute
