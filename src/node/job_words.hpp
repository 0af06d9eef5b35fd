// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <blendr/core/json.hpp>

namespace blendr::node::impl {

/// An enumerator's name.
template <class Enum>
std::string name_of(Enum value)
{
    auto const text = to_json(value);
    return std::string{text.as_string()};
}

/// The beginning and the end of a long name.
std::string short_name(std::string const& address);

}  // namespace blendr::node::impl
