// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <blendr/core/bytes.hpp>

namespace blendr::store {

/// CRC-32C (Castagnoli): of `data` after what `before` stands for; 0 is nothing.
std::uint32_t crc32c(std::uint32_t before, bytes_view data) noexcept;

}  // namespace blendr::store
