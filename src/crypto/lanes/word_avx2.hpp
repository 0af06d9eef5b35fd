// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <immintrin.h>

namespace blendr::crypto::lanes {
// Everything here has internal linkage: it must never be merged with a copy compiled for other flags.
namespace {

/// Four 64-bit words, one per lane.
struct word {
    static constexpr std::size_t lanes = 4;
    __m256i v;

    static word all(std::uint64_t x) { return {_mm256_set1_epi64x(static_cast<long long>(x))}; }
    static word load(std::uint64_t const* p)
    {
        return {_mm256_loadu_si256(reinterpret_cast<__m256i const*>(p))};
    }
    void store(std::uint64_t* p) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }

    /// This word, worked out before what follows: g++ 12 would add in another order that needs more
    /// registers than there are.
    word settled() const
    {
        word out = *this;
#ifndef __clang__
        asm("" : "+x"(out.v));
#endif
        return out;
    }

    friend word operator+(word a, word b) { return {_mm256_add_epi64(a.v, b.v)}; }
    friend word operator^(word a, word b) { return {_mm256_xor_si256(a.v, b.v)}; }
    template <int N>
    word right() const
    {
        return {_mm256_srli_epi64(v, N)};
    }
    template <int N>
    word rotated() const
    {
        if constexpr (N == 32) {
            return {_mm256_shuffle_epi32(v, 0xb1)};
        } else if constexpr (N == 24) {
            return {_mm256_shuffle_epi8(v, pattern<3>())};
        } else if constexpr (N == 16) {
            return {_mm256_shuffle_epi8(v, pattern<2>())};
        } else if constexpr (N == 63) {
            return {_mm256_or_si256(_mm256_srli_epi64(v, 63), _mm256_add_epi64(v, v))};
        } else {
            return {_mm256_or_si256(_mm256_srli_epi64(v, N), _mm256_slli_epi64(v, 64 - N))};
        }
    }
    /// Bit by bit: b where a is 1, c where a is 0.
    friend word choose(word a, word b, word c)
    {
        return {_mm256_xor_si256(c.v, _mm256_and_si256(a.v, _mm256_xor_si256(b.v, c.v)))};
    }
    friend word majority(word a, word b, word c)
    {
        return {_mm256_or_si256(_mm256_and_si256(a.v, b.v),
                                _mm256_and_si256(c.v, _mm256_or_si256(a.v, b.v)))};
    }
    friend word xor3(word a, word b, word c) { return a ^ b ^ c; }
    word byte_swapped() const
    {
        __m256i const order = _mm256_broadcastsi128_si256(
            _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
        return {_mm256_shuffle_epi8(v, order)};
    }

private:
    /// Rotates every 64-bit word right by some bytes.
    template <int By>
    static __m256i pattern()
    {
        constexpr auto from = [](int i) { return static_cast<char>((i & 8) | ((i + By) & 7)); };
        return _mm256_broadcastsi128_si256(_mm_setr_epi8(
            from(0), from(1), from(2), from(3), from(4), from(5), from(6), from(7), from(8),
            from(9), from(10), from(11), from(12), from(13), from(14), from(15)));
    }
};

/// Rows become columns: out[j] lane i was in[i] lane j.
inline void transpose(__m256i const in[4], __m256i out[4])
{
    __m256i const a0 = _mm256_unpacklo_epi64(in[0], in[1]),
                  a1 = _mm256_unpackhi_epi64(in[0], in[1]);
    __m256i const a2 = _mm256_unpacklo_epi64(in[2], in[3]),
                  a3 = _mm256_unpackhi_epi64(in[2], in[3]);
    out[0] = _mm256_permute2x128_si256(a0, a2, 0x20);
    out[1] = _mm256_permute2x128_si256(a1, a3, 0x20);
    out[2] = _mm256_permute2x128_si256(a0, a2, 0x31);
    out[3] = _mm256_permute2x128_si256(a1, a3, 0x31);
}

/// 32 bytes at from + at of a string of `size` bytes, zeros beyond its end.
inline __m256i load_part(std::byte const* from, std::size_t size, std::size_t at)
{
    if (size >= at + 32) return _mm256_loadu_si256(reinterpret_cast<__m256i const*>(from + at));
    if (size <= at) return _mm256_setzero_si256();
    alignas(32) std::byte padded[32] = {};
    std::memcpy(padded, from + at, size - at);
    return _mm256_load_si256(reinterpret_cast<__m256i const*>(padded));
}

/// One 128-byte block per lane, as 16 words; lane i has size[i] bytes at from[i], then zeros.
inline void load_blocks(std::byte const* const from[4], std::size_t const size[4], word out[16])
{
    for (std::size_t quarter = 0; quarter < 4; ++quarter) {
        __m256i rows[4];
        __m256i columns[4];
        for (std::size_t i = 0; i < 4; ++i) rows[i] = load_part(from[i], size[i], 32 * quarter);
        transpose(rows, columns);
        for (std::size_t j = 0; j < 4; ++j) out[4 * quarter + j].v = columns[j];
    }
}

/// Stores the first four words of each lane as 32 bytes.
inline void store_hashes(word const in[4], std::byte* const to[4])
{
    __m256i const rows[4] = {in[0].v, in[1].v, in[2].v, in[3].v};
    __m256i columns[4];
    transpose(rows, columns);
    for (int i = 0; i < 4; ++i) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to[i]), columns[i]);
}

}  // namespace
}  // namespace blendr::crypto::lanes
