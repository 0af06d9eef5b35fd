// SPDX-License-Identifier: Apache-2.0
#include "kernels.hpp"

#include "word_avx2.hpp"

#include "blake2b.hpp"

namespace blendr::crypto::lanes {

lane_kernels const& avx2_kernels() noexcept
{
    static constexpr lane_kernels kernels{
        .lanes = word::lanes,
        .limb_bit = nullptr,
        .limb_tight = nullptr,
        .limb_usable = nullptr,
        .blake2b = blake2b_many,
        .blake2b_packed = blake2b_packed,
        .sha512 = nullptr,
        .field = nullptr,
        .make_verifier = nullptr,
    };
    return kernels;
}

}  // namespace blendr::crypto::lanes
