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

TEST_CASE("vulkan: tensors that are copied through staging buffers hold what they should")
{
    if (!vulkan_here()) return;
    watched seen;
    seen.options.asked.staging = true;
    auto const on = open_vulkan(seen.options).value();
    CHECK_FALSE(on->info().shares_memory);
    does_the_shipped_work(*on);
    auto const large = numbers((20u << 20) / 4 + 3, 9);  // more than a staging buffer takes at once
    auto const t = tensor<word>::make(*on, large).value();
    CHECK(t.values().value() == large);
    CHECK_MESSAGE(seen.complaints().empty(), seen.complaints());
}

TEST_CASE("vulkan: many steps in a batch see each other's results, and a bad one stops the rest")
{
    if (!vulkan_here()) return;
    watched seen;
    auto const on = open_vulkan(seen.options).value();
    auto const made = program::stranger(*on, spirv_of(shipped::mix), policy{}).value();
    auto const words = tensor<word>::make(*on, 64).value();
    sequence work{*on};
    for (word i = 0; i < 700; ++i)
        work.dispatch(made, {1, 1, 1}, {words.all()}, std::array<word, 3>{64, 1, i});
    std::vector<word> out(64), right(64);
    work.download(words, std::span<word>{out});
    auto const ended = work.submit().get();
    REQUIRE_MESSAGE(ended.what == fault::ok, ended.why);
    for (word k = 0; k < 64; ++k)
        for (word i = 0; i < 700; ++i) {
            right[k] ^= i;
            right[k] = (right[k] ^ right[k] >> 16) * 0x7feb352d;
            right[k] = (right[k] ^ right[k] >> 15) * 0x846ca68b + k;
        }
    CHECK(out == right);
    work.dispatch(made, {1, 1, 1}, {words.all()});
    auto const bad = work.run();
    CHECK(bad.what == fault::does_not_bind);
    CHECK(bad.at == 701);
    CHECK_MESSAGE(seen.complaints().empty(), seen.complaints());
}

TEST_CASE("vulkan: compiled programs are kept in a file, and a file that was touched is not used")
{
    if (!vulkan_here()) return;
    vulkan_options chosen;
    chosen.cache_file = (blendr::test::scratch("cache") / "programs").string();
    for (int i = 0; i < 3; ++i) {
        auto const on = open_vulkan(chosen).value();
        auto const made = program::own(*on, running("square"));
        CHECK(made.has_value());
        if (i == 1) std::filesystem::resize_file(chosen.cache_file, 40);
    }
    CHECK(std::filesystem::file_size(chosen.cache_file) > 40);
}

TEST_CASE("vulkan: two devices work at the same time, and memory is taken and given back")
{
    if (!vulkan_here()) return;
    auto const one = open_vulkan().value(), two = open_vulkan().value();
    does_the_shipped_work(*one);
    does_the_shipped_work(*two);
    auto const all = one->info().memory_bytes;
    CHECK(one->allocate(all + 1).error().what == fault::out_of_memory);
    rng draw{blendr::test::seed()};
    std::vector<memory_id> held;
    for (int i = 0; i < 500; ++i) {
        if (!held.empty() && draw.chance(1, 2)) {
            auto const at = draw.below(held.size());
            one->release(held[at]);
            held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
        } else {
            held.push_back(one->allocate(1 + draw.below(1 << 20)).value());
        }
    }
    CHECK(one->forget().has_value());
    batch work;
    work.steps.emplace_back(upload{{held.front(), 0, 0}, {}});
    CHECK(one->run(work).what == fault::unknown_memory);
    does_the_shipped_work(*one);
}
