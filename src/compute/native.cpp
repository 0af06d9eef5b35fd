// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/native.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <utility>

#include "kernels_native.hpp"
#include "programs.hpp"
#include "runner.hpp"

namespace blendr::compute {

namespace {

struct freed {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
};

class native_device final : public device {
public:
    explicit native_device(native_options chosen) : pool_{chosen.threads}
    {
        info_.kind = device_kind::native;
        info_.name = "native kernels on " + std::to_string(pool_.threads()) + " threads";
        info_.driver = "libblendr";
        info_.memory_bytes = chosen.memory_bytes;
        info_.buffer_bytes_max = chosen.memory_bytes;
        info_.offset_alignment = 4;
        info_.groups_max = {~0u, ~0u, ~0u};
        info_.shares_memory = true;
        info_.limits.local_size_max = {1024, 1024, 64};
        info_.limits.invocations_max = 1024;
        info_.limits.storage_buffers_max = 64;
        auto all = shipped_kernels();
        std::move(chosen.kernels.begin(), chosen.kernels.end(), std::back_inserter(all));
        for (auto& each : all) {
            auto made = prepare(each.spirv, policy{}, info_.limits, origin::own);
            BLENDR_ASSERT(made.has_value());  // whoever registers a kernel knows its program
            auto const hash = made->submitted;
            kernels_[hash] = kernel{std::move(made->needs), std::move(each.run)};
        }
    }

    device_info const& info() const noexcept override { return info_; }

    result<loaded, failure> load(bytes_view spirv, policy const& under, origin whose) override
    {
        auto const hash = program_hash(spirv);
        std::lock_guard const lock{mutex_};
        auto const found = kernels_.find(hash);
        if (found == kernels_.end()) {
            // Say what is wrong with the program itself before that it is not ours.
            BLENDR_CHECK(prepare(spirv, under, info_.limits, whose));
            return fail{
                failure{fault::unknown_program, "no native kernel is registered for program " +
                                                    to_hex(bytes_view{hash}.first(8))}};
        }
        auto& id = ids_[hash];
        if (id.get() == 0) {
            id = program_id{next_id_++};
            loaded_[id] = &found->second;
        }
        return loaded{id, hash, found->second.needs};
    }

    result<memory_id, failure> allocate(std::uint64_t bytes) override
    {
        std::lock_guard const lock{mutex_};
        bytes = std::max<std::uint64_t>(bytes, 4);
        if (bytes > info_.memory_bytes || used_ > info_.memory_bytes - bytes)
            return fail{failure{fault::out_of_memory,
                                std::to_string(bytes) + " bytes, " +
                                    std::to_string(info_.memory_bytes - used_) + " are left"}};
        auto const room = (bytes + 63) & ~std::uint64_t{63};
        auto at = again(room);
        if (at == nullptr && room >= bytes)
            at.reset(static_cast<std::byte*>(std::aligned_alloc(64, room)));
        if (at == nullptr) return fail{failure{fault::out_of_memory, {}}};
        std::memset(at.get(), 0, room);
        auto const id = memory_id{next_id_++};
        memory_[id] = {std::move(at), bytes, room};
        used_ += bytes;
        return id;
    }

    void release(memory_id which) noexcept override
    {
        std::lock_guard const lock{mutex_};
        auto const found = memory_.find(which);
        if (found == memory_.end()) return;
        used_ -= found->second.bytes;
        keep(std::move(found->second));
        memory_.erase(found);
    }

    outcome run(batch const& work) override
    {
        std::lock_guard const lock{mutex_};
        auto const began = std::chrono::steady_clock::now();
        auto const deadline = began + work.deadline;
        outcome ended;
        std::uint32_t at = 0;
        for (auto const& each : work.steps) {
            ended = step(each, deadline, at++, ended.slices);
            if (!ended) break;
        }
        ended.device_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                              std::chrono::steady_clock::now() - began)
                              .count();
        return ended;
    }

    std::future<outcome> submit(batch work) override { return runner_.post(std::move(work)); }

