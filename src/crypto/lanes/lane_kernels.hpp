// SPDX-License-Identifier: Apache-2.0
// The table of kernels of the instructions that this is compiled for. Included last.
#pragma once

#include "kernels.hpp"
#include "verify.hpp"

namespace blendr::crypto::lanes {
namespace {

inline element load_limbs(std::uint64_t const* from)
{
    element out;
    for (std::size_t i = 0; i < limbs; ++i) out.v[i] = word::load(from + i * lanes).v;
    return out;
}

inline void field(field_op what, std::uint64_t const* a, std::uint64_t const* b, std::uint64_t* out)
{
    element const x = load_limbs(a), y = load_limbs(b);
    element result = x;
    switch (what) {
    case field_op::multiply:
        result = multiply(x, y);
        break;
    case field_op::square:
        result = square(x);
        break;
    case field_op::add:
        result = add(x, y);
        break;
    case field_op::subtract:
        result = subtract(x, y);
        break;
    case field_op::invert:
        result = inverse(x);
        break;
    case field_op::canonical:
        result = canonical(x);
        break;
    case field_op::factors:
        result = multiply(difference_factor(x, y), sum_factor(x, y));
        break;
    case field_op::negated_factor:
        result = multiply(x, negated(y));
        break;
    case field_op::sums_of_products: {
        wide const xy = multiply_wide(x, y), yy = square_wide(y);
        result = carry(subtract(add(add(xy, xy), xy), add(yy, yy)));
        break;
    }
    }
    for (std::size_t i = 0; i < limbs; ++i) word{result.v[i]}.store(out + i * lanes);
}

inline lane_verifier* make_verifier(std::size_t cached_keys) { return new verifier{cached_keys}; }

constexpr lane_kernels kernels{
    .lanes = lanes,
    .limbs = limbs,
    .limb_bit = limb_bit,
    .limb_tight = limb_tight,
    .limb_usable = limb_usable,
    .blake2b = blake2b_many,
    .blake2b_packed = blake2b_packed,
    .sha512 = sha512_many,
    .field = field,
    .make_verifier = make_verifier,
};

}  // namespace
}  // namespace blendr::crypto::lanes
