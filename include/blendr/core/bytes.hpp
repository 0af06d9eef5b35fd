// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/core/result.hpp>

namespace blendr {

using bytes = std::vector<std::byte>;
using bytes_view = std::span<std::byte const>;
using hash256 = std::array<std::byte, 32>;

/// The bytes of a text, seen in place.
inline bytes_view as_bytes(std::string_view text) noexcept
{
    return std::as_bytes(std::span{text.data(), text.size()});
}

/// Bytes seen as text, in place.
inline std::string_view as_text(bytes_view raw) noexcept
{
    return {reinterpret_cast<char const*>(raw.data()), raw.size()};
}

/// A copy that owns what the view shows.
inline bytes to_bytes(bytes_view raw) { return {raw.begin(), raw.end()}; }
inline bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

/// Lexicographic order of unsigned bytes; shorter first when one is the other's beginning.
inline std::strong_ordering compare(bytes_view a, bytes_view b) noexcept
{
    std::size_t const common = std::min(a.size(), b.size());
    int const order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
    if (order != 0) return order <=> 0;
    return a.size() <=> b.size();
}

inline bool equal(bytes_view a, bytes_view b) noexcept { return compare(a, b) == 0; }

/// Orders containers by key bytes and lets them be searched by view.
struct bytes_less {
    using is_transparent = void;
    bool operator()(bytes_view a, bytes_view b) const noexcept { return compare(a, b) < 0; }
};

/// Why a hex text was refused, and at which character.
struct hex_error {
    enum class kind : std::uint8_t {
        odd_length = 1,
        bad_digit = 2,
        wrong_length = 3,
    };
    kind what{};
    std::size_t at{};

    friend bool operator==(hex_error const&, hex_error const&) = default;
};

/// A sentence for people.
inline std::string message(hex_error const& e)
{
    switch (e.what) {
    case hex_error::kind::odd_length:
        return "hex text has an odd number of digits (" + std::to_string(e.at) + ")";
    case hex_error::kind::bad_digit:
        return "hex text has a character that is no hex digit at position " + std::to_string(e.at);
    case hex_error::kind::wrong_length:
        return "hex text has " + std::to_string(e.at) +
               " digits, which is not the length asked for";
    }
    return "unknown hex error";
}

/// Lower-case hex, two digits a byte.
inline std::string to_hex(bytes_view raw)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(raw.size() * 2, '0');
    for (std::size_t i = 0; i < raw.size(); ++i) {
        auto const b = std::to_integer<unsigned>(raw[i]);
        text[2 * i] = digits[b >> 4];
        text[2 * i + 1] = digits[b & 15];
    }
    return text;
}

namespace impl {

constexpr int hex_digit(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

inline result<nothing, hex_error> parse_hex(std::string_view text, std::span<std::byte> out)
{
    for (std::size_t i = 0; i < text.size(); ++i) {
        int const digit = hex_digit(text[i]);
        if (digit < 0) return fail{hex_error{hex_error::kind::bad_digit, i}};
        auto& b = out[i / 2];
        b = static_cast<std::byte>(i % 2 == 0 ? digit << 4 : (std::to_integer<int>(b) | digit));
    }
    return nothing{};
}

}  // namespace impl

/// Reads hex in either case. Refuses an odd length and anything that is no digit.
inline result<bytes, hex_error> from_hex(std::string_view text)
{
    if (text.size() % 2 != 0) return fail{hex_error{hex_error::kind::odd_length, text.size()}};
    bytes out(text.size() / 2);
    BLENDR_CHECK(impl::parse_hex(text, out));
    return out;
}

/// Reads exactly N bytes of hex.
template <std::size_t N>
result<std::array<std::byte, N>, hex_error> array_from_hex(std::string_view text)
{
    if (text.size() % 2 != 0) return fail{hex_error{hex_error::kind::odd_length, text.size()}};
    if (text.size() != 2 * N) return fail{hex_error{hex_error::kind::wrong_length, text.size()}};
    std::array<std::byte, N> out{};
    BLENDR_CHECK(impl::parse_hex(text, out));
    return out;
}

}  // namespace blendr
