// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <blendr/market/capability.hpp>

namespace blendr::market::impl {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr char small(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_letter(char c) noexcept { return small(c) >= 'a' && small(c) <= 'z'; }
constexpr bool in_word(char c) noexcept
{
    return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '+' || c == '-';
}
std::string small(std::string_view text);

/// Reads a value of a number, bytes or version attribute. Says why not in `why`.
std::optional<std::uint64_t> read_number(attribute_type type, std::string_view text,
                                         std::string& why);

}  // namespace blendr::market::impl
