// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/task_pool.hpp>

#include <blendr/compute/device.hpp>

namespace blendr::compute {

/// One dispatch, as a native kernel sees it. The buffers lie in the order of the program's bindings and
/// have at least the bytes that its reflection asks for.
struct native_call {
    std::array<std::uint32_t, 3> groups{};
    std::span<std::span<std::byte> const> buffers{};
    bytes_view push{};
    task_pool* pool{};
    std::chrono::steady_clock::time_point deadline{};

    bool late() const { return std::chrono::steady_clock::now() >= deadline; }

    template <class T>
    std::span<T> as(std::size_t which) const
    {
        auto const raw = buffers[which];
        return {reinterpret_cast<T*>(raw.data()), raw.size() / sizeof(T)};
    }
};

/// What a SPIR-V program does, in C++. It gives the same bits as the program on a correct device
/// (where it works with floats: within the program's tolerance), and returns bits of `trap`. When
/// `late()` it may stop.
struct native_kernel {
    bytes spirv;  ///< the program that it stands for
    std::function<std::uint32_t(native_call const&)> run;
};

struct native_options {
    unsigned threads = 0;  ///< 0: as many as the machine has cores
    std::uint64_t memory_bytes = std::uint64_t{4} << 30;
    std::vector<native_kernel> kernels{};  ///< beside the shipped ones
};

/// This processor without Vulkan: runs the shipped programs (kernels.hpp) and those that it is given, fast,
/// and refuses every other. Nothing that a stranger wrote runs on it.
std::unique_ptr<device> make_native_device(native_options chosen = {});

}  // namespace blendr::compute
