// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/vulkan.hpp>
#include <blendr/compute/vulkan_interop.hpp>

#if __has_include(<vulkan/vulkan.h>)

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <blendr/compute/self_test.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>

#include "vulkan_device.hpp"

namespace blendr::compute {

namespace {

constexpr std::uint64_t block_bytes = std::uint64_t{32} << 20;
constexpr std::uint64_t staging_bytes = std::uint64_t{8} << 20;
constexpr std::uint32_t trap_slots = 256;
constexpr std::uint32_t descriptor_sets = 512;
constexpr std::uint64_t unsliced_groups = 16;  // of a program whose cost nobody knows yet

inline constexpr crypto::domain cache_domain{"compute.cache/1"};
inline constexpr crypto::domain known_domain{"compute.load/1"};

std::uint64_t trap_stride(std::uint64_t alignment)
{
    return std::max<std::uint64_t>(alignment, 64);
}

std::uint64_t total(std::array<std::uint32_t, 3> const& groups)
{
    // Each axis has at most 32 bits; the product is only compared, so it may stop at 2^63.
    auto const xy = std::uint64_t{groups[0]} * groups[1];
    return groups[2] != 0 && xy > (std::uint64_t{1} << 63) / groups[2] ? std::uint64_t{1} << 63
                                                                       : xy * groups[2];
}

fault fault_of(VkResult what)
{
    return what == VK_ERROR_OUT_OF_HOST_MEMORY || what == VK_ERROR_OUT_OF_DEVICE_MEMORY
               ? fault::out_of_memory
               : fault::lost;
}

outcome late(std::uint32_t at)
{
    return {fault::timed_out, 0, at, "the deadline passed in step " + std::to_string(at)};
}

}  // namespace

// ---------------------------------------------------------------- making and unmaking
vulkan_device::vulkan_device(handles with, snapshot const& seen, device_plan plan,
                             vulkan_options const& chosen, bool strangers)
    : with_{std::move(with)},
      seen_{seen},
      plan_{std::move(plan)},
      chosen_{chosen},
      strangers_{strangers}
{}

result<std::unique_ptr<vulkan_device>, failure>
vulkan_device::make(handles with, snapshot const& seen, device_plan plan,
                    vulkan_options const& chosen, bool strangers)
{
    std::unique_ptr<vulkan_device> made{
        new vulkan_device{std::move(with), seen, std::move(plan), chosen, strangers}};
    BLENDR_CHECK(made->open());
    return made;
}

result<nothing, failure> vulkan_device::create_device()
{
    float const priority = 1;
    auto queue = typed<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
    queue.queueFamilyIndex = plan_.queue_family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    auto const& on = plan_.enable;
    auto const flag = [](bool value) -> VkBool32 { return value ? VK_TRUE : VK_FALSE; };
    auto robust = typed<VkPhysicalDeviceRobustness2FeaturesEXT>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT);
    robust.robustBufferAccess2 = flag(on.robust_access2);
    auto f12 = typed<VkPhysicalDeviceVulkan12Features>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
    f12.timelineSemaphore = VK_TRUE;
    f12.shaderInt8 = flag(on.int8);
    f12.shaderFloat16 = flag(on.float16);
    f12.storageBuffer8BitAccess = f12.uniformAndStorageBuffer8BitAccess = flag(on.storage8);
    auto f11 = typed<VkPhysicalDeviceVulkan11Features>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES);
    f11.storageBuffer16BitAccess = f11.uniformAndStorageBuffer16BitAccess = flag(on.storage16);
    auto f13 = typed<VkPhysicalDeviceVulkan13Features>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
    auto f = typed<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
    f13.maintenance4 = VK_TRUE;  // both are in every Vulkan 1.3 device
    f13.shaderZeroInitializeWorkgroupMemory = VK_TRUE;
    f.pNext = &f11;
    f11.pNext = &f12;
    f12.pNext = &f13;
    if (on.robust_access2) f13.pNext = &robust;
    f.features.robustBufferAccess = flag(on.robust_access);
    f.features.shaderInt16 = flag(on.int16);
    f.features.shaderInt64 = flag(on.int64);
    f.features.shaderFloat64 = flag(on.float64);
    std::vector<char const*> extensions;
    if (on.robust_access2) extensions.push_back(VK_EXT_ROBUSTNESS_2_EXTENSION_NAME);
    if (on.host_memory) extensions.push_back(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME);
    auto info = typed<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
    info.pNext = &f;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<std::uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    if (auto const ended = with_.vk.CreateDevice(with_.physical, &info, nullptr, &with_.device);
        ended != VK_SUCCESS) {
        with_.device = nullptr;
        return fail{failure{fault::no_device, name_of(ended)}};
    }
    return nothing{};
}

