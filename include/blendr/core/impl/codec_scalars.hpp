// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/strong.hpp>

namespace blendr {

namespace impl {

constexpr std::size_t varint_size(std::uint64_t value) noexcept
{
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

inline std::byte* write_varint(std::uint64_t value, std::byte* out) noexcept
{
    while (value >= 0x80) {
        *out++ = static_cast<std::byte>(value | 0x80);
        value >>= 7;
    }
    *out++ = static_cast<std::byte>(value);
    return out;
}

/// Integers in little-endian order, whatever the machine's.
template <class Int>
std::byte* store_little(Int value, std::byte* out) noexcept
{
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(out, &value, sizeof value);
    } else {
        for (std::size_t i = 0; i < sizeof value; ++i)
            out[i] = static_cast<std::byte>(value >> (8 * i));
    }
    return out + sizeof value;
}

template <class Int>
Int load_little(std::byte const* in) noexcept
{
    Int value{};
    if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(&value, in, sizeof value);
    } else {
        for (std::size_t i = 0; i < sizeof value; ++i)
            value |=
                static_cast<Int>(static_cast<Int>(std::to_integer<unsigned>(in[i])) << (8 * i));
    }
    return value;
}

/// A codec that always takes the same number of bytes reads without asking again whether they are
/// there: `load` gets them, `read` is its checked form.
template <class T>
concept loads = requires(std::byte const* in, T& out) {
    { codec<T>::load(in, out) } -> std::same_as<bool>;
};

template <class Codec, class T>
bool read_fixed(reader& in, T& out)
{
    auto const* const raw = in.take(Codec::size_min);
    if (raw == nullptr) return false;
    return Codec::load(raw, out) || in.refuse(decode_fault::bad_value, Codec::size_min);
}

}  // namespace impl

template <std::integral Int>
    requires(!std::same_as<Int, bool>)
struct codec<Int> {
    static constexpr bool fixed = true;
    static constexpr std::size_t size_min = sizeof(Int);
    static std::size_t size(Int) noexcept { return sizeof(Int); }
    static std::byte* write(Int value, std::byte* out) noexcept
    {
        return impl::store_little(value, out);
    }
    static bool load(std::byte const* in, Int& out) noexcept
    {
        out = impl::load_little<Int>(in);
        return true;
    }
    static bool read(reader& in, Int& out) { return impl::read_fixed<codec>(in, out); }
};

template <>
struct codec<bool> {
    static constexpr bool fixed = true;
    static constexpr std::size_t size_min = 1;
    static std::size_t size(bool) noexcept { return 1; }
    static std::byte* write(bool value, std::byte* out) noexcept
    {
        *out = value ? std::byte{1} : std::byte{0};
        return out + 1;
    }
    static bool load(std::byte const* in, bool& out) noexcept
    {
        out = *in == std::byte{1};
        return std::to_integer<unsigned>(*in) <= 1;
    }
    static bool read(reader& in, bool& out) { return impl::read_fixed<codec>(in, out); }
};

template <>
struct codec<std::byte> {
    static constexpr bool fixed = true;
    static constexpr std::size_t size_min = 1;
    static std::size_t size(std::byte) noexcept { return 1; }
    static std::byte* write(std::byte value, std::byte* out) noexcept
    {
        *out = value;
        return out + 1;
    }
    static bool load(std::byte const* in, std::byte& out) noexcept
    {
        out = *in;
        return true;
    }
    static bool read(reader& in, std::byte& out) { return impl::read_fixed<codec>(in, out); }
};

/// A described enumeration (`BOOST_DESCRIBE_ENUM`); a number that it does not name is refused.
template <class Enum>
    requires(std::is_enum_v<Enum> && boost::describe::has_describe_enumerators<Enum>::value)
struct codec<Enum> {
    using wire = std::underlying_type_t<Enum>;
    static constexpr bool fixed = true;
    static constexpr std::size_t size_min = sizeof(wire);
    static std::size_t size(Enum) noexcept { return size_min; }
    static std::byte* write(Enum value, std::byte* out) noexcept
    {
        return impl::store_little(static_cast<wire>(value), out);
    }
    static bool load(std::byte const* in, Enum& out) noexcept
    {
        out = static_cast<Enum>(impl::load_little<wire>(in));
        bool known = false;
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<Enum>>(
            [&](auto each) { known = known || each.value == out; });
        return known;
    }
    static bool read(reader& in, Enum& out)
    {
        auto const* const raw = in.take(size_min);
        if (raw == nullptr) return false;
        return load(raw, out) || in.refuse(decode_fault::unknown_tag, size_min);
    }
};

template <class Tag, class Rep>
struct codec<strong<Tag, Rep>> {
    static constexpr bool fixed = true;
    static constexpr std::size_t size_min = sizeof(Rep);
    static std::size_t size(strong<Tag, Rep>) noexcept { return size_min; }
    static std::byte* write(strong<Tag, Rep> value, std::byte* out) noexcept
    {
        return impl::store_little(value.get(), out);
    }
    static bool load(std::byte const* in, strong<Tag, Rep>& out) noexcept
    {
        out = strong<Tag, Rep>{impl::load_little<Rep>(in)};
        return true;
    }
    static bool read(reader& in, strong<Tag, Rep>& out) { return impl::read_fixed<codec>(in, out); }
};

template <>
struct codec<amount> {
    static constexpr bool fixed = true;
    static constexpr std::size_t size_min = sizeof(u128);
    static std::size_t size(amount) noexcept { return size_min; }
    static std::byte* write(amount value, std::byte* out) noexcept
    {
        return impl::store_little(value.grains(), out);
    }
    static bool load(std::byte const* in, amount& out) noexcept
    {
        out = amount{impl::load_little<u128>(in)};
        return true;
    }
    static bool read(reader& in, amount& out) { return impl::read_fixed<codec>(in, out); }
};

/// Arrays have no count: their type gives it.
template <class T, std::size_t N>
    requires(N > 0)
struct codec<std::array<T, N>> {
    static constexpr bool fixed = codec<T>::fixed;
    static constexpr std::size_t size_min = N * codec<T>::size_min;
    static std::size_t size(std::array<T, N> const& value)
    {
        if constexpr (fixed) return size_min;
        std::size_t sum = 0;
        for (auto const& each : value) sum += encoded_size(each);
        return sum;
    }
    static std::byte* write(std::array<T, N> const& value, std::byte* out)
    {
        if constexpr (std::same_as<T, std::byte> || std::same_as<T, std::uint8_t>) {
            std::memcpy(out, value.data(), N);
            return out + N;
        } else {
            for (auto const& each : value) out = codec<T>::write(each, out);
            return out;
        }
    }
    static bool load(std::byte const* in, std::array<T, N>& out)
        requires impl::loads<T>
    {
        if constexpr (std::same_as<T, std::byte> || std::same_as<T, std::uint8_t>) {
            std::memcpy(out.data(), in, N);
            return true;
        } else {
            bool good = true;
            for (std::size_t i = 0; i < N; ++i)
                good = codec<T>::load(in + i * codec<T>::size_min, out[i]) && good;
            return good;
        }
    }
    static bool read(reader& in, std::array<T, N>& out)
    {
        if constexpr (impl::loads<T>) {
            return impl::read_fixed<codec>(in, out);
        } else {
            for (auto& each : out)
                if (!codec<T>::read(in, each)) return false;
            return true;
        }
    }
};

}  // namespace blendr
