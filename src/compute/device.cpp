// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/device.hpp>

#include "programs.hpp"

namespace blendr::compute {

std::string_view message(fault what) noexcept
{
    switch (what) {
    case fault::ok:
        return "nothing is wrong";
    case fault::no_loader:
        return "no Vulkan loader is installed (libvulkan.so.1)";
    case fault::no_driver:
        return "the Vulkan loader found no driver";
    case fault::no_device:
        return "no device fits";
    case fault::wrong_driver:
        return "the driver computes wrong results";
    case fault::too_old:
        return "the driver is too old";
    case fault::feature_missing:
        return "the device lacks what every program here needs";
    case fault::no_worker:
        return "the worker process does not start";
    case fault::not_built:
        return "this library was built without Vulkan's headers";
    case fault::refused:
        return "the program is refused";
    case fault::unknown_program:
        return "the device holds no such program";
    case fault::does_not_compile:
        return "the driver cannot compile the program";
    case fault::does_not_bind:
        return "what is bound is not what the program asks for";
    case fault::grid_too_large:
        return "more groups than the device takes";
    case fault::out_of_memory:
        return "more memory than there is or is allowed";
    case fault::unknown_memory:
        return "the device holds no such memory";
    case fault::outside_memory:
        return "a part reaches beyond its memory";
    case fault::trapped:
        return "the program did what it must not";
    case fault::timed_out:
        return "the program did not end in time";
    case fault::lost:
        return "the device is lost";
    case fault::incomplete:
        return "the program left a part of its output unwritten";
    case fault::wrong_result:
        return "the result is not the right one";
    }
    return "unknown fault";
}

std::string message(failure const& f)
{
    std::string text{message(f.what)};
    if (!f.why.empty()) text += ": " + f.why;
    return text;
}

std::string traps_as_text(std::uint32_t traps)
{
    std::string text;
    auto const add = [&](trap bit, std::string_view words) {
        if ((traps & static_cast<std::uint32_t>(bit)) == 0) return;
        if (!text.empty()) text += "; ";
        text += words;
        traps &= ~static_cast<std::uint32_t>(bit);
    };
    add(trap::loop_budget, "an invocation ran out of loop iterations");
    add(trap::out_of_bounds, "an address outside of an array was formed");
    add(trap::unreachable, "it went where it had promised not to");
    if (traps != 0)
        text += (text.empty() ? "" : "; ") + std::string{"bits that mean nothing are set"};
    return text;
}

outcome check_dispatch(reflection const& needs, dispatch const& what, device_info const& info,
                       std::uint32_t at)
{
    if (what.bound.size() != needs.bindings.size())
        return {fault::does_not_bind, 0, at,
                std::to_string(what.bound.size()) + " parts are bound, the program has " +
                    std::to_string(needs.bindings.size()) + " bindings"};
    for (std::size_t i = 0; i < what.bound.size(); ++i) {
        auto const& part = what.bound[i];
        auto const& binding = needs.bindings[i];
        if (part.bytes < binding.bytes_min() || part.bytes > info.buffer_bytes_max)
            return {fault::does_not_bind, 0, at,
                    "set " + std::to_string(binding.set) + " slot " + std::to_string(binding.slot) +
                        " takes " + std::to_string(binding.bytes_min()) + " to " +
                        std::to_string(info.buffer_bytes_max) + " bytes, not " +
                        std::to_string(part.bytes)};
        if (part.offset % info.offset_alignment != 0)
            return {fault::does_not_bind, 0, at,
                    "an offset is no multiple of " + std::to_string(info.offset_alignment)};
    }
    if (what.push.size() != needs.push_bytes)
        return {fault::does_not_bind, 0, at,
                std::to_string(what.push.size()) + " bytes of push constants, the program takes " +
                    std::to_string(needs.push_bytes)};
    for (std::size_t k = 0; k < 3; ++k)
        if (what.groups[k] > info.groups_max[k])
            return {fault::grid_too_large, 0, at,
                    std::to_string(what.groups[k]) + " groups along an axis that takes " +
                        std::to_string(info.groups_max[k])};
    return {};
}

}  // namespace blendr::compute
