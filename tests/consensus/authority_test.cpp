// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/authority.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <blendr/sim/battery.hpp>
#include <blendr/sim/ideal.hpp>
#include <blendr/sim/world.hpp>

using namespace blendr;

namespace {

sim::report run_one(sim::scenario s)
{
    s.end_ms = 60'000;
    sim::world_options o{};
    o.net = sim::constant(50'000);
    o.net.jitter_us = 10'000;
    o.finality_by_depth = true;
    return sim::run(sim::kind_of<consensus::authority>(), s, o);
}

}  // namespace

TEST_CASE("authority: a block a slot, final under its depth, for every kind of weights")
{
    for (std::uint32_t i = 0; i < 4; ++i) {
        sim::scenario s{};
        s.seed = i;
        s.validators = 4 + i;
        s.power = static_cast<sim::weights>(i);
        auto const r = run_one(s);
        CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
        CHECK(r.height_min >= 50);
        CHECK(r.reorgs == 0);
    }
}

TEST_CASE("authority: an author of two blocks in a slot is caught, and the chain goes on")
{
    sim::scenario s{};
    s.seed = 1;
    s.villains.push_back({1, sim::role::forking});
    auto const r = run_one(s);
    CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
    CHECK(r.accused == std::vector<std::uint32_t>{1});
    CHECK(r.height_min >= 40);
}

TEST_CASE("authority: an author that restarts never seals a slot twice")
{
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        sim::scenario s{};
        s.seed = seed;
        s.faults.push_back(
            {0, 30, sim::fault_kind::crash_at, 0, 0, 1 + static_cast<std::int64_t>(seed) % 5});
        s.faults.push_back({3'000, 9'000, sim::fault_kind::skew, 0, 0, -1'000});
        s.calm_ms = 13'000;
        auto const r = run_one(s);
        CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
        CHECK(r.crashes == 1);
    }
}

TEST_CASE(
    "authority: a partition longer than the depth ends in a halt that says so, not in silence")
{
    sim::scenario s{};
    s.faults.push_back({5'000, 25'000, sim::fault_kind::partition, 0, 0, 0b0011});
    s.calm_ms = 31'000;
    s.progress = 0;
    auto const r = run_one(s);
    CHECK((r.halts > 0 || r.violation.has_value()));
}

TEST_CASE("authority: two authors of one slot on branches with different sets are both innocent")
{
    auto const engine = sim::kind_of<consensus::authority>();
    auto const r = sim::run(engine, sim::random_world(engine, 13), sim::options_of(engine));
    CHECK_MESSAGE(!r.violation, r.violation.value_or(""));
}

TEST_CASE(
    "authority: a journal record that nobody can read is named, and no slot near it is sealed")
{
    using namespace consensus;
    auto const me = sim::ideal_identity(0);
    authority e{{}, me, 1};
    started s{};
    for (std::uint64_t h : {1u, 2u})
        s.from.sets.push_back({height{h}, 1, {{me.self, weight{1}}}, {}});
    s.journal.push_back(to_bytes("not a record"));
    effects out{};
    consensus::clock now{time_ms{0}, time_ms{100'000'000}};
    e.step(s, now, out);
    CHECK(std::ranges::any_of(out, [](effect const& each) {
        auto const* m = std::get_if<metric>(&each);
        return m != nullptr && m->name == "journal_corrupt";
    }));
    int sealed_at = 0;
    for (int slot = 1; slot <= 14 && sealed_at == 0; ++slot) {
        now.monotonic = after(now.monotonic, 1'000);
        now.wall = after(now.wall, 1'000);
        out.clear();
        e.step(timer_fired{1}, now, out);  // the only author: every slot is its own
        for (auto const& each : effects{out})
            if (auto const* b = std::get_if<build>(&each))
                e.step(built{b->request, to_bytes("x")}, now, out);
        for (auto const& each : out)
            if (std::holds_alternative<broadcast>(each)) sealed_at = slot;
    }
    CHECK(sealed_at == 11);  // ten slots and the drift later
}

TEST_CASE("authority: an application that cannot build now is asked once more within the slot")
{
    using namespace consensus;
    auto const me = sim::ideal_identity(0);
    authority e{{}, me, 1};
    started s{};
    for (std::uint64_t h : {1u, 2u})
        s.from.sets.push_back({height{h}, 1, {{me.self, weight{1}}}, {}});
    effects out{};
    consensus::clock now{time_ms{0}, time_ms{100'000'000}};
    e.step(s, now, out);
    out.clear();
    e.step(timer_fired{1}, now, out);
    REQUIRE(out.size() == 2);
    auto const first = std::get<build>(out[1]);
    out.clear();
    e.step(built{first.request, std::nullopt}, now, out);
    REQUIRE(out.size() == 1);
    auto const retry = std::get<set_timer>(out[0]);
    now.wall = after(now.wall, retry.after_ms);
    out.clear();
    e.step(timer_fired{retry.timer}, now, out);
    REQUIRE(out.size() == 1);
    CHECK(std::get<build>(out[0]).at == first.at);
    now.wall = after(now.wall, 1'000);
    out.clear();
    e.step(timer_fired{retry.timer}, now, out);  // another slot
    CHECK(out.empty());
}
