// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/device.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <set>
#include <thread>

#include "devices.hpp"
#include "kernels.hpp"

namespace {

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;
using word = std::uint32_t;

outcome alone(device& on, step what)
{
    batch work;
    work.steps.push_back(std::move(what));
    return on.run(work);
}

/// How a download of that part ends.
outcome fetch(device& on, part const& from)
{
    bytes room(std::min<std::uint64_t>(from.bytes, 4096));
    return alone(on, download{from, room});
}

/// What the interface says, of any device.
void keeps_its_word(device& on)
{
    auto const before = on.info();
    auto const mix = on.load(spirv_of(shipped::mix), policy{}, origin::stranger);
    REQUIRE_MESSAGE(mix.has_value(), message(mix.error()));

    SUBCASE(
        "loading the same bytes again gives the same program, by the hash of what was submitted")
    {
        auto const again = on.load(spirv_of(shipped::mix), policy{}, origin::stranger);
        REQUIRE(again.has_value());
        CHECK(again->id == mix->id);
        CHECK(again->submitted == mix->submitted);
        CHECK(again->needs.bindings.size() == 1);
        CHECK(again->needs.push_bytes == 12);
        auto const other = on.load(spirv_of(shipped::fill), policy{}, origin::stranger);
        REQUIRE(other.has_value());
        CHECK(other->id != mix->id);
        CHECK(other->submitted != mix->submitted);
    }
    SUBCASE("what is no program is refused, and so is a stranger's that the policy forbids")
    {
        CHECK(on.load({}, policy{}, origin::stranger).error().what == fault::refused);
        CHECK(on.load(bytes(64), policy{}, origin::stranger).error().what == fault::refused);
        auto const recursive = hostile_kernels().front();
        auto const no = on.load(recursive.second, policy{}, origin::stranger);
        REQUIRE(!no.has_value());
        CHECK(no.error().what == fault::refused);
        CHECK(!no.error().why.empty());
    }
    SUBCASE("memory begins as zeros, also what somebody had before")
    {
        auto const dirt = bytes_of(numbers(1024, 5));
        for (int round = 0; round < 3; ++round) {
            auto const m = on.allocate(4096).value();
            bytes seen(4096, std::byte{1});
            CHECK(alone(on, download{{m, 0, 4096}, seen}));
            CHECK(seen == bytes(4096));
            CHECK(alone(on, upload{{m, 0, 4096}, dirt}));
            on.release(m);
        }
    }
    SUBCASE("memory of no bytes has a word")
    {
        auto const m = on.allocate(0).value();
        bytes seen(4, std::byte{1});
        CHECK(alone(on, download{{m, 0, 4}, seen}));
        CHECK(seen == bytes(4));
        CHECK(fetch(on, {m, 0, 8}).what == fault::outside_memory);
        CHECK(fetch(on, {m, 4, 4}).what == fault::outside_memory);
    }
    SUBCASE("more memory than there is is refused, whatever the number")
    {
        for (auto const much : {on.info().memory_bytes + 1, ~std::uint64_t{0},
                                ~std::uint64_t{0} - 63, std::uint64_t{1} << 63}) {
            auto const no = on.allocate(much);
            REQUIRE(!no.has_value());
            CHECK(no.error().what == fault::out_of_memory);
        }
        CHECK(on.allocate(64).has_value());
    }
    SUBCASE("memory that was given back is unknown, and giving it back twice is nothing")
    {
        auto const kept = on.allocate(64).value(), gone = on.allocate(64).value();
        on.release(gone);
        on.release(gone);
        on.release(memory_id{});
        on.release(memory_id{~std::uint64_t{0}});
        CHECK(fetch(on, {gone, 0, 64}).what == fault::unknown_memory);
        CHECK(fetch(on, {memory_id{~std::uint64_t{0}}, 0, 64}).what == fault::unknown_memory);
        CHECK(fetch(on, {kept, 0, 64}));
    }
    SUBCASE("no part reaches beyond its memory, at any offset")
    {
        auto const m = on.allocate(64).value();
        auto constexpr far = ~std::uint64_t{0};
        CHECK(fetch(on, {m, 0, 64}));
        CHECK(fetch(on, {m, 60, 4}));
        CHECK(fetch(on, {m, 64, 0}));
        for (auto const& beyond :
             {part{m, 0, 68}, part{m, 64, 4}, part{m, 68, 0}, part{m, far - 3, 4},
              part{m, 4, far - 3}, part{m, far - 3, 0}, part{m, 32, far - 31}})
            CHECK(fetch(on, beyond).what == fault::outside_memory);
        // Nor do the bytes differ from the part's in number.
        bytes const few(60), many(68);
        bytes less(60), more(68);
        CHECK(alone(on, upload{{m, 0, 64}, few}).what == fault::outside_memory);
        CHECK(alone(on, upload{{m, 0, 64}, many}).what == fault::outside_memory);
        CHECK(alone(on, download{{m, 0, 64}, less}).what == fault::outside_memory);
        CHECK(alone(on, download{{m, 0, 64}, more}).what == fault::outside_memory);
    }
    SUBCASE("what is bound is what the program asks for, or nothing runs")
    {
        auto const m = on.allocate(64).value();
        part const all{m, 0, 64};
        auto const push = bytes_of({16, 1, 7});
        CHECK(alone(on, dispatch{mix->id, {1, 1, 1}, {all}, push}));
        bytes was(64);
        REQUIRE(alone(on, download{all, was}));
        for (auto const& bad : {dispatch{mix->id, {1, 1, 1}, {}, push},
                                dispatch{mix->id, {1, 1, 1}, {all, all}, push},
                                dispatch{mix->id, {1, 1, 1}, {all}, {}},
                                dispatch{mix->id, {1, 1, 1}, {all}, bytes(11)},
                                dispatch{mix->id, {1, 1, 1}, {all}, bytes(16)},
                                dispatch{mix->id, {1, 1, 1}, {{m, 0, 0}}, push},
                                dispatch{mix->id, {1, 1, 1}, {{m, 1, 60}}, push}}) {
            auto const no = alone(on, bad);
            CHECK(no.what == fault::does_not_bind);
            CHECK(!no.why.empty());
        }
        CHECK(alone(on, dispatch{program_id{}, {1, 1, 1}, {all}, push}).what ==
              fault::unknown_program);
        CHECK(alone(on, dispatch{mix->id, {1, 1, 1}, {{memory_id{}, 0, 64}}, push}).what ==
              fault::unknown_memory);
        if (on.info().groups_max[0] != ~0u)
            CHECK(alone(on, dispatch{mix->id, {on.info().groups_max[0] + 1, 1, 1}, {all}, push})
                      .what == fault::grid_too_large);
        bytes is(64);
        CHECK(alone(on, download{all, is}));
        CHECK(is == was);
    }
    SUBCASE("a grid without groups does nothing")
    {
        auto const m = on.allocate(64).value();
        CHECK(alone(on, dispatch{mix->id, {0, 1, 1}, {{m, 0, 64}}, bytes_of({16, 1, 7})}));
        bytes seen(64, std::byte{1});
        CHECK(alone(on, download{{m, 0, 64}, seen}));
        CHECK(seen == bytes(64));
    }
    SUBCASE("forgetting ends a tenancy: its programs and memory are gone, its room is free")
    {
        auto const held = on.allocate(1 << 16).value();
        CHECK(on.forget().has_value());
        CHECK(fetch(on, {held, 0, 64}).what == fault::unknown_memory);
        auto const anew = on.allocate(1 << 16).value();
        CHECK(anew != held);
        CHECK(alone(on, dispatch{mix->id, {1, 1, 1}, {{anew, 0, 64}}, bytes_of({16, 1, 7})}).what ==
              fault::unknown_program);
        bytes seen(1 << 16, std::byte{1});
        CHECK(alone(on, download{{anew, 0, 1 << 16}, seen}));
        CHECK(seen == bytes(1 << 16));
    }
    SUBCASE("any thread may call: each sees its own results")
    {
        std::vector<int> right(4);
        {
            std::vector<std::jthread> all;
            for (std::size_t k = 0; k < right.size(); ++k)
                all.emplace_back([&, k] {
                    auto const mine = bytes_of(numbers(256, k));
                    for (int round = 0; round < 20; ++round) {
                        auto const m = on.allocate(1024);
                        if (!m) return;
                        bytes seen(1024);
                        batch work;
                        work.steps.emplace_back(upload{{*m, 0, 1024}, mine});
                        work.steps.emplace_back(download{{*m, 0, 1024}, seen});
                        auto const ended = round % 2 == 0 ? on.run(work) : on.submit(work).get();
                        right[k] += ended && seen == mine ? 1 : 0;
                        on.release(*m);
                    }
                });
        }
        CHECK(right == std::vector<int>(4, 20));
    }
    CHECK(on.info().name == before.name);
    CHECK(on.info().memory_bytes == before.memory_bytes);
    CHECK(on.info().groups_max == before.groups_max);
    CHECK(std::has_single_bit(on.info().offset_alignment));
}

}  // namespace

