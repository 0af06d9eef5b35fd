// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/error.hpp>

#include <set>

#include <doctest/doctest.h>

using namespace blendr::compute;

TEST_CASE("error: every rule has a sentence of its own")
{
    std::set<std::string_view> sentences;
    std::size_t rules = 0;
    for (std::uint16_t code = 0; code < 400; ++code) {
        auto const said = message(static_cast<rule>(code));
        if (said == "unknown reason") continue;
        ++rules;
        sentences.insert(said);
    }
    CHECK(rules == 36);
    CHECK(sentences.size() == rules);
}

TEST_CASE("error: a refusal names the instruction, its opcode and the rule")
{
    CHECK(message(refusal{rule::recursion, 12, 57}) ==
          "instruction 12 (OpFunctionCall): functions may not call each other in a circle");
    CHECK(message(refusal{rule::unknown_instruction, 3, 5056}) ==
          "instruction 3 (opcode 5056): the instruction is not one that kernels may use");
    refusal why{rule::invalid};
    why.detail = "as submitted: no";
    CHECK(message(why) == "the SPIR-V validator refuses it: as submitted: no");
}
