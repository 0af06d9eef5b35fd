// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/json.hpp>
#include <blendr/core/strong.hpp>

namespace blendr {

namespace impl {

// The parts that need no template, compiled once.
boost::json::value write_json_integer(bool negative, std::uint64_t magnitude);
bool read_json_integer(boost::json::value const& json, bool& negative, std::uint64_t& magnitude,
                       json_path& at);
boost::json::value write_json_amount(amount value);
bool read_json_amount(boost::json::value const& json, amount& out, json_path& at);
boost::json::value write_json_hex(bytes_view raw);
bool read_json_hex(boost::json::value const& json, bytes& out, json_path& at);
bool read_json_hex(boost::json::value const& json, std::span<std::byte> out, json_path& at);
boost::json::object const* json_object(boost::json::value const& json, json_path& at);
boost::json::array const* json_array(boost::json::value const& json, std::size_t max,
                                     json_path& at);
boost::json::string const* json_string(boost::json::value const& json, json_path& at);
bool refuse_unknown_members(boost::json::object const& object,
                            std::span<std::string_view const> known, json_path& at);

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
concept raw_byte = std::same_as<T, std::byte> || std::same_as<T, std::uint8_t>;

}  // namespace impl

template <std::integral Int>
    requires(!std::same_as<Int, bool>)
struct json_form<Int> {
    static boost::json::value write(Int value)
    {
        bool const negative = value < 0;
        auto const magnitude = static_cast<std::uint64_t>(value);
        return impl::write_json_integer(negative, negative ? 0 - magnitude : magnitude);
    }
    static bool read(boost::json::value const& json, Int& out, json_path& at)
    {
        bool negative = false;
        std::uint64_t magnitude = 0;
        if (!impl::read_json_integer(json, negative, magnitude, at)) return false;
        constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<Int>::max());
        bool const fits =
            negative ? std::signed_integral<Int> && magnitude <= max + 1 : magnitude <= max;
        if (!fits) return at.refuse("the number does not fit its field");
        out = static_cast<Int>(negative ? 0 - magnitude : magnitude);
        return true;
    }
};

template <>
struct json_form<bool> {
    static boost::json::value write(bool value) { return value; }
    static bool read(boost::json::value const& json, bool& out, json_path& at)
    {
        if (!json.is_bool()) return at.refuse("true or false is expected");
        out = json.get_bool();
        return true;
    }
};

template <>
struct json_form<std::string> {
    static boost::json::value write(std::string const& value) { return boost::json::value(value); }
    static bool read(boost::json::value const& json, std::string& out, json_path& at)
    {
        auto const* const text = impl::json_string(json, at);
        if (text == nullptr) return false;
        out.assign(text->data(), text->size());
        return true;
    }
};

template <class Tag, class Rep>
struct json_form<strong<Tag, Rep>> {
    static boost::json::value write(strong<Tag, Rep> value)
    {
        return json_form<Rep>::write(value.get());
    }
    static bool read(boost::json::value const& json, strong<Tag, Rep>& out, json_path& at)
    {
        Rep value{};
        if (!json_form<Rep>::read(json, value, at)) return false;
        out = strong<Tag, Rep>{value};
        return true;
    }
};

template <>
struct json_form<amount> {
    static boost::json::value write(amount value) { return impl::write_json_amount(value); }
    static bool read(boost::json::value const& json, amount& out, json_path& at)
    {
        return impl::read_json_amount(json, out, at);
    }
};

template <class Enum>
    requires(std::is_enum_v<Enum> && boost::describe::has_describe_enumerators<Enum>::value)
struct json_form<Enum> {
    static boost::json::value write(Enum value)
    {
        boost::json::value out{};
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<Enum>>([&](auto each) {
            if (each.value == value) out = boost::json::string{each.name};
        });
        return out;
    }
    static bool read(boost::json::value const& json, Enum& out, json_path& at)
    {
        auto const* const text = impl::json_string(json, at);
        if (text == nullptr) return false;
        bool known = false;
        std::string names{};
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<Enum>>([&](auto each) {
            names.append(names.empty() ? "" : ", ").append(each.name);
            if (std::string_view{*text} != each.name) return;
            out = each.value;
            known = true;
        });
        return known || at.refuse("one of these names is expected: " + names);
    }
};

template <class T, std::size_t N>
struct json_form<std::array<T, N>> {
    static boost::json::value write(std::array<T, N> const& value)
    {
        if constexpr (impl::raw_byte<T>) {
            return impl::write_json_hex(std::as_bytes(std::span{value}));
        } else {
            boost::json::array out{};
            for (auto const& each : value) out.push_back(json_form<T>::write(each));
            return out;
        }
    }
    static bool read(boost::json::value const& json, std::array<T, N>& out, json_path& at)
    {
        if constexpr (impl::raw_byte<T>) {
            return impl::read_json_hex(json, std::as_writable_bytes(std::span{out}), at);
        } else {
            auto const* const list = impl::json_array(json, N, at);
            if (list == nullptr) return false;
            if (list->size() != N)
                return at.refuse("a list of exactly " + std::to_string(N) + " is expected");
            for (std::size_t i = 0; i < N; ++i)
                if (!at.into(i, [&] { return json_form<T>::read((*list)[i], out[i], at); }))
                    return false;
            return true;
        }
    }
};

