// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/native.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "devices.hpp"
#include "kernels.hpp"

namespace {
using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;
using word = std::uint32_t;
}  // namespace

TEST_CASE("native: passes the self-test, and refuses programs that it does not know")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    CHECK(on->info().kind == device_kind::native);
    CHECK(self_test(*on).has_value());
    auto const unknown = on->load(running("square"), policy{}, origin::stranger);
    REQUIRE(!unknown.has_value());
    CHECK(unknown.error().what == fault::unknown_program);
    auto const bad = on->load(bytes(100), policy{}, origin::stranger);
    REQUIRE(!bad.has_value());
    CHECK(bad.error().what == fault::refused);
    CHECK(on->allocate(std::uint64_t{1} << 21).error().what == fault::out_of_memory);
}

TEST_CASE("native: runs a kernel that is registered for a program")
{
    native_options chosen;
    chosen.threads = 2;
    chosen.kernels.push_back({running("square"), [](native_call const& call) -> word {
                                  auto const x = call.as<word const>(0);
                                  auto const y = call.as<word>(1);
                                  call.pool->parallel_for(std::min(x.size(), y.size()), 64,
                                                          [&](std::size_t begin, std::size_t end) {
                                                              for (auto i = begin; i < end; ++i)
                                                                  y[i] = x[i] * x[i];
                                                          });
                                  return 0;
                              }});
    auto const on = make_native_device(std::move(chosen));
    auto const made = program::stranger(*on, running("square"), policy{}).value();
    auto const x = tensor<word>::make(*on, numbers(128, 1)).value();
    auto const y = tensor<word>::make(*on, 128).value();
    sequence work{*on};
    work.dispatch(made, {2, 1, 1}, {x.all(), y.all()});
    CHECK(work.submit().get());
    auto const seen = y.values().value();
    auto const in = numbers(128, 1);
    CHECK(std::equal(seen.begin(), seen.end(), in.begin(),
                     [](word a, word b) { return a == b * b; }));
    CHECK(on->forget().has_value());
    CHECK(work.run().what == fault::unknown_program);
}

TEST_CASE("native: buffers that are too short trap, and late work is told so")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    auto const made = program::stranger(*on, spirv_of(shipped::mix), policy{}).value();
    auto const words = tensor<word>::make(*on, 100).value();
    auto const run = [&](word n, std::chrono::milliseconds deadline) {
        return sequence{*on}
            .dispatch(made, {2, 1, 1}, {words.all()}, std::array<word, 3>{n, 1 << 20, 1})
            .deadline(deadline)
            .run()
            .what;
    };
    CHECK(run(101, std::chrono::seconds{10}) == fault::trapped);
    CHECK(run(100, std::chrono::milliseconds{0}) == fault::timed_out);
}

TEST_CASE("native: without a limit, more memory than can be counted is refused, not wrapped around")
{
    auto const on = make_native_device({1, ~std::uint64_t{0}, {}});
    for (auto const much : {~std::uint64_t{0}, ~std::uint64_t{0} - 62}) {
        auto const no = on->allocate(much);
        REQUIRE(!no.has_value());
        CHECK(no.error().what == fault::out_of_memory);
    }
    CHECK(on->allocate(64).has_value());
}