result<nothing, failure> vulkan_device::open()
{
    bool const ours = with_.owned != nullptr;
    if (ours) BLENDR_CHECK(create_device());
    auto const bad = [](VkResult ended) { return fail{failure{fault_of(ended), name_of(ended)}}; };
    if (!vk_.find(with_.vk, with_.device))
        return fail{failure{fault::no_driver, "it lacks functions of Vulkan 1.3"}};
    if (ours) vk_.GetDeviceQueue(with_.device, plan_.queue_family, 0, &with_.queue);
    lost_ = hung_ = false;
    ticks_ = 0;

    auto pool = typed<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
    pool.queueFamilyIndex = plan_.queue_family;
    if (auto const e = vk_.CreateCommandPool(with_.device, &pool, nullptr, &pool_)) return bad(e);
    auto one = typed<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
    one.commandPool = pool_;
    one.commandBufferCount = 1;
    if (auto const e = vk_.AllocateCommandBuffers(with_.device, &one, &commands_)) return bad(e);
    auto timeline = typed<VkSemaphoreTypeCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
    timeline.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
    auto semaphore = typed<VkSemaphoreCreateInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO);
    semaphore.pNext = &timeline;
    if (auto const e = vk_.CreateSemaphore(with_.device, &semaphore, nullptr, &timeline_))
        return bad(e);
    if (plan_.timestamps) {
        auto queries = typed<VkQueryPoolCreateInfo>(VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO);
        queries.queryType = VK_QUERY_TYPE_TIMESTAMP;
        queries.queryCount = 2;
        if (auto const e = vk_.CreateQueryPool(with_.device, &queries, nullptr, &queries_))
            return bad(e);
    }
    open_cache();

    VkDescriptorPoolSize const sizes[]{{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptor_sets * 8},
                                       {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, descriptor_sets * 2}};
    auto descriptors =
        typed<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
    descriptors.maxSets = descriptor_sets;
    descriptors.poolSizeCount = 2;
    descriptors.pPoolSizes = sizes;
    if (auto const e = vk_.CreateDescriptorPool(with_.device, &descriptors, nullptr, &descriptors_))
        return bad(e);

    auto layout =
        typed<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
    if (auto const e =
            vk_.CreateDescriptorSetLayout(with_.device, &layout, nullptr, &empty_layout_))
        return bad(e);
    VkDescriptorSetLayoutBinding const words{trap_slot, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC,
                                             1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
    layout.bindingCount = 1;
    layout.pBindings = &words;
    if (auto const e = vk_.CreateDescriptorSetLayout(with_.device, &layout, nullptr, &trap_layout_))
        return bad(e);
    VkDescriptorPoolSize const dynamic{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 1};
    descriptors.maxSets = 1;
    descriptors.poolSizeCount = 1;
    descriptors.pPoolSizes = &dynamic;
    if (auto const e = vk_.CreateDescriptorPool(with_.device, &descriptors, nullptr, &trap_pool_))
        return bad(e);
    auto take = typed<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
    take.descriptorPool = trap_pool_;
    take.descriptorSetCount = 1;
    take.pSetLayouts = &trap_layout_;
    if (auto const e = vk_.AllocateDescriptorSets(with_.device, &take, &trap_set_)) return bad(e);
    BLENDR_TRY(trap_words_, make_buffer(trap_slots * trap_stride(plan_.info.offset_alignment),
                                        plan_.download_type));
    VkDescriptorBufferInfo const seen{trap_words_.handle, 0, trap_bytes};
    auto write = typed<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    write.dstSet = trap_set_;
    write.dstBinding = trap_slot;
    write.descriptorCount = 1;
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
    write.pBufferInfo = &seen;
    vk_.UpdateDescriptorSets(with_.device, 1, &write, 0, nullptr);
    if (!plan_.shares_memory) {
        BLENDR_TRY(up_, make_buffer(staging_bytes, plan_.upload_type));
        BLENDR_TRY(down_, make_buffer(staging_bytes, plan_.download_type));
    }
    return nothing{};
}

void vulkan_device::destroy(kernel& k) noexcept
{
    if (k.pipeline != nullptr) vk_.DestroyPipeline(with_.device, k.pipeline, nullptr);
    if (k.layout != nullptr) vk_.DestroyPipelineLayout(with_.device, k.layout, nullptr);
    if (k.module != nullptr) vk_.DestroyShaderModule(with_.device, k.module, nullptr);
    for (auto const each : k.sets)
        if (each != nullptr) vk_.DestroyDescriptorSetLayout(with_.device, each, nullptr);
    k = {};
}

void vulkan_device::destroy(buffer& b) noexcept
{
    if (b.handle != nullptr) vk_.DestroyBuffer(with_.device, b.handle, nullptr);
    if (b.imported != nullptr) vk_.FreeMemory(with_.device, b.imported, nullptr);
    if (b.in != nullptr) {
        b.in->room.give(b.at);
        if (b.in->room.empty()) {
            vk_.FreeMemory(with_.device, b.in->memory, nullptr);
            std::erase_if(blocks_, [&](auto const& each) { return each.get() == b.in; });
        }
    }
    b = {};
}

/// Programs and memory of the tenant.
void vulkan_device::drop_all() noexcept
{
    for (auto& [id, each] : kernels_) destroy(each);
    for (auto& [id, each] : buffers_) destroy(each);
    kernels_.clear();
    buffers_.clear();
    known_.clear();
    sets_.clear();
    made_sets_ = made_descriptors_ = 0;
    used_bytes_ = 0;
    if (descriptors_ != nullptr) vk_.ResetDescriptorPool(with_.device, descriptors_, 0);
}

void vulkan_device::close() noexcept
{
    if (with_.device == nullptr || vk_.DestroyBuffer == nullptr) return;
    if (hung_) {
        // The driver still works on it: touching anything would block or worse.
        static_cast<void>(with_.owned.release());
        kernels_.clear();
        buffers_.clear();
        known_.clear();
        sets_.clear();
        return;
    }
    drop_all();
    destroy(trap_words_);
    destroy(up_);
    destroy(down_);
    auto const gone = [&](auto how, auto& handle) {
        if (handle != nullptr) how(with_.device, handle, nullptr);
        handle = nullptr;
    };
    gone(vk_.DestroyDescriptorPool, trap_pool_);
    gone(vk_.DestroyDescriptorPool, descriptors_);
    gone(vk_.DestroyDescriptorSetLayout, trap_layout_);
    gone(vk_.DestroyDescriptorSetLayout, empty_layout_);
    gone(vk_.DestroyPipelineCache, cache_);
    gone(vk_.DestroyQueryPool, queries_);
    gone(vk_.DestroySemaphore, timeline_);
    gone(vk_.DestroyCommandPool, pool_);
    if (with_.owned != nullptr) {
        vk_.DestroyDevice(with_.device, nullptr);
        with_.device = nullptr;
    }
}

