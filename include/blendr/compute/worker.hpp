// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <blendr/core/result.hpp>

#include <blendr/compute/device.hpp>

namespace blendr::compute {

struct worker_options {
    std::string
        executable{};  ///< empty: blendr-compute-worker beside this program, or where it was installed
    std::optional<std::uint32_t> device{};  ///< as enumerated; none: the first that fits
    std::uint64_t memory_bytes = std::uint64_t{256}
                                 << 20;  ///< of a tenant's tensors, shared with the worker
    std::uint64_t address_space_bytes = std::uint64_t{4}
                                        << 30;  ///< of the worker, its driver included
    std::chrono::seconds processor_time{3600};  ///< of one worker
    std::chrono::milliseconds start_within{20'000};
    std::chrono::milliseconds load_within{5'000};  ///< admission and the driver's compiler
    std::chrono::milliseconds grace{50};   ///< after a deadline, before the worker is killed
    std::chrono::milliseconds slice{100};  ///< long dispatches are cut to about this; at most 200
    bool in_place = true;  ///< the device works on the shared memory itself, where it can
    bool spare = true;     ///< a second process stands by, ready, and takes over from one that ends
    bool validation = false;
    std::function<void(std::string_view)> on_validation{};
};

/// What became of the workers so far.
struct worker_report {
    int process = 0;            ///< of the one that works; 0 when none does
    int spare = 0;              ///< of the one that stands by; 0 while none does
    std::uint64_t started = 0;  ///< put to work
    std::uint64_t killed = 0;   ///< because they were late
    std::uint64_t died = 0;     ///< by themselves
    std::string last{};         ///< a sentence about the last that ended before its time
};

/// A device in a process of its own, which alone holds the driver and what strangers wrote. It has no
/// network, opens no file, and runs under limits; it is killed when it is late, replaced when it dies, and
/// with every `forget`: no two tenants meet in one process. Tensors lie in memory that both share, so
/// nothing is copied on the way, and they survive the worker. Ends with this object and with this process.
class worker final : public device {
public:
    /// Starts one and lets it pass the self-test.
    static result<std::unique_ptr<worker>, failure> start(worker_options chosen = {});
    ~worker() override;

    device_info const& info() const noexcept override;
    result<loaded, failure> load(bytes_view spirv, policy const& under, origin whose) override;
    result<memory_id, failure> allocate(std::uint64_t bytes) override;
    void release(memory_id which) noexcept override;
    outcome run(batch const& work) override;
    std::future<outcome> submit(batch work) override;
    result<nothing, failure> forget() override;

    worker_report report() const;

private:
    struct impl;
    explicit worker(std::unique_ptr<impl> made);
    std::unique_ptr<impl> impl_;
};

}  // namespace blendr::compute
