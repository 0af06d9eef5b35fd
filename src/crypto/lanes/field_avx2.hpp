// SPDX-License-Identifier: Apache-2.0
// Integers modulo p = 2^255 - 19, one in each of four lanes: ten limbs of 26 and 25 bits in turn, each
// in a 64-bit word, so that the 32 by 32 bit product fits. Included after word_avx2.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <immintrin.h>

#include "compiler.hpp"

namespace blendr::crypto::lanes {
namespace {

// Bounds. Limb i stands at bit ceil(25.5 i); even limbs have 26 bits and odd ones 25. With E = 2^26:
//
//   tight   even limbs <= E + 2^12, odd limbs <= E/2 + 2^16. What carry() returns, so every `element`
//           here unless said otherwise.
//   usable  even limbs <= 3E + 2^14, odd limbs <= 3E/2 + 2^18: sums of two tight elements, and
//           a + 2p - b. One factor of a product may be this, or both as long as the sum below fits.
//           19 times that is below 2^32, which is what multiplications look at.
//   wide    limbs < 2^62. Sums of products before their carries; what carry() needs.
//
// product of tight a, b: column k sums a[i] * b[j] over i + j = k; twice if i and j are both odd, as
//   ceil(25.5 i) + ceil(25.5 j) is then one more than the column's bit; and 19 times over i + j = k + 10.
//   Even columns are worst at 0: one E E, and 19 times four E E and five 2 (E/2)(E/2), that is
//   E^2 (1 + 19 * 6.5) = 124.5 E^2 < 2^59 with room for the tight limbs' excess. Odd columns are worst
//   at 1: E E/2 twice, and 19 times eight of them, 77 E^2 < 2^58.3: "a product" below.
//   With one usable factor it counts as three products, with two factors of the kind a + b as four,
//   below 2^61.
// differences: wide(a) - wide(b) is a + bias - b, bias = 2^35 p, with even limbs > 2^61 - 2^40 and odd
//   limbs 2^60 - 2^35. b, at most three products (even < 2^60.6, odd < 2^59.9), never makes a limb
//   negative; a, at most four products (< 2^61), keeps the sum below 2^62.
// carry: from limbs < 2^62 two chains run from 0 to 4 and from 5 to 9, what 9 sheds (< 2^37) comes to 0
//   times 19 (< 2^42), what 4 sheds (< 2^36 + 1) to 5; then 0 sheds < 2^16 to 1 and 5 sheds < 2^12 to 6.

constexpr std::size_t limbs = 10;
constexpr unsigned char limb_bit[limbs] = {0, 26, 51, 77, 102, 128, 153, 179, 204, 230};
constexpr std::uint64_t even_tight = (1u << 26) + (1u << 12);
constexpr std::uint64_t odd_tight = (1u << 25) + (1u << 16);
constexpr std::uint64_t limb_tight[limbs] = {even_tight, odd_tight, even_tight, odd_tight,
                                             even_tight, odd_tight, even_tight, odd_tight,
                                             even_tight, odd_tight};
// What the tests feed to both factors: sums of two tight elements.
constexpr std::uint64_t limb_usable[limbs] = {
    2 * even_tight, 2 * odd_tight,  2 * even_tight, 2 * odd_tight,  2 * even_tight,
    2 * odd_tight,  2 * even_tight, 2 * odd_tight,  2 * even_tight, 2 * odd_tight};

struct element {
    __m256i v[10];
};

/// Limbs before their carries.
struct wide {
    __m256i v[10];
};

/// Some of the four lanes: all ones or all zeros in each.
struct lane_mask {
    __m256i v;
};

constexpr std::uint64_t curve_d[10] = {0x35978a3, 0xd37284,  0x3156ebd, 0x6a0a0e,  0x1c029,
                                       0x179e898, 0x3a03cbb, 0x1ce7198, 0x2e2b6ff, 0x1480db3};
constexpr std::uint64_t twice_d[10] = {0x2b2f159, 0x1a6e509, 0x22add7a, 0xd4141d,  0x38052,
                                       0xf3d130,  0x3407977, 0x19ce331, 0x1c56dff, 0x901b67};
constexpr std::uint64_t root_of_minus_1[10] = {0x20ea0b0, 0x186c9d2, 0x8f189d,  0x35697f, 0xbd0c60,
                                               0x1fbd7a7, 0x2804c9e, 0x1e16569, 0x4fc1d,  0xae0c92};

BLENDR_INLINE __m256i every_lane(std::uint64_t x)
{
    return _mm256_set1_epi64x(static_cast<long long>(x));
}
BLENDR_INLINE __m256i plus(__m256i a, __m256i b) { return _mm256_add_epi64(a, b); }
BLENDR_INLINE __m256i minus(__m256i a, __m256i b) { return _mm256_sub_epi64(a, b); }
BLENDR_INLINE __m256i product(__m256i a, __m256i b) { return _mm256_mul_epu32(a, b); }

BLENDR_INLINE lane_mask either(lane_mask a, lane_mask b) { return {_mm256_or_si256(a.v, b.v)}; }
/// The lanes where a and b are the same.
BLENDR_INLINE lane_mask alike(lane_mask a, lane_mask b) { return {_mm256_cmpeq_epi64(a.v, b.v)}; }
BLENDR_INLINE lane_mask mask_of(unsigned bits)
{
    __m256i const bit = _mm256_setr_epi64x(1, 2, 4, 8);
    return {_mm256_cmpeq_epi64(_mm256_and_si256(every_lane(bits), bit), bit)};
}
BLENDR_INLINE unsigned bits_of(lane_mask a)
{
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(a.v)));
}

