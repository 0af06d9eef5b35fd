// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/reflection.hpp>

#include <doctest/doctest.h>

#include "kernels.hpp"

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;

namespace {

reflection of(std::string const& name)
{
    return reflect(spirv_module::parse(kernel(name)).value()).value();
}

}  // namespace

TEST_CASE("reflection: buffers, push constants, shared memory and local size are as written")
{
    for (auto const* const name : {"matmul", "matmul.opt"}) {
        CAPTURE(name);
        auto const seen = of(name);
        CHECK(seen.entry == "main");
        CHECK(seen.local_size == std::array<std::uint32_t, 3>{64, 1, 1});
        CHECK(seen.push_bytes == 8);
        CHECK(seen.shared_bytes == 256);
        REQUIRE(seen.bindings.size() == 2);
        CHECK(seen.bindings[0] == binding{0, 0, buffer_kind::storage, 0, 4});
        CHECK(seen.bindings[1] == binding{0, 1, buffer_kind::storage, 0, 4});
        CHECK(seen.bindings[1].bytes_min() == 4);
    }
}

TEST_CASE("reflection: matrices, strides and specialised sizes count as laid out")
{
    auto const seen = of("floats");
    CHECK(seen.local_size == std::array<std::uint32_t, 3>{1, 2, 1});
    REQUIRE(seen.bindings.size() == 3);
    CHECK(seen.bindings[0] == binding{1, 3, buffer_kind::storage, 64, 16});
    CHECK(seen.bindings[1] == binding{1, 4, buffer_kind::storage, 0, 4});
    CHECK(seen.bindings[2] == binding{2, 0, buffer_kind::uniform, 52, 0});
    CHECK(seen.bindings[0].bytes_min() == 80);
}

TEST_CASE("reflection: matrices in arrays count with the stride of their columns or rows")
{
    auto const seen = of("floats_layout");
    REQUIRE(seen.bindings.size() == 1);
    // mat3[2]: 2 * 48; row-major mat2x3, three rows of 8, from 96; uint from 120; then mat2[] of 16 each
    CHECK(seen.bindings[0].fixed_bytes == 128);
    CHECK(seen.bindings[0].element_bytes == 16);
}

TEST_CASE("reflection: private memory counts the variables of every call")
{
    CHECK(of("wild").private_bytes >= 8 * 4 + 16);
    CHECK(of("add.opt").private_bytes == 0);
    CHECK(of("calls").private_bytes > of("calls.opt").private_bytes);
}

TEST_CASE("reflection: calls that double are counted, not followed")
{
    auto const raw = kernel("hostile/compile_bomb");
    auto const seen = reflect(spirv_module::parse(raw).value()).value();
    CHECK(raw.size() < 8192);
    CHECK(seen.inlined_size > 1u << 24);
}
