// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/sequence.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <optional>

#include "devices.hpp"
#include "kernels.hpp"

namespace {

using namespace blendr;
using namespace blendr::compute;
using namespace blendr::compute::test;
using word = std::uint32_t;

static_assert(!std::is_copy_constructible_v<tensor<word>> &&
              !std::is_copy_assignable_v<tensor<word>>);
static_assert(std::is_nothrow_move_constructible_v<tensor<word>> &&
              std::is_nothrow_move_assignable_v<tensor<word>>);

/// What `mix` does to words in one round.
void mix_once(std::vector<word>& words, word seed)
{
    for (word k = 0; k < words.size(); ++k) {
        auto& w = words[k];
        w ^= seed;
        w = (w ^ w >> 16) * 0x7feb352d;
        w = (w ^ w >> 15) * 0x846ca68b + k;
    }
}

using mixing = std::array<word, 3>;  // n, rounds, seed

program mixer(device& on)
{
    return program::stranger(on, spirv_of(shipped::mix), policy{}).value();
}

void steps_see_each_other(device& on)
{
    auto const mix = mixer(on);
    auto const words = tensor<word>::make(on, 64).value();
    auto const given = numbers(64, 3);
    std::vector<word> fresh(64, 1), before(64), between(64), after(64);
    sequence work{on};
    work.download(words, fresh)
        .upload(words, given)
        .download(words, before)
        .dispatch(mix, {1, 1, 1}, {words.all()}, mixing{64, 1, 5})
        .download(words, between);
    for (word i = 0; i < 50; ++i) work.dispatch(mix, {1, 1, 1}, {words.all()}, mixing{64, 1, i});
    work.download(words, after);
    for (int again = 0; again < 2; ++again) {  // as often as one likes
        auto const ended = again == 0 ? work.run() : work.submit().get();
        REQUIRE_MESSAGE(ended.what == fault::ok, ended.why);
        auto right = given;
        CHECK(before == right);
        mix_once(right, 5);
        CHECK(between == right);
        for (word i = 0; i < 50; ++i) mix_once(right, i);
        CHECK(after == right);
        CHECK(fresh == (again == 0 ? std::vector<word>(64) : right));
    }
}

}  // namespace

TEST_CASE("sequence: steps happen in order, and each sees what those before it wrote")
{
    auto const on = make_native_device({2, 1 << 20, {}});
    steps_see_each_other(*on);
    if (!vulkan_here()) return;
    watched seen;
    auto const gpu = open_vulkan(seen.options).value();
    steps_see_each_other(*gpu);
    CHECK_MESSAGE(seen.complaints().empty(), seen.complaints());
}

TEST_CASE("sequence: a bad step is named and stops the rest, what was done before it stays")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    auto const mix = mixer(*on);
    auto const words = tensor<word>::make(*on, 64).value();
    auto const given = numbers(64, 3);
    std::vector<word> before(64), after(64, 9);
    sequence work{*on};
    work.upload(words, given)
        .download(words, before)
        .dispatch(mix, {1, 1, 1}, {words.all()})  // no push constants
        .dispatch(mix, {1, 1, 1}, {words.all()}, mixing{64, 1, 5})
        .download(words, after);
    auto const ended = work.run();
    CHECK(ended.what == fault::does_not_bind);
    CHECK(ended.at == 2);
    CHECK(ended.slices == 0);
    CHECK(ended.why.find("0 bytes of push constants, the program takes 12") != std::string::npos);
    CHECK(before == given);
    CHECK(after == std::vector<word>(64, 9));
    CHECK(words.values().value() == given);
}

TEST_CASE("sequence: a trap stops the rest and says where")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    auto const mix = mixer(*on);
    auto const words = tensor<word>::make(*on, 64).value();
    std::vector<word> after(64, 9);
    auto const ended = sequence{*on}
                           .dispatch(mix, {1, 1, 1}, {words.all()}, mixing{64, 1, 5})
                           .dispatch(mix, {2, 1, 1}, {words.all()}, mixing{65, 1, 5})
                           .download(words, after)
                           .run();
    CHECK(ended.what == fault::trapped);
    CHECK(ended.at == 1);
    CHECK(ended.slices == 2);
    CHECK(ended.traps == static_cast<word>(trap::out_of_bounds));
    CHECK(after == std::vector<word>(64, 9));
}

TEST_CASE("sequence: futures of several sequences come in the order that they were submitted in")
{
    auto const on = make_native_device({2, 1 << 20, {}});
    auto const mix = mixer(*on);
    auto const words = tensor<word>::make(*on, 64).value();
    std::vector<std::vector<word>> seen(20, std::vector<word>(64));
    std::vector<std::future<outcome>> ready;
    for (word i = 0; i < 20; ++i) {
        sequence work{*on};  // gone before its steps are done
        work.dispatch(mix, {1, 1, 1}, {words.all()}, mixing{64, 1, i}).download(words, seen[i]);
        ready.push_back(work.submit());
    }
    std::vector<word> right(64);
    for (word i = 0; i < 20; ++i) {
        CHECK(ready[i].get());
        mix_once(right, i);
        CHECK(seen[i] == right);
    }
}

