// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <blendr/core/bytes.hpp>

// What the compiled parts of crypto/ share. Never installed.

namespace blendr::crypto {

/// `start()`, for those who cannot go on without: ends the process with what is wrong.
void require_library() noexcept;

inline unsigned char* raw(std::byte* at) noexcept { return reinterpret_cast<unsigned char*>(at); }
inline unsigned char const* raw(std::byte const* at) noexcept
{
    return reinterpret_cast<unsigned char const*>(at);
}

}  // namespace blendr::crypto
