// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/commitment.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::verify;

TEST_CASE("commitment: it binds worker, task, nonce and digest, and is frozen")
{
    opening const base{crypto::address{hash256{std::byte{1}}}, hash256{std::byte{2}},
                       hash256{std::byte{3}}, hash256{std::byte{4}}};
    auto const made = commit(base);
    for (int field = 0; field < 4; ++field) {
        auto other = base;
        if (field == 0) other.worker = crypto::address{hash256{std::byte{9}}};
        if (field == 1) other.task[31] ^= std::byte{1};
        if (field == 2) other.nonce[31] ^= std::byte{1};
        if (field == 3) other.digest[31] ^= std::byte{1};
        CHECK(commit(other) != made);
    }
    CHECK(test::differs_from_frozen("verify/commitment.txt",
                                    {{"opening", encode(base)}, {"commitment", to_bytes(made)}}) ==
          "");
}
