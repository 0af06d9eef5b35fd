// SPDX-License-Identifier: Apache-2.0
#pragma once

#define BLENDR_INLINE [[gnu::always_inline]] inline

namespace blendr::crypto::lanes {
namespace {

/// A number that the compiler cannot see through, so that it keeps a loop a loop. Unrolled, the code of
/// these kernels outgrows the processors' caches of instructions and takes two or three times as long.
BLENDR_INLINE int opaque(int n)
{
    asm("" : "+r"(n));
    return n;
}

}  // namespace
}  // namespace blendr::crypto::lanes
