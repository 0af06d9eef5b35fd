// SPDX-License-Identifier: Apache-2.0
#include <blendr/version.hpp>

#include <doctest/doctest.h>

TEST_CASE("version: headers and compiled library agree")
{
    CHECK(blendr::library_version() == blendr::header_version);
}
