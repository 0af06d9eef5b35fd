// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/bech32.hpp>

#include <algorithm>
#include <array>
#include <optional>

#include <blendr/core/assert.hpp>

namespace blendr::crypto {
namespace {

constexpr std::string_view alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t text_max = 90;
constexpr std::size_t checksum_size = 6;
constexpr std::uint32_t bech32m_constant = 0x2bc830a3;
constexpr std::uint32_t bech32_constant = 1;
constexpr std::uint8_t address_version = 0;
constexpr std::size_t address_symbols = 1 + (32 * 8 + 4) / 5;

bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
char lowered(char c) noexcept { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

/// The remainder that BIP-173 defines, over symbols fed one by one.
class remainder {
public:
    void feed(std::uint32_t symbol) noexcept
    {
        constexpr std::array<std::uint32_t, 5> generator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                                            0x3d4233dd, 0x2a1462b3};
        auto const top = value_ >> 25;
        value_ = (value_ & 0x1ffffff) << 5 ^ symbol;
        for (std::size_t i = 0; i < generator.size(); ++i)
            if ((top >> i & 1) != 0) value_ ^= generator[i];
    }
    void feed_prefix(std::string_view prefix) noexcept
    {
        for (char const c : prefix) feed(static_cast<unsigned char>(c) >> 5);
        feed(0);
        for (char const c : prefix) feed(static_cast<unsigned char>(c) & 31);
    }
    std::uint32_t value() const noexcept { return value_; }

private:
    std::uint32_t value_ = 1;
};

/// Everything that can be said without the checksum: characters, case, where the two halves meet.
struct halves {
    std::string prefix;
    std::vector<std::uint8_t> symbols;  // with the checksum
};

result<halves, bech32_error> split(std::string_view text)
{
    using kind = bech32_error::kind;
    if (text.size() > text_max) return fail{bech32_error{kind::too_long, text_max}};
    std::optional<bool> upper;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (c < '!' || c > '~') return fail{bech32_error{kind::bad_character, i}};
        if (!is_upper(c) && !is_lower(c)) continue;
        if (upper.value_or(is_upper(c)) != is_upper(c))
            return fail{bech32_error{kind::mixed_case, i}};
        upper = is_upper(c);
    }
    auto const one = text.rfind('1');
    if (one == std::string_view::npos || one == 0)
        return fail{bech32_error{kind::no_separator, one == 0 ? std::size_t{0} : text.size()}};
    halves out;
    for (char const c : text.substr(0, one)) out.prefix.push_back(lowered(c));
    for (std::size_t i = one + 1; i < text.size(); ++i) {
        auto const symbol = alphabet.find(lowered(text[i]));
        if (symbol == std::string_view::npos) return fail{bech32_error{kind::bad_character, i}};
        out.symbols.push_back(static_cast<std::uint8_t>(symbol));
    }
    if (out.symbols.size() < checksum_size) return fail{bech32_error{kind::no_separator, one}};
    return out;
}

/// Checks the checksum and takes it off.
result<bech32_text, bech32_error> check(halves in)
{
    remainder sum;
    sum.feed_prefix(in.prefix);
    for (auto const symbol : in.symbols) sum.feed(symbol);
    auto const at = in.prefix.size() + 1 + in.symbols.size() - checksum_size;
    if (sum.value() == bech32_constant)
        return fail{bech32_error{bech32_error::kind::old_checksum, at}};
    if (sum.value() != bech32m_constant)
        return fail{bech32_error{bech32_error::kind::bad_checksum, at}};
    in.symbols.resize(in.symbols.size() - checksum_size);
    return bech32_text{std::move(in.prefix), std::move(in.symbols)};
}

}  // namespace

