// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/work/error.hpp>

namespace blendr::work {

/// A matrix of 32-bit numbers in NumPy's file format (.npy, versions 1 and 2): rows one after the other.
struct matrix {
    bool floats = false;  ///< else signed integers
    std::uint32_t rows = 0, columns = 0;
    bytes values;
};

/// Refuses everything but two dimensions of `<f4` or `<i4` in C order, with as many bytes as they take.
result<matrix, problem> read_npy(bytes_view raw);
bytes write_npy(matrix const& what);

}  // namespace blendr::work