/// Calls f with 0, 1, ... 9 as compile-time constants, so that arrays of limbs stay in registers.
template <class F>
BLENDR_INLINE void each_limb(F&& f)
{
    [&]<std::size_t... I>(std::index_sequence<I...>) __attribute__((always_inline)) {
        (f(std::integral_constant<std::size_t, I>{}), ...);
    }(std::make_index_sequence<limbs>{});
}

/// The same element in every lane.
BLENDR_INLINE element constant(std::uint64_t const (&limb)[10])
{
    element out;
    each_limb([&](auto i) __attribute__((always_inline)) { out.v[i] = every_lane(limb[i]); });
    return out;
}

BLENDR_INLINE element small(std::uint64_t x)
{
    element out;
    each_limb([&](auto i)
                  __attribute__((always_inline)) { out.v[i] = every_lane(i == 0 ? x : 0); });
    return out;
}

template <int I>
constexpr int bits_in = I % 2 == 0 ? 26 : 25;

/// Moves what limb I has above its bits on to the next.
template <int I>
BLENDR_INLINE void shed(__m256i (&v)[10])
{
    v[I + 1] = plus(v[I + 1], _mm256_srli_epi64(v[I], bits_in<I>));
    v[I] = _mm256_and_si256(v[I], every_lane((1u << bits_in<I>)-1));
}

/// The last limb's carry is worth 19 at the first.
BLENDR_INLINE void shed_last(__m256i (&v)[10])
{
    __m256i const c = _mm256_srli_epi64(v[9], 25);
    v[0] = plus(plus(v[0], c), plus(_mm256_slli_epi64(c, 4), plus(c, c)));
    v[9] = _mm256_and_si256(v[9], every_lane((1u << 25) - 1));
}

BLENDR_INLINE element carry(wide const& a)
{
    __m256i v[10] = {a.v[0], a.v[1], a.v[2], a.v[3], a.v[4],
                     a.v[5], a.v[6], a.v[7], a.v[8], a.v[9]};
    shed<0>(v), shed<5>(v);
    shed<1>(v), shed<6>(v);
    shed<2>(v), shed<7>(v);
    shed<3>(v), shed<8>(v);
    shed<4>(v), shed_last(v);
    shed<5>(v), shed<0>(v);
    return {{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]}};
}

