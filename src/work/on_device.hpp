// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <blendr/compute/device.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/work/app.hpp>

namespace blendr::work {

/// A device's fault as the run sees it: whose it is, the device's or the program's.
problem problem_of(compute::failure const& why);

/// One unit at work on a device: programs, memory that is given back at the end, and batches. The first problem stays;
/// after it nothing more is done.
class on_device {
public:
    explicit on_device(workplace const& where) : where_{where} {}
    on_device(on_device const&) = delete;
    on_device& operator=(on_device const&) = delete;
    ~on_device();

    result<compute::program_id, problem> program(bytes_view spirv, compute::profile as);

    /// Zeros, as many bytes; at least four.
    result<compute::part, problem> room(std::uint64_t bytes);

    /// Writes down steps; `run` does them. What they refer to must stay until then.
    void upload(compute::part const& to, bytes_view from);
    void download(compute::part const& from, std::span<std::byte> to);
    template <class Push>
        requires std::is_trivially_copyable_v<Push>
    void dispatch(compute::program_id what, std::array<std::uint32_t, 3> groups,
                  std::vector<compute::part> bound, Push const& push)
    {
        bytes raw(sizeof(Push));
        std::memcpy(raw.data(), &push, sizeof(Push));
        steps_.steps.emplace_back(
            compute::dispatch{what, groups, std::move(bound), std::move(raw)});
    }
    result<nothing, problem> run();

private:
    workplace const& where_;
    compute::batch steps_{};
    std::vector<compute::memory_id> memory_{};
};

/// How many groups of `each` cover `all`.
constexpr std::uint32_t groups_for(std::uint64_t all, std::uint32_t each) noexcept
{
    return static_cast<std::uint32_t>((all + each - 1) / each);
}

template <class T>
bytes_view view_of(std::vector<T> const& values)
{
    return std::as_bytes(std::span{values});
}
template <class T>
std::span<std::byte> room_of(std::vector<T>& values)
{
    return std::as_writable_bytes(std::span{values});
}

/// Numbers out of bytes that need not be aligned.
template <class T>
std::vector<T> numbers_in(bytes_view raw)
{
    std::vector<T> out(raw.size() / sizeof(T));
    if (!out.empty()) std::memcpy(out.data(), raw.data(), out.size() * sizeof(T));
    return out;
}

}  // namespace blendr::work
