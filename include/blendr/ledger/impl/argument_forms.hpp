// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/json.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/json.hpp>

namespace blendr::ledger::impl {

/// One value as people type it: amounts in BLND, text as it is, the rest as JSON.
template <class T>
bool read_text(std::string_view text, T& out)
{
    if constexpr (std::is_same_v<T, amount>) {
        auto const value = parse_amount(text);
        if (value) out = *value;
        return value.has_value();
    } else {
        json_path at{};
        if (json_form<T>::read(boost::json::value(text), out, at)) return true;
        auto const json = parse_json(text);
        json_path again{};
        return json && json_form<T>::read(*json, out, again);
    }
}

template <class T, class Body>
void each_member(Body&& body)
{
    boost::mp11::mp_for_each<blendr::impl::members_of<T>>(std::forward<Body>(body));
}

/// " --to <to> --value <value>".
template <class T>
std::string argument_usage()
{
    std::string out{};
    each_member<T>(
        [&](auto member) { out += std::string{" --"} + member.name + " <" + member.name + '>'; });
    return out;
}

/// `--member value` in any order. Every member must be there once.
template <class T>
result<T, std::string> read_arguments(std::span<std::string_view const> arguments)
{
    T value{};
    std::string fault{};
    std::size_t used = 0;
    each_member<T>([&](auto member) {
        if (!fault.empty()) return;
        std::string_view const* found = nullptr;
        for (std::size_t i = 0; i + 1 < arguments.size(); i += 2)
            if (arguments[i].starts_with("--") && arguments[i].substr(2) == member.name) {
                if (found != nullptr) fault = std::string{"twice: --"} + member.name;
                found = &arguments[i + 1];
            }
        if (found == nullptr) {
            fault = std::string{"missing: --"} + member.name;
            return;
        }
        ++used;
        if (!read_text(*found, value.*member.pointer))
            fault = std::string{"not a value for --"} + member.name + ": " + std::string{*found};
    });
    if (!fault.empty()) return fail{fault};
    if (used * 2 != arguments.size()) return fail{std::string{"an argument belongs to no member"}};
    return value;
}

}  // namespace blendr::ledger::impl