/// Has a sum done as far as it is written, in a register. Left alone, g++ 12 works out all hundred
/// products first, stores them, and only then adds them up. clang does well by itself.
BLENDR_INLINE void settle([[maybe_unused]] __m256i& sum)
{
#ifndef __clang__
    asm("" : "+x"(sum));
#endif
}
BLENDR_INLINE void settle(__m256i (&sums)[10])
{
    each_limb([&](auto i) __attribute__((always_inline)) { settle(sums[i]); });
}

/// Adds row I of a product: limb a, doubled where both indices are odd, times all of b.
template <std::size_t I, std::size_t... J>
BLENDR_INLINE void add_row(__m256i (&sum)[10], __m256i a, __m256i a2, element const& b,
                           element const& b19, std::index_sequence<J...>)
{
    ((sum[(I + J) % 10] = plus(sum[(I + J) % 10], product(I % 2 == 1 && J % 2 == 1 ? a2 : a,
                                                          I + J < 10 ? b.v[J] : b19.v[J]))),
     ...);
    settle(sum);
}

BLENDR_INLINE wide multiply_wide(element const& a, element const& b)
{
    element b19;
    each_limb([&](auto i)
                  __attribute__((always_inline)) { b19.v[i] = product(b.v[i], every_lane(19)); });
    wide out;
    each_limb([&](auto j) __attribute__((always_inline)) { out.v[j] = product(a.v[0], b.v[j]); });
    each_limb([&](auto i) __attribute__((always_inline)) {
        if constexpr (i != 0)
            add_row<i>(out.v, a.v[i], plus(a.v[i], a.v[i]), b, b19, std::make_index_sequence<10>{});
    });
    return out;
}

/// Adds row I of a square: the products with limbs from I on, those of two different limbs twice.
template <std::size_t I, std::size_t... K>
BLENDR_INLINE void add_square_row(__m256i (&sum)[10], element const& a, element const& a19,
                                  std::index_sequence<K...>)
{
    __m256i const a1 = a.v[I], a2 = plus(a1, a1), a4 = plus(a2, a2);
    auto const add = [&](auto k) __attribute__((always_inline)) {
        constexpr std::size_t j = I + k;
        constexpr bool odd = I % 2 == 1 && j % 2 == 1;
        __m256i const x = j == I ? (odd ? a2 : a1) : odd ? a4 : a2;
        sum[(I + j) % 10] = plus(sum[(I + j) % 10], product(x, I + j < 10 ? a.v[j] : a19.v[j]));
    };
    (add(std::integral_constant<std::size_t, K>{}), ...);
    settle(sum);
}

BLENDR_INLINE wide square_wide(element const& a)
{
    element a19;
    each_limb([&](auto i)
                  __attribute__((always_inline)) { a19.v[i] = product(a.v[i], every_lane(19)); });
    wide out;
    __m256i const a2 = plus(a.v[0], a.v[0]);
    each_limb([&](auto j) __attribute__((always_inline)) {
        out.v[j] = product(j == 0 ? a.v[0] : a2, a.v[j]);
    });
    each_limb([&](auto i) __attribute__((always_inline)) {
        if constexpr (i != 0) add_square_row<i>(out.v, a, a19, std::make_index_sequence<10 - i>{});
    });
    return out;
}

BLENDR_INLINE wide add(wide const& a, wide const& b)
{
    wide out;
    each_limb([&](auto i) __attribute__((always_inline)) { out.v[i] = plus(a.v[i], b.v[i]); });
    return out;
}

/// Limb I of p.
template <std::size_t I>
constexpr std::uint64_t p_limb = I == 0 ? (1u << 26) - 19 : (1u << bits_in<int{I}>)-1;

/// a - b, with 2^35 p on top.
BLENDR_INLINE wide subtract(wide const& a, wide const& b)
{
    wide out;
    each_limb([&](auto i) __attribute__((always_inline)) {
        out.v[i] = minus(plus(a.v[i], every_lane(p_limb<i> << 35)), b.v[i]);
    });
    return out;
}

