// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <blendr/core/bytes.hpp>
#include <blendr/crypto/cpu.hpp>

namespace blendr::crypto {

/// Something said to be signed with Ed25519, as raw bytes: a 32-byte key, any message, a 64-byte
/// signature. They are looked at in place and must outlive the call. Lengths that are wrong make the
/// verdict `invalid`, like any other forgery.
struct signed_bytes {
    bytes_view key;
    bytes_view message;
    bytes_view signature;
};

enum class verdict : std::uint8_t { invalid = 0, valid = 1 };

/// Verifies many Ed25519 signatures at once, one per SIMD lane, and says of *each* whether it holds.
///
/// The predicate is `strict`, bit for bit: S below the group order, key and R canonical and not of
/// small order, R equal to the encoding of [S]B - [h]A without a cofactor. No signatures are added up
/// with random weights: such sums accept some mixed-order signatures that one-by-one checks refuse,
/// and nodes that batch differently would fork. Each lane computes its own signature's equation, so a
/// verdict depends on nothing but its three byte strings: not on its neighbours, the batch's length,
/// the machine or the cache.
///
/// Keys seen repeatedly get a table of multiples (about 8 KiB) that halves the work for later
/// signatures; `cached_keys` bounds how many are kept. Only time depends on it.
///
/// For public data only: time and memory accesses depend on the inputs. Whatever touches a secret key
/// stays with libsodium, which takes the same time whatever the secret.
///
/// One thread at a time; give each worker its own. About `cached_keys` * 8 KiB of memory when the
/// cache is full, and nothing is allocated by `verify` but that.
class batch_verifier {
public:
    struct options {
        cpu path = default_cpu();        ///< one that does not run here becomes the best that does
        std::size_t cached_keys = 1024;  ///< 0: no cache; else rounded up to 4, 8, 16...
    };

    batch_verifier();
    explicit batch_verifier(options how);
    ~batch_verifier();
    batch_verifier(batch_verifier&&) noexcept;
    batch_verifier& operator=(batch_verifier&&) noexcept;

    /// Fills out[i] with the verdict on claims[i]; `out` must be as long as `claims`. Any length
    /// will do; 64 and more at a time is quickest, and a few leave lanes empty.
    void verify(std::span<signed_bytes const> claims, std::span<verdict> out);

    cpu path() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// The same without keeping anything between calls: for a few signatures now and then.
void verify_batch(std::span<signed_bytes const> claims, std::span<verdict> out,
                  cpu path = default_cpu());

}  // namespace blendr::crypto