TEST_CASE("device: every fault has a sentence of its own")
{
    std::set<std::string_view> sentences;
    std::size_t faults = 0;
    for (std::uint16_t code = 0; code < 500; ++code) {
        auto const said = message(static_cast<fault>(code));
        if (said == "unknown fault") continue;
        ++faults;
        sentences.insert(said);
    }
    CHECK(faults == 22);
    CHECK(sentences.size() == faults);
    CHECK(message(failure{fault::lost, {}}) == "the device is lost");
    CHECK(message(failure{fault::lost, "it fell"}) == "the device is lost: it fell");
    static_assert(static_cast<int>(fault::grid_too_large) == 104);
    static_assert(static_cast<int>(fault::wrong_result) == 304);
}

TEST_CASE("device: a native one keeps the interface's word")
{
    auto const on = make_native_device({2, std::uint64_t{1} << 24, {}});
    keeps_its_word(*on);
}

TEST_CASE("device: one on Vulkan keeps the interface's word")
{
    if (!vulkan_here()) return;
    watched seen;
    auto const on = open_vulkan(seen.options).value();
    keeps_its_word(*on);
    CHECK_MESSAGE(seen.complaints().empty(), seen.complaints());
}

TEST_CASE("device: one in a worker keeps the interface's word")
{
    if (!vulkan_here()) return;
    auto const on = worker::start();
    REQUIRE(on.has_value());
    keeps_its_word(**on);
}

