// SPDX-License-Identifier: Apache-2.0
#include "on_device.hpp"

#include <algorithm>

namespace blendr::work {

problem problem_of(compute::failure const& why)
{
    using enum compute::fault;
    switch (why.what) {
    case refused:
    case does_not_bind:
    case grid_too_large:
    case unknown_memory:
    case outside_memory:
    case trapped:
    case incomplete:
        return {fault::program_failed, message(why)};
    default:  // an unknown program, too: another kind of device may know it
        return {fault::device_failed, message(why)};
    }
}

on_device::~on_device()
{
    for (auto const each : memory_) where_.on.release(each);
}

result<compute::program_id, problem> on_device::program(bytes_view spirv, compute::profile as)
{
    compute::policy under;
    under.as = as;
    under.loop_budget = 1u << 30;  // the library's own programs end; whoever is late is killed
    auto const made = where_.on.load(spirv, under, where_.as);
    if (!made) return fail{problem_of(made.error())};
    return made->id;
}

result<compute::part, problem> on_device::room(std::uint64_t bytes)
{
    bytes = std::max<std::uint64_t>(bytes, 4);
    auto const made = where_.on.allocate(bytes);
    if (!made) return fail{problem_of(made.error())};
    memory_.push_back(*made);
    return compute::part{*made, 0, bytes};
}

void on_device::upload(compute::part const& to, bytes_view from)
{
    if (!from.empty())
        steps_.steps.emplace_back(compute::upload{{to.of, to.offset, from.size()}, from});
}

void on_device::download(compute::part const& from, std::span<std::byte> to)
{
    if (!to.empty())
        steps_.steps.emplace_back(compute::download{{from.of, from.offset, to.size()}, to});
}

result<nothing, problem> on_device::run()
{
    if (where_.stop.stop_requested()) return fail{problem{fault::cancelled, {}}};
    steps_.deadline = where_.deadline;
    auto const ended = where_.on.run(steps_);
    steps_.steps.clear();
    if (!ended) return fail{problem_of(compute::failure{ended.what, ended.why})};
    return nothing{};
}

}  // namespace blendr::work
