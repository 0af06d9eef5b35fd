// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/secret.hpp>

namespace blendr::crypto {

// A verifiable random function: whoever holds the key can compute one output for each input, prove it,
// and cannot choose it; everybody else can check it, and cannot guess it. The beacon is made of these.
//
// It is ECVRF of RFC 9381 in shape: Γ = x·H(input), a Schnorr-style proof that Γ and the public key
// share x, a challenge of 16 bytes. It departs from the RFC's suites where that makes it simpler:
// - the group is ristretto255 (RFC 9496) and not edwards25519. It has prime order and one encoding for
//   each element, so there is no cofactor to clear and no key to check but for the identity;
// - input becomes an element by SHA-512 and ristretto255's own map, salted with the public key
//   (5.4.1 of the RFC does this by trial or by Elligator, with the same salt);
// - the suite is named by the text "blendr.vrf.r255/1" where the RFC has one byte;
// - the secret scalar and the nonce key are two hashes of a 32-byte seed, not two halves of one;
// - the output is 32 bytes: BLAKE2b-256 of Γ in the domain "vrf.output/1".
// The proof is Γ (32) ‖ challenge (16) ‖ response (32), as in the RFC.

enum class vrf_error : std::uint8_t {
    bad_key = 1,     ///< no encoding of a group element, or the identity
    bad_point = 2,   ///< the proof's Γ is no encoding of a group element
    bad_scalar = 3,  ///< the proof's response is not below the group order
    not_proven = 4,  ///< the proof is not one for this key and input
};

/// A sentence for people.
std::string_view message(vrf_error why) noexcept;

/// Whose outputs. Published beside the key that signs, since neither follows from the other.
struct vrf_public_key {
    std::array<std::byte, 32> raw{};

    friend bool operator==(vrf_public_key const&, vrf_public_key const&) = default;
    friend auto operator<=>(vrf_public_key const&, vrf_public_key const&) = default;
};
BOOST_DESCRIBE_STRUCT(vrf_public_key, (), (raw))

/// What convinces everybody else: 80 bytes.
struct vrf_proof {
    std::array<std::byte, 32> gamma{};
    std::array<std::byte, 16> challenge{};
    std::array<std::byte, 32> response{};

    friend bool operator==(vrf_proof const&, vrf_proof const&) = default;
};
BOOST_DESCRIBE_STRUCT(vrf_proof, (), (gamma, challenge, response))

struct vrf_result {
    vrf_proof proof{};
    hash256 output{};
};

/// The key that computes outputs. Moves, never copies, never prints.
class vrf_secret_key {
public:
    /// The one that belongs to a signing key: derived from it, so that one seed is all there is to keep.
    static vrf_secret_key of(secret_key const& owner);
    /// From 32 secret bytes.
    static vrf_secret_key from_seed(secret const& seed);

    vrf_public_key const& self() const noexcept { return self_; }

    /// Output and proof for an input. Same input, same output and same proof; constant in time.
    vrf_result prove(bytes_view input) const;

private:
    vrf_secret_key() = default;

    secret scalar_;
    secret nonce_key_;
    vrf_public_key self_;
};

/// The output that `proof` proves for this key and input. There is exactly one for each key and input,
/// whoever made the key; 32 uniform bytes to everybody without the key.
result<hash256, vrf_error> verify(vrf_public_key const& key, bytes_view input,
                                  vrf_proof const& proof) noexcept;

}  // namespace blendr::crypto
