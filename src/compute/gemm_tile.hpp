// SPDX-License-Identifier: Apache-2.0
// The tile that a lane's file instantiates: included once by each, so that nothing of it is shared.
#pragma once

#include <cstddef>

#include "gemm.hpp"

namespace blendr::compute {
namespace {

/// Rows x (vectors of `lanes` floats) sums stay in registers while the panels stream by.
template <std::size_t rows, std::size_t vectors, std::size_t lanes>
void gemm_tile(std::size_t depth, float const* a, float const* b, float* c, std::size_t stride)
{
    typedef float wide __attribute__((vector_size(lanes * sizeof(float)), aligned(4), may_alias));
    wide sums[rows][vectors] = {};
    for (std::size_t k = 0; k < depth; ++k) {
        wide line[vectors];
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v)
            line[v] = *reinterpret_cast<wide const*>(b + v * lanes);
#pragma GCC unroll 16
        for (std::size_t r = 0; r < rows; ++r) {
            wide const one = a[r] - wide{};
#pragma GCC unroll 16
            for (std::size_t v = 0; v < vectors; ++v) sums[r][v] += one * line[v];
        }
        a += rows;
        b += vectors * lanes;
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r)
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v)
            *reinterpret_cast<wide*>(c + r * stride + v * lanes) += sums[r][v];
}

template <std::size_t rows, std::size_t vectors, std::size_t lanes>
constexpr gemm_lane make_lane() noexcept
{
    return {rows, vectors * lanes, gemm_tile<rows, vectors, lanes>};
}

}  // namespace
}  // namespace blendr::compute
