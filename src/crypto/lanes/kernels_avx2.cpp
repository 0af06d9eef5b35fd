// SPDX-License-Identifier: Apache-2.0
#include "kernels.hpp"

#include "word_avx2.hpp"

#include "field_avx2.hpp"

#include "blake2b.hpp"
#include "verify.hpp"

#include "lane_kernels.hpp"

namespace blendr::crypto::lanes {

lane_kernels const& avx2_kernels() noexcept { return kernels; }

}  // namespace blendr::crypto::lanes
