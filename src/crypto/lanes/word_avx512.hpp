// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

// g++ 12's own AVX-512 header sets "any value" operands in a way that its warning then complains of.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace blendr::crypto::lanes {
// Everything here has internal linkage: it must never be merged with a copy compiled for other flags.
namespace {

/// Eight 64-bit words, one per lane.
struct word {
    static constexpr std::size_t lanes = 8;
    __m512i v;

    static word all(std::uint64_t x) { return {_mm512_set1_epi64(static_cast<long long>(x))}; }
    static word load(std::uint64_t const* p) { return {_mm512_loadu_si512(p)}; }
    void store(std::uint64_t* p) const { _mm512_storeu_si512(p, v); }

    /// This word, worked out before what follows: g++ 12 would add in another order that needs more
    /// registers than there are.
    word settled() const
    {
        word out = *this;
#ifndef __clang__
        asm("" : "+v"(out.v));
#endif
        return out;
    }

    friend word operator+(word a, word b) { return {_mm512_add_epi64(a.v, b.v)}; }
    friend word operator^(word a, word b) { return {_mm512_xor_si512(a.v, b.v)}; }
    template <int N>
    word right() const
    {
        return {_mm512_srli_epi64(v, N)};
    }
    template <int N>
    word rotated() const
    {
        return {_mm512_ror_epi64(v, N)};
    }
    /// Bit by bit: b where a is 1, c where a is 0.
    friend word choose(word a, word b, word c)
    {
        return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0xca)};
    }
    friend word majority(word a, word b, word c)
    {
        return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0xe8)};
    }
    friend word xor3(word a, word b, word c)
    {
        return {_mm512_ternarylogic_epi64(a.v, b.v, c.v, 0x96)};
    }
    word byte_swapped() const
    {
        __m512i const order = _mm512_broadcast_i32x4(
            _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
        return {_mm512_shuffle_epi8(v, order)};
    }
};

/// Rows become columns: out[j] lane i was in[i] lane j.
inline void transpose(__m512i const in[8], __m512i out[8])
{
    __m512i const a0 = _mm512_unpacklo_epi64(in[0], in[1]),
                  a1 = _mm512_unpackhi_epi64(in[0], in[1]);
    __m512i const a2 = _mm512_unpacklo_epi64(in[2], in[3]),
                  a3 = _mm512_unpackhi_epi64(in[2], in[3]);
    __m512i const a4 = _mm512_unpacklo_epi64(in[4], in[5]),
                  a5 = _mm512_unpackhi_epi64(in[4], in[5]);
    __m512i const a6 = _mm512_unpacklo_epi64(in[6], in[7]),
                  a7 = _mm512_unpackhi_epi64(in[6], in[7]);
    __m512i const b0 = _mm512_shuffle_i64x2(a0, a2, 0x88), b1 = _mm512_shuffle_i64x2(a0, a2, 0xdd);
    __m512i const b2 = _mm512_shuffle_i64x2(a4, a6, 0x88), b3 = _mm512_shuffle_i64x2(a4, a6, 0xdd);
    __m512i const b4 = _mm512_shuffle_i64x2(a1, a3, 0x88), b5 = _mm512_shuffle_i64x2(a1, a3, 0xdd);
    __m512i const b6 = _mm512_shuffle_i64x2(a5, a7, 0x88), b7 = _mm512_shuffle_i64x2(a5, a7, 0xdd);
    out[0] = _mm512_shuffle_i64x2(b0, b2, 0x88);
    out[4] = _mm512_shuffle_i64x2(b0, b2, 0xdd);
    out[2] = _mm512_shuffle_i64x2(b1, b3, 0x88);
    out[6] = _mm512_shuffle_i64x2(b1, b3, 0xdd);
    out[1] = _mm512_shuffle_i64x2(b4, b6, 0x88);
    out[5] = _mm512_shuffle_i64x2(b4, b6, 0xdd);
    out[3] = _mm512_shuffle_i64x2(b5, b7, 0x88);
    out[7] = _mm512_shuffle_i64x2(b5, b7, 0xdd);
}

/// One 128-byte block per lane, as 16 words; lane i has size[i] bytes at from[i], then zeros.
inline void load_blocks(std::byte const* const from[8], std::size_t const size[8], word out[16])
{
    __m512i rows[8];
    __m512i columns[8];
    for (int half = 0; half < 2; ++half) {
        std::size_t const start = half == 0 ? 0 : 64;
        for (int i = 0; i < 8; ++i) {
            std::size_t const left = size[i] > start ? size[i] - start : 0;
            __mmask64 const here = left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1;
            rows[i] = _mm512_maskz_loadu_epi8(here, left != 0 ? from[i] + start : from[i]);
        }
        transpose(rows, columns);
        for (int j = 0; j < 8; ++j) out[8 * half + j].v = columns[j];
    }
}

/// Stores the first four words of each lane as 32 bytes.
inline void store_hashes(word const in[4], std::byte* const to[8])
{
    __m512i rows[8] = {in[0].v, in[1].v, in[2].v, in[3].v, {}, {}, {}, {}};
    __m512i columns[8];
    transpose(rows, columns);
    for (int i = 0; i < 8; ++i)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to[i]), _mm512_castsi512_si256(columns[i]));
}

}  // namespace
}  // namespace blendr::crypto::lanes
