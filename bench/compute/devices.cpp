// SPDX-License-Identifier: Apache-2.0
// What the devices cost and yield: hardening, the worker, batches against Vulkan by hand, reading back, and the native
// matrix product against OpenBLAS where it is installed.
#include <harness.hpp>

#include <dlfcn.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <blendr/compute.hpp>
#include <compute/vulkan_device.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
namespace compute = blendr::compute;
using compute::shipped;
using word = std::uint32_t;

bytes running(std::string const& name)
{
    std::ifstream file{std::string{BLENDR_KERNELS_DIR} + "/run/" + name + ".spv", std::ios::binary};
    std::string const text{std::istreambuf_iterator<char>{file}, {}};
    return to_bytes(text);
}

void must(bool good)
{
    if (!good) std::abort();
}

compute::policy tolerant()
{
    compute::policy under;
    under.as = compute::profile::tolerance;
    return under;
}

std::unique_ptr<compute::device> device_here()
{
    auto made = compute::open_vulkan();
    return made ? *std::move(made) : nullptr;
}

/// A product of two n x n matrices on a device, as a sequence to run again and again.
struct product {
    compute::tensor<float> a, b, c;
    compute::program code;
    compute::sequence work;

    product(compute::device& on, word n, bool hardened)
        : a{compute::tensor<float>::make(on, std::vector<float>(n * n, 1.5F)).value()},
          b{compute::tensor<float>::make(on, std::vector<float>(n * n, 0.5F)).value()},
          c{compute::tensor<float>::make(on, n * n).value()},
          code{hardened
                   ? compute::program::stranger(on, compute::spirv_of(shipped::matmul), tolerant())
                         .value()
                   : compute::program::own(on, compute::spirv_of(shipped::matmul)).value()},
          work{on}
    {
        work.dispatch(code, compute::groups_of(shipped::matmul, n, n), {a.all(), b.all(), c.all()},
                      std::array<word, 3>{n, n, n});
        must(bool{work.run()});
    }
};

/// A window of 8 x 8 around each word: loops whose rounds stand in the program, with little in them.
struct fixed_loops {
    compute::tensor<float> words;
    compute::program code;
    compute::sequence work;

    fixed_loops(compute::device& on, bool hardened)
        : words{compute::tensor<float>::make(on, 64 * 2048).value()},
          code{hardened ? compute::program::stranger(on, running("taps"), tolerant()).value()
                        : compute::program::own(on, running("taps")).value()},
          work{on}
    {
        work.dispatch(code, {2048, 1, 1}, {words.all()});
        must(bool{work.run()});
    }
};

/// One group of 64 words, mixed once: as small as work gets.
struct small_work {
    compute::tensor<word> words;
    compute::program code;
    compute::sequence work;

    explicit small_work(compute::device& on, int times = 1)
        : words{compute::tensor<word>::make(on, 64).value()},
          code{compute::program::own(on, compute::spirv_of(shipped::mix)).value()},
          work{on}
    {
        for (int i = 0; i < times; ++i)
            work.dispatch(code, {1, 1, 1}, {words.all()}, std::array<word, 3>{64, 1, 1});
        must(bool{work.run()});
    }
};

