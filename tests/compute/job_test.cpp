// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/job.hpp>

#include <doctest/doctest.h>

#include "devices.hpp"
#include "kernels.hpp"

namespace {

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;
using word = std::uint32_t;

job product_job(word n)
{
    job j;
    j.program = to_bytes(spirv_of(shipped::matmul_i32));
    j.groups = groups_of(shipped::matmul_i32, n, n);
    j.push = bytes_of({n, n, n});
    j.bindings = {bound::input(bytes_of(numbers(n * n, 1))),
                  bound::input(bytes_of(numbers(n * n, 2))),
                  bound::output(std::uint64_t{4} * n * n)};
    j.micro_units_per_second = 5'000'000;
    return j;
}

}  // namespace

TEST_CASE("job: the same work has the same receipt hashes on every device")
{
    auto const native = make_native_device({2, 1 << 26, {}});
    auto const one = run_job(*native, product_job(50));
    REQUIRE_MESSAGE(one.has_value(), message(one.error()));
    CHECK(one->outputs[0] == bytes_of(product(50, 50, 50, numbers(2500, 1), numbers(2500, 2))));
    auto other = product_job(50);
    other.bindings[0].content[3] ^= std::byte{1};
    auto const two = run_job(*native, other).value();
    CHECK(two.receipt.inputs != one->receipt.inputs);
    CHECK(two.receipt.outputs != one->receipt.outputs);
    CHECK(two.receipt.program == one->receipt.program);
    if (!vulkan_here()) return;
    auto const gpu = worker::start();
    REQUIRE(gpu.has_value());
    auto const three = run_job(**gpu, product_job(50));
    REQUIRE_MESSAGE(three.has_value(), message(three.error()));
    CHECK(three->receipt.program == one->receipt.program);
    CHECK(three->receipt.inputs == one->receipt.inputs);
    CHECK(three->receipt.outputs == one->receipt.outputs);
    CHECK(three->receipt.isolated);
}

TEST_CASE("job: an output word that nobody wrote is found, with its place")
{
    if (!vulkan_here()) return;
    auto const on = open_vulkan().value();
    job j;
    j.program = running("half");
    j.groups = {4, 1, 1};
    j.bindings = {bound::output(4 * 256)};
    auto const bad = run_job(*on, j);
    REQUIRE(!bad.has_value());
    CHECK(bad.error().what == fault::incomplete);
    CHECK(bad.error().why == "binding 0, byte 308");
    j.groups = {1, 1, 1};  // one group alone does not reach the missing word
    j.bindings = {bound::output(4 * 64)};
    CHECK(run_job(*on, j).has_value());
    j.bindings = {bound::output(4 * 65)};
    CHECK(run_job(*on, j).error().what == fault::incomplete);
    j.bindings = {bound::inout(bytes(4 * 65))};
    CHECK(run_job(*on, j).has_value());
    j.bindings = {};
    CHECK(run_job(*on, j).error().what == fault::does_not_bind);
}
