// SPDX-License-Identifier: Apache-2.0
// The Vulkan device as the worker sees it: what device.hpp shows, and memory of the process as its memory.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <blendr/compute/vulkan.hpp>

#include "free_list.hpp"
#include "programs.hpp"
#include "runner.hpp"
#include "vulkan_api.hpp"

namespace blendr::compute {

class vulkan_device final : public device {
public:
    using clock = std::chrono::steady_clock;

    struct handles {
        std::unique_ptr<vulkan_instance> owned;  ///< empty when the device is somebody else's
        instance_functions vk{};
        VkPhysicalDevice physical = nullptr;
        VkDevice device = nullptr;  ///< null: make one
        VkQueue queue = nullptr;
    };

    static result<std::unique_ptr<vulkan_device>, failure> make(handles with, snapshot const& seen,
                                                                device_plan plan,
                                                                vulkan_options const& chosen,
                                                                bool strangers);
    ~vulkan_device() override;

    device_info const& info() const noexcept override { return plan_.info; }
    result<loaded, failure> load(bytes_view spirv, policy const& under, origin whose) override;
    result<memory_id, failure> allocate(std::uint64_t bytes) override;
    void release(memory_id which) noexcept override;
    outcome run(batch const& work) override;
    std::future<outcome> submit(batch work) override { return runner_.post(std::move(work)); }
    result<nothing, failure> forget() override;

    /// Memory of this process as memory of the device; nothing when the device cannot do that.
    /// Aligned to pages, zeroed by the caller, mapped until `forget` or the end.
    std::optional<memory_id> import(std::span<std::byte> pages);

    /// Whether nothing runs on it any more until `forget`.
    bool is_lost() const;

private:
    struct kernel {
        prepared what;
        VkShaderModule module = nullptr;
        std::array<VkDescriptorSetLayout, 3> sets{};
        VkPipelineLayout layout = nullptr;
        VkPipeline pipeline = nullptr;
        double ns_per_group = 0;  // 0: never measured
    };
    struct block {
        VkDeviceMemory memory = nullptr;
        std::byte* mapped = nullptr;
        std::uint32_t type = 0;
        free_list room;
    };
    struct buffer {
        VkBuffer handle = nullptr;
        std::uint64_t bytes = 0;
        block* in = nullptr;  // null: imported
        std::uint64_t at = 0;
        VkDeviceMemory imported = nullptr;
        std::byte* mapped = nullptr;
    };
    using failed = std::optional<outcome>;

    vulkan_device(handles with, snapshot const& seen, device_plan plan,
                  vulkan_options const& chosen, bool strangers);

    result<nothing, failure> open();
    result<nothing, failure> create_device();
    void close() noexcept;
    void drop_all() noexcept;
    void destroy(kernel& k) noexcept;
    void destroy(buffer& b) noexcept;
    void open_cache();
    void save_cache() const noexcept;

    result<kernel, failure> compile(prepared what);
    result<buffer, failure> make_buffer(std::uint64_t bytes, std::uint32_t type);
    result<block*, failure> block_for(VkMemoryRequirements const& needs, std::uint32_t type,
                                      std::uint64_t& at);

    // One segment: commands that are recorded, then submitted at once.
    bool recording() const noexcept { return recording_; }
    void begin();
    failed flush(clock::time_point deadline, std::uint32_t at);
    void barrier();
    failed do_upload(upload const& what, clock::time_point deadline, std::uint32_t at);
    failed do_download(download const& what, clock::time_point deadline, std::uint32_t at);
    failed do_dispatch(dispatch const& what, clock::time_point deadline, std::uint32_t at);
    failed slices(kernel& k, dispatch const& what, clock::time_point deadline, std::uint32_t at);
    void record(kernel& k, dispatch const& what, std::array<std::uint32_t, 3> first,
                std::array<std::uint32_t, 3> count, std::uint32_t at);
    failed fill_zero(buffer const& b);
    VkDescriptorSet descriptors(kernel const& k, std::uint32_t set, std::vector<part> const& bound);
    buffer const* find(part const& p, outcome& why, std::uint32_t at) const;

    handles with_;
    snapshot seen_;
    device_plan plan_;
    vulkan_options chosen_;
    bool strangers_;
    bool lost_ = false;
    bool hung_ = false;  // a submission never ended: nothing may be destroyed

    device_functions vk_{};
    VkCommandPool pool_ = nullptr;
    VkCommandBuffer commands_ = nullptr;
    VkSemaphore timeline_ = nullptr;
    std::uint64_t ticks_ = 0;
    VkQueryPool queries_ = nullptr;
    VkPipelineCache cache_ = nullptr;
    VkDescriptorPool descriptors_ = nullptr;
    std::map<std::vector<std::uint64_t>, VkDescriptorSet> sets_;
    std::size_t made_sets_ = 0, made_descriptors_ = 0;  // since the pool was last reset
    VkDescriptorSetLayout trap_layout_ = nullptr;
    VkDescriptorSetLayout empty_layout_ = nullptr;
    VkDescriptorSet trap_set_ = nullptr;
    VkDescriptorPool trap_pool_ = nullptr;
    buffer trap_words_{}, up_{}, down_{};

    bool recording_ = false;
    std::uint32_t noted_ = 0;                // trap slots in use in this segment
    std::vector<std::uint32_t> noted_at_{};  // the step of each
    std::int64_t device_ns_ = 0;
    std::int64_t segment_ns_ = 0;
    std::uint32_t slices_ = 0;
    std::uint64_t used_bytes_ = 0;

    std::mutex mutable mutex_;
    std::vector<std::unique_ptr<block>> blocks_;
    std::map<memory_id, buffer> buffers_;
    std::map<program_id, kernel> kernels_;
    std::map<hash256, program_id> known_;  // by program, policy and origin
    std::uint64_t next_id_ = 1;

    runner runner_{*this};  // last: its thread ends first
};

/// As open_vulkan, without the self-test; without an index, the best.
result<std::unique_ptr<vulkan_device>, failure>
open_vulkan_device(std::optional<std::uint32_t> index, vulkan_options const& chosen);

/// The index of the device that open_vulkan would take.
result<std::uint32_t, failure> best_vulkan_device(wishes const& asked);

}  // namespace blendr::compute
