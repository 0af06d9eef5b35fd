// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/pages.hpp>  // first: it stands alone

#include <string>

#include <doctest/doctest.h>

using blendr::state::pages;

TEST_CASE("pages: what they hold stays where it is while they grow")
{
    pages<std::string> in;
    in.reserve(1);
    auto& first = in.start(0);
    first = "a text that is too long to lie inside the string itself";
    in.reserve(3 * pages<std::string>::page_size);
    CHECK(&in[0] == &first);
    CHECK(in.capacity() >= 3 * pages<std::string>::page_size);
    CHECK(in[0].size() > 20);
    in.stop(1);
}
