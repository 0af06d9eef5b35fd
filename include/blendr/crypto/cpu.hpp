// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace blendr::crypto {

/// Which instructions the lane kernels (verify_batch.hpp, blake2b_lanes.hpp) use. The answers are the
/// same on each; only the time differs.
enum class cpu : std::uint8_t {
    portable = 0,  ///< one at a time, by libsodium
    avx2 = 1,      ///< four lanes of 64 bits
    avx512 = 2,    ///< eight lanes of 64 bits, products by IFMA
};

inline constexpr std::array every_cpu{cpu::portable, cpu::avx2, cpu::avx512};

constexpr std::string_view name(cpu which) noexcept
{
    switch (which) {
    case cpu::portable:
        return "portable";
    case cpu::avx2:
        return "avx2";
    case cpu::avx512:
        return "avx512";
    }
    return "unknown";
}

/// Whether this build has that path and this machine can run it.
bool runs(cpu which) noexcept;

/// The path taken where none is asked for: the best that runs here, or no better than what the
/// environment variable BLENDR_CPU names (portable, avx2, avx512). Read once; an unknown word counts
/// as not set. Print `name(default_cpu())` where it matters which it was.
cpu default_cpu() noexcept;

}  // namespace blendr::crypto
