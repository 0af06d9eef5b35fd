// SPDX-License-Identifier: Apache-2.0
#include "kernels.hpp"

#include "word_avx512.hpp"

#include "field_avx512.hpp"

#include "blake2b.hpp"
#include "verify.hpp"

#include "lane_kernels.hpp"

namespace blendr::crypto::lanes {

lane_kernels const& avx512_kernels() noexcept { return kernels; }

}  // namespace blendr::crypto::lanes
