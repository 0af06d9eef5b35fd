// SPDX-License-Identifier: Apache-2.0
#include "kernels.hpp"

#include "word_avx2.hpp"

#include "blake2b.hpp"

namespace blendr::crypto::lanes {

lane_kernels const& avx2_kernels() noexcept
{
    static constexpr lane_kernels kernels{
        .lanes = word::lanes,
        .blake2b = blake2b_many,
        .blake2b_packed = blake2b_packed,
    };
    return kernels;
}

}  // namespace blendr::crypto::lanes
