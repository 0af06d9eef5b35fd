// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/vulkan.hpp>

#if __has_include(<vulkan/vulkan.h>)

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "vulkan_api.hpp"

namespace blendr::compute {

namespace {

/// The loader, opened once and never closed: drivers leave threads behind.
PFN_vkGetInstanceProcAddr loader()
{
    static PFN_vkGetInstanceProcAddr const found = []() -> PFN_vkGetInstanceProcAddr {
        auto const chosen = [](char const* name) { return std::getenv(name) != nullptr; };
        if (!chosen("VK_DRIVER_FILES") && !chosen("VK_ICD_FILENAMES") &&
            !chosen("VK_ADD_DRIVER_FILES")) {
            if (auto const driver = embedded_driver(); !driver.empty())
                ::setenv("VK_ADD_DRIVER_FILES", driver.c_str(), 0);
        }
        auto* const library = ::dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) return nullptr;
        return reinterpret_cast<PFN_vkGetInstanceProcAddr>(
            ::dlsym(library, "vkGetInstanceProcAddr"));
    }();
    return found;
}

constexpr char const* validation_layer = "VK_LAYER_KHRONOS_validation";

VKAPI_ATTR VkBool32 VKAPI_CALL complain(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                        VkDebugUtilsMessageTypeFlagsEXT,
                                        VkDebugUtilsMessengerCallbackDataEXT const* data,
                                        void* user)
{
    auto const& to = *static_cast<vulkan_instance::complaints const*>(user);
    if (to && data != nullptr && data->pMessage != nullptr) to(data->pMessage);
    return VK_FALSE;
}

template <class T>
std::string text_of(T const& field)
{
    return {field, strnlen(field, sizeof(field))};
}

device_kind kind_of(VkPhysicalDeviceType type)
{
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return device_kind::cpu;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return device_kind::integrated;
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return device_kind::discrete;
    default:
        return device_kind::other;
    }
}

}  // namespace

std::string name_of(VkResult what)
{
    switch (what) {
    case VK_SUCCESS:
        return "VK_SUCCESS";
    case VK_TIMEOUT:
        return "VK_TIMEOUT";
    case VK_ERROR_DEVICE_LOST:
        return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
        return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
        return "VK_ERROR_INCOMPATIBLE_DRIVER";
    case VK_ERROR_INITIALIZATION_FAILED:
        return "VK_ERROR_INITIALIZATION_FAILED";
    default:
        return "VkResult " + std::to_string(static_cast<int>(what));
    }
}

bool instance_functions::find(PFN_vkGetInstanceProcAddr how, VkInstance of)
{
    GetInstanceProcAddr = how;
    bool all = true;
#define BLENDR_VK_FIND(name)                                                                       \
    name = reinterpret_cast<PFN_vk##name>(how(of, "vk" #name));                                    \
    all = all && name != nullptr;
    if (of == nullptr) {
        BLENDR_VK_GLOBAL(BLENDR_VK_FIND)
    } else {
        BLENDR_VK_INSTANCE(BLENDR_VK_FIND)
        CreateDebugUtilsMessengerEXT = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
            how(of, "vkCreateDebugUtilsMessengerEXT"));
        DestroyDebugUtilsMessengerEXT = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
            how(of, "vkDestroyDebugUtilsMessengerEXT"));
    }
#undef BLENDR_VK_FIND
    return all;
}

bool device_functions::find(instance_functions const& how, VkDevice of)
{
    bool all = true;
#define BLENDR_VK_FIND(name)                                                                       \
    name = reinterpret_cast<PFN_vk##name>(how.GetDeviceProcAddr(of, "vk" #name));                  \
    all = all && name != nullptr;
    BLENDR_VK_DEVICE(BLENDR_VK_FIND)
#undef BLENDR_VK_FIND
    GetMemoryHostPointerPropertiesEXT = reinterpret_cast<PFN_vkGetMemoryHostPointerPropertiesEXT>(
        how.GetDeviceProcAddr(of, "vkGetMemoryHostPointerPropertiesEXT"));
    return all;
}

