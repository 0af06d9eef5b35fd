// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/solo.hpp>

#include <vector>

#include <doctest/doctest.h>

#include <blendr/sim/ideal.hpp>
#include <blendr/sim/world.hpp>

using namespace blendr;

TEST_CASE("solo: decides a block an interval and goes on after a crash")
{
    sim::scenario s{};
    s.validators = 1;
    s.faults.push_back({2500, 500, sim::fault_kind::crash, 0, 0, 0});
    sim::world_options o{};
    o.finality_by_depth = true;
    auto const r = sim::run(sim::kind_of<consensus::solo>(), s, o);
    CHECK(!r.violation);
    CHECK(r.crashes == 1);
    CHECK(r.height_min >= 27);
}

using namespace blendr::consensus;

namespace {

template <class T>
std::vector<T> all_of(effects const& out)
{
    std::vector<T> all{};
    for (auto const& each : out)
        if (auto const* t = std::get_if<T>(&each)) all.push_back(*t);
    return all;
}

consensus::clock const noon{time_ms{0}, time_ms{1'000'000}};

}  // namespace

TEST_CASE("solo: a silent application is asked for the same payload and the same verdict again")
{
    solo e{{}, sim::ideal_identity(0), 1};
    effects out{};
    e.step(started{}, noon, out);
    out.clear();
    e.step(timer_fired{0}, noon, out);
    e.step(timer_fired{0}, noon, out);
    auto const builds = all_of<build>(out);
    REQUIRE(builds.size() == 2);
    CHECK(builds[0].request == builds[1].request);
    e.step(built{builds[0].request, to_bytes("x")}, noon, out);
    e.step(timer_fired{0}, noon, out);
    auto const questions = all_of<verify>(out);
    REQUIRE(questions.size() == 2);
    CHECK(questions[0].id == questions[1].id);
    e.step(judged{questions[0].id, app::verdict::valid}, noon, out);
    CHECK(all_of<decide>(out).size() == 1);
    e.step(built{builds[0].request, to_bytes("y")}, noon, out);  // the second answer
    e.step(judged{questions[0].id, app::verdict::valid}, noon, out);
    CHECK(all_of<decide>(out).size() == 1);
    CHECK(all_of<verify>(out).size() == 2);
}

TEST_CASE("solo: what was decided before a crash is decided again, behind the barrier that kept it")
{
    solo e{{}, sim::ideal_identity(0), 1};
    effects out{};
    e.step(started{}, noon, out);
    e.step(timer_fired{0}, noon, out);
    e.step(built{1, to_bytes("x")}, noon, out);
    e.step(judged{all_of<verify>(out)[0].id, app::verdict::valid}, noon, out);
    auto const kept = all_of<persist>(out);
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].barrier);
    CHECK(std::holds_alternative<persist>(out[out.size() - 3]));
    CHECK(std::holds_alternative<decide>(out[out.size() - 2]));
    auto const done = all_of<decide>(out)[0];

    solo again{{}, sim::ideal_identity(0), 2};
    out.clear();
    started s{};
    s.journal.push_back(kept[0].record);
    again.step(s, noon, out);
    REQUIRE(all_of<decide>(out).size() == 1);
    CHECK(all_of<decide>(out)[0] == done);
}

TEST_CASE("solo: a journal record that nobody can read is named, and nothing is decided on top")
{
    solo e{{}, sim::ideal_identity(0), 1};
    effects out{};
    started s{};
    s.journal.push_back(to_bytes("not a record"));
    e.step(s, noon, out);
    REQUIRE(all_of<metric>(out).size() == 1);
    CHECK(all_of<metric>(out)[0].name == "journal_corrupt");
    CHECK(all_of<halted>(out).size() == 1);
    out.clear();
    for (int i = 0; i < 5; ++i) e.step(timer_fired{0}, noon, out);
    CHECK(out.empty());
}

TEST_CASE("solo: it listens to nobody and keeps nothing of what it is sent")
{
    solo e{{}, sim::ideal_identity(0), 1};
    effects out{};
    e.step(started{}, noon, out);
    out.clear();
    std::vector<claim> claims{};
    bytes const flood(100'000);
    for (int i = 0; i < 100; ++i) {
        CHECK(e.claims(sim::ideal_identity(1).self, flood, claims) == false);
        e.step(received{sim::ideal_identity(1).self, flood, true}, noon, out);
    }
    CHECK(claims.empty());
    CHECK(out.empty());
}