/// An element's limbs as sums, unchanged.
BLENDR_INLINE wide widened(element const& a)
{
    wide out;
    each_limb([&](auto i) __attribute__((always_inline)) { out.v[i] = a.v[i]; });
    return out;
}

/// Called rather than inlined, as most places that need a product are not hot; those that are take the
/// wide forms.
[[gnu::noinline]] inline element multiply(element const& a, element const& b)
{
    return carry(multiply_wide(a, b));
}
[[gnu::noinline]] inline element square(element const& a) { return carry(square_wide(a)); }

/// a + b as a factor only: usable, not tight.
BLENDR_INLINE element sum_factor(element const& a, element const& b)
{
    element out;
    each_limb([&](auto i) __attribute__((always_inline)) { out.v[i] = plus(a.v[i], b.v[i]); });
    return out;
}

/// 2p - a: usable, not tight.
BLENDR_INLINE element negated(element const& a)
{
    element out;
    each_limb([&](auto i) __attribute__((always_inline)) {
        out.v[i] = minus(every_lane(2 * p_limb<i>), a.v[i]);
    });
    return out;
}

/// a - b as a factor only: usable, not tight.
BLENDR_INLINE element difference_factor(element const& a, element const& b)
{
    return sum_factor(a, negated(b));
}

[[gnu::noinline]] inline element add(element const& a, element const& b)
{
    return carry(widened(sum_factor(a, b)));
}
[[gnu::noinline]] inline element subtract(element const& a, element const& b)
{
    return carry(widened(difference_factor(a, b)));
}

/// b in the lanes of `which`, a in the others.
BLENDR_INLINE element select(lane_mask which, element const& a, element const& b)
{
    element out;
    each_limb([&](auto i) __attribute__((always_inline)) {
        out.v[i] = _mm256_blendv_epi8(a.v[i], b.v[i], which.v);
    });
    return out;
}

/// The one representative below p, all limbs within their bits.
inline element canonical(element const& a)
{
    element out = a;
    auto& v = out.v;
    auto const ripple = [&]() __attribute__((always_inline)) {
        shed<0>(v), shed<1>(v), shed<2>(v), shed<3>(v), shed<4>(v);
        shed<5>(v), shed<6>(v), shed<7>(v), shed<8>(v);
    };
    // Twice through all limbs: after the first, limb 0 may reach 2^26 + 38 and the others keep to their
    // bits; should that ripple through all of them in the second, limb 0 is left below 57.
    ripple(), shed_last(v);
    ripple(), shed_last(v);
    // The value is now below 2^255, and at least p exactly when value + 19 reaches 2^255.
    __m256i over = _mm256_srli_epi64(plus(v[0], every_lane(19)), 26);
    each_limb([&](auto i) __attribute__((always_inline)) {
        if constexpr (i != 0) over = _mm256_srli_epi64(plus(v[i], over), bits_in<int{i}>);
    });
    v[0] = plus(v[0], product(over, every_lane(19)));
    ripple();
    v[9] = _mm256_and_si256(v[9], every_lane((1u << 25) - 1));
    return out;
}

/// The lanes where a canonical element is zero.
inline lane_mask is_zero(element const& a)
{
    __m256i any = a.v[0];
    each_limb([&](auto i) __attribute__((always_inline)) { any = _mm256_or_si256(any, a.v[i]); });
    return {_mm256_cmpeq_epi64(any, _mm256_setzero_si256())};
}

/// The lanes where a canonical element is odd.
inline lane_mask is_odd(element const& a)
{
    __m256i const unit = every_lane(1);
    return {_mm256_cmpeq_epi64(_mm256_and_si256(a.v[0], unit), unit)};
}

