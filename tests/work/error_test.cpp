// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/error.hpp>

#include <set>

#include <doctest/doctest.h>

using namespace blendr::work;

TEST_CASE("error: every fault has a sentence of its own, and says what is particular")
{
    std::set<std::string_view> seen;
    for (std::uint16_t k = 0; k < 500; ++k) {
        auto const text = message(static_cast<fault>(k));
        CHECK(!text.empty());
        if (text != "unknown fault") CHECK(seen.insert(text).second);
    }
    CHECK(seen.size() == 17);
    CHECK(message(problem{fault::bad_input, "line 3: no colour"}) ==
          "the input cannot be read: line 3: no colour");
    CHECK(message(problem{fault::no_runners, {}}) == "there is nobody to run it");
}
