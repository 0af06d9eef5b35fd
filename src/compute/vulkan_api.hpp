// SPDX-License-Identifier: Apache-2.0
// Vulkan's functions, found at run time: a machine without a loader still runs the rest of the library.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include <blendr/compute/plan.hpp>

// clang-format off
#define BLENDR_VK_GLOBAL(X)                                                                        \
    X(CreateInstance) X(EnumerateInstanceVersion) X(EnumerateInstanceLayerProperties)

#define BLENDR_VK_INSTANCE(X)                                                                      \
    X(DestroyInstance)                                                                             \
    X(EnumeratePhysicalDevices)                                                                    \
    X(GetPhysicalDeviceProperties)                                                                 \
    X(GetPhysicalDeviceProperties2)                                                                \
    X(GetPhysicalDeviceFeatures2) X(GetPhysicalDeviceMemoryProperties2)                            \
        X(GetPhysicalDeviceQueueFamilyProperties) X(EnumerateDeviceExtensionProperties)            \
            X(CreateDevice) X(GetDeviceProcAddr)

#define BLENDR_VK_DEVICE(X)                                                                        \
    X(DestroyDevice)                                                                               \
    X(GetDeviceQueue)                                                                              \
    X(CreateCommandPool)                                                                           \
    X(DestroyCommandPool)                                                                          \
    X(AllocateCommandBuffers) X(ResetCommandPool) X(BeginCommandBuffer) X(EndCommandBuffer)        \
        X(QueueSubmit) X(CreateSemaphore) X(DestroySemaphore) X(WaitSemaphores) X(CreateBuffer)    \
            X(DestroyBuffer) X(GetBufferMemoryRequirements) X(AllocateMemory) X(FreeMemory)        \
                X(MapMemory) X(BindBufferMemory) X(CreateShaderModule) X(DestroyShaderModule)      \
                    X(CreateDescriptorSetLayout) X(DestroyDescriptorSetLayout)                     \
                        X(CreatePipelineLayout) X(DestroyPipelineLayout) X(CreateComputePipelines) \
                            X(DestroyPipeline) X(CreatePipelineCache) X(DestroyPipelineCache)      \
                                X(GetPipelineCacheData) X(CreateDescriptorPool)                    \
                                    X(DestroyDescriptorPool) X(AllocateDescriptorSets)             \
                                        X(ResetDescriptorPool) X(UpdateDescriptorSets)             \
                                            X(CmdBindPipeline) X(CmdBindDescriptorSets)            \
                                                X(CmdPushConstants) X(CmdDispatchBase)             \
                                                    X(CmdPipelineBarrier) X(CmdCopyBuffer)         \
                                                        X(CmdFillBuffer) X(CreateQueryPool)        \
                                                            X(DestroyQueryPool)                    \
                                                                X(CmdResetQueryPool)               \
                                                                    X(CmdWriteTimestamp)           \
                                                                        X(GetQueryPoolResults)
// clang-format on

namespace blendr::compute {

#define BLENDR_VK_MEMBER(name) PFN_vk##name name = nullptr;

struct instance_functions {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;
    BLENDR_VK_GLOBAL(BLENDR_VK_MEMBER)
    BLENDR_VK_INSTANCE(BLENDR_VK_MEMBER)
    PFN_vkCreateDebugUtilsMessengerEXT CreateDebugUtilsMessengerEXT = nullptr;
    PFN_vkDestroyDebugUtilsMessengerEXT DestroyDebugUtilsMessengerEXT = nullptr;

    bool find(PFN_vkGetInstanceProcAddr how, VkInstance of);
};

struct device_functions {
    BLENDR_VK_DEVICE(BLENDR_VK_MEMBER)
    PFN_vkGetMemoryHostPointerPropertiesEXT GetMemoryHostPointerPropertiesEXT = nullptr;

    bool find(instance_functions const& how, VkDevice of);
};

#undef BLENDR_VK_MEMBER

/// One of Vulkan's structures, with its type written in and the rest zero.
template <class T>
T typed(VkStructureType type)
{
    T made{};
    made.sType = type;
    return made;
}

/// A VkInstance, with the validation layers if asked.
class vulkan_instance {
public:
    using complaints = std::function<void(std::string_view)>;

    static result<std::unique_ptr<vulkan_instance>, failure> make(bool validation, complaints to);
    ~vulkan_instance();
    vulkan_instance(vulkan_instance const&) = delete;
    vulkan_instance& operator=(vulkan_instance const&) = delete;

    result<std::vector<VkPhysicalDevice>, failure> devices() const;

    VkInstance handle = nullptr;
    instance_functions vk{};

private:
    vulkan_instance() = default;

    complaints to_{};
    VkDebugUtilsMessengerEXT messenger_ = nullptr;
};

/// Asks the driver for everything that a plan looks at.
snapshot take_snapshot(instance_functions const& vk, VkPhysicalDevice of, std::uint32_t index);

/// "VK_ERROR_DEVICE_LOST" for those that matter, else the number.
std::string name_of(VkResult what);

}  // namespace blendr::compute
