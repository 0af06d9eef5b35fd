// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/core/result.hpp>

#include <blendr/compute/device.hpp>
#include <blendr/compute/plan.hpp>

namespace blendr::compute {

struct vulkan_options {
    wishes asked{};
    std::string
        cache_file{};         ///< keeps compiled programs between runs; only for one's own programs
    bool validation = false;  ///< load the validation layers; refused where there are none
    std::function<void(std::string_view)> on_validation{};  ///< called with each complaint
    std::chrono::milliseconds slice{100};  ///< long dispatches of strangers are cut to about this
};

/// What the Vulkan drivers of this machine offer, in their order, drivers that no plan accepts too.
/// The loader follows VK_DRIVER_FILES; where that is not set, the drivers of the system and the
/// embedded CPU driver that cmake/setup unpacked are asked.
result<std::vector<snapshot>, failure> enumerate_vulkan();

/// Makes the device that was enumerated at `index`: plan, device, self-test. Several may be open at once,
/// also on the same hardware.
result<std::unique_ptr<device>, failure> open_vulkan(std::uint32_t index,
                                                     vulkan_options const& chosen = {});

/// The first device that can be opened: discrete, integrated, others, then the CPU.
result<std::unique_ptr<device>, failure> open_vulkan(vulkan_options const& chosen = {});

/// The file that names the embedded CPU driver, or nothing when cmake/setup has not unpacked one.
std::string embedded_driver();

}  // namespace blendr::compute