/// The same small work as a careful person writes it: everything made before, recorded, submitted, waited for.
class by_hand {
public:
    explicit by_hand(int times) : times_{times}
    {
        using namespace compute;
        instance_ = vulkan_instance::make(false, {}).value();
        auto const index = best_vulkan_device({}).value();
        auto const physical = instance_->devices().value().at(index);
        float const priority = 1;
        auto queue = typed<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
        queue.queueCount = 1;
        queue.pQueuePriorities = &priority;
        auto f13 = typed<VkPhysicalDeviceVulkan13Features>(
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
        f13.maintenance4 = VK_TRUE;
        auto f12 = typed<VkPhysicalDeviceVulkan12Features>(
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
        f12.timelineSemaphore = VK_TRUE;
        f12.pNext = &f13;
        auto info = typed<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
        info.pNext = &f12;
        info.queueCreateInfoCount = 1;
        info.pQueueCreateInfos = &queue;
        must(instance_->vk.CreateDevice(physical, &info, nullptr, &device_) == VK_SUCCESS);
        must(vk_.find(instance_->vk, device_));
        vk_.GetDeviceQueue(device_, 0, 0, &queue_);
        auto pool = typed<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
        must(vk_.CreateCommandPool(device_, &pool, nullptr, &pool_) == VK_SUCCESS);
        auto one =
            typed<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
        one.commandPool = pool_;
        one.commandBufferCount = 1;
        must(vk_.AllocateCommandBuffers(device_, &one, &commands_) == VK_SUCCESS);
        auto type = typed<VkSemaphoreTypeCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
        type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
        auto semaphore = typed<VkSemaphoreCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO);
        semaphore.pNext = &type;
        must(vk_.CreateSemaphore(device_, &semaphore, nullptr, &timeline_) == VK_SUCCESS);
        auto buffer = typed<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
        buffer.size = 256;
        buffer.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
        must(vk_.CreateBuffer(device_, &buffer, nullptr, &buffer_) == VK_SUCCESS);
        VkMemoryRequirements needs{};
        vk_.GetBufferMemoryRequirements(device_, buffer_, &needs);
        auto memory = typed<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
        memory.allocationSize = needs.size;
        must(vk_.AllocateMemory(device_, &memory, nullptr, &memory_) == VK_SUCCESS);
        must(vk_.BindBufferMemory(device_, buffer_, memory_, 0) == VK_SUCCESS);
        VkDescriptorSetLayoutBinding const slot{0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
                                                VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
        auto layout = typed<VkDescriptorSetLayoutCreateInfo>(
            VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
        layout.bindingCount = 1;
        layout.pBindings = &slot;
        must(vk_.CreateDescriptorSetLayout(device_, &layout, nullptr, &set_layout_) == VK_SUCCESS);
        VkPushConstantRange const push{VK_SHADER_STAGE_COMPUTE_BIT, 0, 12};
        auto whole =
            typed<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
        whole.setLayoutCount = 1;
        whole.pSetLayouts = &set_layout_;
        whole.pushConstantRangeCount = 1;
        whole.pPushConstantRanges = &push;
        must(vk_.CreatePipelineLayout(device_, &whole, nullptr, &layout_) == VK_SUCCESS);
        auto const spirv = spirv_of(shipped::mix);
        std::vector<word> words(spirv.size() / 4);
        std::memcpy(words.data(), spirv.data(), spirv.size());
        auto module = typed<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
        module.codeSize = spirv.size();
        module.pCode = words.data();
        must(vk_.CreateShaderModule(device_, &module, nullptr, &module_) == VK_SUCCESS);
        auto pipeline =
            typed<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
        pipeline.flags = VK_PIPELINE_CREATE_DISPATCH_BASE;
        pipeline.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
        pipeline.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
        pipeline.stage.module = module_;
        pipeline.stage.pName = "main";
        pipeline.layout = layout_;
        must(vk_.CreateComputePipelines(device_, nullptr, 1, &pipeline, nullptr, &pipeline_) ==
             VK_SUCCESS);
        VkDescriptorPoolSize const size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1};
        auto sets =
            typed<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
        sets.maxSets = 1;
        sets.poolSizeCount = 1;
        sets.pPoolSizes = &size;
        must(vk_.CreateDescriptorPool(device_, &sets, nullptr, &sets_) == VK_SUCCESS);
        auto take =
            typed<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
        take.descriptorPool = sets_;
        take.descriptorSetCount = 1;
        take.pSetLayouts = &set_layout_;
        must(vk_.AllocateDescriptorSets(device_, &take, &set_) == VK_SUCCESS);
        VkDescriptorBufferInfo const seen{buffer_, 0, 256};
        auto write = typed<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
        write.dstSet = set_;
        write.descriptorCount = 1;
        write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        write.pBufferInfo = &seen;
        vk_.UpdateDescriptorSets(device_, 1, &write, 0, nullptr);
    }
    ~by_hand()
    {
        vk_.DestroyDescriptorPool(device_, sets_, nullptr);
        vk_.DestroyPipeline(device_, pipeline_, nullptr);
        vk_.DestroyShaderModule(device_, module_, nullptr);
        vk_.DestroyPipelineLayout(device_, layout_, nullptr);
        vk_.DestroyDescriptorSetLayout(device_, set_layout_, nullptr);
        vk_.DestroyBuffer(device_, buffer_, nullptr);
        vk_.FreeMemory(device_, memory_, nullptr);
        vk_.DestroySemaphore(device_, timeline_, nullptr);
        vk_.DestroyCommandPool(device_, pool_, nullptr);
        vk_.DestroyDevice(device_, nullptr);
    }
    by_hand(by_hand const&) = delete;
    by_hand& operator=(by_hand const&) = delete;

    void run()
    {
        using compute::typed;
        vk_.ResetCommandPool(device_, pool_, 0);
        auto begin = typed<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
        vk_.BeginCommandBuffer(commands_, &begin);
        vk_.CmdBindPipeline(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline_);
        vk_.CmdBindDescriptorSets(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, layout_, 0, 1, &set_,
                                  0, nullptr);
        std::array<word, 3> const push{64, 1, 1};
        vk_.CmdPushConstants(commands_, layout_, VK_SHADER_STAGE_COMPUTE_BIT, 0, 12, push.data());
        for (int i = 0; i < times_; ++i) {
            vk_.CmdDispatchBase(commands_, 0, 0, 0, 1, 1, 1);
            auto barrier = typed<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
            barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
            barrier.dstAccessMask =
                VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_HOST_READ_BIT;
            vk_.CmdPipelineBarrier(commands_, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                                   VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT |
                                       VK_PIPELINE_STAGE_HOST_BIT,
                                   0, 1, &barrier, 0, nullptr, 0, nullptr);
        }
        vk_.EndCommandBuffer(commands_);
        ++ticks_;
        auto value =
            typed<VkTimelineSemaphoreSubmitInfo>(VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
        value.signalSemaphoreValueCount = 1;
        value.pSignalSemaphoreValues = &ticks_;
        auto info = typed<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
        info.pNext = &value;
        info.commandBufferCount = 1;
        info.pCommandBuffers = &commands_;
        info.signalSemaphoreCount = 1;
        info.pSignalSemaphores = &timeline_;
        must(vk_.QueueSubmit(queue_, 1, &info, nullptr) == VK_SUCCESS);
        auto wait = typed<VkSemaphoreWaitInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO);
        wait.semaphoreCount = 1;
        wait.pSemaphores = &timeline_;
        wait.pValues = &ticks_;
        must(vk_.WaitSemaphores(device_, &wait, ~std::uint64_t{0}) == VK_SUCCESS);
    }

private:
    int times_;
    std::unique_ptr<compute::vulkan_instance> instance_;
    compute::device_functions vk_{};
    VkDevice device_ = nullptr;
    VkQueue queue_ = nullptr;
    VkCommandPool pool_ = nullptr;
    VkCommandBuffer commands_ = nullptr;
    VkSemaphore timeline_ = nullptr;
    VkBuffer buffer_ = nullptr;
    VkDeviceMemory memory_ = nullptr;
    VkDescriptorSetLayout set_layout_ = nullptr;
    VkPipelineLayout layout_ = nullptr;
    VkShaderModule module_ = nullptr;
    VkPipeline pipeline_ = nullptr;
    VkDescriptorPool sets_ = nullptr;
    VkDescriptorSet set_ = nullptr;
    std::uint64_t ticks_ = 0;
};

options const by_wall{clock::wall, 11, 20, false};

suite const hardened{
    "compute/hardened", [](run& r) {
        auto const on = device_here();
        if (!on) return;
        product ours{*on, 512, true}, plain{*on, 512, false};
        r.compare(
            "compute/hardened/matmul", ms, [&] { must(bool{ours.work.run()}); },
            [&] { must(bool{plain.work.run()}); }, {clock::process_cpu, 11, 20, false});
        fixed_loops our_loops{*on, true}, plain_loops{*on, false};
        r.compare(
            "compute/hardened/fixed_loops", ms, [&] { must(bool{our_loops.work.run()}); },
            [&] { must(bool{plain_loops.work.run()}); }, {clock::process_cpu, 11, 20, false});
    }};

suite const tasks{"compute/tasks", [](run& r) {
                      auto const on = device_here();
                      if (!on) return;
                      for (int const times : {1, 64}) {
                          small_work ours{*on, times};
                          by_hand theirs{times};
                          r.compare(
                              "compute/tasks/" + std::to_string(times), rate("tasks/s", times),
                              [&] { must(bool{ours.work.run()}); }, [&] { theirs.run(); }, by_wall);
                      }
                  }};

suite const in_worker{"compute/worker", [](run& r) {
                          auto const on = device_here();
                          auto worker = compute::worker::start();
                          if (!on || !worker) return;
                          small_work there{**worker}, here{*on};
                          r.compare(
                              "compute/worker/task", us, [&] { must(bool{there.work.run()}); },
                              [&] { must(bool{here.work.run()}); }, by_wall);
                      }};

suite const kill_to_good{
    "compute/kill_to_good", [](run& r) {
        auto worker = compute::worker::start();
        if (!worker || !r.wants("compute/kill_to_good")) return;
        auto& on = **worker;
        auto const words = compute::tensor<word>::make(on, 64).value();
        auto const bad = compute::program::own(on, running("endless")).value();
        auto const good = compute::program::own(on, compute::spirv_of(shipped::mix)).value();
        std::vector<double> times;
        for (int i = 0; i < 9; ++i) {
            auto const zeros = std::vector<word>(64);
            compute::sequence hang{on};
            hang.upload(words, std::span<word const>{zeros})
                .dispatch(bad, {1, 1, 1}, {words.all()})
                .deadline(std::chrono::milliseconds{20});
            // The deadline and its grace have passed when this returns: the worker is dead.
            must(hang.run().what == compute::fault::timed_out);
            auto const began = std::chrono::steady_clock::now();
            must(bool{compute::sequence{on}
                          .dispatch(good, {1, 1, 1}, {words.all()}, std::array<word, 3>{64, 1, 1})
                          .run()});
            times.push_back(
                std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
                    .count());
        }
        std::nth_element(times.begin(), times.begin() + 4, times.end());
        r.report("compute/kill_to_good", times[4], "ms");
    }};

suite const read_back{"compute/read_back", [](run& r) {
                          constexpr std::size_t count = (32u << 20) / 4;
                          std::vector<word> to(count), from(count, 7);
                          for (bool const staging : {false, true}) {
                              compute::vulkan_options chosen;
                              chosen.asked.staging = staging;
                              auto made = compute::open_vulkan(chosen);
                              if (!made) return;
                              auto const t = compute::tensor<word>::make(**made, from).value();
                              compute::sequence work{**made};
                              work.download(t, std::span<word>{to});
                              r.compare(
                                  std::string{"compute/read_back/"} +
                                      (staging ? "staged" : "shared"),
                                  rate("GB/s", 4e-9 * count), [&] { must(bool{work.run()}); },
                                  [&] {
                                      std::memcpy(to.data(), from.data(), 4 * count);
                                      keep(to[1]);
                                  },
                                  by_wall);
                          }
                      }};

suite const native{"compute/native", [](run& r) {
                       using sgemm = void (*)(int, int, int, int, int, int, float, float const*,
                                              int, float const*, int, float, float*, int);
                       auto* const blas = ::dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
                       auto const theirs =
                           blas != nullptr ? reinterpret_cast<sgemm>(::dlsym(blas, "cblas_sgemm"))
                                           : nullptr;
                       task_pool pool;
                       for (word const n : {256u, 1024u}) {
                           std::vector<float> a(n * n, 1.5F), b(n * n, 0.5F), c(n * n);
                           auto const name = "compute/native/matmul/" + std::to_string(n);
                           auto const ours = [&] {
                               compute::matmul(pool, n, n, n, a.data(), b.data(), c.data());
                               keep(c[1]);
                           };
                           auto const flops = rate("GF/s", 2e-9 * n * n * n);
                           if (theirs == nullptr) {
                               r.figure(name, flops, ours, by_wall);
                               continue;
                           }
                           auto const size = static_cast<int>(n);
                           r.compare(
                               name, flops, ours,
                               [&] {
                                   theirs(101, 111, 111, size, size, size, 1, a.data(), size,
                                          b.data(), size, 0, c.data(), size);
                                   keep(c[1]);
                               },
                               by_wall);
                       }
                   }};

}  // namespace
