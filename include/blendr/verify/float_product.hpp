// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <blendr/core/bytes.hpp>
#include <blendr/crypto/freivalds.hpp>

namespace blendr::verify {

/// What the check of a float product found.
struct float_finding {
    enum class kind : std::uint8_t {
        fine = 0,
        shape = 1,       ///< rows, columns and sizes do not fit each other
        not_finite = 2,  ///< an infinity or not-a-number in that row of A, B or C
        too_long = 3,    ///< so many terms in a sum that no bound holds
        wrong = 4,       ///< that row is off by more than rounding can explain
    };
    kind what{};
    std::size_t row{};
    double off{};    ///< wrong: by how much the row's check is off …
    double bound{};  ///< … and how much rounding explains at most
};

/// Checks C = A·B for 32-bit floats in O(n²), for whoever is drawn to check; never on the chain,
/// which computes without floats.
///
/// With x a vector of random signs, C·x and A·(B·x) are computed in doubles and compared row by row.
/// Whatever the order of its sums, fused or not, a product whose every operation rounds with unit
/// roundoff u is off in row i by at most
///     γ · Σⱼₖ |aᵢₖ||bₖⱼ|,   γ = K u / (1 − K u),   K = columns of A,
/// and the doubles of this check add a little that is bounded in the same way. An honest product is
/// therefore never called wrong. An element that is wrong by more than twice its row's bound is found
/// in each round with a chance of at least one half, so 20 rounds miss it less than once in a
/// million; the signs come from `seed`, which the worker must not have known (the beacon).
///
/// `unit_roundoff` is 2⁻²⁴ for 32-bit floats rounded to nearest, 2⁻²³ for other roundings, 2⁻¹¹ where
/// the job allows inputs to be cut to 11 bits (tensor units).
float_finding check_float_product(crypto::matrix_view<float> a, crypto::matrix_view<float> b,
                                  crypto::matrix_view<float> c, hash256 const& seed,
                                  unsigned rounds = 20, double unit_roundoff = 0x1p-24);

}  // namespace blendr::verify
