// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include <blendr/core/bytes.hpp>
#include <blendr/core/task_pool.hpp>

namespace blendr::compute {

/// The programs that come with the library: SPIR-V for any device, and C++ for the native one. Each takes
/// its sizes as push constants (32-bit words) and traps on buffers that are too short.
enum class shipped : std::uint8_t {
    saxpy = 1,       ///< 0: x, 1: y += a x.  push: n, a (float)
    matmul = 2,      ///< 0: A (m,k), 1: B (k,n), 2: C (m,n), floats by rows.  push: m, n, k
    matmul_i32 = 3,  ///< the same in 32-bit integers modulo 2^32
    mix = 4,         ///< 0: words, each mixed `rounds` times with its index.  push: n, rounds, seed
    fill =
        5,  ///< 0: columns of 64 words, each word made from the one above it.  push: columns, seed
    chase =
        6,  ///< 0: what `fill` made, 1: a word a walker, after `steps` reads, each of which says where
            ///  the next one goes.  push: columns, walkers, steps, seed
};

/// The program's bytes. They live as long as the process.
bytes_view spirv_of(shipped which) noexcept;
std::string_view name_of(shipped which) noexcept;

/// How many groups along x, y, z cover so many elements: for `matmul` rows and columns of C.
std::array<std::uint32_t, 3> groups_of(shipped which, std::uint32_t elements,
                                       std::uint32_t columns = 1) noexcept;

/// C = A B for matrices of floats by rows, on the pool's threads: packed panels and the widest vector
/// instructions that the processor has. Sums are taken in another order than a naive loop's.
void matmul(task_pool& pool, std::uint32_t m, std::uint32_t n, std::uint32_t k, float const* a,
            float const* b, float* c);

}  // namespace blendr::compute