TEST_CASE("sequence: nothing to do is done, with empty tensors too")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    sequence nothing_at_all{*on};
    CHECK(nothing_at_all.run());
    CHECK(nothing_at_all.submit().get());
    auto const empty = tensor<word>::make(*on, 0).value();
    auto const also = tensor<word>::make(*on, std::span<word const>{}).value();
    CHECK(empty.size() == 0);
    CHECK(empty.all().bytes == 0);
    CHECK(empty.values().value().empty());
    CHECK(also.values().value().empty());
    std::vector<word> two(2);  // memory has a word at least
    CHECK(sequence{*on}.upload(empty, {}).download(empty, {}).run());
    CHECK(sequence{*on}.download(empty, two).run().what == fault::outside_memory);
    CHECK(
        sequence{*on}.dispatch(mixer(*on), {1, 1, 1}, {empty.all()}, mixing{0, 1, 1}).run().what ==
        fault::does_not_bind);
    if (!vulkan_here()) return;
    auto const gpu = open_vulkan().value();
    auto const there = tensor<word>::make(*gpu, 0).value();
    CHECK(there.values().value().empty());
    CHECK(sequence{*gpu}.upload(there, {}).run());
}

TEST_CASE("sequence: fewer values than a tensor has go to its beginning, more are refused")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    auto const words = tensor<word>::make(*on, numbers(8, 1)).value();
    std::vector<word> const two{1, 2}, nine(9, 7);
    std::vector<word> first(3), whole(8), more(9);
    CHECK(sequence{*on}.upload(words, two).download(words, first).download(words, whole).run());
    auto right = numbers(8, 1);
    right[0] = 1, right[1] = 2;
    CHECK(whole == right);
    CHECK(first == std::vector<word>{1, 2, right[2]});
    CHECK(sequence{*on}.upload(words, nine).run().what == fault::outside_memory);
    CHECK(sequence{*on}.download(words, more).run().what == fault::outside_memory);
    CHECK(words.values().value() == right);
}

TEST_CASE("sequence: a tensor of more bytes than can be counted is refused, not wrapped around")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    auto constexpr all = std::numeric_limits<std::size_t>::max();
    for (auto const size : {all, all / 4, all / 4 + 1, all / 4 + 2, std::size_t{1} << 62})
        CHECK(tensor<word>::make(*on, size).error().what == fault::out_of_memory);
    CHECK(tensor<std::byte>::make(*on, all).error().what == fault::out_of_memory);
    CHECK(tensor<word>::make(*on, (1 << 18) + 1).error().what == fault::out_of_memory);
    CHECK(tensor<word>::make(*on, 1 << 18).has_value());
}

TEST_CASE("sequence: a tensor gives its memory back once, whoever holds it last")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    auto const room = [&](std::size_t size) {
        return tensor<std::byte>::make(*on, size).has_value();
    };
    for (int round = 0; round < 3; ++round) CHECK(room(1 << 20));
    auto one = std::optional{tensor<word>::make(*on, numbers(1 << 16, 1)).value()};  // a quarter
    auto two = tensor<word>::make(*on, numbers(1 << 17, 2)).value();                 // a half
    auto three = std::move(*one);
    one.reset();
    CHECK(three.size() == 1 << 16);
    CHECK(three.values().value() == numbers(1 << 16, 1));
    CHECK_FALSE(room((1 << 18) + 1));
    three = std::move(two);  // they change places
    CHECK(three.values().value() == numbers(1 << 17, 2));
    CHECK_FALSE(room((1 << 18) + 1));
    {
        auto const last = std::move(three);
        CHECK_FALSE(room((1 << 18) + 1));
    }
    CHECK(room((1 << 19) + (1 << 18)));
}

TEST_CASE(
    "sequence: programs are one's own or a stranger's, and a stranger's is refused with its rule")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    auto const own = program::own(*on, spirv_of(shipped::mix)).value();
    auto const strange = mixer(*on);
    CHECK(own.what().submitted == strange.what().submitted);
    auto const worst = hostile_kernels().front();
    auto const no = program::stranger(*on, worst.second, policy{});
    REQUIRE(!no.has_value());
    CHECK_MESSAGE(no.error().what == fault::refused, worst.first);
    CHECK(!no.error().why.empty());
    auto const words = tensor<word>::make(*on, 64).value();
    sequence work{*on};
    work.dispatch(own, {1, 1, 1}, {words.all()}, mixing{64, 1, 5});
    CHECK(work.run());
    CHECK(on->forget().has_value());
    CHECK(work.run().what == fault::unknown_program);
}

TEST_CASE(
    "sequence: a deadline is the batch's, and the push constants are the bytes of what is given")
{
    auto const on = make_native_device({1, 1 << 20, {}});
    auto const mix = mixer(*on);
    auto const words = tensor<word>::make(*on, 64).value();
    sequence work{*on};
    CHECK(work.batch().deadline == batch{}.deadline);
    work.dispatch(mix, {1, 2, 3}, {words.all()}, mixing{64, 1, 0x01020304})
        .deadline(std::chrono::milliseconds{0});
    CHECK(work.batch().deadline == std::chrono::milliseconds{0});
    auto const& asked = std::get<dispatch>(work.batch().steps.at(0));
    CHECK(asked.groups == std::array<word, 3>{1, 2, 3});
    CHECK(asked.push == bytes{std::byte{64},
                              {},
                              {},
                              {},
                              std::byte{1},
                              {},
                              {},
                              {},
                              std::byte{4},
                              std::byte{3},
                              std::byte{2},
                              std::byte{1}});
    CHECK(work.run().what == fault::timed_out);
    CHECK(work.deadline(std::chrono::seconds{10}).run());
}
