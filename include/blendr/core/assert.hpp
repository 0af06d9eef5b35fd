// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>

namespace blendr::impl {

[[noreturn, gnu::cold, gnu::noinline]] inline void assert_failed(char const* what, char const* file,
                                                                 int line) noexcept
{
    std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, what);
    std::fflush(stderr);
    std::abort();
}

}  // namespace blendr::impl

/// States an invariant of our own. It is checked in every build and ends the process when broken,
/// since going on would spread the damage. Never for input: input is answered with an error.
#define BLENDR_ASSERT(condition)                                                                   \
    (__builtin_expect(static_cast<bool>(condition), 1)                                             \
         ? static_cast<void>(0)                                                                    \
         : ::blendr::impl::assert_failed(#condition, __FILE__, __LINE__))
