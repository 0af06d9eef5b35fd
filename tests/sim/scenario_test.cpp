// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/scenario.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <blendr/core/json.hpp>

using namespace blendr;
using namespace blendr::sim;

TEST_CASE("scenario: drawn villains weigh less than a third, or more when asked for")
{
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        CHECK(within_bound(draw(seed, {})));
        ingredients with{};
        with.beyond = true;
        CHECK(!within_bound(draw(seed, with)));
        CHECK(decode<scenario>(encode(draw(seed, {}))) == draw(seed, {}));
    }
}

TEST_CASE("scenario: shrinking keeps what matters and drops the rest")
{
    auto s = draw(11, {});
    s.faults = {{1, 10, fault_kind::lose, 0, 0, 5},
                {2, 4'000, fault_kind::crash, 2, 0, 0},
                {3, 10, fault_kind::slow, 0, 0, 5}};
    s.villains = {{1, role::silent}, {2, role::twins}};
    auto const fails = [](scenario const& t) {
        return std::ranges::any_of(t.faults, [](fault const& f) {
            return f.what == fault_kind::crash && f.for_ms >= 100;
        });
    };
    auto const small = shrink(s, fails);
    CHECK(small.villains.empty());
    REQUIRE(small.faults.size() == 1);
    CHECK(small.faults[0].what == fault_kind::crash);
    CHECK(small.faults[0].for_ms < 200);
}

TEST_CASE("scenario: what nobody could have meant is refused, with a reason")
{
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        CHECK(!refuse(draw(seed, {})));
        CHECK(from_json<scenario>(to_json(draw(seed, {}))).value() == draw(seed, {}));
    }
    auto const bad = [](auto change) {
        scenario s{};
        s.villains = {{1, role::silent}};
        s.faults = {{0, 1, fault_kind::crash, 0, 0, 0}};
        change(s);
        return refuse(s).has_value();
    };
    CHECK(!bad([](scenario&) {}));
    CHECK(bad([](scenario& s) { s.validators = 0; }));
    CHECK(bad([](scenario& s) { s.validators = 201; }));
    CHECK(bad([](scenario& s) { s.calm_ms = s.end_ms + 1; }));
    CHECK(bad([](scenario& s) { s.villains[0].node = 4; }));
    CHECK(bad([](scenario& s) { s.villains.push_back({1, role::twins}); }));
    CHECK(bad([](scenario& s) { s.villains[0].how = static_cast<role>(8); }));
    CHECK(bad([](scenario& s) { s.faults[0].node = 4; }));
    CHECK(bad([](scenario& s) { s.faults[0].at_ms = -1; }));
    CHECK(bad([](scenario& s) { s.faults[0].what = static_cast<fault_kind>(13); }));
    CHECK(bad([](scenario& s) { s.faults[0].amount = std::int64_t{1} << 62; }));
    CHECK(bad([](scenario& s) { s.faults[0].amount = -1; }));
}
