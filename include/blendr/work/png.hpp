// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <blendr/core/bytes.hpp>

namespace blendr::work {

/// A PNG file of these pixels, three bytes each (red, green, blue), row by row from the top.
/// rgb.size() must be 3 × width × height, and neither side 0.
bytes png_of(std::uint32_t width, std::uint32_t height, bytes_view rgb);

}  // namespace blendr::work
