// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/branching.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/nakamoto.hpp>
#include <blendr/sim/ideal.hpp>

using namespace blendr;
using namespace blendr::consensus;

TEST_CASE("branching: blocks without parents and answers to strangers are kept up to a bound")
{
    authority e{{}, sim::ideal_identity(0), 1};
    started s{};
    membership set{height{1}, 1, {{sim::ideal_identity(1).self, weight{1}}}, {}};
    auto second = set;
    second.from = height{2};
    s.from.sets = {set, second};
    effects out{};
    consensus::clock const now{time_ms{0}, time_ms{10'000'000}};
    e.step(s, now, out);
    for (std::uint32_t i = 0; i < 6'000; ++i) {
        auto const who = sim::ideal_identity(i).self;
        block const body{{{std::byte{9}, static_cast<std::byte>(i)},
                          height{2 + i % 4},
                          time_ms{1'000 * (i + 1)},
                          sim::ideal_identity(1).self},
                         {}};
        auto const raw = encode(branch_message{sealed_block{body, encode(slot_seal{i + 1, {}})}});
        e.step(received{who, raw, true}, now, out);
        e.step(received{who, encode(branch_message{branch_ask{}}), true}, now, out);
        out.clear();
    }
    CHECK(e.held() <= authority::orphans_max + authority::peers_max);
}

TEST_CASE("branching: a silent application is asked about a block again")
{
    authority e{{}, sim::ideal_identity(0), 1};
    started s{};
    auto const author = sim::ideal_identity(1);
    membership set{height{1}, 1, {{author.self, weight{1}}}, {}};
    auto second = set;
    second.from = height{2};
    s.from.sets = {set, second};
    effects out{};
    consensus::clock now{time_ms{0}, time_ms{10'000'000}};
    e.step(s, now, out);
    out.clear();
    block const body{{{}, height{1}, time_ms{9'999'000}, author.self}, {}};
    auto const raw = encode(branch_message{sealed_block{body, encode(slot_seal{9'999, {}})}});
    e.step(received{author.self, raw, true}, now, out);
    auto const questions = [&] {
        return std::ranges::count_if(
            out, [](effect const& each) { return std::holds_alternative<verify>(each); });
    };
    REQUIRE(questions() == 1);
    for (std::int64_t ms = 0; ms <= 7'000; ms += 250) {
        now.monotonic = time_ms{ms};
        e.step(timer_fired{0}, now, out);
    }
    CHECK(questions() == 4);  // after one, three and seven seconds
    e.step(judged{id_of(body), app::verdict::valid}, now, out);
    now.monotonic = time_ms{60'000};
    e.step(timer_fired{0}, now, out);
    CHECK(questions() == 4);
}

TEST_CASE("branching: blocks without parents are kept in so many bytes, whoever sends them")
{
    nakamoto<sim::ideal_work> e{{}, sim::ideal_identity(0), 1};
    started s{};
    for (std::uint64_t h : {1u, 2u})
        s.from.sets.push_back({height{h}, 1, {{sim::ideal_identity(1).self, weight{1}}}, {}});
    effects out{};
    consensus::clock const now{time_ms{0}, time_ms{10'000'000}};
    e.step(s, now, out);
    std::int64_t dropped = 0;
    for (std::uint32_t i = 0; i < 40; ++i) {
        out.clear();
        block const body{{{std::byte{9}, static_cast<std::byte>(i)}, height{3}, time_ms{1'000}, {}},
                         bytes(4'000'000)};
        auto const raw = encode(branch_message{sealed_block{body, {}}});
        e.step(received{sim::ideal_identity(i).self, raw, true}, now, out);
        for (auto const& each : out)
            if (auto const* m = std::get_if<metric>(&each);
                m != nullptr && m->name == "dropped_orphan")
                dropped += m->value;
    }
    CHECK(e.held() <= 8);  // 32 MiB hold eight blocks of 4 MB
    CHECK(dropped == 32);
}
