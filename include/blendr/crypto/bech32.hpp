// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/core/result.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::crypto {

/// Why a text is no bech32m, or no address, and at which character.
struct bech32_error {
    enum class kind : std::uint8_t {
        too_long = 1,         ///< more than 90 characters
        bad_character = 2,    ///< none that the format has
        mixed_case = 3,       ///< upper and lower case letters together
        no_separator = 4,     ///< no `1` with a prefix before it and a checksum behind it
        bad_checksum = 5,     ///< mistyped
        old_checksum = 6,     ///< right for bech32, which bech32m replaces
        wrong_prefix = 7,     ///< belongs to another network or is of another type
        wrong_length = 8,     ///< does not hold as many bytes as its type
        bad_padding = 9,      ///< leftover bits that are not zero
        unknown_version = 10  ///< an address of a kind that this software does not know
    };
    kind what{};
    std::size_t at{};

    friend bool operator==(bech32_error const&, bech32_error const&) = default;
};

/// A sentence for people.
std::string message(bech32_error const& e);

/// A text's two halves (BIP-350): who it belongs to, in lower case, and 5-bit symbols.
struct bech32_text {
    std::string prefix{};
    std::vector<std::uint8_t> symbols{};

    friend bool operator==(bech32_text const&, bech32_text const&) = default;
};

/// Writes in lower case. The prefix has 1 to 83 characters from `!` to `~`, none in upper case, symbols
/// are below 32, and all of it fits 90 characters.
std::string to_bech32m(std::string_view prefix, std::span<std::uint8_t const> symbols);

/// Reads either case, not both. The checksum finds every error of up to four characters.
result<bech32_text, bech32_error> parse_bech32m(std::string_view text);

/// What every address begins with.
inline constexpr std::string_view address_prefix = "blendr";

/// `blendr1…`: prefix, a version symbol (0, the only one so far) and 32 bytes; 66 characters.
std::string to_text(address const& who);

/// Reads what `to_text` writes, in either case. What is wrong is looked for in the order in which
/// people get things wrong: characters, prefix, checksum, version, length.
result<address, bech32_error> parse_address(std::string_view text);

}  // namespace blendr::crypto