std::string message(bech32_error const& e)
{
    auto const at = std::to_string(e.at);
    switch (e.what) {
    case bech32_error::kind::too_long:
        return "the text is longer than the 90 characters that the format allows";
    case bech32_error::kind::bad_character:
        return "a character that such a text never holds stands at position " + at;
    case bech32_error::kind::mixed_case:
        return "upper and lower case are mixed, first at position " + at;
    case bech32_error::kind::no_separator:
        return "there is no 1 between a prefix and a checksum";
    case bech32_error::kind::bad_checksum:
        return "the checksum is wrong: a character is mistyped";
    case bech32_error::kind::old_checksum:
        return "the checksum is of the older bech32 form; bech32m is asked for";
    case bech32_error::kind::wrong_prefix:
        return "the prefix is not \"" + std::string{address_prefix} +
               "\": this is no address of this network";
    case bech32_error::kind::wrong_length:
        return "the text holds " + at + " symbols, which is not the length of an address";
    case bech32_error::kind::bad_padding:
        return "bits are left over behind the last byte";
    case bech32_error::kind::unknown_version:
        return "the address is of a version that this software does not know";
    }
    return "unknown bech32 error";
}

std::string to_bech32m(std::string_view prefix, std::span<std::uint8_t const> symbols)
{
    BLENDR_ASSERT(!prefix.empty() &&
                  prefix.size() + 1 + symbols.size() + checksum_size <= text_max);
    remainder sum;
    sum.feed_prefix(prefix);
    std::string text{prefix};
    text += '1';
    for (auto const symbol : symbols) {
        BLENDR_ASSERT(symbol < alphabet.size());
        sum.feed(symbol);
        text += alphabet[symbol];
    }
    for (std::size_t i = 0; i < checksum_size; ++i) sum.feed(0);
    auto const checksum = sum.value() ^ bech32m_constant;
    for (std::size_t i = 0; i < checksum_size; ++i)
        text += alphabet[checksum >> 5 * (checksum_size - 1 - i) & 31];
    return text;
}

result<bech32_text, bech32_error> parse_bech32m(std::string_view text)
{
    BLENDR_TRY(auto in, split(text));
    return check(std::move(in));
}

std::string to_text(address const& who)
{
    std::vector<std::uint8_t> symbols{address_version};
    unsigned held = 0;
    unsigned bits = 0;
    for (auto const each : who.raw()) {
        held = (held << 8 | std::to_integer<unsigned>(each)) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            symbols.push_back(static_cast<std::uint8_t>(held >> (bits - 5) & 31));
    }
    symbols.push_back(static_cast<std::uint8_t>(held << (5 - bits) & 31));
    return to_bech32m(address_prefix, symbols);
}

result<address, bech32_error> parse_address(std::string_view text)
{
    using kind = bech32_error::kind;
    BLENDR_TRY(auto in, split(text));
    if (in.prefix != address_prefix) return fail{bech32_error{kind::wrong_prefix, 0}};
    BLENDR_TRY(auto const parts, check(std::move(in)));
    auto const& symbols = parts.symbols;
    auto const start = address_prefix.size() + 1;
    if (symbols.empty()) return fail{bech32_error{kind::wrong_length, 0}};
    if (symbols[0] != address_version) return fail{bech32_error{kind::unknown_version, start}};
    if (symbols.size() != address_symbols)
        return fail{bech32_error{kind::wrong_length, symbols.size()}};
    hash256 raw{};
    unsigned held = 0;
    unsigned bits = 0;
    std::size_t filled = 0;
    for (auto const symbol : std::span{symbols}.subspan(1)) {
        held = (held << 5 | symbol) & 0xfff;
        bits += 5;
        if (bits < 8) continue;
        bits -= 8;
        raw[filled++] = static_cast<std::byte>(held >> bits & 0xff);
    }
    BLENDR_ASSERT(filled == raw.size() && bits < 5);
    if ((held & ((1u << bits) - 1)) != 0)
        return fail{bech32_error{kind::bad_padding, start + symbols.size() - 1}};
    return address{raw};
}

}  // namespace blendr::crypto