    result<nothing, failure> forget() override
    {
        std::lock_guard const lock{mutex_};
        memory_.clear();
        kept_ = {};
        loaded_.clear();
        ids_.clear();
        used_ = 0;
        return nothing{};
    }

private:
    struct kernel {
        reflection needs;
        std::function<std::uint32_t(native_call const&)> run;
    };
    struct memory {
        std::unique_ptr<std::byte, freed> at;
        std::uint64_t bytes = 0;
        std::uint64_t room = 0;  ///< what there is of it
    };
    static constexpr std::uint64_t kept_bytes_max = std::uint64_t{8} << 20;  ///< each

    /// Memory of just this size that was given back lately: one job is like the last, and pages that are mapped need not
    /// be mapped again, for which all threads of a process wait.
    std::unique_ptr<std::byte, freed> again(std::uint64_t room)
    {
        for (auto& each : kept_)
            if (each.at != nullptr && each.room == room) return std::exchange(each, {}).at;
        return nullptr;
    }
    void keep(memory of) noexcept
    {
        if (of.room > kept_bytes_max) return;
        kept_[keep_next_++ % kept_.size()] = std::move(of);
    }

    std::span<std::byte> find(part const& p, outcome& why, std::uint32_t at)
    {
        auto const found = memory_.find(p.of);
        if (found == memory_.end()) {
            why = {fault::unknown_memory, 0, at, {}};
            return {};
        }
        auto const all = found->second.bytes;
        if (p.offset > all || p.bytes > all - p.offset) {
            why = {fault::outside_memory, 0, at,
                   std::to_string(p.bytes) + " bytes at " + std::to_string(p.offset) + " of " +
                       std::to_string(all)};
            return {};
        }
        return {found->second.at.get() + p.offset, p.bytes};
    }

    outcome step(compute::step const& each, std::chrono::steady_clock::time_point deadline,
                 std::uint32_t at, std::uint32_t slices)
    {
        outcome why;
        why.slices = slices;
        if (auto const* const u = std::get_if<upload>(&each)) {
            auto const to = find(u->to, why, at);
            if (why && to.size() != u->from.size())
                return {fault::outside_memory, 0, at,
                        "the bytes to upload are not as many as the part's"};
            if (why) std::copy(u->from.begin(), u->from.end(), to.begin());
            return why;
        }
        if (auto const* const d = std::get_if<download>(&each)) {
            auto const from = find(d->from, why, at);
            if (why && from.size() != d->to.size())
                return {fault::outside_memory, 0, at,
                        "there is not as much room as the part has bytes"};
            if (why) std::copy(from.begin(), from.end(), d->to.begin());
            return why;
        }
        auto const& d = std::get<dispatch>(each);
        auto const found = loaded_.find(d.program);
        if (found == loaded_.end()) return {fault::unknown_program, 0, at, {}};
        auto const& k = *found->second;
        if (auto const bad = check_dispatch(k.needs, d, info_, at); !bad) return bad;
        std::vector<std::span<std::byte>> buffers;
        for (auto const& p : d.bound) {
            buffers.push_back(find(p, why, at));
            if (!why) return why;
        }
        if (d.groups[0] == 0 || d.groups[1] == 0 || d.groups[2] == 0) return why;
        native_call const call{d.groups, buffers, d.push, &pool_, deadline};
        auto const bits = k.run(call);
        why.slices = slices + 1;
        if (bits != 0) return {fault::trapped, bits, at, traps_as_text(bits), 0, why.slices};
        if (call.late())
            return {fault::timed_out, 0, at, "the deadline passed in step " + std::to_string(at), 0,
                    why.slices};
        return why;
    }

    task_pool pool_;
    device_info info_;
    std::mutex mutex_;
    std::map<hash256, kernel> kernels_;
    std::map<hash256, program_id> ids_;
    std::map<program_id, kernel const*> loaded_;
    std::map<memory_id, memory> memory_;
    std::array<memory, 4> kept_{};  ///< given back, with what was in them
    std::size_t keep_next_ = 0;
    std::uint64_t used_ = 0;
    std::uint64_t next_id_ = 1;
    runner runner_{*this};  // last: its thread ends first
};

}  // namespace

std::unique_ptr<device> make_native_device(native_options chosen)
{
    return std::make_unique<native_device>(std::move(chosen));
}

}  // namespace blendr::compute
