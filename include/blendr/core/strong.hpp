// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>

#include <blendr/core/assert.hpp>

namespace blendr {

namespace impl {
template <std::integral Rep>
constexpr std::optional<Rep> checked_add(Rep a, Rep b) noexcept
{
    Rep out{};
    if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
    return out;
}
template <std::integral Rep>
constexpr std::optional<Rep> checked_sub(Rep a, Rep b) noexcept
{
    Rep out{};
    if (__builtin_sub_overflow(a, b, &out)) return std::nullopt;
    return out;
}
}  // namespace impl

/// What may be done with a strong type, chosen by its tag (`static constexpr arithmetic`):
enum class arithmetic : std::uint8_t {
    none,      ///< an id: compare, nothing else
    point,     ///< a height, a time: point + distance, point - point = distance
    quantity,  ///< a weight, a size: adds up, scales by a count
};

template <class Tag>
concept point_tag = Tag::rules == arithmetic::point;
template <class Tag>
concept quantity_tag = Tag::rules == arithmetic::quantity;

/// A number that is only what its tag says: no conversion in or out, only the operators that mean
/// something. Operators assert on overflow (our bug); what comes from outside goes through
/// `add` and `sub`, which answer nothing when the result does not fit.
template <class Tag, std::integral Rep = std::uint64_t>
class strong {
public:
    using tag = Tag;
    using rep = Rep;

    constexpr strong() = default;
    constexpr explicit strong(Rep value) noexcept : value_{value} {}

    constexpr Rep get() const noexcept { return value_; }

    friend constexpr auto operator<=>(strong, strong) = default;

    static constexpr strong max() noexcept { return strong{std::numeric_limits<Rep>::max()}; }

private:
    Rep value_{};
};

template <class Tag, class Rep>
    requires quantity_tag<Tag>
constexpr std::optional<strong<Tag, Rep>> add(strong<Tag, Rep> a, strong<Tag, Rep> b) noexcept
{
    if (auto const sum = impl::checked_add(a.get(), b.get())) return strong<Tag, Rep>{*sum};
    return std::nullopt;
}

template <class Tag, class Rep>
    requires point_tag<Tag>
constexpr std::optional<strong<Tag, Rep>> add(strong<Tag, Rep> from, Rep distance) noexcept
{
    if (auto const sum = impl::checked_add(from.get(), distance)) return strong<Tag, Rep>{*sum};
    return std::nullopt;
}

template <class Tag, class Rep>
    requires quantity_tag<Tag>
constexpr std::optional<strong<Tag, Rep>> sub(strong<Tag, Rep> a, strong<Tag, Rep> b) noexcept
{
    if (auto const rest = impl::checked_sub(a.get(), b.get())) return strong<Tag, Rep>{*rest};
    return std::nullopt;
}

template <class Tag, class Rep>
    requires quantity_tag<Tag>
constexpr strong<Tag, Rep> operator+(strong<Tag, Rep> a, strong<Tag, Rep> b) noexcept
{
    auto const sum = add(a, b);
    BLENDR_ASSERT(sum.has_value());
    return *sum;
}

template <class Tag, class Rep>
    requires quantity_tag<Tag>
constexpr strong<Tag, Rep> operator-(strong<Tag, Rep> a, strong<Tag, Rep> b) noexcept
{
    auto const rest = sub(a, b);
    BLENDR_ASSERT(rest.has_value());
    return *rest;
}

template <class Tag, class Rep>
    requires quantity_tag<Tag>
constexpr strong<Tag, Rep>& operator+=(strong<Tag, Rep>& a, strong<Tag, Rep> b) noexcept
{
    return a = a + b;
}

template <class Tag, class Rep>
    requires quantity_tag<Tag>
constexpr strong<Tag, Rep>& operator-=(strong<Tag, Rep>& a, strong<Tag, Rep> b) noexcept
{
    return a = a - b;
}

template <class Tag, class Rep>
    requires point_tag<Tag>
constexpr strong<Tag, Rep> operator+(strong<Tag, Rep> from, Rep distance) noexcept
{
    auto const sum = impl::checked_add(from.get(), distance);
    BLENDR_ASSERT(sum.has_value());
    return strong<Tag, Rep>{*sum};
}

template <class Tag, class Rep>
    requires point_tag<Tag>
constexpr strong<Tag, Rep> operator-(strong<Tag, Rep> from, Rep distance) noexcept
{
    auto const rest = impl::checked_sub(from.get(), distance);
    BLENDR_ASSERT(rest.has_value());
    return strong<Tag, Rep>{*rest};
}

template <class Tag, class Rep>
    requires point_tag<Tag>
constexpr Rep operator-(strong<Tag, Rep> a, strong<Tag, Rep> b) noexcept
{
    auto const distance = impl::checked_sub(a.get(), b.get());
    BLENDR_ASSERT(distance.has_value());
    return *distance;
}

template <class Tag, class Rep>
    requires point_tag<Tag>
constexpr strong<Tag, Rep>& operator++(strong<Tag, Rep>& at) noexcept
{
    return at = at + Rep{1};
}

struct height_tag {
    static constexpr auto rules = arithmetic::point;
};
struct time_ms_tag {
    static constexpr auto rules = arithmetic::point;
};
struct weight_tag {
    static constexpr auto rules = arithmetic::quantity;
};
struct quantity_of_units_tag {
    static constexpr auto rules = arithmetic::quantity;
};

/// A block's place in its chain; genesis is 0.
using height = strong<height_tag>;
/// Milliseconds since 1970 in block time, or of a clock that the context names.
using time_ms = strong<time_ms_tag, std::int64_t>;
/// A validator's voting power.
using weight = strong<weight_tag>;
/// How many units of compute, or lots of an instrument.
using quantity = strong<quantity_of_units_tag>;

/// So many heights after `from`; where that would not fit, the last height there is.
constexpr height later(height from, std::uint64_t heights) noexcept
{
    return add(from, heights).value_or(height::max());
}

/// The weight that decides: more than two thirds of `total`. While less than a third is faulty, the
/// honest alone can reach it, and any two sets that reach it share an honest member. `total` must
/// not be zero. Never written as 3 * sum > 2 * total, which overflows.
constexpr weight quorum_of(weight total) noexcept
{
    BLENDR_ASSERT(total.get() > 0);
    return weight{total.get() - (total.get() - 1) / 3};
}

}  // namespace blendr

template <class Tag, class Rep>
struct std::hash<blendr::strong<Tag, Rep>> {
    std::size_t operator()(blendr::strong<Tag, Rep> value) const noexcept
    {
        return std::hash<Rep>{}(value.get());
    }
};