TEST_CASE("device: memory is taken until there is no more, and all of it comes back")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    for (int tenant = 0; tenant < 3; ++tenant) {
        std::vector<memory_id> held;
        for (int k = 0; k < 4; ++k) held.push_back(on->allocate(1 << 18).value());
        auto const no = on->allocate(1);
        REQUIRE(!no.has_value());
        CHECK(no.error().what == fault::out_of_memory);
        CHECK(no.error().why.find("0 are left") != std::string::npos);
        if (tenant == 1) {
            CHECK(on->forget().has_value());
            continue;
        }
        for (auto const each : held) on->release(each);
    }
}

TEST_CASE("device: the first bad step ends a run, is named, and nothing after it happens")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    auto const m = on->allocate(8).value();
    bytes const first(8, std::byte{1}), second(8, std::byte{2});
    for (std::uint32_t bad = 0; bad < 4; ++bad) {
        batch work;
        for (std::uint32_t k = 0; k < 4; ++k)
            work.steps.emplace_back(
                upload{{k == bad ? memory_id{} : m, 0, 8}, k < bad ? first : second});
        auto const ended = on->run(work);
        CHECK(ended.what == fault::unknown_memory);
        CHECK(ended.at == bad);
        bytes seen(8);
        CHECK(alone(*on, download{{m, 0, 8}, seen}));
        CHECK(seen == (bad == 0 ? bytes(8) : first));
    }
}

TEST_CASE("device: the deadline is for the whole batch, and the next run is untouched by it")
{
    native_options chosen;
    chosen.threads = 1;
    chosen.kernels.push_back({running("square"), [](native_call const& call) -> word {
                                  while (!call.late()) std::this_thread::yield();
                                  return 0;
                              }});
    auto const on = make_native_device(std::move(chosen));
    auto const endless = on->load(running("square"), policy{}, origin::stranger).value();
    auto const m = on->allocate(1024).value();
    batch work;
    work.deadline = std::chrono::milliseconds{20};
    for (int k = 0; k < 3; ++k)
        work.steps.emplace_back(dispatch{endless.id, {1, 1, 1}, {{m, 0, 512}, {m, 512, 512}}, {}});
    auto const late = on->run(work);
    CHECK(late.what == fault::timed_out);
    CHECK(late.at == 0);
    CHECK(late.slices == 1);
    CHECK(late.device_ns >= 20'000'000);
    CHECK(fetch(*on, {m, 0, 64}));
}

TEST_CASE("device: what was submitted is done in order, even by a device that goes away meanwhile")
{
    auto on = make_native_device({1, 1 << 20, {}});
    auto const m = on->allocate(4).value();
    std::vector<bytes> given, seen(16, bytes(4));
    for (word k = 0; k < 16; ++k) given.push_back(bytes_of({k + 1}));
    std::vector<std::future<outcome>> all;
    for (std::size_t k = 0; k < 16; ++k) {
        batch work;
        work.steps.emplace_back(download{{m, 0, 4}, seen[k]});
        work.steps.emplace_back(upload{{m, 0, 4}, given[k]});
        all.push_back(on->submit(std::move(work)));
    }
    on.reset();
    for (auto& each : all) CHECK(each.get());
    CHECK(seen[0] == bytes(4));
    for (std::size_t k = 1; k < 16; ++k) CHECK(seen[k] == given[k - 1]);
}
