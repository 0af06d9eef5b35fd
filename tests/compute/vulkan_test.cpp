// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/vulkan.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "devices.hpp"
#include "kernels.hpp"

namespace {

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;
using word = std::uint32_t;

/// Work that every device does alike: all shipped integer programs, checked word by word against C++.
void does_the_shipped_work(device& on)
{
    auto const same_as_native = make_native_device({2, std::uint64_t{1} << 30, {}});
    std::vector<std::vector<word>> results;
    for (auto* const each : {&on, same_as_native.get()}) {
        auto const load = [&](shipped which) {
            policy under;
            auto made = program::stranger(*each, spirv_of(which), under);
            REQUIRE_MESSAGE(made.has_value(), message(made.error()));
            return *std::move(made);
        };
        constexpr word m = 37, n = 45, k = 29;
        auto const a = numbers(m * k, 1), b = numbers(k * n, 2);
        auto const ta = tensor<word>::make(*each, a).value();
        auto const tb = tensor<word>::make(*each, b).value();
        auto const tc = tensor<word>::make(*each, m * n).value();
        auto const walked = tensor<word>::make(*each, 128).value();
        auto const held = tensor<word>::make(*each, 64 * 200).value();
        auto const words = tensor<word>::make(*each, numbers(1000, 3)).value();
        std::vector<word> c(m * n), ends(128), mixed(1000);
        std::array<word, 3> const sizes{m, n, k}, mixing{1000, 50, 7};
        std::array<word, 2> const filling{200, 9};
        std::array<word, 4> const chasing{200, 128, 500, 11};
        sequence work{*each};
        work.dispatch(load(shipped::matmul_i32), groups_of(shipped::matmul_i32, m, n),
                      {ta.all(), tb.all(), tc.all()}, sizes)
            .dispatch(load(shipped::mix), groups_of(shipped::mix, 1000), {words.all()}, mixing)
            .dispatch(load(shipped::fill), groups_of(shipped::fill, 200), {held.all()}, filling)
            .dispatch(load(shipped::chase), groups_of(shipped::chase, 128),
                      {held.all(), walked.all()}, chasing)
            .download(tc, std::span<word>{c})
            .download(words, std::span<word>{mixed})
            .download(walked, std::span<word>{ends});
        auto const ended = work.run();
        REQUIRE_MESSAGE(ended.what == fault::ok, ended.why);
        CHECK(ended.device_ns > 0);
        CHECK(c == product(m, n, k, a, b));
        c.insert(c.end(), ends.begin(), ends.end());
        c.insert(c.end(), mixed.begin(), mixed.end());
        results.push_back(c);
    }
    CHECK(results[0] == results[1]);
}

}  // namespace

TEST_CASE("vulkan: the shipped programs give the same words as in C++")
{
    if (!vulkan_here()) return;
    watched seen;
    auto made = open_vulkan(seen.options);
    REQUIRE_MESSAGE(made.has_value(), message(made.error()));
    does_the_shipped_work(**made);
    CHECK((*made)->info().memory_bytes > 0);
    made->reset();
    CHECK_MESSAGE(seen.complaints().empty(), seen.complaints());
}
