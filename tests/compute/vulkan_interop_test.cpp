// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/vulkan_interop.hpp>

#include <doctest/doctest.h>

#include "devices.hpp"
#include "kernels.hpp"

#if __has_include(<vulkan/vulkan.h>)

#include <atomic>
#include <cstring>

#include <compute/vulkan_api.hpp>

namespace {

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;
using word = std::uint32_t;

std::atomic<VkResult> submit_answers{VK_SUCCESS};
PFN_vkGetInstanceProcAddr real_instance = nullptr;
PFN_vkGetDeviceProcAddr real_device = nullptr;
PFN_vkQueueSubmit real_submit = nullptr;

VKAPI_ATTR VkResult VKAPI_CALL submit_or_not(VkQueue queue, std::uint32_t count,
                                             VkSubmitInfo const* infos, VkFence fence)
{
    auto const answer = submit_answers.load();
    return answer == VK_SUCCESS ? real_submit(queue, count, infos, fence) : answer;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice of, char const* name)
{
    auto const found = real_device(of, name);
    if (std::strcmp(name, "vkQueueSubmit") != 0) return found;
    real_submit = reinterpret_cast<PFN_vkQueueSubmit>(found);
    return reinterpret_cast<PFN_vkVoidFunction>(submit_or_not);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL instance_function(VkInstance of, char const* name)
{
    auto const found = real_instance(of, name);
    if (std::strcmp(name, "vkGetDeviceProcAddr") != 0) return found;
    real_device = reinterpret_cast<PFN_vkGetDeviceProcAddr>(found);
    return reinterpret_cast<PFN_vkVoidFunction>(device_function);
}

/// A VkDevice as a program with a renderer would have one.
class somebodys_device {
public:
    somebodys_device()
    {
        instance_ = vulkan_instance::make(false, {}).value();
        auto const& vk = instance_->vk;
        auto const all = instance_->devices().value();
        for (auto const each : all)
            if (make_plan(take_snapshot(vk, each, 0))) physical_ = each;
        REQUIRE(physical_ != nullptr);
        float const priority = 1;
        auto queue = typed<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
        queue.queueCount = 1;
        queue.pQueuePriorities = &priority;
        auto robust = typed<VkPhysicalDeviceRobustness2FeaturesEXT>(
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT);
        robust.robustBufferAccess2 = VK_TRUE;
        auto f12 = typed<VkPhysicalDeviceVulkan12Features>(
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
        f12.timelineSemaphore = VK_TRUE;
        f12.pNext = &robust;
        auto f13 = typed<VkPhysicalDeviceVulkan13Features>(
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
        f13.maintenance4 = f13.shaderZeroInitializeWorkgroupMemory = VK_TRUE;
        f13.pNext = &f12;
        auto f = typed<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
        f.features.robustBufferAccess = VK_TRUE;
        f.pNext = &f13;
        char const* const extension = VK_EXT_ROBUSTNESS_2_EXTENSION_NAME;
        auto info = typed<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
        info.pNext = &f;
        info.queueCreateInfoCount = 1;
        info.pQueueCreateInfos = &queue;
        info.enabledExtensionCount = 1;
        info.ppEnabledExtensionNames = &extension;
        REQUIRE(vk.CreateDevice(physical_, &info, nullptr, &device_) == VK_SUCCESS);
        functions_.find(vk, device_);
        functions_.GetDeviceQueue(device_, 0, 0, &queue_);
    }
    ~somebodys_device() { functions_.DestroyDevice(device_, nullptr); }
    somebodys_device(somebodys_device const&) = delete;
    somebodys_device& operator=(somebodys_device const&) = delete;

    vulkan_handles handles() const
    {
        real_instance = instance_->vk.GetInstanceProcAddr;
        return {reinterpret_cast<void*>(instance_function),
                instance_->handle,
                physical_,
                device_,
                queue_,
                0};
    }

private:
    std::unique_ptr<vulkan_instance> instance_;
    VkPhysicalDevice physical_ = nullptr;
    VkDevice device_ = nullptr;
    VkQueue queue_ = nullptr;
    device_functions functions_{};
};

}  // namespace

TEST_CASE("vulkan_interop: runs on somebody else's device, and leaves it alone")
{
    if (!vulkan_here()) return;
    somebodys_device const theirs;
    for (int i = 0; i < 2; ++i) {
        auto const on = adopt_vulkan(theirs.handles(), true);
        REQUIRE_MESSAGE(on.has_value(), message(on.error()));
        auto const x = tensor<word>::make(**on, numbers(64, 1)).value();
        CHECK(x.values().value() == numbers(64, 1));
    }
    CHECK(adopt_vulkan({}, true).error().what == fault::no_device);
}

TEST_CASE(
    "vulkan_interop: a lost device is an error of one run, and stays lost until somebody mends it")
{
    if (!vulkan_here()) return;
    somebodys_device const theirs;
    auto const on = adopt_vulkan(theirs.handles(), true).value();
    auto const words = tensor<word>::make(*on, numbers(64, 1)).value();
    auto const made = program::stranger(*on, spirv_of(shipped::mix), policy{}).value();
    sequence work{*on};
    work.dispatch(made, {1, 1, 1}, {words.all()}, std::array<word, 3>{64, 1, 1});
    CHECK(work.run());
    submit_answers = VK_ERROR_DEVICE_LOST;
    auto const ended = work.run();
    CHECK(ended.what == fault::lost);
    CHECK(ended.why == "VK_ERROR_DEVICE_LOST");
    submit_answers = VK_SUCCESS;
    CHECK(work.run().what == fault::lost);
    CHECK(on->allocate(4).error().what == fault::lost);
    CHECK(on->load(spirv_of(shipped::fill), policy{}, origin::stranger).error().what ==
          fault::lost);
    CHECK(on->forget().error().what == fault::lost);
}

#endif
