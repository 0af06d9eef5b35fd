// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/plan.hpp>

#include <doctest/doctest.h>

namespace {

using namespace blendr;
using namespace blendr::compute;

/// A graphics card as drivers describe it.
snapshot card()
{
    snapshot s;
    s.kind = device_kind::discrete;
    s.name = "Card";
    s.driver = "Maker";
    s.driver_details = "550.1.2";
    s.api = {1, 3, 280};
    s.has.timeline_semaphores = s.has.robust_access = s.has.robust_access2 = s.has.int64 = true;
    s.heaps = {{std::uint64_t{24} << 30, std::uint64_t{20} << 30, true},
               {std::uint64_t{64} << 30, 0, false},
               {std::uint64_t{256} << 20, 0, true}};
    s.types = {{1, false, false, false, false},
               {0, true, false, false, false},
               {1, false, true, true, false},
               {1, false, true, true, true},
               {2, true, true, true, false}};
    s.queues = {{16, true, true, 64}, {2, false, false, 64}, {8, true, false, 64}};
    s.storage_range_max = ~0u;
    s.buffer_bytes_max = std::uint64_t{1} << 40;
    s.offset_alignment = 16;
    s.timestamp_ns = 1;
    s.groups_max = {0x7FFFFFFF, 65535, 65535};
    return s;
}

snapshot lavapipe(version3 mesa)
{
    auto s = card();
    s.kind = device_kind::cpu;
    s.name = "llvmpipe (LLVM 15.0.6, 256 bits)";
    s.driver = "llvmpipe";
    s.driver_version = mesa;
    s.heaps = {{std::uint64_t{2} << 30, 0, true}};
    s.types = {{0, true, true, true, true}};
    s.queues = {{1, true, true, 64}};
    return s;
}

}  // namespace

TEST_CASE("plan: a card's programs live in its own memory, results are read where reading is fast")
{
    auto const plan = make_plan(card()).value();
    CHECK(plan.device_type == 1);
    CHECK(plan.upload_type == 2);
    CHECK(plan.download_type == 3);
    CHECK_FALSE(plan.shares_memory);
    CHECK(plan.queue_family == 2);
    CHECK(plan.timestamps);
    CHECK(plan.info.memory_bytes == std::uint64_t{20} << 30);
    CHECK(plan.info.buffer_bytes_max == ~0u);
    CHECK(plan.info.limits.int64);
    CHECK_FALSE(plan.info.limits.float64);
    wishes asked;
    asked.memory_bytes = 1 << 20;
    CHECK(make_plan(card(), asked)->info.memory_bytes == 1 << 20);
}

TEST_CASE("plan: where memory is shared and cached, nothing is copied, unless that is wished")
{
    auto const plan = make_plan(lavapipe({25, 0, 7})).value();
    CHECK(plan.shares_memory);
    CHECK(plan.info.shares_memory);
    wishes asked;
    asked.staging = true;
    CHECK_FALSE(make_plan(lavapipe({25, 0, 7}), asked)->shares_memory);
    auto uncached = lavapipe({25, 0, 7});
    uncached.types = {{0, true, true, true, false}, {0, false, true, true, true}};
    CHECK_FALSE(make_plan(uncached)->shares_memory);
}

TEST_CASE("plan: a lavapipe that is known to be wrong is refused by name")
{
    auto const old = make_plan(lavapipe({22, 3, 6}));
    REQUIRE(!old.has_value());
    CHECK(old.error().what == fault::wrong_driver);
    CHECK(message(old.error()).find("22.3.6") != std::string::npos);
    CHECK(message(old.error()).find("25.0.7") != std::string::npos);
    CHECK(!make_plan(lavapipe({})).has_value());
    CHECK(make_plan(lavapipe({25, 1, 0})).has_value());
}

TEST_CASE(
    "plan: what every program needs is asked for, and what lacks it is refused with a sentence")
{
    auto const why = [](auto change, wishes const& asked = {}) {
        auto s = card();
        change(s);
        auto const plan = make_plan(s, asked);
        if (!plan) CHECK(plan.error().why.starts_with("Card: "));
        return plan ? fault::ok : plan.error().what;
    };
    CHECK(why([](snapshot& s) { s.api = {1, 2, 999}; }) == fault::too_old);
    CHECK(why([](snapshot& s) { s.has.timeline_semaphores = false; }) == fault::feature_missing);
    CHECK(why([](snapshot& s) { s.has.robust_access2 = false; }) == fault::feature_missing);
    wishes own;
    own.strangers = false;
    CHECK(why([](snapshot& s) { s.has.robust_access2 = false; }, own) == fault::ok);
    CHECK(why([](snapshot& s) { s.queues = {}; }) == fault::feature_missing);
    CHECK(why([](snapshot& s) { s.queues = {{0, true, true, 64}}; }) == fault::feature_missing);
    CHECK(why([](snapshot& s) { s.types = {}; }) == fault::feature_missing);
    CHECK(why([](snapshot& s) { s.types = {{9, true, true, true, true}}; }) ==
          fault::feature_missing);
    CHECK(why([](snapshot& s) { s.queues = {{1, true, true, 0}}; }) == fault::ok);
}

TEST_CASE("plan: versions are read out of what drivers say")
{
    CHECK(read_version("Mesa 25.0.7-2 (LLVM 15.0.6)") == version3{25, 0, 7});
    CHECK(read_version("Mesa 22.3.6 (LLVM 15.0.6)") == version3{22, 3, 6});
    CHECK(read_version("550.54") == version3{550, 54, 0});
    CHECK(read_version("") == version3{});
    CHECK(read_version("no 7 number") == version3{});
    CHECK(read_version("99999999999999.1") == version3{1'000'000, 1, 0});
    CHECK(to_text(version3{25, 0, 7}) == "25.0.7");
}
