// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/kernels.hpp>

#include <doctest/doctest.h>

#include <cmath>

#include "devices.hpp"

namespace {
using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;
}  // namespace

TEST_CASE("kernels: the product of matrices is right at every size, on any number of threads")
{
    rng draw{blendr::test::seed()};
    task_pool one{1}, three{3};
    for (int round = 0; round < 24; ++round) {
        auto const size = [&] {
            return static_cast<std::uint32_t>(1 + draw.below(round < 20 ? 90 : 400));
        };
        auto const m = size();
        auto const n = size();
        auto const k = size();
        std::vector<float> a(m * k), b(k * n), c(m * n, 7.0F), d(m * n);
        for (auto* const each : {&a, &b})
            for (auto& x : *each) x = static_cast<float>(draw.below(31)) - 15;  // sums stay exact
        matmul(one, m, n, k, a.data(), b.data(), c.data());
        matmul(three, m, n, k, a.data(), b.data(), d.data());
        CHECK(c == d);
        bool right = true;
        for (std::uint32_t i = 0; i < m; ++i)
            for (std::uint32_t j = 0; j < n; ++j) {
                float sum = 0;
                for (std::uint32_t l = 0; l < k; ++l) sum += a[i * k + l] * b[l * n + j];
                right = right && sum == c[i * n + j];
            }
        CHECK_MESSAGE(right, m, " x ", n, " x ", k);
    }
}

TEST_CASE("kernels: each shipped program is admitted, the integer ones in the exact profile too")
{
    for (auto const which : {shipped::saxpy, shipped::matmul, shipped::matmul_i32, shipped::mix,
                             shipped::fill, shipped::chase}) {
        policy under;
        under.device.storage_buffers_max = 8;
        bool const floats = which == shipped::saxpy || which == shipped::matmul;
        CHECK_MESSAGE(admit(spirv_of(which), under).has_value() == !floats, name_of(which));
        under.as = profile::tolerance;
        CHECK_MESSAGE(admit(spirv_of(which), under).has_value(), name_of(which));
    }
    CHECK(groups_of(shipped::mix, 65)[0] == 2);
    CHECK(groups_of(shipped::matmul, 33, 64) == std::array<std::uint32_t, 3>{2, 2, 1});
}
