// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/error.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <set>

using namespace blendr::escrow;

TEST_CASE("error: every reason has a sentence of its own, and no other number has one")
{
    std::set<std::string_view> sentences;
    for (unsigned code = 0; code < 1000; ++code) {
        auto const text = message(static_cast<reject>(code));
        if (text != "unknown reason") CHECK(sentences.insert(text).second);
    }
    CHECK(sentences.size() == 35);  // as many as there are
}
