// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <blendr/core/bytes.hpp>
#include <blendr/crypto/blake2b_lanes.hpp>
#include <blendr/crypto/cpu.hpp>
#include <blendr/crypto/verify_batch.hpp>

namespace blendr::crypto::lanes {

/// One operation on field elements, the same in every lane, for the tests of the arithmetic.
enum class field_op : std::uint8_t {
    multiply,
    square,
    add,
    subtract,
    invert,
    canonical,         ///< the unique representative below p
    factors,           ///< (a - b)(a + b), neither factor carried where the path allows that
    sums_of_products,  ///< 3ab - 2bb before any carry, the most that point formulas ask for
    negated_factor,    ///< a times -b
};

/// The bytes of one SHA-512 input: R, A and the message, in a row.
struct challenge_input {
    std::byte const* r;
    std::byte const* a;
    bytes_view message;
};

/// Verifies on one path and keeps its key tables.
class lane_verifier {
public:
    virtual ~lane_verifier() = default;
    virtual void verify(signed_bytes const* claims, std::size_t count, verdict* out) = 0;
};

/// What one family of instructions offers. Made by the file that is compiled for it.
struct lane_kernels {
    std::size_t lanes{};
    std::size_t limbs{};  ///< a field element's value is the sum of limb[i] * 2^limb_bit[i]
    unsigned char const* limb_bit{};
    std::uint64_t const* limb_tight{};   ///< what each limb of a result may be at most
    std::uint64_t const* limb_usable{};  ///< what each factor's limb may be at most

    void (*blake2b)(blake2b_start const&, bytes_view const* in, std::size_t count, hash256* out){};
    void (*blake2b_packed)(blake2b_start const&, std::byte const* in, std::size_t size,
                           std::size_t count, hash256* out){};
    void (*sha512)(challenge_input const* in, std::size_t count, std::uint8_t (*out)[64]){};
    /// a, b and out are limbs * lanes words, limb by limb.
    void (*field)(field_op, std::uint64_t const* a, std::uint64_t const* b, std::uint64_t* out){};
    lane_verifier* (*make_verifier)(std::size_t cached_keys){};
};

lane_kernels const& avx2_kernels() noexcept;
lane_kernels const& avx512_kernels() noexcept;

/// The kernels of a path, or nothing for `portable` and for what does not run here.
lane_kernels const* kernels_of(cpu path) noexcept;

}  // namespace blendr::crypto::lanes
