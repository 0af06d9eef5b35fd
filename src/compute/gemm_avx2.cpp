// SPDX-License-Identifier: Apache-2.0
#include "gemm_tile.hpp"

namespace blendr::compute {

gemm_lane gemm_lane_avx2() noexcept { return make_lane<6, 2, 8>(); }

}  // namespace blendr::compute
