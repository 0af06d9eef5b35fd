// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include <blendr/core/result.hpp>

#include <blendr/compute/vulkan.hpp>

// Vulkan's own handles, named as its headers name them, so that both may be included.
struct VkInstance_T;
struct VkPhysicalDevice_T;
struct VkDevice_T;
struct VkQueue_T;

namespace blendr::compute {

/// A VkDevice that somebody else made: what a program with a renderer of its own has at hand.
struct vulkan_handles {
    void* get_instance_proc_addr = nullptr;  ///< a PFN_vkGetInstanceProcAddr
    VkInstance_T* instance = nullptr;        ///< of Vulkan 1.3
    VkPhysicalDevice_T* physical = nullptr;
    VkDevice_T* device = nullptr;  ///< with timelineSemaphore, maintenance4,
        ///  shaderZeroInitializeWorkgroupMemory and the features that the
        ///  physical device has of those that programs may ask for
    VkQueue_T* queue = nullptr;  ///< of the family; nobody else submits to it meanwhile
    std::uint32_t queue_family = 0;
};

/// Runs programs on it. The handles must outlive what is returned, and are never destroyed by it. A
/// device that gets lost stays lost: whoever made it makes another. Strangers' programs are refused
/// unless `robust` says that both robustness features were switched on, which Vulkan cannot tell later.
result<std::unique_ptr<device>, failure> adopt_vulkan(vulkan_handles const& yours, bool robust,
                                                      vulkan_options const& chosen = {});

}  // namespace blendr::compute
