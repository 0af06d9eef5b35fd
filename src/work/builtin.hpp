// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
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