result<std::unique_ptr<vulkan_instance>, failure> vulkan_instance::make(bool validation,
                                                                        complaints to)
{
    auto const how = loader();
    if (how == nullptr) return fail{failure{fault::no_loader, {}}};
    std::unique_ptr<vulkan_instance> made{new vulkan_instance};
    made->to_ = std::move(to);
    if (!made->vk.find(how, nullptr)) return fail{failure{fault::no_loader, "it is too old"}};
    std::uint32_t version = 0;
    made->vk.EnumerateInstanceVersion(&version);
    if (version < VK_API_VERSION_1_3)
        return fail{failure{fault::no_loader, "it is older than Vulkan 1.3"}};

    auto about = typed<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
    about.pEngineName = "libblendr";
    about.apiVersion = VK_API_VERSION_1_3;
    auto info = typed<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
    info.pApplicationInfo = &about;
    auto listen = typed<VkDebugUtilsMessengerCreateInfoEXT>(
        VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT);
    char const* const extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
    if (validation) {
        std::uint32_t count = 0;
        made->vk.EnumerateInstanceLayerProperties(&count, nullptr);
        std::vector<VkLayerProperties> layers(count);
        made->vk.EnumerateInstanceLayerProperties(&count, layers.data());
        bool const there = std::any_of(layers.begin(), layers.end(), [](auto const& each) {
            return std::strcmp(each.layerName, validation_layer) == 0;
        });
        if (!there)
            return fail{failure{fault::no_driver, "the validation layers are not installed"}};
        info.enabledLayerCount = 1;
        info.ppEnabledLayerNames = &validation_layer;
        info.enabledExtensionCount = 1;
        info.ppEnabledExtensionNames = &extension;
        listen.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
        listen.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
        listen.pfnUserCallback = complain;
        listen.pUserData = &made->to_;
        info.pNext = &listen;
    }
    if (auto const ended = made->vk.CreateInstance(&info, nullptr, &made->handle);
        ended != VK_SUCCESS) {
        made->handle = nullptr;
        return fail{failure{fault::no_driver, name_of(ended)}};
    }
    if (!made->vk.find(how, made->handle))
        return fail{failure{fault::no_driver, "it lacks functions of Vulkan 1.3"}};
    if (validation && made->vk.CreateDebugUtilsMessengerEXT != nullptr)
        made->vk.CreateDebugUtilsMessengerEXT(made->handle, &listen, nullptr, &made->messenger_);
    return made;
}

vulkan_instance::~vulkan_instance()
{
    if (handle == nullptr || vk.DestroyInstance == nullptr) return;
    if (messenger_ != nullptr) vk.DestroyDebugUtilsMessengerEXT(handle, messenger_, nullptr);
    vk.DestroyInstance(handle, nullptr);
}

result<std::vector<VkPhysicalDevice>, failure> vulkan_instance::devices() const
{
    std::uint32_t count = 0;
    if (auto const ended = vk.EnumeratePhysicalDevices(handle, &count, nullptr);
        ended != VK_SUCCESS)
        return fail{failure{fault::no_driver, name_of(ended)}};
    std::vector<VkPhysicalDevice> all(count);
    vk.EnumeratePhysicalDevices(handle, &count, all.data());
    all.resize(count);
    return all;
}