namespace impl {

template <class Container, std::size_t Max>
struct json_list {
    using element = typename Container::value_type;
    static boost::json::value write(Container const& value)
    {
        if constexpr (std::same_as<element, char>) {
            return boost::json::value(std::string_view{value.data(), value.size()});
        } else if constexpr (raw_byte<element>) {
            return write_json_hex(std::as_bytes(std::span{value.data(), value.size()}));
        } else {
            boost::json::array out{};
            out.reserve(value.size());
            for (auto const& each : value) out.push_back(json_form<element>::write(each));
            return out;
        }
    }
    static bool read(boost::json::value const& json, Container& out, json_path& at)
    {
        constexpr std::string_view too_long = "there is more here than the field may hold";
        if constexpr (std::same_as<element, char>) {
            auto const* const text = json_string(json, at);
            if (text == nullptr) return false;
            if (text->size() > Max) return at.refuse(std::string{too_long});
            out.assign(text->begin(), text->end());
        } else if constexpr (raw_byte<element>) {
            bytes raw{};
            if (!read_json_hex(json, raw, at)) return false;
            if (raw.size() > Max) return at.refuse(std::string{too_long});
            out.resize(raw.size());
            std::copy(raw.begin(), raw.end(),
                      std::as_writable_bytes(std::span{out.data(), out.size()}).begin());
        } else {
            auto const* const list = json_array(json, Max, at);
            if (list == nullptr) return false;
            out.clear();
            out.reserve(list->size());
            for (std::size_t i = 0; i < list->size(); ++i)
                if (!at.into(i, [&] {
                        return json_form<element>::read((*list)[i], out.emplace_back(), at);
                    }))
                    return false;
        }
        return true;
    }
};

template <class T, std::size_t Index>
constexpr auto alternative_name()
{
    if constexpr (requires {
                      { T::name } -> std::convertible_to<std::string_view>;
                  })
        return std::string_view{T::name};
    else
        return std::to_string(Index);
}

}  // namespace impl

template <class T>
    requires(!std::same_as<T, bool>)
struct json_form<std::vector<T>> : impl::json_list<std::vector<T>, elements_max_default> {};

template <class Container, std::size_t Max>
struct json_form<bounded<Container, Max>> : impl::json_list<bounded<Container, Max>, Max> {};

template <class T>
struct json_form<std::optional<T>> {
    static boost::json::value write(std::optional<T> const& value)
    {
        return value ? json_form<T>::write(*value) : boost::json::value{};
    }
    static bool read(boost::json::value const& json, std::optional<T>& out, json_path& at)
    {
        out.reset();
        return json.is_null() || json_form<T>::read(json, out.emplace(), at);
    }
};

template <>
struct json_form<std::monostate> {
    static boost::json::value write(std::monostate) { return nullptr; }
    static bool read(boost::json::value const& json, std::monostate&, json_path& at)
    {
        return json.is_null() || at.refuse("null is expected");
    }
};

template <class... Ts>
struct json_form<std::variant<Ts...>> {
    using value_type = std::variant<Ts...>;
    using indices = boost::mp11::mp_iota_c<sizeof...(Ts)>;

    template <std::size_t I>
    static auto name()
    {
        return impl::alternative_name<std::variant_alternative_t<I, value_type>, I>();
    }
    static boost::json::value write(value_type const& value)
    {
        boost::json::object out{};
        boost::mp11::mp_with_index<sizeof...(Ts)>(value.index(), [&](auto index) {
            constexpr std::size_t i = decltype(index)::value;
            out.emplace(name<i>(), to_json(*std::get_if<i>(&value)));
        });
        return out;
    }
    static bool read(boost::json::value const& json, value_type& out, json_path& at)
    {
        auto const* const object = impl::json_object(json, at);
        if (object == nullptr) return false;
        std::string names{};
        bool known = false;
        bool good = false;
        boost::mp11::mp_for_each<indices>([&](auto index) {
            constexpr std::size_t i = decltype(index)::value;
            names.append(names.empty() ? "" : ", ").append(name<i>());
            if (known || object->size() != 1 || object->begin()->key() != name<i>()) return;
            known = true;
            good = at.into(std::string_view{name<i>()}, [&] {
                return json_form<std::variant_alternative_t<i, value_type>>::read(
                    object->begin()->value(), out.template emplace<i>(), at);
            });
        });
        if (!known) return at.refuse("an object with one of these members is expected: " + names);
        return good;
    }
};

template <impl::described T>
struct json_form<T> {
    using members = impl::members_of<T>;

    static boost::json::value write(T const& value)
    {
        boost::json::object out{};
        boost::mp11::mp_for_each<members>(
            [&](auto d) { out.emplace(d.name, to_json(value.*d.pointer)); });
        return out;
    }
    static bool read(boost::json::value const& json, T& out, json_path& at)
    {
        auto const* const object = impl::json_object(json, at);
        if (object == nullptr) return false;
        bool good = true;
        std::array<std::string_view, boost::mp11::mp_size<members>::value> known{};
        std::size_t count = 0;
        boost::mp11::mp_for_each<members>([&]<class D>(D d) {
            using member = impl::member_type<T, D>;
            known[count++] = d.name;
            if (!good) return;
            auto const* const found = object->if_contains(d.name);
            if (found == nullptr) {
                if constexpr (impl::is_optional<member>)
                    (out.*d.pointer).reset();
                else
                    good = at.refuse(std::string{"the member \""} + d.name + "\" is missing");
                return;
            }
            good = at.into(std::string_view{d.name},
                           [&] { return json_form<member>::read(*found, out.*d.pointer, at); });
        });
        return good && impl::refuse_unknown_members(*object, known, at);
    }
};

}  // namespace blendr
