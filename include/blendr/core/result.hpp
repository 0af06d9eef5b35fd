// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>

#include <tl/expected.hpp>

namespace blendr {

/// A value, or the reason why there is none. Errors of input travel in it; nothing throws.
template <class T, class E>
using result = tl::expected<T, E>;

/// What a function returns to refuse: `return fail{reject::zero_size};`
template <class E>
struct fail : tl::unexpected<E> {
    constexpr explicit fail(E why) : tl::unexpected<E>{std::move(why)} {}
};
template <class E>
fail(E) -> fail<E>;

/// For results that carry nothing but success.
struct nothing {
    friend constexpr bool operator==(nothing, nothing) = default;
};

}  // namespace blendr

#define BLENDR_CONCAT_(a, b) a##b
#define BLENDR_CONCAT(a, b) BLENDR_CONCAT_(a, b)

#define BLENDR_TRY_IMPL(temporary, declaration, ...)                                               \
    auto temporary = __VA_ARGS__;                                                                  \
    if (!temporary) return ::blendr::fail{std::move(temporary).error()};                           \
    declaration = *std::move(temporary)

/// Takes the value out of a result, or leaves the function with its error:
/// `BLENDR_TRY(auto const header, decode<block_header>(raw));`
#define BLENDR_TRY(declaration, ...)                                                               \
    BLENDR_TRY_IMPL(BLENDR_CONCAT(blendr_try_, __LINE__), declaration, __VA_ARGS__)

/// The same for a result whose value is not needed.
#define BLENDR_CHECK(...)                                                                          \
    do {                                                                                           \
        if (auto blendr_check = __VA_ARGS__; !blendr_check)                                        \
            return ::blendr::fail{std::move(blendr_check).error()};                                \
    } while (false)
