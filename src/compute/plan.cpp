// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/plan.hpp>

#include <algorithm>
#include <cctype>
#include <optional>

namespace blendr::compute {

namespace {

constexpr version3 vulkan_min{1, 3, 0};
constexpr version3 lavapipe_min{25, 0, 7};

bool is_lavapipe(snapshot const& seen)
{
    return seen.driver == "llvmpipe" || seen.name.starts_with("llvmpipe");
}

/// The best memory type by points; nothing when none has any.
template <class Points>
std::optional<std::uint32_t> best_type(snapshot const& seen, Points points)
{
    std::optional<std::uint32_t> best;
    int most = 0;
    for (std::uint32_t i = 0; i < seen.types.size(); ++i) {
        if (seen.types[i].heap >= seen.heaps.size()) continue;
        int const now = points(seen.types[i]);
        if (now > most) best = i, most = now;
    }
    return best;
}

/// A family that computes, rather one that does nothing else.
std::optional<std::uint32_t> best_queue(snapshot const& seen)
{
    std::optional<std::uint32_t> best;
    for (std::uint32_t i = 0; i < seen.queues.size(); ++i) {
        auto const& each = seen.queues[i];
        if (!each.compute || each.queues == 0) continue;
        if (!best || (seen.queues[*best].graphics && !each.graphics)) best = i;
    }
    return best;
}

}  // namespace

std::string to_text(version3 v)
{
    return std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
}

version3 read_version(std::string_view words) noexcept
{
    auto const digit = [&](std::size_t i) {
        return i < words.size() && std::isdigit(static_cast<unsigned char>(words[i])) != 0;
    };
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!digit(i) || (i > 0 && (digit(i - 1) || words[i - 1] == '.'))) continue;
        std::array<std::uint32_t, 3> parts{};
        std::size_t at = i, found = 0;
        while (found < 3 && digit(at)) {
            for (; digit(at); ++at)
                parts[found] = std::min<std::uint32_t>(
                    parts[found] * 10 + static_cast<std::uint32_t>(words[at] - '0'), 1'000'000);
            ++found;
            if (at >= words.size() || words[at] != '.') break;
            ++at;
        }
        if (found >= 2) return {parts[0], parts[1], parts[2]};
    }
    return {};
}

result<device_plan, failure> make_plan(snapshot const& seen, wishes const& asked)
{
    auto const no = [&](fault what, std::string why) {
        return fail{failure{what, seen.name + ": " + why}};
    };
    if (seen.api < vulkan_min)
        return no(fault::too_old, "offers Vulkan " + to_text(seen.api) + ", " +
                                      to_text(vulkan_min) + " or newer is needed");
    if (is_lavapipe(seen) && seen.driver_version < lavapipe_min)
        return no(fault::wrong_driver,
                  "Mesa " + to_text(seen.driver_version) +
                      " stops counting loop iterations at 65,535 and says nothing; " +
                      to_text(lavapipe_min) + " or newer is right (cmake/setup brings one)");
    if (!seen.has.timeline_semaphores)
        return no(fault::feature_missing, "has no timeline semaphores");
    if (asked.strangers && !(seen.has.robust_access && seen.has.robust_access2))
        return no(
            fault::feature_missing,
            "does not check buffer accesses (robustBufferAccess2), which strangers' programs need");

    device_plan plan;
    auto const queue = best_queue(seen);
    if (!queue) return no(fault::feature_missing, "has no queue that computes");
    plan.queue_family = *queue;
    // On the processor the host's clock says the same, and asking the driver costs as much as small work does.
    plan.timestamps = seen.queues[*queue].timestamp_bits > 0 && seen.timestamp_ns > 0 &&
                      seen.kind != device_kind::cpu;

    // Memory of the device that the processor sees too is best only where reading it is fast.
    auto const on_device = best_type(seen, [&](auto const& t) {
        return (t.on_device ? 8
                : t.visible ? 1
                            : 0) +
               (t.on_device && t.visible && t.cached && t.coherent ? 2 : 0);
    });
    auto const up = best_type(seen, [](auto const& t) {
        return t.visible && t.coherent ? 4 + (t.on_device ? 0 : 2) + (t.cached ? 0 : 1) : 0;
    });
    auto const down = best_type(seen, [](auto const& t) {
        return t.visible && t.coherent ? 2 + (t.cached ? 4 : 0) + (t.on_device ? 0 : 1) : 0;
    });
    if (!on_device || !up || !down) return no(fault::feature_missing, "has no memory that fits");
    plan.device_type = *on_device;
    plan.upload_type = *up;
    plan.download_type = *down;
    auto const& mine = seen.types[*on_device];
    plan.shares_memory = mine.visible && mine.cached && mine.coherent && !asked.staging;
    plan.host_memory = seen.has.host_memory;
    plan.enable = seen.has;

    auto& info = plan.info;
    auto const& heap = seen.heaps[mine.heap];
    info.kind = seen.kind;
    info.name = seen.name;
    info.driver = seen.driver + " " + seen.driver_details;
    info.vendor = seen.vendor;
    info.limits = seen.limits;
    info.limits.int8 = seen.has.int8;
    info.limits.int16 = seen.has.int16;
    info.limits.int64 = seen.has.int64;
    info.limits.float16 = seen.has.float16;
    info.limits.float64 = seen.has.float64;
    info.limits.storage8 = seen.has.storage8;
    info.limits.storage16 = seen.has.storage16;
    info.memory_bytes = heap.free_bytes != 0 ? std::min(heap.bytes, heap.free_bytes) : heap.bytes;
    if (asked.memory_bytes != 0)
        info.memory_bytes = std::min(info.memory_bytes, asked.memory_bytes);
    info.buffer_bytes_max = std::min(seen.storage_range_max, seen.buffer_bytes_max);
    info.offset_alignment = std::max<std::uint64_t>(seen.offset_alignment, 1);
    info.groups_max = seen.groups_max;
    info.shares_memory = plan.shares_memory;
    return plan;
}

}  // namespace blendr::compute
