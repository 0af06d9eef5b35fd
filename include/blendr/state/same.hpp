// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>

namespace blendr::state {

/// Whether two values are equal: by their own `==`, or member by member where a described struct
/// has none.
template <class T>
bool same(T const& a, T const& b)
{
    if constexpr (std::equality_comparable<T>) {
        return a == b;
    } else {
        bool equal = true;
        boost::mp11::mp_for_each<boost::describe::describe_members<
            T, boost::describe::mod_public | boost::describe::mod_inherited>>(
            [&](auto member) { equal = equal && same(a.*member.pointer, b.*member.pointer); });
        return equal;
    }
}

}  // namespace blendr::state
