// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/impl/codec_scalars.hpp>

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

/// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
inline bool valid_utf8(bytes_view text) noexcept
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
    requires(!std::same_as<T, bool>)
struct codec<std::vector<T>> : impl::list_codec<std::vector<T>, elements_max_default> {};

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

}  // namespace blendr