snapshot take_snapshot(instance_functions const& vk, VkPhysicalDevice of, std::uint32_t index)
{
    snapshot seen;
    seen.index = index;

    std::uint32_t count = 0;
    vk.EnumerateDeviceExtensionProperties(of, nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> extensions(count);
    vk.EnumerateDeviceExtensionProperties(of, nullptr, &count, extensions.data());
    auto const has = [&](char const* name) {
        return std::any_of(extensions.begin(), extensions.end(), [&](auto const& each) {
            return std::strcmp(each.extensionName, name) == 0;
        });
    };

    auto host = typed<VkPhysicalDeviceExternalMemoryHostPropertiesEXT>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_MEMORY_HOST_PROPERTIES_EXT);
    auto p13 = typed<VkPhysicalDeviceVulkan13Properties>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES);
    auto p12 = typed<VkPhysicalDeviceVulkan12Properties>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES);
    auto p11 = typed<VkPhysicalDeviceVulkan11Properties>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES);
    auto p = typed<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
    vk.GetPhysicalDeviceProperties(of, &p.properties);
    auto const api = p.properties.apiVersion;
    seen.api = {VK_API_VERSION_MAJOR(api), VK_API_VERSION_MINOR(api), VK_API_VERSION_PATCH(api)};
    seen.name = text_of(p.properties.deviceName);
    seen.kind = kind_of(p.properties.deviceType);
    seen.vendor = p.properties.vendorID;
    if (api < VK_API_VERSION_1_3) return seen;  // the structures below do not exist there

    p.pNext = &p11;
    p11.pNext = &p12;
    p12.pNext = &p13;
    seen.has.host_memory = has(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    if (seen.has.host_memory) p13.pNext = &host;
    vk.GetPhysicalDeviceProperties2(of, &p);
    auto const& limits = p.properties.limits;
    seen.driver = text_of(p12.driverName);
    seen.driver_details = text_of(p12.driverInfo);
    seen.driver_version = read_version(seen.driver_details);
    std::memcpy(seen.uuid.data(), p11.deviceUUID, seen.uuid.size());
    seen.limits.local_size_max = {limits.maxComputeWorkGroupSize[0],
                                  limits.maxComputeWorkGroupSize[1],
                                  limits.maxComputeWorkGroupSize[2]};
    seen.limits.invocations_max = limits.maxComputeWorkGroupInvocations;
    seen.limits.shared_bytes_max = limits.maxComputeSharedMemorySize;
    seen.limits.push_bytes_max = limits.maxPushConstantsSize;
    // A slot in the layout costs room in the device, so a program may not have as many as some offer.
    seen.limits.storage_buffers_max = std::min(
        {limits.maxPerStageDescriptorStorageBuffers, limits.maxDescriptorSetStorageBuffers, 64u});
    seen.limits.uniform_buffers_max = std::min(
        {limits.maxPerStageDescriptorUniformBuffers, limits.maxDescriptorSetUniformBuffers, 64u});
    seen.storage_range_max = limits.maxStorageBufferRange;
    seen.buffer_bytes_max = p13.maxBufferSize;
    seen.offset_alignment =
        std::max(limits.minStorageBufferOffsetAlignment, limits.minUniformBufferOffsetAlignment);
    seen.host_pointer_alignment =
        std::max<std::uint64_t>(host.minImportedHostPointerAlignment, 4096);
    seen.groups_max = {limits.maxComputeWorkGroupCount[0], limits.maxComputeWorkGroupCount[1],
                       limits.maxComputeWorkGroupCount[2]};
    seen.timestamp_ns =
        limits.timestampComputeAndGraphics != 0 ? static_cast<double>(limits.timestampPeriod) : 0;
    seen.has.float32_rounds_to_even = p12.shaderRoundingModeRTEFloat32 != 0;
    seen.has.float32_keeps_denormals = p12.shaderDenormPreserveFloat32 != 0;
    seen.has.float32_keeps_infinities = p12.shaderSignedZeroInfNanPreserveFloat32 != 0;

    auto robust = typed<VkPhysicalDeviceRobustness2FeaturesEXT>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT);
    auto f12 = typed<VkPhysicalDeviceVulkan12Features>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
    auto f11 = typed<VkPhysicalDeviceVulkan11Features>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES);
    auto f = typed<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
    f.pNext = &f11;
    f11.pNext = &f12;
    if (has(VK_EXT_ROBUSTNESS_2_EXTENSION_NAME)) f12.pNext = &robust;
    vk.GetPhysicalDeviceFeatures2(of, &f);
    seen.has.timeline_semaphores = f12.timelineSemaphore != 0;
    seen.has.robust_access = f.features.robustBufferAccess != 0;
    seen.has.robust_access2 = robust.robustBufferAccess2 != 0;
    seen.has.int8 = f12.shaderInt8 != 0;
    seen.has.int16 = f.features.shaderInt16 != 0;
    seen.has.int64 = f.features.shaderInt64 != 0;
    seen.has.float16 = f12.shaderFloat16 != 0;
    seen.has.float64 = f.features.shaderFloat64 != 0;
    seen.has.storage8 =
        f12.storageBuffer8BitAccess != 0 && f12.uniformAndStorageBuffer8BitAccess != 0;
    seen.has.storage16 =
        f11.storageBuffer16BitAccess != 0 && f11.uniformAndStorageBuffer16BitAccess != 0;

    seen.has.memory_budget = has(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    auto budget = typed<VkPhysicalDeviceMemoryBudgetPropertiesEXT>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
    auto memory = typed<VkPhysicalDeviceMemoryProperties2>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
    if (seen.has.memory_budget) memory.pNext = &budget;
    vk.GetPhysicalDeviceMemoryProperties2(of, &memory);
    for (std::uint32_t i = 0; i < memory.memoryProperties.memoryHeapCount; ++i) {
        auto const& heap = memory.memoryProperties.memoryHeaps[i];
        auto const free_bytes = budget.heapBudget[i] > budget.heapUsage[i]
                                    ? budget.heapBudget[i] - budget.heapUsage[i]
                                    : 0;
        seen.heaps.push_back({heap.size, seen.has.memory_budget ? free_bytes : 0,
                              (heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0});
    }
    for (std::uint32_t i = 0; i < memory.memoryProperties.memoryTypeCount; ++i) {
        auto const& type = memory.memoryProperties.memoryTypes[i];
        auto const flag = [&](VkMemoryPropertyFlags bit) {
            return (type.propertyFlags & bit) != 0;
        };
        seen.types.push_back({type.heapIndex, flag(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT),
                              flag(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT),
                              flag(VK_MEMORY_PROPERTY_HOST_COHERENT_BIT),
                              flag(VK_MEMORY_PROPERTY_HOST_CACHED_BIT)});
    }
    vk.GetPhysicalDeviceQueueFamilyProperties(of, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vk.GetPhysicalDeviceQueueFamilyProperties(of, &count, families.data());
    for (auto const& each : families)
        seen.queues.push_back({each.queueCount, (each.queueFlags & VK_QUEUE_COMPUTE_BIT) != 0,
                               (each.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0,
                               each.timestampValidBits});
    return seen;
}

result<std::vector<snapshot>, failure> enumerate_vulkan()
{
    BLENDR_TRY(auto const instance, vulkan_instance::make(false, {}));
    BLENDR_TRY(auto const devices, instance->devices());
    std::vector<snapshot> all;
    for (auto const each : devices)
        all.push_back(take_snapshot(instance->vk, each, static_cast<std::uint32_t>(all.size())));
    return all;
}

}  // namespace blendr::compute

#else

namespace blendr::compute {

result<std::vector<snapshot>, failure> enumerate_vulkan()
{
    return fail{failure{fault::not_built, {}}};
}

}  // namespace blendr::compute

#endif

#include <cstdlib>
#include <filesystem>

namespace blendr::compute {

std::string embedded_driver()
{
    namespace fs = std::filesystem;
    fs::path home;
    if (char const* const data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/')
        home = data;
    else if (char const* const user = std::getenv("HOME"); user != nullptr && *user == '/')
        home = fs::path{user} / ".local/share";
    else
        return {};
    auto const file = home / "blendr/lavapipe/lvp_icd.json";
    std::error_code ignored;
    return fs::exists(file, ignored) ? file.string() : std::string{};
}

}  // namespace blendr::compute
