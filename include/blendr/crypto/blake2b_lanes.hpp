// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <blendr/core/bytes.hpp>
#include <blendr/crypto/cpu.hpp>

namespace blendr::crypto {

/// BLAKE2b's eight state words before the first block: where a hash starts. A parameter block (length
/// of the hash, personalisation, ...) is already mixed in, so whatever fits there costs nothing.
using blake2b_start = std::array<std::uint64_t, 8>;

/// The start of plain BLAKE2b-256: no key, no salt, no personalisation.
inline constexpr blake2b_start blake2b_256_start{0x6a09e667f3bcc908 ^ 0x01010020,
                                                 0xbb67ae8584caa73b,
                                                 0x3c6ef372fe94f82b,
                                                 0xa54ff53a5f1d36f1,
                                                 0x510e527fade682d1,
                                                 0x9b05688c2b3e6c1f,
                                                 0x1f83d9abfb41bd6b,
                                                 0x5be0cd19137e2179};

/// Hashes many byte strings at once, one per SIMD lane: out[i] is BLAKE2b-256 of inputs[i] from
/// `start`, exactly what one call per input gives. Lengths may differ; a lane that is done takes the
/// next input. `out` must be as long as `inputs`, and may overlap none of them.
void blake2b_256_many(blake2b_start const& start, std::span<bytes_view const> inputs,
                      std::span<hash256> out, cpu path = default_cpu()) noexcept;

/// The same for inputs of one size lying in a row, the quickest form: a level of a Merkle tree is
/// 64-byte pairs of child hashes, lying where the level below was written. `packed` holds exactly
/// out.size() inputs of `size` bytes.
void blake2b_256_many(blake2b_start const& start, bytes_view packed, std::size_t size,
                      std::span<hash256> out, cpu path = default_cpu()) noexcept;

}  // namespace blendr::crypto