vulkan_device::~vulkan_device()
{
    std::lock_guard const lock{mutex_};
    save_cache();
    close();
}

result<nothing, failure> vulkan_device::forget()
{
    std::lock_guard const lock{mutex_};
    if (!lost_) {
        drop_all();
        return nothing{};
    }
    if (with_.owned == nullptr)
        return fail{failure{fault::lost, "who made the device has to make another"}};
    if (hung_)
        return fail{failure{fault::lost, "a program still runs; only ending the process ends it"}};
    close();
    return open();
}

// ---------------------------------------------------------------- the cache of compiled programs
void vulkan_device::open_cache()
{
    bytes blob;
    if (!chosen_.cache_file.empty()) {
        std::ifstream file{chosen_.cache_file, std::ios::binary};
        std::string const text{std::istreambuf_iterator<char>{file}, {}};
        auto const raw = to_bytes(text);
        // hash of (driver, blob), then the blob: what another driver or a torn write left is not used
        if (raw.size() > 32) {
            crypto::hasher h{cache_domain};
            h.update(seen_.uuid).update(as_bytes(plan_.info.driver));
            h.update(bytes_view{raw}.subspan(32));
            if (equal(h.finish(), bytes_view{raw}.first(32)))
                blob.assign(raw.begin() + 32, raw.end());
        }
    }
    auto info = typed<VkPipelineCacheCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO);
    info.initialDataSize = blob.size();
    info.pInitialData = blob.data();
    if (vk_.CreatePipelineCache(with_.device, &info, nullptr, &cache_) != VK_SUCCESS)
        cache_ = nullptr;
}

void vulkan_device::save_cache() const noexcept
try {
    if (chosen_.cache_file.empty() || cache_ == nullptr || lost_) return;
    std::size_t size = 0;
    if (vk_.GetPipelineCacheData(with_.device, cache_, &size, nullptr) != VK_SUCCESS) return;
    bytes blob(size);
    if (vk_.GetPipelineCacheData(with_.device, cache_, &size, blob.data()) != VK_SUCCESS) return;
    blob.resize(size);
    crypto::hasher h{cache_domain};
    h.update(seen_.uuid).update(as_bytes(plan_.info.driver)).update(blob);
    auto const sum = h.finish();
    namespace fs = std::filesystem;
    auto const fresh = chosen_.cache_file + ".new";
    {
        std::ofstream file{fresh, std::ios::binary | std::ios::trunc};
        fs::permissions(fresh, fs::perms::owner_read | fs::perms::owner_write);
        file << as_text(sum) << as_text(blob);
        if (!file.flush()) return;
    }
    fs::rename(fresh, chosen_.cache_file);
} catch (std::exception const&) {
    // a cache that cannot be kept is made again next time
}

// ---------------------------------------------------------------- programs
result<loaded, failure> vulkan_device::load(bytes_view spirv, policy const& under, origin whose)
{
    std::lock_guard const lock{mutex_};
    if (lost_) return fail{failure{fault::lost, {}}};
    if (whose == origin::stranger && !strangers_)
        return fail{failure{fault::feature_missing,
                            "this device does not check buffer accesses for strangers"}};
    auto const submitted = program_hash(spirv);
    crypto::hasher h{known_domain};
    auto const add = [&](std::uint64_t number) { h.update(encode(number)); };
    h.update(submitted);
    for (auto const number :
         {static_cast<std::uint64_t>(whose), static_cast<std::uint64_t>(under.as),
          std::uint64_t{under.loop_budget}, under.inlined_size_max, under.private_bytes_max,
          under.value_bytes_max})
        add(number);
    auto& id = known_[h.finish()];
    if (id.get() != 0) {
        auto const& k = kernels_.at(id);
        return loaded{id, k.what.submitted, k.what.needs};
    }
    auto const key = h.finish();
    auto made = prepare(spirv, under, plan_.info.limits, whose);
    if (!made) {
        known_.erase(key);
        return fail{std::move(made).error()};
    }
    auto compiled = compile(*std::move(made));
    if (!compiled) {
        known_.erase(key);
        return fail{std::move(compiled).error()};
    }
    id = program_id{next_id_++};
    auto const& k = kernels_.emplace(id, *std::move(compiled)).first->second;
    return loaded{id, k.what.submitted, k.what.needs};
}

