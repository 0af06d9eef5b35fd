// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace blendr {

__extension__ using u128 = unsigned __int128;

/// Where a quotient that does not come out even goes. Always named, so that nobody has to guess
/// who got the last grain.
enum class rounding : std::uint8_t {
    down,
    up,
    half_up,
};

namespace impl {

struct u256 {
    u128 high{};
    u128 low{};
};

constexpr u256 multiply(u128 a, u128 b) noexcept
{
    constexpr u128 mask = std::numeric_limits<std::uint64_t>::max();
    u128 const a0 = a & mask, a1 = a >> 64, b0 = b & mask, b1 = b >> 64;
    u128 const low = a0 * b0;
    u128 const middle = a1 * b0 + (low >> 64);  // < 2^128: (2^64-1)^2 + 2^64-1
    u128 const other = a0 * b1 + (middle & mask);
    return {a1 * b1 + (middle >> 64) + (other >> 64), (other << 64) | (low & mask)};
}

constexpr int leading_zeros(u128 v) noexcept
{
    auto const high = static_cast<std::uint64_t>(v >> 64);
    return high != 0 ? __builtin_clzll(high)
                     : 64 + __builtin_clzll(static_cast<std::uint64_t>(v));  // v is never zero here
}

/// One digit of the long division: (high:next) / divisor, where high < divisor and the divisor's
/// top bit is set. Leaves the remainder in `high`.
constexpr std::uint64_t divide_digit(u128& high, std::uint64_t next, u128 divisor) noexcept
{
    constexpr u128 base = u128{1} << 64;
    u128 const d1 = divisor >> 64, d0 = divisor & (base - 1);
    u128 q = high / d1, r = high % d1;
    while (q >= base || q * d0 > ((r << 64) | next)) {
        --q;
        r += d1;
        if (r >= base) break;
    }
    high =
        ((high << 64) | next) - q * divisor;  // the true difference fits, so wrapping is harmless
    return static_cast<std::uint64_t>(q);
}

struct quotient {
    u128 value{};
    u128 remainder{};
};

/// n / divisor; the quotient must fit, that is n.high < divisor.
constexpr quotient divide(u256 n, u128 divisor) noexcept
{
    if (n.high == 0) return {n.low / divisor, n.low % divisor};
    int const shift = leading_zeros(divisor);
    divisor <<= shift;
    if (shift != 0) {
        n.high = (n.high << shift) | (n.low >> (128 - shift));
        n.low <<= shift;
    }
    u128 rest = n.high;
    u128 const first = divide_digit(rest, static_cast<std::uint64_t>(n.low >> 64), divisor);
    u128 const second = divide_digit(rest, static_cast<std::uint64_t>(n.low), divisor);
    return {(first << 64) | second, rest >> shift};
}

}  // namespace impl

/// a × b ÷ c through 256 bits, rounded as named. Nothing when c is zero or the result needs more
/// than 128 bits.
constexpr std::optional<u128> mul_div(u128 a, u128 b, u128 c, rounding how) noexcept
{
    if (c == 0) return std::nullopt;
    auto const product = impl::multiply(a, b);
    if (product.high >= c) return std::nullopt;
    auto const [value, remainder] = impl::divide(product, c);
    bool const bump = (how == rounding::up && remainder != 0) ||
                      (how == rounding::half_up && remainder >= c - remainder);
    if (!bump) return value;
    if (value == std::numeric_limits<u128>::max()) return std::nullopt;
    return value + 1;
}

/// The decimal digits of a 128-bit number.
inline std::string to_string(u128 value)
{
    std::array<char, 40> digits{};
    std::size_t at = digits.size();
    do {
        digits[--at] = static_cast<char>('0' + static_cast<int>(value % 10));
        value /= 10;
    } while (value != 0);
    return {digits.data() + at, digits.size() - at};
}

}  // namespace blendr
