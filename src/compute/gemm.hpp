// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace blendr::compute {

/// The inner product of packed panels: rows x columns of C += A B, over `depth`.
/// A lies depth by `rows` values, B depth by `columns` values.
struct gemm_lane {
    std::size_t rows = 0;
    std::size_t columns = 0;
    void (*tile)(std::size_t depth, float const* a, float const* b, float* c,
                 std::size_t stride) = nullptr;
};

gemm_lane gemm_lane_generic() noexcept;
gemm_lane gemm_lane_avx2() noexcept;
gemm_lane gemm_lane_avx512() noexcept;

}  // namespace blendr::compute