result<vulkan_device::kernel, failure> vulkan_device::compile(prepared what)
{
    kernel k;
    auto const bad = [&](VkResult ended) {
        destroy(k);
        return fail{failure{ended == VK_ERROR_DEVICE_LOST ? fault::lost : fault::does_not_compile,
                            name_of(ended)}};
    };
    std::array<std::vector<VkDescriptorSetLayoutBinding>, 3> slots;
    for (auto const& each : what.needs.bindings) {
        if (each.set >= slots.size())
            return fail{failure{fault::refused, "only sets 0 to 2 are a program's"}};
        slots[each.set].push_back({each.slot,
                                   each.kind == buffer_kind::storage
                                       ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                       : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                   1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
    }
    std::array<VkDescriptorSetLayout, 4> all{};
    for (std::size_t set = 0; set < slots.size(); ++set) {
        auto info = typed<VkDescriptorSetLayoutCreateInfo>(
            VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
        info.bindingCount = static_cast<std::uint32_t>(slots[set].size());
        info.pBindings = slots[set].data();
        if (auto const e =
                vk_.CreateDescriptorSetLayout(with_.device, &info, nullptr, &k.sets[set]))
            return bad(e);
        all[set] = k.sets[set];
    }
    all[3] = what.traps ? trap_layout_ : empty_layout_;
    VkPushConstantRange const push{VK_SHADER_STAGE_COMPUTE_BIT, 0,
                                   static_cast<std::uint32_t>(what.needs.push_bytes)};
    auto layout = typed<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
    layout.setLayoutCount = 4;
    layout.pSetLayouts = all.data();
    layout.pushConstantRangeCount = what.needs.push_bytes != 0 ? 1 : 0;
    layout.pPushConstantRanges = &push;
    if (auto const e = vk_.CreatePipelineLayout(with_.device, &layout, nullptr, &k.layout))
        return bad(e);
    std::vector<std::uint32_t> words(what.code.size() / 4);
    std::memcpy(words.data(), what.code.data(), words.size() * 4);
    auto module = typed<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
    module.codeSize = words.size() * 4;
    module.pCode = words.data();
    if (auto const e = vk_.CreateShaderModule(with_.device, &module, nullptr, &k.module))
        return bad(e);
    auto pipeline =
        typed<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
    pipeline.flags = VK_PIPELINE_CREATE_DISPATCH_BASE;
    pipeline.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    pipeline.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    pipeline.stage.module = k.module;
    pipeline.stage.pName = what.needs.entry.c_str();
    pipeline.layout = k.layout;
    if (auto const e = vk_.CreateComputePipelines(with_.device, what.traps ? nullptr : cache_, 1,
                                                  &pipeline, nullptr, &k.pipeline))
        return bad(e);
    what.code.clear();
    k.what = std::move(what);
    return k;
}

// ---------------------------------------------------------------- memory
result<vulkan_device::block*, failure>
vulkan_device::block_for(VkMemoryRequirements const& needs, std::uint32_t type, std::uint64_t& at)
{
    if ((needs.memoryTypeBits & 1u << type) == 0)
        return fail{failure{fault::feature_missing, "buffers do not go into the planned memory"}};
    for (auto const& each : blocks_) {
        if (each->type != type) continue;
        if (auto const found = each->room.take(needs.size, needs.alignment)) {
            at = *found;
            return each.get();
        }
    }
    // Small things share a block; what is large has one of its own.
    auto const size = needs.size > block_bytes / 4 ? needs.size : block_bytes;
    auto info = typed<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    info.allocationSize = size;
    info.memoryTypeIndex = type;
    VkDeviceMemory memory = nullptr;
    if (auto const e = vk_.AllocateMemory(with_.device, &info, nullptr, &memory))
        return fail{failure{fault::out_of_memory, name_of(e)}};
    void* mapped = nullptr;
    if (type < seen_.types.size() && seen_.types[type].visible) {
        if (auto const e = vk_.MapMemory(with_.device, memory, 0, VK_WHOLE_SIZE, 0, &mapped)) {
            vk_.FreeMemory(with_.device, memory, nullptr);
            return fail{failure{fault::out_of_memory, name_of(e)}};
        }
    }
    blocks_.push_back(std::unique_ptr<block>{
        new block{memory, static_cast<std::byte*>(mapped), type, free_list{size}}});
    at = *blocks_.back()->room.take(needs.size, needs.alignment);
    return blocks_.back().get();
}

result<vulkan_device::buffer, failure> vulkan_device::make_buffer(std::uint64_t bytes,
                                                                  std::uint32_t type)
{
    buffer b;
    b.bytes = bytes;
    auto info = typed<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
    info.size = (bytes + 15) & ~std::uint64_t{15};
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    if (auto const e = vk_.CreateBuffer(with_.device, &info, nullptr, &b.handle))
        return fail{failure{fault::out_of_memory, name_of(e)}};
    VkMemoryRequirements needs{};
    vk_.GetBufferMemoryRequirements(with_.device, b.handle, &needs);
    auto in = block_for(needs, type, b.at);
    if (!in) {
        vk_.DestroyBuffer(with_.device, b.handle, nullptr);
        return fail{std::move(in).error()};
    }
    b.in = *in;
    if (auto const e = vk_.BindBufferMemory(with_.device, b.handle, b.in->memory, b.at)) {
        destroy(b);
        return fail{failure{fault::out_of_memory, name_of(e)}};
    }
    if (b.in->mapped != nullptr) b.mapped = b.in->mapped + b.at;
    return b;
}

result<memory_id, failure> vulkan_device::allocate(std::uint64_t bytes)
{
    std::lock_guard const lock{mutex_};
    if (lost_) return fail{failure{fault::lost, {}}};
    bytes = std::max<std::uint64_t>(bytes, 4);
    if (bytes > plan_.info.memory_bytes || used_bytes_ > plan_.info.memory_bytes - bytes)
        return fail{failure{fault::out_of_memory,
                            std::to_string(bytes) + " bytes, " +
                                std::to_string(plan_.info.memory_bytes - used_bytes_) +
                                " are left"}};
    BLENDR_TRY(auto b, make_buffer(bytes, plan_.device_type));
    if (b.mapped != nullptr) {
        std::memset(b.mapped, 0, bytes);
    } else if (auto const bad = fill_zero(b)) {
        destroy(b);
        return fail{failure{bad->what, bad->why}};
    }
    used_bytes_ += bytes;
    auto const id = memory_id{next_id_++};
    buffers_.emplace(id, b);
    return id;
}

vulkan_device::failed vulkan_device::fill_zero(buffer const& b)
{
    begin();
    vk_.CmdFillBuffer(commands_, b.handle, 0, VK_WHOLE_SIZE, 0);
    barrier();
    return flush(clock::now() + std::chrono::seconds{30}, 0);
}

void vulkan_device::release(memory_id which) noexcept
{
    std::lock_guard const lock{mutex_};
    auto const found = buffers_.find(which);
    if (found == buffers_.end() || lost_) return;
    used_bytes_ -= found->second.imported != nullptr ? 0 : found->second.bytes;
    std::erase_if(sets_, [&](auto const& each) {
        // sets that name it are not used again; their room comes back with the pool's next reset
        for (std::size_t i = 2; i < each.first.size(); i += 3)
            if (each.first[i] == which.get()) return true;
        return false;
    });
    destroy(found->second);
    buffers_.erase(found);
}

std::optional<memory_id> vulkan_device::import(std::span<std::byte> pages)
{
    std::lock_guard const lock{mutex_};
    if (!plan_.host_memory || vk_.GetMemoryHostPointerPropertiesEXT == nullptr || lost_)
        return std::nullopt;
    if (reinterpret_cast<std::uintptr_t>(pages.data()) % seen_.host_pointer_alignment != 0 ||
        pages.size() % seen_.host_pointer_alignment != 0 || pages.size() > seen_.buffer_bytes_max)
        return std::nullopt;
    constexpr auto handle_type = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT;
    auto fits = typed<VkMemoryHostPointerPropertiesEXT>(
        VK_STRUCTURE_TYPE_MEMORY_HOST_POINTER_PROPERTIES_EXT);
    if (vk_.GetMemoryHostPointerPropertiesEXT(with_.device, handle_type, pages.data(), &fits) !=
        VK_SUCCESS)
        return std::nullopt;
    buffer b;
    b.bytes = pages.size();
    b.mapped = pages.data();
    auto external = typed<VkExternalMemoryBufferCreateInfo>(
        VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO);
    external.handleTypes = handle_type;
    auto info = typed<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
    info.pNext = &external;
    info.size = pages.size();
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_UNIFORM_BUFFER_BIT |
                 VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    if (vk_.CreateBuffer(with_.device, &info, nullptr, &b.handle) != VK_SUCCESS)
        return std::nullopt;
    VkMemoryRequirements needs{};
    vk_.GetBufferMemoryRequirements(with_.device, b.handle, &needs);
    auto const usable = needs.memoryTypeBits & fits.memoryTypeBits;
    if (usable == 0 || needs.size > pages.size()) {
        vk_.DestroyBuffer(with_.device, b.handle, nullptr);
        return std::nullopt;
    }
    auto host = typed<VkImportMemoryHostPointerInfoEXT>(
        VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT);
    host.handleType = handle_type;
    host.pHostPointer = pages.data();
    auto take = typed<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    take.pNext = &host;
    take.allocationSize = pages.size();
    take.memoryTypeIndex = static_cast<std::uint32_t>(std::countr_zero(usable));
    if (vk_.AllocateMemory(with_.device, &take, nullptr, &b.imported) != VK_SUCCESS ||
        vk_.BindBufferMemory(with_.device, b.handle, b.imported, 0) != VK_SUCCESS) {
        destroy(b);
        return std::nullopt;
    }
    auto const id = memory_id{next_id_++};
    buffers_.emplace(id, b);
    return id;
}

vulkan_device::buffer const* vulkan_device::find(part const& p, outcome& why,
                                                 std::uint32_t at) const
{
    auto const found = buffers_.find(p.of);
    if (found == buffers_.end()) {
        why = {fault::unknown_memory, 0, at, {}};
        return nullptr;
    }
    auto const& b = found->second;
    if (p.offset > b.bytes || p.bytes > b.bytes - p.offset) {
        why = {fault::outside_memory, 0, at,
               std::to_string(p.bytes) + " bytes at " + std::to_string(p.offset) + " of " +
                   std::to_string(b.bytes)};
        return nullptr;
    }
    return &b;
}

bool vulkan_device::is_lost() const
{
    std::lock_guard const lock{mutex_};
    return lost_;
}

// ---------------------------------------------------------------- running
outcome vulkan_device::run(batch const& work)
{
    std::lock_guard const lock{mutex_};
    auto const deadline = clock::now() + work.deadline;
    if (lost_) return {fault::lost, 0, 0, "it was lost before"};
    device_ns_ = 0;
    slices_ = 0;
    failed bad;
    std::uint32_t at = 0;
    for (auto const& each : work.steps) {
        if (auto const* const u = std::get_if<upload>(&each))
            bad = do_upload(*u, deadline, at);
        else if (auto const* const d = std::get_if<dispatch>(&each))
            bad = do_dispatch(*d, deadline, at);
        else
            bad = do_download(std::get<download>(each), deadline, at);
        if (bad) break;
        ++at;
    }
    if (recording_) {
        // What was recorded before a bad step still runs: steps happen in order.
        auto last = flush(deadline, at == 0 ? 0 : at - 1);
        if (last) bad = std::move(last);
    }
    outcome ended = bad ? *std::move(bad) : outcome{};
    ended.device_ns = device_ns_;
    ended.slices = slices_;
    return ended;
}

void vulkan_device::begin()
{
    if (recording_) return;
    recording_ = true;
    noted_ = 0;
    noted_at_.clear();
    vk_.ResetCommandPool(with_.device, pool_, 0);
    auto info = typed<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
    info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    vk_.BeginCommandBuffer(commands_, &info);
    if (queries_ != nullptr) {
        vk_.CmdResetQueryPool(commands_, queries_, 0, 2);
        vk_.CmdWriteTimestamp(commands_, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, queries_, 0);
    }
}

void vulkan_device::barrier()
{
    auto all = typed<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
    all.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    all.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
                        VK_ACCESS_UNIFORM_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT |
                        VK_ACCESS_TRANSFER_WRITE_BIT | VK_ACCESS_HOST_READ_BIT;
    vk_.CmdPipelineBarrier(commands_,
                           VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
                           VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT |
                               VK_PIPELINE_STAGE_HOST_BIT,
                           0, 1, &all, 0, nullptr, 0, nullptr);
}

/// Submits what was recorded, waits for it, and reads its trap words.
vulkan_device::failed vulkan_device::flush(clock::time_point deadline, std::uint32_t at)
{
    if (!recording_) return std::nullopt;
    recording_ = false;
    if (queries_ != nullptr)
        vk_.CmdWriteTimestamp(commands_, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, queries_, 1);
    vk_.EndCommandBuffer(commands_);
    auto const stride = trap_stride(plan_.info.offset_alignment);
    for (std::uint32_t i = 0; i < noted_; ++i)
        std::memset(trap_words_.mapped + i * stride, 0, trap_bytes);

    auto const began = clock::now();
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
    auto ended = vk_.QueueSubmit(with_.queue, 1, &info, nullptr);
    if (ended == VK_SUCCESS) {
        auto const left =
            std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - clock::now()).count();
        auto wait = typed<VkSemaphoreWaitInfo>(VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO);
        wait.semaphoreCount = 1;
        wait.pSemaphores = &timeline_;
        wait.pValues = &ticks_;
        ended = vk_.WaitSemaphores(with_.device, &wait,
                                   left > 0 ? static_cast<std::uint64_t>(left) : 0);
        if (ended == VK_TIMEOUT) {
            lost_ = hung_ = true;
            return late(at);
        }
    }
    if (ended != VK_SUCCESS) {
        lost_ = true;
        return outcome{fault_of(ended), 0, at, name_of(ended)};
    }
    segment_ns_ =
        std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - began).count();
    if (queries_ != nullptr) {
        std::array<std::uint64_t, 2> ticks{};
        if (vk_.GetQueryPoolResults(with_.device, queries_, 0, 2, sizeof ticks, ticks.data(), 8,
                                    VK_QUERY_RESULT_64_BIT) == VK_SUCCESS &&
            ticks[1] >= ticks[0])
            segment_ns_ = static_cast<std::int64_t>(static_cast<double>(ticks[1] - ticks[0]) *
                                                    seen_.timestamp_ns);
    }
    device_ns_ += segment_ns_;
    for (std::uint32_t i = 0; i < noted_; ++i) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, trap_words_.mapped + i * stride, 4);
        if (bits != 0) return outcome{fault::trapped, bits, noted_at_[i], traps_as_text(bits)};
    }
    return std::nullopt;
}

