// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/strong.hpp>

namespace blendr {

/// A list or text that may hold at most Max elements; longer input is refused before it is read.
/// Behaves as the container that it is.
template <class Container, std::size_t Max>
struct bounded : Container {
    static constexpr std::size_t elements_max = Max;
    using Container::Container;
    bounded() = default;
    bounded(Container value) : Container(std::move(value)) {}
};

/// What an unbounded container may hold at most.
inline constexpr std::size_t elements_max_default = std::size_t{1} << 24;

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

bool valid_utf8(bytes_view text) noexcept;

template <class T>
concept described = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public |
                                                            boost::describe::mod_inherited>;

template <class T, class Descriptor>
using member_type =
    std::remove_cvref_t<decltype(std::declval<T const&>().*std::declval<Descriptor>().pointer)>;

/// A codec that always takes the same number of bytes reads without asking again whether they are
/// there: `load` gets them, `read` is its checked form.
template <class T>
concept loads = requires(std::byte const* in, T& out)
{
    {
        codec<T>::load(in, out)
        } -> std::same_as<bool>;
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
requires(!std::same_as<Int, bool>) struct codec<Int> {
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
requires(std::is_enum_v<Enum>&&
             boost::describe::has_describe_enumerators<Enum>::value) struct codec<Enum> {
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
requires(N > 0) struct codec<std::array<T, N>> {
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
    static bool load(std::byte const* in, std::array<T, N>& out) requires impl::loads<T>
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

namespace impl {

/// Lists and texts: a minimal varint count, then the elements.
template <class Container, std::size_t Max>
struct list_codec {
    using element = typename Container::value_type;
    static constexpr bool is_raw = sizeof(element) == 1 && (std::same_as<element, std::byte> ||
                                                            std::same_as<element, std::uint8_t> ||
                                                            std::same_as<element, char>);
    static constexpr bool is_text = std::same_as<element, char>;
    static constexpr bool fixed = false;
    static constexpr std::size_t size_min = 1;

    static std::size_t size(Container const& value)
    {
        std::size_t sum = varint_size(value.size());
        if constexpr (is_raw) {
            sum += value.size();
        } else if constexpr (codec<element>::fixed) {
            sum += value.size() * codec<element>::size_min;
        } else {
            for (auto const& each : value) sum += codec<element>::size(each);
        }
        return sum;
    }

    static std::byte* write(Container const& value, std::byte* out)
    {
        BLENDR_ASSERT(value.size() <= Max);
        out = write_varint(value.size(), out);
        if constexpr (is_raw) {
            if (!value.empty()) std::memcpy(out, value.data(), value.size());
            return out + value.size();
        } else {
            for (auto const& each : value) out = codec<element>::write(each, out);
            return out;
        }
    }

    static bool read(reader& in, Container& out)
    {
        std::uint64_t count = 0;
        if (!in.read_varint(count, Max)) return false;
        if constexpr (is_raw) {
            auto const* const raw = in.take(count);
            if (raw == nullptr) return false;
            if constexpr (is_text)
                if (!valid_utf8({raw, count})) return in.refuse(decode_fault::bad_value, count);
            out.resize(count);
            if (count != 0) std::memcpy(out.data(), raw, count);
            return true;
        } else {
            static_assert(codec<element>::size_min > 0,
                          "elements that take no bytes have no bound");
            // Each element takes at least size_min bytes, so memory stays in proportion to input.
            if (count > in.left() / codec<element>::size_min)
                return in.refuse(decode_fault::truncated);
            if (!in.enter()) return false;
            out.clear();
            out.reserve(count);
            for (std::uint64_t i = 0; i < count; ++i)
                if (!codec<element>::read(in, out.emplace_back())) return false;
            in.leave();
            return true;
        }
    }
};

}  // namespace impl

template <class T>
requires(!std::same_as<T, bool>) struct codec<std::vector<T>>
    : impl::list_codec<std::vector<T>, elements_max_default> {};

template <>
struct codec<std::string> : impl::list_codec<std::string, elements_max_default> {};

template <class Container, std::size_t Max>
struct codec<bounded<Container, Max>> : impl::list_codec<bounded<Container, Max>, Max> {};

template <class T>
struct codec<std::optional<T>> {
    static constexpr bool fixed = false;
    static constexpr std::size_t size_min = 1;
    static std::size_t size(std::optional<T> const& value)
    {
        return 1 + (value ? encoded_size(*value) : 0);
    }
    static std::byte* write(std::optional<T> const& value, std::byte* out)
    {
        *out++ = value ? std::byte{1} : std::byte{0};
        return value ? codec<T>::write(*value, out) : out;
    }
    static bool read(reader& in, std::optional<T>& out)
    {
        auto const* const tag = in.take(1);
        if (tag == nullptr) return false;
        out.reset();
        if (*tag == std::byte{0}) return true;
        if (*tag != std::byte{1}) return in.refuse(decode_fault::unknown_tag, 1);
        if (!in.enter() || !codec<T>::read(in, out.emplace())) return false;
        in.leave();
        return true;
    }
};

/// A variant is its alternative's index as a varint, then that alternative. Order is for ever.
template <class... Ts>
struct codec<std::variant<Ts...>> {
    using value_type = std::variant<Ts...>;
    static constexpr bool fixed = false;
    static constexpr std::size_t size_min = 1;
    static std::size_t size(value_type const& value)
    {
        return impl::varint_size(value.index()) +
               std::visit([](auto const& each) { return encoded_size(each); }, value);
    }
    static std::byte* write(value_type const& value, std::byte* out)
    {
        out = impl::write_varint(value.index(), out);
        return std::visit(
            [out](auto const& each) {
                return codec<std::remove_cvref_t<decltype(each)>>::write(each, out);
            },
            value);
    }
    static bool read(reader& in, value_type& out)
    {
        std::uint64_t tag = 0;
        if (!in.read_varint(tag, std::numeric_limits<std::uint64_t>::max())) return false;
        if (tag >= sizeof...(Ts)) return in.refuse(decode_fault::unknown_tag);
        if (!in.enter()) return false;
        bool good = false;
        boost::mp11::mp_with_index<sizeof...(Ts)>(static_cast<std::size_t>(tag), [&](auto index) {
            constexpr std::size_t i = decltype(index)::value;
            good = codec<std::variant_alternative_t<i, value_type>>::read(
                in, out.template emplace<i>());
        });
        in.leave();
        return good;
    }
};

template <>
struct codec<std::monostate> {
    static constexpr bool fixed = true;
    static constexpr std::size_t size_min = 0;
    static std::size_t size(std::monostate) noexcept { return 0; }
    static std::byte* write(std::monostate, std::byte* out) noexcept { return out; }
    static bool load(std::byte const*, std::monostate&) noexcept { return true; }
    static bool read(reader&, std::monostate&) noexcept { return true; }
};

template <class A, class B>
struct codec<std::pair<A, B>> {
    static constexpr bool fixed = codec<A>::fixed && codec<B>::fixed;
    static constexpr std::size_t size_min = codec<A>::size_min + codec<B>::size_min;
    static std::size_t size(std::pair<A, B> const& value)
    {
        return encoded_size(value.first) + encoded_size(value.second);
    }
    static std::byte* write(std::pair<A, B> const& value, std::byte* out)
    {
        return codec<B>::write(value.second, codec<A>::write(value.first, out));
    }
    static bool read(reader& in, std::pair<A, B>& out)
    {
        return codec<A>::read(in, out.first) && codec<B>::read(in, out.second);
    }
};

/// Described aggregates: their members in the order of description.
template <impl::described T>
struct codec<T> {
    using members = impl::members_of<T>;

private:
    struct shape {
        bool fixed = true;
        bool loads = true;
        std::size_t size_min = 0;
    };
    static constexpr shape measure()
    {
        shape all{};
        boost::mp11::mp_for_each<members>([&]<class D>(D) {
            using member = impl::member_type<T, D>;
            all.fixed = all.fixed && codec<member>::fixed;
            all.loads = all.loads && impl::loads<member>;
            all.size_min += codec<member>::size_min;
        });
        return all;
    }
    static constexpr shape shape_ = measure();

public:
    static constexpr bool fixed = shape_.fixed;
    static constexpr std::size_t size_min = shape_.size_min;

    static std::size_t size(T const& value)
    {
        if constexpr (fixed) return size_min;
        std::size_t sum = 0;
        boost::mp11::mp_for_each<members>([&](auto d) { sum += encoded_size(value.*d.pointer); });
        return sum;
    }
    static std::byte* write(T const& value, std::byte* out)
    {
        boost::mp11::mp_for_each<members>([&]<class D>(D d) {
            out = codec<impl::member_type<T, D>>::write(value.*d.pointer, out);
        });
        return out;
    }
    static bool load(std::byte const* in, T& out) requires(shape_.fixed&& shape_.loads)
    {
        bool good = true;
        boost::mp11::mp_for_each<members>([&]<class D>(D d) {
            using member = codec<impl::member_type<T, D>>;
            good = member::load(in, out.*d.pointer) && good;
            in += member::size_min;
        });
        return good;
    }
    static bool read(reader& in, T& out)
    {
        // All at once when the bytes are there and good; otherwise field by field, so that the
        // error names the byte.
        if constexpr (shape_.fixed && shape_.loads) {
            if (in.left() >= size_min && load(in.here(), out)) {
                in.skip(size_min);
                return true;
            }
            return read_and_name(in, out);
        } else {
            return read_members(in, out);
        }
    }

private:
    static bool read_members(reader& in, T& out)
    {
        if (!in.enter()) return false;
        bool good = true;
        boost::mp11::mp_for_each<members>([&]<class D>(D d) {
            good = good && codec<impl::member_type<T, D>>::read(in, out.*d.pointer);
        });
        in.leave();
        return good;
    }
    [[gnu::cold, gnu::noinline]] static bool read_and_name(reader& in, T& out)
    {
        return read_members(in, out);
    }
};

/// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
inline bool impl::valid_utf8(bytes_view text) noexcept
{
    auto const at = [&](std::size_t i) { return std::to_integer<unsigned>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        unsigned const lead = at(i);
        if (lead < 0x80) {
            ++i;
            continue;
        }
        std::size_t const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || text.size() - i <= more) return false;
        unsigned const low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        unsigned const high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        if (at(i + 1) < low || at(i + 1) > high) return false;
        for (std::size_t k = 2; k <= more; ++k)
            if ((at(i + k) & 0xc0) != 0x80) return false;
        i += more + 1;
    }
    return true;
}

}  // namespace blendr
