// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <boost/json/value.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

namespace blendr {

/// Why JSON is not the form of a value: a sentence, and where ("$.messages[2].value", or the byte
/// of the text when it is no JSON at all).
struct json_error {
    std::string where{};
    std::string what{};
};

std::string message(json_error const& e);

/// The JSON form of T, for people and programs; never hashed or signed. It follows from the same
/// described line as the codec:
/// - structs are objects with every member present (an absent option may be left out on the way in,
///   unknown members are refused); lists are arrays;
/// - numbers up to 2^53 - 1 are numbers, larger ones strings of digits, since many readers round;
/// - amounts are strings of grains, bytes and hashes are strings of hex;
/// - an enumeration is its name; a variant is an object of one member, named by the alternative's
///   `static constexpr std::string_view name` (or its index where it has none).
/// Another type specialises it with
///     static boost::json::value write(T const&);
///     static bool read(boost::json::value const&, T&, json_path&);   // false after path.refuse(...)
template <class T>
struct json_form;

/// Where a reader of JSON stands, and what it refused.
class json_path {
public:
    /// Always false, so that `return at.refuse(...)` reads as it should.
    bool refuse(std::string what);

    /// Goes into a member or element for the time of `body`, which says whether all was well.
    template <class Body>
    bool into(std::string_view member, Body&& body)
    {
        auto const length = open(member);
        bool const good = std::forward<Body>(body)();
        close(length);
        return good;
    }
    template <class Body>
    bool into(std::size_t index, Body&& body)
    {
        auto const length = open(index);
        bool const good = std::forward<Body>(body)();
        close(length);
        return good;
    }

    json_error const& error() const noexcept { return error_; }

private:
    std::size_t open(std::string_view member);
    std::size_t open(std::size_t index);
    void close(std::size_t length);

    std::string at_ = "$";
    json_error error_{};
};

template <class T>
boost::json::value to_json(T const& value)
{
    return json_form<T>::write(value);
}

template <class T>
result<T, json_error> from_json(boost::json::value const& json)
{
    T value{};
    json_path at{};
    if (!json_form<T>::read(json, value, at)) return fail{at.error()};
    return value;
}

/// Reads a text of JSON; bounded in depth. Text that is not all JSON is refused with its byte.
result<boost::json::value, json_error> parse_json(std::string_view text);

/// On one line.
std::string to_text(boost::json::value const& json);
/// Indented, for people.
std::string to_pretty_text(boost::json::value const& json);

}  // namespace blendr

#include <blendr/core/impl/json_forms.hpp>  // IWYU pragma: export
