// SPDX-License-Identifier: Apache-2.0
#include <market/offer_kernels_body.hpp>

namespace blendr::market::impl {

offer_kernels const& avx512_offer_kernels() noexcept { return these; }

}  // namespace blendr::market::impl
