// SPDX-License-Identifier: Apache-2.0
#include "gemm_tile.hpp"

namespace blendr::compute {

gemm_lane gemm_lane_generic() noexcept { return make_lane<4, 2, 4>(); }

}  // namespace blendr::compute
