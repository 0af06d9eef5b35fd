// SPDX-License-Identifier: Apache-2.0
#include "gemm_tile.hpp"

namespace blendr::compute {

gemm_lane gemm_lane_avx512() noexcept { return make_lane<12, 2, 16>(); }

}  // namespace blendr::compute
