// SPDX-License-Identifier: Apache-2.0
// Integers modulo p = 2^255 - 19, one in each of eight lanes: five limbs of 51 bits, products by
// IFMA, which multiplies the low 52 bits of two words and adds either half of the product to a third.
// Included after word_avx512.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "compiler.hpp"

namespace blendr::crypto::lanes {
namespace {

// Bounds. Limbs are unsigned; the value is the sum of limb[i] * 2^(51 i).
//
//   tight   limb <= 2^51 + 2^16. What carry() returns, so every `element` here unless said otherwise.
//   usable  limb <  2^52. What products need: IFMA ignores the bits above.
//   wide    limb <  2^62. Sums of products before their carries; what carry() needs.
//
// carry: from limb < 2^62 each limb keeps 51 bits and takes what its lower neighbour sheds, less than
//   2^11; limb 0 takes 19 times that of limb 4, less than 19 * 2^11 < 2^16. So the result is tight.
// product of usable a, b: with lo and hi the halves of a[i] * b[j] at bit 52, both < 2^52,
//   column k of ten is the sum of lo over i + j = k, plus twice the sum of hi over i + j = k - 1 (twice,
//   since 2^52 = 2 * 2^51). Column k + 5 counts 19 times in column k. Worst is column 0:
//   lo once, and 19 times (4 lo + 2 * 5 hi): < 2^52 * (1 + 19 * 14) = 267 * 2^52 < 2^61.
//   For tight a, b hi is less than 2^50 * (1 + 2^-33), so column 0 is < 2^52 * (1 + 19 * 6.5 + tiny)
//   < 2^59: "a product" below.
// differences: wide(a) - wide(b) is a + bias - b, bias = 2^10 p, whose limbs lie between 2^61 - 2^15 and
//   2^61. b, at most two products (< 2^60), never makes a limb negative; a, at most three products
//   (< 2^59 * 3), keeps the sum below 2^61 + 2^61 = 2^62.
//   tight(a) - tight(b) is a + 2p - b: limbs of 2p are at least 2^52 - 38 > 2^51 + 2^16.

struct element {
    __m512i v[5];
};

/// Limbs before their carries.
struct wide {
    __m512i v[5];
};

/// Some of the eight lanes.
using lane_mask = __mmask8;

constexpr std::size_t limbs = 5;
constexpr unsigned char limb_bit[limbs] = {0, 51, 102, 153, 204};
constexpr std::uint64_t tight_max = (std::uint64_t{1} << 51) + (1 << 16);
constexpr std::uint64_t limb_tight[limbs] = {tight_max, tight_max, tight_max, tight_max, tight_max};
constexpr std::uint64_t usable_max = (std::uint64_t{1} << 52) - 1;
constexpr std::uint64_t limb_usable[limbs] = {usable_max, usable_max, usable_max, usable_max,
                                              usable_max};
constexpr std::uint64_t limb_mask = (std::uint64_t{1} << 51) - 1;

BLENDR_INLINE __m512i every_lane(std::uint64_t x)
{
    return _mm512_set1_epi64(static_cast<long long>(x));
}
BLENDR_INLINE __m512i plus(__m512i a, __m512i b) { return _mm512_add_epi64(a, b); }
BLENDR_INLINE __m512i minus(__m512i a, __m512i b) { return _mm512_sub_epi64(a, b); }
BLENDR_INLINE __m512i twice(__m512i a) { return _mm512_add_epi64(a, a); }
BLENDR_INLINE __m512i lo(__m512i sum, __m512i a, __m512i b)
{
    return _mm512_madd52lo_epu64(sum, a, b);
}
BLENDR_INLINE __m512i hi(__m512i sum, __m512i a, __m512i b)
{
    return _mm512_madd52hi_epu64(sum, a, b);
}

constexpr std::uint64_t curve_d[5] = {0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029,
                                      0x739c663a03cbb, 0x52036cee2b6ff};  // -121665 / 121666
constexpr std::uint64_t twice_d[5] = {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052,
                                      0x6738cc7407977, 0x2406d9dc56dff};
constexpr std::uint64_t root_of_minus_1[5] = {0x61b274a0ea0b0, 0xd5a5fc8f189d, 0x7ef5e9cbd0c60,
                                              0x78595a6804c9e, 0x2b8324804fc1d};

BLENDR_INLINE lane_mask either(lane_mask a, lane_mask b) { return static_cast<lane_mask>(a | b); }
/// The lanes where a and b are the same.
BLENDR_INLINE lane_mask alike(lane_mask a, lane_mask b) { return static_cast<lane_mask>(~(a ^ b)); }
BLENDR_INLINE lane_mask mask_of(unsigned bits) { return static_cast<lane_mask>(bits); }
BLENDR_INLINE unsigned bits_of(lane_mask a) { return a; }

/// The same element in every lane.
BLENDR_INLINE element constant(std::uint64_t const (&limb)[5])
{
    return {{every_lane(limb[0]), every_lane(limb[1]), every_lane(limb[2]), every_lane(limb[3]),
             every_lane(limb[4])}};
}

BLENDR_INLINE element small(std::uint64_t x)
{
    __m512i const zero = _mm512_setzero_si512();
    return {{every_lane(x), zero, zero, zero, zero}};
}

BLENDR_INLINE element carry(wide const& a)
{
    __m512i const mask = every_lane(limb_mask);
    __m512i const c0 = _mm512_srli_epi64(a.v[0], 51), c1 = _mm512_srli_epi64(a.v[1], 51);
    __m512i const c2 = _mm512_srli_epi64(a.v[2], 51), c3 = _mm512_srli_epi64(a.v[3], 51);
    __m512i const c4 = _mm512_srli_epi64(a.v[4], 51);
    return {{lo(_mm512_and_si512(a.v[0], mask), c4, every_lane(19)),
             plus(_mm512_and_si512(a.v[1], mask), c0), plus(_mm512_and_si512(a.v[2], mask), c1),
             plus(_mm512_and_si512(a.v[3], mask), c2), plus(_mm512_and_si512(a.v[4], mask), c3)}};
}

/// 19 in every lane, as a number that g++ does not know: it would turn one multiplication into four
/// shifts and additions.
BLENDR_INLINE __m512i nineteen()
{
    __m512i n = every_lane(19);
    asm("" : "+v"(n));
    return n;
}

/// Ten columns to five: 2^255 is 19.
BLENDR_INLINE __m512i fold(__m512i low, __m512i high, __m512i by)
{
    return plus(low, _mm512_mullo_epi64(high, by));
}

/// A product. Each column first sums the high halves of the one below, doubles them, then goes on with
/// its own low halves: so every sum starts only once, and half the registers are enough.
BLENDR_INLINE wide multiply_wide(element const& a, element const& b)
{
    __m512i const zero = _mm512_setzero_si512();
    __m512i const b0 = b.v[0], b1 = b.v[1], b2 = b.v[2], b3 = b.v[3], b4 = b.v[4];
    __m512i x = a.v[0];
    __m512i z1 = hi(zero, x, b0), z2 = hi(zero, x, b1), z3 = hi(zero, x, b2);
    __m512i z4 = hi(zero, x, b3), z5 = hi(zero, x, b4);
    x = a.v[1];
    z2 = hi(z2, x, b0), z3 = hi(z3, x, b1), z4 = hi(z4, x, b2), z5 = hi(z5, x, b3);
    __m512i z6 = hi(zero, x, b4);
    x = a.v[2];
    z3 = hi(z3, x, b0), z4 = hi(z4, x, b1), z5 = hi(z5, x, b2), z6 = hi(z6, x, b3);
    __m512i z7 = hi(zero, x, b4);
    x = a.v[3];
    z4 = hi(z4, x, b0), z5 = hi(z5, x, b1), z6 = hi(z6, x, b2), z7 = hi(z7, x, b3);
    __m512i z8 = hi(zero, x, b4);
    x = a.v[4];
    z5 = hi(z5, x, b0), z6 = hi(z6, x, b1), z7 = hi(z7, x, b2), z8 = hi(z8, x, b3);
    __m512i const z9 = twice(hi(zero, x, b4));
    z1 = twice(z1), z2 = twice(z2), z3 = twice(z3), z4 = twice(z4);
    z5 = twice(z5), z6 = twice(z6), z7 = twice(z7), z8 = twice(z8);
    x = a.v[0];
    __m512i const z0 = lo(zero, x, b0);
    z1 = lo(z1, x, b1), z2 = lo(z2, x, b2), z3 = lo(z3, x, b3), z4 = lo(z4, x, b4);
    x = a.v[1];
    z1 = lo(z1, x, b0), z2 = lo(z2, x, b1), z3 = lo(z3, x, b2), z4 = lo(z4, x, b3);
    z5 = lo(z5, x, b4);
    x = a.v[2];
    z2 = lo(z2, x, b0), z3 = lo(z3, x, b1), z4 = lo(z4, x, b2), z5 = lo(z5, x, b3);
    z6 = lo(z6, x, b4);
    x = a.v[3];
    z3 = lo(z3, x, b0), z4 = lo(z4, x, b1), z5 = lo(z5, x, b2), z6 = lo(z6, x, b3);
    z7 = lo(z7, x, b4);
    x = a.v[4];
    z4 = lo(z4, x, b0), z5 = lo(z5, x, b1), z6 = lo(z6, x, b2), z7 = lo(z7, x, b3);
    z8 = lo(z8, x, b4);
    __m512i const by = nineteen();
    return {
        {fold(z0, z5, by), fold(z1, z6, by), fold(z2, z7, by), fold(z3, z8, by), fold(z4, z9, by)}};
}

/// A square, in the same way; products of two different limbs count twice.
BLENDR_INLINE wide square_wide(element const& a)
{
    __m512i const zero = _mm512_setzero_si512();
    __m512i const a0 = a.v[0], a1 = a.v[1], a2 = a.v[2], a3 = a.v[3], a4 = a.v[4];
    // high halves of products of different limbs, doubled; then those of squares
    __m512i z2 = twice(hi(zero, a0, a1)), z3 = twice(hi(zero, a0, a2));
    __m512i z4 = hi(zero, a0, a3), z5 = hi(zero, a0, a4), z6 = hi(zero, a1, a4);
    __m512i z7 = twice(hi(zero, a2, a4)), z8 = twice(hi(zero, a3, a4));
    z4 = twice(hi(z4, a1, a2)), z5 = twice(hi(z5, a1, a3)), z6 = twice(hi(z6, a2, a3));
    __m512i z1 = hi(zero, a0, a0), z9 = hi(zero, a4, a4);
    z3 = hi(z3, a1, a1), z5 = hi(z5, a2, a2), z7 = hi(z7, a3, a3);
    // low halves of products of different limbs join, all double; then those of squares
    z1 = twice(lo(z1, a0, a1)), z2 = twice(lo(z2, a0, a2));
    z3 = lo(z3, a0, a3), z4 = lo(z4, a0, a4), z5 = lo(z5, a1, a4);
    z6 = twice(lo(z6, a2, a4)), z7 = twice(lo(z7, a3, a4)), z8 = twice(z8), z9 = twice(z9);
    z3 = twice(lo(z3, a1, a2)), z4 = twice(lo(z4, a1, a3)), z5 = twice(lo(z5, a2, a3));
    __m512i const z0 = lo(zero, a0, a0);
    z2 = lo(z2, a1, a1), z4 = lo(z4, a2, a2), z6 = lo(z6, a3, a3), z8 = lo(z8, a4, a4);
    __m512i const by = nineteen();
    return {
        {fold(z0, z5, by), fold(z1, z6, by), fold(z2, z7, by), fold(z3, z8, by), fold(z4, z9, by)}};
}

BLENDR_INLINE wide add(wide const& a, wide const& b)
{
    return {{plus(a.v[0], b.v[0]), plus(a.v[1], b.v[1]), plus(a.v[2], b.v[2]), plus(a.v[3], b.v[3]),
             plus(a.v[4], b.v[4])}};
}

/// a - b, with 2^10 p on top.
BLENDR_INLINE wide subtract(wide const& a, wide const& b)
{
    __m512i const bias0 = every_lane((limb_mask - 18) << 10), bias = every_lane(limb_mask << 10);
    return {{minus(plus(a.v[0], bias0), b.v[0]), minus(plus(a.v[1], bias), b.v[1]),
             minus(plus(a.v[2], bias), b.v[2]), minus(plus(a.v[3], bias), b.v[3]),
             minus(plus(a.v[4], bias), b.v[4])}};
}

/// An element's limbs as sums, unchanged.
BLENDR_INLINE wide widened(element const& a) { return {{a.v[0], a.v[1], a.v[2], a.v[3], a.v[4]}}; }

/// Called rather than inlined, as most places that need a product are not hot; those that are take the
/// wide forms.
[[gnu::noinline]] inline element multiply(element const& a, element const& b)
{
    return carry(multiply_wide(a, b));
}
[[gnu::noinline]] inline element square(element const& a) { return carry(square_wide(a)); }

BLENDR_INLINE element add(element const& a, element const& b)
{
    return carry(add(widened(a), widened(b)));
}

/// 2p - a: usable, not tight.
BLENDR_INLINE element negated(element const& a)
{
    __m512i const p0 = every_lane(2 * (limb_mask - 18)), p = every_lane(2 * limb_mask);
    return {{minus(p0, a.v[0]), minus(p, a.v[1]), minus(p, a.v[2]), minus(p, a.v[3]),
             minus(p, a.v[4])}};
}

BLENDR_INLINE element subtract(element const& a, element const& b)
{
    return carry(add(widened(a), widened(negated(b))));
}

/// a + b and a - b where they are only factors of a product. Here there is no room to spare a carry.
BLENDR_INLINE element sum_factor(element const& a, element const& b) { return add(a, b); }
BLENDR_INLINE element difference_factor(element const& a, element const& b)
{
    return subtract(a, b);
}

/// b in the lanes of `which`, a in the others.
BLENDR_INLINE element select(lane_mask which, element const& a, element const& b)
{
    return {
        {_mm512_mask_mov_epi64(a.v[0], which, b.v[0]), _mm512_mask_mov_epi64(a.v[1], which, b.v[1]),
         _mm512_mask_mov_epi64(a.v[2], which, b.v[2]), _mm512_mask_mov_epi64(a.v[3], which, b.v[3]),
         _mm512_mask_mov_epi64(a.v[4], which, b.v[4])}};
}

/// The one representative below p, all limbs below 2^51.
inline element canonical(element const& a)
{
    __m512i const mask = every_lane(limb_mask);
    __m512i const nineteen = every_lane(19);
    __m512i v[5] = {a.v[0], a.v[1], a.v[2], a.v[3], a.v[4]};
    // Twice through all limbs: after the first, limb 0 may reach 2^51 + 38 and the others are below 2^51;
    // should that ripple through all of them in the second, limb 0 is left below 57.
    for (int pass = 0; pass < 2; ++pass) {
        for (int i = 0; i < 4; ++i) {
            v[i + 1] = plus(v[i + 1], _mm512_srli_epi64(v[i], 51));
            v[i] = _mm512_and_si512(v[i], mask);
        }
        v[0] = lo(v[0], _mm512_srli_epi64(v[4], 51), nineteen);
        v[4] = _mm512_and_si512(v[4], mask);
    }
    // The value is now below 2^255, and at least p exactly when value + 19 reaches 2^255.
    __m512i over = _mm512_srli_epi64(plus(v[0], nineteen), 51);
    for (int i = 1; i < 5; ++i) over = _mm512_srli_epi64(plus(v[i], over), 51);
    v[0] = lo(v[0], over, nineteen);
    for (int i = 0; i < 4; ++i) {
        v[i + 1] = plus(v[i + 1], _mm512_srli_epi64(v[i], 51));
        v[i] = _mm512_and_si512(v[i], mask);
    }
    v[4] = _mm512_and_si512(v[4], mask);
    return {{v[0], v[1], v[2], v[3], v[4]}};
}

/// The lanes where a canonical element is zero.
inline lane_mask is_zero(element const& a)
{
    __m512i const any = _mm512_or_si512(
        _mm512_or_si512(_mm512_or_si512(a.v[0], a.v[1]), _mm512_or_si512(a.v[2], a.v[3])), a.v[4]);
    return _mm512_testn_epi64_mask(any, any);
}

/// The lanes where a canonical element is odd.
inline lane_mask is_odd(element const& a) { return _mm512_test_epi64_mask(a.v[0], every_lane(1)); }

/// From 32 bytes a lane, little-endian; bit 255 is left out. Tight; below p if the bytes are.
inline element from_bytes(std::uint8_t const (*in)[32])
{
    __m512i w[4];
    alignas(64) std::uint64_t words[4][8];
    for (std::size_t lane = 0; lane < 8; ++lane)
        for (std::size_t i = 0; i < 4; ++i) __builtin_memcpy(&words[i][lane], in[lane] + 8 * i, 8);
    for (std::size_t i = 0; i < 4; ++i) w[i] = _mm512_load_si512(words[i]);
    __m512i const mask = every_lane(limb_mask);
    auto const joined = [&](__m512i low, std::uint64_t right, __m512i high, std::uint64_t left) {
        return _mm512_and_si512(_mm512_or_si512(_mm512_srlv_epi64(low, every_lane(right)),
                                                _mm512_sllv_epi64(high, every_lane(left))),
                                mask);
    };
    return {{_mm512_and_si512(w[0], mask), joined(w[0], 51, w[1], 13), joined(w[1], 38, w[2], 26),
             joined(w[2], 25, w[3], 39), _mm512_and_si512(_mm512_srli_epi64(w[3], 12), mask)}};
}

/// A canonical element as 32 bytes a lane.
inline void to_bytes(element const& a, std::uint8_t (*out)[32])
{
    alignas(64) std::uint64_t words[4][8];
    auto const joined = [](__m512i low, std::uint64_t right, __m512i high, std::uint64_t left) {
        return _mm512_or_si512(_mm512_srlv_epi64(low, every_lane(right)),
                               _mm512_sllv_epi64(high, every_lane(left)));
    };
    _mm512_store_si512(words[0], joined(a.v[0], 0, a.v[1], 51));
    _mm512_store_si512(words[1], joined(a.v[1], 13, a.v[2], 38));
    _mm512_store_si512(words[2], joined(a.v[2], 26, a.v[3], 25));
    _mm512_store_si512(words[3], joined(a.v[3], 39, a.v[4], 12));
    for (std::size_t lane = 0; lane < 8; ++lane)
        for (std::size_t i = 0; i < 4; ++i) __builtin_memcpy(out[lane] + 8 * i, &words[i][lane], 8);
}

/// Words that Count elements of one lane take in a table's row.
template <std::size_t Count>
constexpr std::size_t row_words = (5 * Count + 7) / 8 * 8;

/// Writes each lane's share of Count elements to that lane's row.
template <std::size_t Count>
inline void store_rows(element const (&in)[Count], std::uint64_t* const (&rows)[8])
{
    for (std::size_t block = 0; block < row_words<Count> / 8; ++block) {
        __m512i columns[8];
        __m512i out[8];
        for (std::size_t j = 0; j < 8; ++j) {
            std::size_t const limb = 8 * block + j;
            columns[j] = limb < 5 * Count ? in[limb / 5].v[limb % 5] : _mm512_setzero_si512();
        }
        transpose(columns, out);
        for (std::size_t lane = 0; lane < 8; ++lane)
            _mm512_storeu_si512(rows[lane] + 8 * block, out[lane]);
    }
}

/// The opposite: from one row a lane, Count elements.
template <std::size_t Count>
BLENDR_INLINE void load_rows(std::uint64_t const* const (&rows)[8], element (&out)[Count])
{
    __m512i columns[row_words<Count>];
#pragma GCC unroll 3
    for (std::size_t block = 0; block < row_words<Count> / 8; ++block) {
        __m512i const in[8] = {
            _mm512_loadu_si512(rows[0] + 8 * block), _mm512_loadu_si512(rows[1] + 8 * block),
            _mm512_loadu_si512(rows[2] + 8 * block), _mm512_loadu_si512(rows[3] + 8 * block),
            _mm512_loadu_si512(rows[4] + 8 * block), _mm512_loadu_si512(rows[5] + 8 * block),
            _mm512_loadu_si512(rows[6] + 8 * block), _mm512_loadu_si512(rows[7] + 8 * block)};
        transpose(in, columns + 8 * block);
    }
#pragma GCC unroll 20
    for (std::size_t i = 0; i < 5 * Count; ++i) out[i / 5].v[i % 5] = columns[i];
}

}  // namespace
}  // namespace blendr::crypto::lanes