vulkan_device::failed vulkan_device::do_upload(upload const& what, clock::time_point deadline,
                                               std::uint32_t at)
{
    outcome why;
    auto const* const b = find(what.to, why, at);
    if (b == nullptr) return why;
    if (what.from.size() != what.to.bytes)
        return outcome{fault::outside_memory, 0, at,
                       "the bytes to upload are not as many as the part's"};
    if (what.from.empty()) return std::nullopt;
    if (plan_.shares_memory || b->imported != nullptr) {
        if (auto bad = flush(deadline, at)) return bad;
        std::memcpy(b->mapped + what.to.offset, what.from.data(), what.from.size());
        return std::nullopt;
    }
    for (std::uint64_t done = 0; done < what.from.size(); done += staging_bytes) {
        if (auto bad = flush(deadline, at)) return bad;
        auto const now = std::min<std::uint64_t>(staging_bytes, what.from.size() - done);
        std::memcpy(up_.mapped, what.from.data() + done, now);
        begin();
        VkBufferCopy const copy{0, what.to.offset + done, now};
        vk_.CmdCopyBuffer(commands_, up_.handle, b->handle, 1, &copy);
        barrier();
    }
    return std::nullopt;
}

vulkan_device::failed vulkan_device::do_download(download const& what, clock::time_point deadline,
                                                 std::uint32_t at)
{
    outcome why;
    auto const* const b = find(what.from, why, at);
    if (b == nullptr) return why;
    if (what.to.size() != what.from.bytes)
        return outcome{fault::outside_memory, 0, at,
                       "there is not as much room as the part has bytes"};
    if (what.to.empty()) return std::nullopt;
    if (plan_.shares_memory || b->imported != nullptr) {
        if (auto bad = flush(deadline, at)) return bad;
        std::memcpy(what.to.data(), b->mapped + what.from.offset, what.to.size());
        return std::nullopt;
    }
    for (std::uint64_t done = 0; done < what.to.size(); done += staging_bytes) {
        auto const now = std::min<std::uint64_t>(staging_bytes, what.to.size() - done);
        begin();
        VkBufferCopy const copy{what.from.offset + done, 0, now};
        vk_.CmdCopyBuffer(commands_, b->handle, down_.handle, 1, &copy);
        barrier();
        if (auto bad = flush(deadline, at)) return bad;
        std::memcpy(what.to.data() + done, down_.mapped, now);
    }
    return std::nullopt;
}

