// SPDX-License-Identifier: Apache-2.0
// Integers modulo the group's order L = 2^252 + c, and their digits. Plain words, no lanes: this is
// about a hundredth of a verification.
#pragma once

#include <cstddef>
#include <cstdint>

namespace blendr::crypto::lanes {
namespace {

constexpr std::uint64_t order[4] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};

/// out = a * c with c = L - 2^252, of 125 bits. Size words times two.
template <std::size_t Size>
inline void times_c(std::uint64_t const (&a)[Size], std::uint64_t (&out)[Size + 2])
{
    __extension__ using u128 = unsigned __int128;
    for (auto& word : out) word = 0;
    for (std::size_t i = 0; i < Size; ++i) {
        u128 sum = u128{a[i]} * order[0] + out[i];
        out[i] = static_cast<std::uint64_t>(sum);
        sum = u128{a[i]} * order[1] + out[i + 1] + static_cast<std::uint64_t>(sum >> 64);
        out[i + 1] = static_cast<std::uint64_t>(sum);
        out[i + 2] = static_cast<std::uint64_t>(sum >> 64);
    }
}

/// Adds b to a, or takes it away; whatever leaves the four words is lost.
inline void add_words(std::uint64_t (&a)[4], std::uint64_t const* b)
{
    unsigned char carry = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        std::uint64_t const sum = a[i] + b[i];
        std::uint64_t const total = sum + carry;
        carry = sum < b[i] || total < sum;
        a[i] = total;
    }
}

inline void subtract_words(std::uint64_t (&a)[4], std::uint64_t const* b)
{
    unsigned char borrow = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        std::uint64_t const rest = a[i] - b[i];
        unsigned char const under = a[i] < b[i] || rest < borrow;
        a[i] = rest - borrow;
        borrow = under;
    }
}

inline bool below_order(std::uint64_t const* a)
{
    for (std::size_t i = 4; i-- > 0;)
        if (a[i] != order[i]) return a[i] < order[i];
    return false;
}

/// 512 bits modulo L. Since 2^252 = -c, what lies above bit 252 comes back down times -c, three times:
/// 260 bits above, then 133, then 6.
inline void reduce(std::uint8_t const (&in)[64], std::uint64_t (&out)[4])
{
    constexpr std::uint64_t top = 0x0fffffffffffffff;  // of the bits below 252
    std::uint64_t x[8];
    __builtin_memcpy(x, in, 64);
    std::uint64_t high[5];
    for (std::size_t i = 0; i < 4; ++i) high[i] = x[i + 3] >> 60 | x[i + 4] << 4;
    high[4] = x[7] >> 60;
    std::uint64_t less[7];
    times_c(high, less);  // below 2^385
    std::uint64_t const high2[3] = {less[3] >> 60 | less[4] << 4, less[4] >> 60 | less[5] << 4,
                                    less[5] >> 60 | less[6] << 4};
    std::uint64_t more[5];
    times_c(high2, more);  // below 2^258
    std::uint64_t const high3[1] = {more[3] >> 60 | more[4] << 4};
    std::uint64_t less2[3];
    times_c(high3, less2);  // below 2^131

    // in = x - less + more - less2 with each cut at bit 252 (less2 has no more). Starting from 2 L
    // keeps it above zero, and below 2^252 + 2^252 + 2 L < 5 L.
    x[3] &= top, less[3] &= top, more[3] &= top;
    std::uint64_t const last[4] = {less2[0], less2[1], less2[2], 0};
    out[0] = out[1] = out[2] = out[3] = 0;
    add_words(out, order);
    add_words(out, order);
    add_words(out, x);
    add_words(out, more);
    subtract_words(out, less);
    subtract_words(out, last);
    while (!below_order(out)) subtract_words(out, order);
}

/// Signed digits of `Bits` bits, lowest first: in = sum of digit[i] * 2^(Bits i), each digit between
/// -2^(Bits - 1) and 2^(Bits - 1) - 1. `in` is below 2^253, so the highest of Count digits, which takes
/// what is left and one carry, is small and positive when Bits * Count > 253.
template <unsigned Bits, std::size_t Count>
inline void to_digits(std::uint64_t const (&in)[4], std::int8_t (&digit)[Count])
{
    static_assert(Bits <= 8 && Bits * Count > 253 && Bits * (Count - 1) < 256);
    int carry = 0;
    for (std::size_t i = 0; i < Count; ++i) {
        std::size_t const at = Bits * i / 64, shift = Bits * i % 64;
        std::uint64_t bits = in[at] >> shift;
        if (shift + Bits > 64 && at < 3) bits |= in[at + 1] << (64 - shift);
        int value = static_cast<int>(bits & ((1u << Bits) - 1)) + carry;
        carry = value >= 1 << (Bits - 1);
        value -= carry << Bits;
        digit[i] = static_cast<std::int8_t>(value);
    }
}

}  // namespace
}  // namespace blendr::crypto::lanes
