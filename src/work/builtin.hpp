// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <blendr/compute/native.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/work/app.hpp>

// The apps that come with the library, and what stands for their programs on the native device.
namespace blendr::work {

app const& analyse_app();
app const& hash_app();
app const& matmul_app();
app const& program_app();
app const& render_app();
app const& train_app();

/// An app's exact units as small steps: what `steps.hpp` says of each. Whatever a state holds, a step returns.
struct unit_steps {
    std::string_view app;
    result<bytes, problem> (*first)(unit const& what);
    result<std::uint64_t, problem> (*count)(unit const& what);
    bytes (*step)(std::uint64_t number, bytes_view before);
    /// A first state with this result in place of none; of a size that fits.
    result<bytes, problem> (*last)(bytes_view first, bytes_view result);
};
unit_steps const& analyse_steps();
unit_steps const& hash_steps();
unit_steps const& matmul_steps();

void add_hash_kernels(std::vector<compute::native_kernel>& to);
void add_render_kernels(std::vector<compute::native_kernel>& to);
void add_train_kernels(std::vector<compute::native_kernel>& to);

template <std::size_t Size>
bytes_view program_bytes(std::array<std::uint32_t, Size> const& words)
{
    return std::as_bytes(std::span{words});
}

inline constexpr std::uint32_t out_of_bounds =
    static_cast<std::uint32_t>(compute::trap::out_of_bounds);

}  // namespace blendr::work