vulkan_device::failed vulkan_device::do_dispatch(dispatch const& what, clock::time_point deadline,
                                                 std::uint32_t at)
{
    auto const found = kernels_.find(what.program);
    if (found == kernels_.end()) return outcome{fault::unknown_program, 0, at, {}};
    auto& k = found->second;
    outcome why = check_dispatch(k.what.needs, what, plan_.info, at);
    if (!why) return why;
    for (auto const& each : what.bound)
        if (find(each, why, at) == nullptr) return why;
    auto const groups = total(what.groups);
    if (groups == 0) return std::nullopt;
    if (clock::now() >= deadline) return late(at);
    if (made_sets_ + 3 > descriptor_sets ||
        made_descriptors_ + k.what.needs.bindings.size() > std::size_t{descriptor_sets} * 2) {
        if (auto bad = flush(deadline, at)) return bad;
        vk_.ResetDescriptorPool(with_.device, descriptors_, 0);
        sets_.clear();
        made_sets_ = made_descriptors_ = 0;
    }

    auto const slice_ns = static_cast<double>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(chosen_.slice).count());
    bool const known = k.ns_per_group > 0;
    bool const short_ = known ? k.ns_per_group * static_cast<double>(groups) <= slice_ns
                              : groups <= unsliced_groups;
    if (k.what.traps && !k.what.counts_groups && !short_) return slices(k, what, deadline, at);
    record(k, what, {0, 0, 0}, what.groups, at);
    ++slices_;
    if (noted_ == trap_slots) return flush(deadline, at);
    return std::nullopt;
}

