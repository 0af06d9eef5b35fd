// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::crypto {

/// The one predicate that says whether a signature is good. Consensus-critical: libraries differ in
/// corner cases and change their minds, so every node, scalar or in SIMD lanes, must mean exactly
/// this by it. With key A, signature R ‖ S (32 bytes each) and message M, it holds when
///
/// 1. S, read as a little-endian number, is less than the group order
///    L = 2²⁵² + 27742317777372353535851937790883648493;
/// 2. A and R are canonical: without its top bit, each is a number less than p = 2²⁵⁵ − 19;
/// 3. neither A nor R is one of the eight points whose order divides 8, whatever its top bit;
/// 4. A decodes to a point of the curve (so does R, when 5 holds);
/// 5. S·B = R + h·A, exactly, with h = SHA-512(R ‖ A ‖ M) mod L: nothing is multiplied by the
///    cofactor, and both sides are compared as encoded.
///
/// A key or a nonce point may have a part of small order (A = a·B + T): such a signature is good when 5
/// holds as it stands. No batch equation with random factors gives this verdict; lanes that check
/// each signature on its own do. Any other scheme than Ed25519, and a scheme that differs between key
/// and signature, is not good. Not constant in time: nothing here is secret.
bool verify_strict(public_key const& key, bytes_view message, signature const& sig) noexcept;

/// What `secret_key::sign(about, message)` made.
inline bool verify(public_key const& key, domain const& about, bytes_view message,
                   signature const& sig) noexcept
{
    return verify_strict(key, hash(about, message), sig);
}

/// Conditions 1 to 3, which need no curve arithmetic: for whoever implements the predicate again.
bool strict_form(std::span<std::byte const, 32> key, std::span<std::byte const, 64> sig) noexcept;

/// Signatures with their verdicts, chosen so that each condition above decides at least one of them
/// and every known variant of Ed25519 verification fails at least one.
struct strict_vector {
    std::string_view name;
    std::string_view key;        ///< hex
    std::string_view message;    ///< hex
    std::string_view signature;  ///< hex
    bool good;
};
std::span<strict_vector const> strict_vectors() noexcept;

/// Runs a predicate over the vectors; the name of the first that it gets wrong.
result<nothing, std::string_view> strict_self_test(bool (*verify)(public_key const&, bytes_view,
                                                                  signature const&) noexcept);

/// Makes the library ready and runs the self-test; once, whoever calls, from any thread. An error
/// names what is wrong: a crypto library that does not start, or one whose verdicts differ. Programs
/// call it first, to say so kindly; everything else here calls it too, and ends the process.
result<nothing, std::string_view> start() noexcept;

}  // namespace blendr::crypto