/// From 32 bytes a lane, little-endian; bit 255 is left out. Tight; below p if the bytes are.
inline element from_bytes(std::uint8_t const (*in)[32])
{
    alignas(32) std::uint64_t limb[10][4];
    for (std::size_t lane = 0; lane < 4; ++lane)
        for (std::size_t i = 0; i < 10; ++i) {
            std::uint32_t bits = 0;
            __builtin_memcpy(&bits, in[lane] + limb_bit[i] / 8,
                             4);  // 26 bits from bit 0 to 6: in 32
            limb[i][lane] = bits >> limb_bit[i] % 8 & ((1u << (i % 2 == 0 ? 26 : 25)) - 1);
        }
    element out;
    each_limb([&](auto i) __attribute__((always_inline)) { out.v[i] = word::load(limb[i]).v; });
    return out;
}

/// A canonical element as 32 bytes a lane.
inline void to_bytes(element const& a, std::uint8_t (*out)[32])
{
    alignas(32) std::uint64_t limb[10][4];
    each_limb([&](auto i) __attribute__((always_inline)) { word{a.v[i]}.store(limb[i]); });
    for (std::size_t lane = 0; lane < 4; ++lane) {
        std::uint64_t words[4] = {};
        for (std::size_t i = 0; i < 10; ++i) {
            std::size_t const at = limb_bit[i] / 64, shift = limb_bit[i] % 64;
            words[at] |= limb[i][lane] << shift;
            if (shift > 38 && at < 3) words[at + 1] |= limb[i][lane] >> (64 - shift);
        }
        __builtin_memcpy(out[lane], words, 32);
    }
}

/// Words that Count elements of one lane take in a table's row: two limbs a word.
template <std::size_t Count>
constexpr std::size_t row_words = (5 * Count + 3) / 4 * 4;

/// Writes each lane's share of Count elements to that lane's row.
template <std::size_t Count>
inline void store_rows(element const (&in)[Count], std::uint64_t* const (&rows)[4])
{
    for (std::size_t block = 0; block < row_words<Count> / 4; ++block) {
        __m256i columns[4];
        __m256i out[4];
        for (std::size_t j = 0; j < 4; ++j) {
            std::size_t const pair = 4 * block + j;
            columns[j] = _mm256_setzero_si256();
            if (pair >= 5 * Count) continue;
            auto const& v = in[pair / 5].v;
            std::size_t const limb = pair % 5 * 2;
            columns[j] = _mm256_or_si256(v[limb], _mm256_slli_epi64(v[limb + 1], 32));
        }
        transpose(columns, out);
        for (std::size_t lane = 0; lane < 4; ++lane) word{out[lane]}.store(rows[lane] + 4 * block);
    }
}

/// The opposite: from one row a lane, Count elements.
template <std::size_t Count>
BLENDR_INLINE void load_rows(std::uint64_t const* const (&rows)[4], element (&out)[Count])
{
    __m256i const low = every_lane(0xffffffff);
    auto const block = [&](auto b) __attribute__((always_inline)) {
        __m256i const in[4] = {word::load(rows[0] + 4 * b).v, word::load(rows[1] + 4 * b).v,
                               word::load(rows[2] + 4 * b).v, word::load(rows[3] + 4 * b).v};
        __m256i columns[4];
        transpose(in, columns);
        auto const put = [&](auto j) __attribute__((always_inline)) {
            constexpr std::size_t pair = 4 * b + j;
            if constexpr (pair < 5 * Count) {
                out[pair / 5].v[pair % 5 * 2] = _mm256_and_si256(columns[j], low);
                out[pair / 5].v[pair % 5 * 2 + 1] = _mm256_srli_epi64(columns[j], 32);
            }
        };
        put(std::integral_constant<std::size_t, 0>{}),
            put(std::integral_constant<std::size_t, 1>{});
        put(std::integral_constant<std::size_t, 2>{}),
            put(std::integral_constant<std::size_t, 3>{});
    };
    block(std::integral_constant<std::size_t, 0>{}),
        block(std::integral_constant<std::size_t, 1>{});
    block(std::integral_constant<std::size_t, 2>{}),
        block(std::integral_constant<std::size_t, 3>{});
    if constexpr (Count == 4) block(std::integral_constant<std::size_t, 4>{});
}

}  // namespace
}  // namespace blendr::crypto::lanes