/// Cuts the grid into boxes of about a slice's time each, as the program turns out to need.
vulkan_device::failed vulkan_device::slices(kernel& k, dispatch const& what,
                                            clock::time_point deadline, std::uint32_t at)
{
    if (auto bad = flush(deadline, at)) return bad;
    auto const& g = what.groups;
    auto const slice_ns = static_cast<double>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(chosen_.slice).count());
    std::uint64_t want = unsliced_groups;
    if (k.ns_per_group > 0)
        want = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(slice_ns / k.ns_per_group));
    std::array<std::uint32_t, 3> first{0, 0, 0};
    while (first[2] < g[2]) {
        std::array<std::uint32_t, 3> count{g[0] - first[0], 1, 1};
        auto const plane = std::uint64_t{g[0]} * g[1];
        if (first[0] != 0 || want < g[0]) {
            count[0] = static_cast<std::uint32_t>(std::min<std::uint64_t>(count[0], want));
        } else if (first[1] != 0 || want < plane) {
            count[1] =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(g[1] - first[1], want / g[0]));
        } else {
            count[1] = g[1];
            count[2] =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(g[2] - first[2], want / plane));
        }
        if (clock::now() >= deadline) return late(at);
        record(k, what, first, count, at);
        ++slices_;
        // A slice that began in time may end a little late: that is cheaper than a device given up.
        if (auto bad = flush(deadline + 2 * chosen_.slice, at)) return bad;
        auto const done = total(count);
        k.ns_per_group =
            std::max(1.0, static_cast<double>(segment_ns_) / static_cast<double>(done));
        // It grows by no more than eight times: what comes next may be slower than what was.
        // Nor does it plan beyond half of the time that is left, so that it stops by itself.
        auto const left_ns = static_cast<double>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - clock::now()).count());
        auto const room_ns = std::max(0.0, std::min(slice_ns, left_ns / 2));
        want = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(room_ns / k.ns_per_group), 1,
                                         want > ~std::uint64_t{0} / 8 ? want : want * 8);
        first[0] += count[0];
        if (first[0] == g[0]) first[0] = 0, first[1] += count[1];
        if (first[1] == g[1]) first[1] = 0, first[2] += count[2];
    }
    return std::nullopt;
}

VkDescriptorSet vulkan_device::descriptors(kernel const& k, std::uint32_t set,
                                           std::vector<part> const& bound)
{
    std::vector<std::uint64_t> key{reinterpret_cast<std::uintptr_t>(k.layout), set};
    std::vector<VkDescriptorBufferInfo> infos;
    std::vector<VkWriteDescriptorSet> writes;
    infos.reserve(bound.size());
    for (std::size_t i = 0; i < bound.size(); ++i) {
        auto const& binding = k.what.needs.bindings[i];
        if (binding.set != set) continue;
        auto const& part = bound[i];
        key.insert(key.end(), {part.of.get(), part.offset, part.bytes});
        infos.push_back({buffers_.at(part.of).handle, part.offset, part.bytes});
        auto write = typed<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
        write.dstBinding = binding.slot;
        write.descriptorCount = 1;
        write.descriptorType = binding.kind == buffer_kind::storage
                                   ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                   : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
        writes.push_back(write);
    }
    if (infos.empty()) return nullptr;
    if (auto const known = sets_.find(key); known != sets_.end()) return known->second;
    auto take = typed<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
    take.descriptorPool = descriptors_;
    take.descriptorSetCount = 1;
    take.pSetLayouts = &k.sets[set];
    VkDescriptorSet made = nullptr;
    if (vk_.AllocateDescriptorSets(with_.device, &take, &made) != VK_SUCCESS) return nullptr;
    for (std::size_t i = 0; i < writes.size(); ++i) {
        writes[i].dstSet = made;
        writes[i].pBufferInfo = &infos[i];
    }
    vk_.UpdateDescriptorSets(with_.device, static_cast<std::uint32_t>(writes.size()), writes.data(),
                             0, nullptr);
    ++made_sets_;
    made_descriptors_ += writes.size();
    return sets_.emplace(std::move(key), made).first->second;
}

