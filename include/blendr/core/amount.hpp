// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <blendr/core/assert.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/core/wide.hpp>

namespace blendr {

/// Why a text is no amount, and at which character.
struct amount_error {
    enum class kind : std::uint8_t {
        empty = 1,
        bad_digit = 2,
        too_many_decimals = 3,
        too_large = 4,
    };
    kind what{};
    std::size_t at{};

    friend bool operator==(amount_error const&, amount_error const&) = default;
};

/// Money: a checked number of grains. 10⁹ grains are 1 BLND.
/// Operators assert on overflow and on going below zero (our bug); `add` and `sub` are for what
/// comes from outside and answer nothing when the result does not fit.
class amount {
public:
    constexpr amount() = default;
    constexpr explicit amount(u128 grains) noexcept : grains_{grains} {}

    static constexpr amount max() noexcept { return amount{std::numeric_limits<u128>::max()}; }

    constexpr u128 grains() const noexcept { return grains_; }

    friend constexpr bool operator==(amount, amount) = default;
    friend constexpr std::strong_ordering operator<=>(amount a, amount b) noexcept
    {
        return a.grains_ < b.grains_   ? std::strong_ordering::less
               : a.grains_ > b.grains_ ? std::strong_ordering::greater
                                       : std::strong_ordering::equal;
    }

    friend constexpr std::optional<amount> add(amount a, amount b) noexcept
    {
        u128 const sum = a.grains_ + b.grains_;
        if (sum < a.grains_) return std::nullopt;
        return amount{sum};
    }
    friend constexpr std::optional<amount> sub(amount a, amount b) noexcept
    {
        if (a.grains_ < b.grains_) return std::nullopt;
        return amount{a.grains_ - b.grains_};
    }
    friend constexpr amount operator+(amount a, amount b) noexcept
    {
        auto const sum = add(a, b);
        BLENDR_ASSERT(sum.has_value());
        return *sum;
    }
    friend constexpr amount operator-(amount a, amount b) noexcept
    {
        auto const rest = sub(a, b);
        BLENDR_ASSERT(rest.has_value());
        return *rest;
    }
    constexpr amount& operator+=(amount other) noexcept { return *this = *this + other; }
    constexpr amount& operator-=(amount other) noexcept { return *this = *this - other; }

    /// This amount × part ÷ whole. Nothing when whole is zero or the result does not fit.
    constexpr std::optional<amount> share(u128 part, u128 whole, rounding how) const noexcept
    {
        if (auto const grains = mul_div(grains_, part, whole, how)) return amount{*grains};
        return std::nullopt;
    }

private:
    u128 grains_{};
};

inline constexpr std::uint64_t grains_per_blnd = 1'000'000'000;

constexpr amount operator""_grains(unsigned long long n) noexcept { return amount{n}; }
constexpr amount operator""_blnd(unsigned long long n) noexcept
{
    return amount{u128{n} * grains_per_blnd};
}

struct price_tag {
    static constexpr auto rules = arithmetic::none;
};

/// Grains for one unit.
using price = strong<price_tag>;

/// What that many units cost. Always fits: 64 × 64 bits.
constexpr amount operator*(price each, quantity count) noexcept
{
    return amount{u128{each.get()} * count.get()};
}
constexpr amount operator*(quantity count, price each) noexcept { return each * count; }

/// The price of one unit when so many cost `total`; nothing when it does not fit or count is zero.
constexpr std::optional<price> price_of(amount total, quantity count, rounding how) noexcept
{
    auto const each = mul_div(total.grains(), 1, count.get(), how);
    if (!each || *each > std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
    return price{static_cast<std::uint64_t>(*each)};
}

namespace impl {
inline result<u128, amount_error> parse_digits(std::string_view text, std::size_t offset,
                                               u128 value)
{
    constexpr u128 max = std::numeric_limits<u128>::max();
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (c < '0' || c > '9')
            return fail{amount_error{amount_error::kind::bad_digit, offset + i}};
        auto const digit = static_cast<unsigned>(c - '0');
        if (value > (max - digit) / 10)
            return fail{amount_error{amount_error::kind::too_large, offset + i}};
        value = value * 10 + digit;
    }
    return value;
}
}  // namespace impl

/// Reads a whole decimal number. Refuses signs, spaces and anything that does not fit.
inline result<u128, amount_error> parse_u128(std::string_view text)
{
    if (text.empty()) return fail{amount_error{amount_error::kind::empty, 0}};
    return impl::parse_digits(text, 0, 0);
}

/// In BLND, with as many decimals as it takes: "3.2".
inline std::string to_string(amount value)
{
    std::string text = to_string(value.grains() / grains_per_blnd);
    auto fraction = static_cast<std::uint64_t>(value.grains() % grains_per_blnd);
    if (fraction == 0) return text;
    std::string decimals = std::to_string(fraction + grains_per_blnd).substr(1);
    decimals.erase(decimals.find_last_not_of('0') + 1);
    return text + '.' + decimals;
}

/// Reads BLND with up to nine decimals: "3.2". Refuses signs, spaces, a bare dot and more decimals
/// than there are grains.
inline result<amount, amount_error> parse_amount(std::string_view text)
{
    using kind = amount_error::kind;
    constexpr std::size_t decimals_max = 9;
    auto const dot = text.find('.');
    auto const whole = text.substr(0, dot);
    if (whole.empty()) return fail{amount_error{kind::empty, 0}};
    BLENDR_TRY(u128 grains, impl::parse_digits(whole, 0, 0));
    std::string decimals{};
    if (dot != std::string_view::npos) {
        decimals = text.substr(dot + 1);
        if (decimals.empty()) return fail{amount_error{kind::empty, dot + 1}};
        if (decimals.size() > decimals_max)
            return fail{amount_error{kind::too_many_decimals, dot + 1 + decimals_max}};
    }
    decimals.append(decimals_max - decimals.size(), '0');
    BLENDR_TRY(grains, impl::parse_digits(decimals, dot + 1, grains));
    return amount{grains};
}

/// A sentence for people.
inline std::string message(amount_error const& e)
{
    auto const at = " at position " + std::to_string(e.at);
    switch (e.what) {
    case amount_error::kind::empty:
        return "an amount needs a digit" + at;
    case amount_error::kind::bad_digit:
        return "an amount has a character that is no digit" + at;
    case amount_error::kind::too_many_decimals:
        return "an amount has at most nine decimals; there are more" + at;
    case amount_error::kind::too_large:
        return "an amount does not fit 128 bits" + at;
    }
    return "unknown amount error";
}

}  // namespace blendr

template <>
struct std::hash<blendr::amount> {
    std::size_t operator()(blendr::amount value) const noexcept
    {
        auto const grains = value.grains();
        return std::hash<std::uint64_t>{}(static_cast<std::uint64_t>(grains ^ (grains >> 64)));
    }
};
