// SPDX-License-Identifier: Apache-2.0
#include <market/offer_kernels_body.hpp>

#include <blendr/crypto/cpu.hpp>

namespace blendr::market::impl {

offer_kernels const& portable_offer_kernels() noexcept { return these; }

offer_kernels const& kernels() noexcept
{
    static offer_kernels const& best = []() -> offer_kernels const& {
        [[maybe_unused]] auto const cpu = crypto::default_cpu();
#ifdef BLENDR_HAS_AVX512
        if (cpu == crypto::cpu::avx512) return avx512_offer_kernels();
#endif
#ifdef BLENDR_HAS_AVX2
        if (cpu >= crypto::cpu::avx2) return avx2_offer_kernels();
#endif
        return portable_offer_kernels();
    }();
    return best;
}

}  // namespace blendr::market::impl