void vulkan_device::record(kernel& k, dispatch const& what, std::array<std::uint32_t, 3> first,
                           std::array<std::uint32_t, 3> count, std::uint32_t at)
{
    begin();
    vk_.CmdBindPipeline(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, k.pipeline);
    for (std::uint32_t set = 0; set < 3; ++set) {
        if (auto const bound = descriptors(k, set, what.bound))
            vk_.CmdBindDescriptorSets(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, k.layout, set, 1,
                                      &bound, 0, nullptr);
    }
    if (k.what.traps) {
        auto const offset =
            static_cast<std::uint32_t>(noted_ * trap_stride(plan_.info.offset_alignment));
        vk_.CmdBindDescriptorSets(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, k.layout, trap_set, 1,
                                  &trap_set_, 1, &offset);
        ++noted_;
        noted_at_.push_back(at);
    }
    if (!what.push.empty())
        vk_.CmdPushConstants(commands_, k.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                             static_cast<std::uint32_t>(what.push.size()), what.push.data());
    vk_.CmdDispatchBase(commands_, first[0], first[1], first[2], count[0], count[1], count[2]);
    barrier();
}

// ---------------------------------------------------------------- the factories
namespace {

result<std::unique_ptr<device>, failure> open_checked(std::optional<std::uint32_t> index,
                                                      vulkan_options const& chosen)
{
    BLENDR_TRY(auto made, open_vulkan_device(index, chosen));
    BLENDR_CHECK(self_test(*made));
    return std::unique_ptr<device>{std::move(made)};
}

std::vector<snapshot> look_at(vulkan_instance const& with, std::vector<VkPhysicalDevice> const& all)
{
    std::vector<snapshot> seen;
    for (auto const each : all)
        seen.push_back(take_snapshot(with.vk, each, static_cast<std::uint32_t>(seen.size())));
    return seen;
}

result<std::uint32_t, failure> best_of(std::vector<snapshot> const& all, wishes const& asked)
{
    if (all.empty()) return fail{failure{fault::no_driver, {}}};
    failure why{fault::no_device, {}};
    for (auto const kind :
         {device_kind::discrete, device_kind::integrated, device_kind::other, device_kind::cpu}) {
        for (auto const& each : all) {
            if (each.kind != kind) continue;
            auto const plan = make_plan(each, asked);
            if (plan) return each.index;
            if (why.what == fault::no_device) why = plan.error();
        }
    }
    return fail{std::move(why)};
}

}  // namespace

result<std::unique_ptr<vulkan_device>, failure>
open_vulkan_device(std::optional<std::uint32_t> index, vulkan_options const& chosen)
{
    // One instance for looking and for opening: to load a driver takes most of the time.
    BLENDR_TRY(auto instance, vulkan_instance::make(chosen.validation, chosen.on_validation));
    BLENDR_TRY(auto const all, instance->devices());
    auto const seen = look_at(*instance, all);
    if (!index) {
        BLENDR_TRY(auto const best, best_of(seen, chosen.asked));
        index = best;
    }
    if (*index >= all.size())
        return fail{failure{all.empty() ? fault::no_driver : fault::no_device,
                            std::to_string(all.size()) + " devices are there"}};
    BLENDR_TRY(auto plan, make_plan(seen[*index], chosen.asked));
    vulkan_device::handles with;
    with.vk = instance->vk;
    with.physical = all[*index];
    with.owned = std::move(instance);
    return vulkan_device::make(std::move(with), seen[*index], std::move(plan), chosen,
                               chosen.asked.strangers);
}

result<std::uint32_t, failure> best_vulkan_device(wishes const& asked)
{
    BLENDR_TRY(auto const all, enumerate_vulkan());
    return best_of(all, asked);
}

result<std::unique_ptr<device>, failure> open_vulkan(std::uint32_t index,
                                                     vulkan_options const& chosen)
{
    return open_checked(index, chosen);
}

result<std::unique_ptr<device>, failure> open_vulkan(vulkan_options const& chosen)
{
    return open_checked(std::nullopt, chosen);
}

result<std::unique_ptr<device>, failure> adopt_vulkan(vulkan_handles const& yours, bool robust,
                                                      vulkan_options const& chosen)
{
    vulkan_device::handles with;
    auto const how = reinterpret_cast<PFN_vkGetInstanceProcAddr>(yours.get_instance_proc_addr);
    if (how == nullptr || yours.instance == nullptr || yours.physical == nullptr ||
        yours.device == nullptr || yours.queue == nullptr)
        return fail{failure{fault::no_device, "a handle is missing"}};
    if (!with.vk.find(how, yours.instance))
        return fail{failure{fault::no_driver, "it lacks functions of Vulkan 1.3"}};
    with.physical = yours.physical;
    with.device = yours.device;
    with.queue = yours.queue;
    auto const seen = take_snapshot(with.vk, yours.physical, 0);
    auto asked = chosen.asked;
    asked.strangers = robust;
    BLENDR_TRY(auto plan, make_plan(seen, asked));
    plan.queue_family = yours.queue_family;
    plan.timestamps = plan.timestamps && yours.queue_family < seen.queues.size() &&
                      seen.queues[yours.queue_family].timestamp_bits > 0;
    plan.host_memory = false;
    BLENDR_TRY(auto made,
               vulkan_device::make(std::move(with), seen, std::move(plan), chosen, robust));
    BLENDR_CHECK(self_test(*made));
    return std::unique_ptr<device>{std::move(made)};
}

}  // namespace blendr::compute

#else

namespace blendr::compute {

namespace {
auto not_built() { return fail{failure{fault::not_built, {}}}; }
}  // namespace

result<std::unique_ptr<device>, failure> open_vulkan(std::uint32_t, vulkan_options const&)
{
    return not_built();
}
result<std::unique_ptr<device>, failure> open_vulkan(vulkan_options const&) { return not_built(); }
result<std::unique_ptr<device>, failure> adopt_vulkan(vulkan_handles const&, bool,
                                                      vulkan_options const&)
{
    return not_built();
}

}  // namespace blendr::compute

#endif
