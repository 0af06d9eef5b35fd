// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/spirv.hpp>

#include <doctest/doctest.h>

#include "kernels.hpp"

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;

namespace {

rule why(bytes const& raw)
{
    auto const parsed = spirv_module::parse(raw);
    return parsed ? rule::ok : parsed.error().why;
}

}  // namespace

TEST_CASE("spirv: a module is cut into its instructions, ids known by where they are defined")
{
    auto const raw = kernel("add");
    auto const m = spirv_module::parse(raw).value();
    std::size_t words = spirv_module::header_words;
    for (std::uint32_t i = 0; i < m.size(); ++i) {
        auto const in = m[i];
        CHECK(in.index() == i);
        CHECK(in.size() == in.word(0) >> 16);
        CHECK(in.word(in.size()) == 0);
        if (in.result() != 0) CHECK(m.definition(in.result()) == i);
        words += in.size();
    }
    CHECK(words * 4 == raw.size());
    CHECK(m.definition(0) == refusal::nowhere);
    CHECK(m.definition(m.bound()) == refusal::nowhere);
    CHECK(m.version() == 0x00010300);
}

TEST_CASE("spirv: a header that is not SPIR-V 1.3 to 1.6 is refused")
{
    auto const raw = kernel("add");
    CHECK(why({}) == rule::not_words);
    CHECK(why(bytes(raw.begin(), raw.end() - 1)) == rule::not_words);
    CHECK(why(patched(raw, 0, 0x03022307)) == rule::bad_header);
    CHECK(why(patched(raw, 4, 1)) == rule::bad_header);
    CHECK(why(patched(raw, 1, 0x00010200)) == rule::version_not_allowed);
    CHECK(why(patched(raw, 1, 0x00010700)) == rule::version_not_allowed);
    CHECK(why(patched(raw, 3, 0)) == rule::too_many_ids);
    CHECK(why(patched(raw, 3, spirv_module::ids_max + 1)) == rule::too_many_ids);
    CHECK(why(patched(raw, 3, 2)) != rule::ok);  // ids above the bound
    CHECK(why(bytes(spirv_module::bytes_max + 4)) == rule::too_many_bytes);
}

TEST_CASE("spirv: every beginning of a module parses or is refused, none is read past")
{
    auto const raw = kernel("matmul");
    std::size_t cut = 0;
    for (std::size_t size = 20; size < raw.size(); size += 4)
        cut += why(bytes(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(size))) ==
               rule::cut_off;
    CHECK(cut > 200);
}

TEST_CASE("spirv: an instruction of no words, too few, or more than are left is cut off")
{
    auto const raw = kernel("add");
    for (std::uint32_t const first : {0u, 17u, 1u << 16 | 17, 0xFFFFu << 16 | 17})
        CHECK(why(patched(raw, 5, first)) != rule::ok);
    CHECK(why(patched(raw, 5, 2u << 16 | 4433)) == rule::unknown_instruction);
}

TEST_CASE("spirv: an id is defined once")
{
    auto raw = kernel("hostile/recursion");
    auto const m = spirv_module::parse(raw).value();
    // The last label takes the id of the one before.
    std::vector<std::size_t> labels;
    std::size_t at = spirv_module::header_words;
    for (std::uint32_t i = 0; i < m.size(); at += m[i].size(), ++i)
        if (m[i].opcode() == 248) labels.push_back(at);
    CHECK(why(patched(raw, labels[1] + 1, word_at(raw, labels[0] + 1))) == rule::defined_twice);
    CHECK(why(patched(raw, labels[1] + 1, 0)) == rule::bad_id);
    CHECK(why(patched(raw, labels[1] + 1, m.bound())) == rule::bad_id);
}
