// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/cpu.hpp>

#include <cstdlib>
#include <string_view>

#include "crypto/lanes/kernels.hpp"

namespace blendr::crypto {
namespace {

cpu best(cpu at_most) noexcept
{
    for (auto which = at_most; which != cpu::portable;
         which = static_cast<cpu>(static_cast<std::uint8_t>(which) - 1))
        if (runs(which)) return which;
    return cpu::portable;
}

cpu chosen() noexcept
{
    char const* const asked = std::getenv("BLENDR_CPU");
    if (asked != nullptr)
        for (auto const which : every_cpu)
            if (name(which) == std::string_view{asked}) return best(which);
    return best(every_cpu.back());
}

}  // namespace

bool runs(cpu which) noexcept
{
    switch (which) {
    case cpu::portable:
        return true;
    case cpu::avx2:
#ifdef BLENDR_HAS_AVX2
        return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi2") != 0;
#else
        return false;
#endif
    case cpu::avx512:
#ifdef BLENDR_HAS_AVX512
        return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
               __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
               __builtin_cpu_supports("avx512ifma") != 0 &&
               __builtin_cpu_supports("avx512vbmi") != 0 && __builtin_cpu_supports("bmi2") != 0;
#else
        return false;
#endif
    }
    return false;
}

cpu default_cpu() noexcept
{
    static cpu const which = chosen();
    return which;
}

namespace lanes {

lane_kernels const* kernels_of(cpu path) noexcept
{
    if (!runs(path)) return nullptr;
#ifdef BLENDR_HAS_AVX512
    if (path == cpu::avx512) return &avx512_kernels();
#endif
#ifdef BLENDR_HAS_AVX2
    if (path == cpu::avx2) return &avx2_kernels();
#endif
    return nullptr;
}

}  // namespace lanes
}  // namespace blendr::crypto
