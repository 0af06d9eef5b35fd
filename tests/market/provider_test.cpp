// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/provider.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <initializer_list>

using namespace blendr;
using namespace blendr::market;

namespace {
device_status after(std::initializer_list<device_event> all, height at = height{1})
{
    device_status d;
    for (auto const e : all) REQUIRE(d.apply(e, at));
    return d;
}
using enum device_event;
}  // namespace

TEST_CASE("provider: a device is enrolled, reserved, shared and idle again")
{
    device_status d;
    CHECK(d.apply(start, height{1}).error() == reject::wrong_state);
    d = after({enrol, reserve, start});
    CHECK(d.state == device_state::sharing);
    CHECK_FALSE(d.sells());
    CHECK(after({enrol, reserve}).sells());
    CHECK(after({enrol, start, finish}).state == device_state::idle);
    CHECK(after({enrol, retire}) == device_status{});
    CHECK(after({enrol, reserve, release}).state == device_state::idle);
}

TEST_CASE("provider: unreachable is not failed: heard of again in time, it goes on as it was")
{
    auto d = after({enrol, start, silence, silence});
    CHECK(d.state == device_state::disconnected);
    REQUIRE(d.apply(heartbeat, height{9}));
    CHECK(d.state == device_state::sharing);
    CHECK(d.heard == height{9});
    CHECK(after({enrol, reserve, silence, heartbeat}).state == device_state::reserved);
    CHECK(after({enrol, start, silence, give_up, heartbeat}).state == device_state::idle);
}

TEST_CASE("provider: time alone makes it silent, and only after its grace lost")
{
    heartbeat_rules const rules{.silent_after = 10, .give_up_after = 100};
    auto d = after({enrol, start}, height{50});
    CHECK_FALSE(d.due(height{60}, rules));
    CHECK(d.due(height{61}, rules) == silence);
    REQUIRE(d.apply(silence, height{61}));
    CHECK_FALSE(d.due(height{160}, rules));
    CHECK(d.due(height{161}, rules) == give_up);
    REQUIRE(d.apply(give_up, height{161}));
    CHECK_FALSE(d.due(height{1000}, rules));
    CHECK_FALSE(after({enrol}, height{50}).due(height{10}, rules));  // heights never run back
}

TEST_CASE("provider: it is told when to look again, and no sooner is anything due")
{
    heartbeat_rules const rules{.silent_after = 10, .give_up_after = 100};
    auto d = after({enrol, start}, height{50});
    for (auto const what : {silence, give_up}) {
        auto const next = d.next_due(rules);
        REQUIRE(next);
        CHECK_FALSE(d.due(height{next->get() - 1}, rules));
        CHECK(d.due(*next, rules) == what);
        REQUIRE(d.apply(what, *next));
    }
    CHECK_FALSE(d.next_due(rules));
    CHECK_FALSE(after({enrol, silence}).next_due(rules));  // idle: there is no lease to lose
    CHECK_FALSE(after({enrol, suspend}).next_due(rules));
    CHECK_FALSE(device_status{}.next_due(rules));
    CHECK(after({enrol, measure}, height{50}).next_due(rules) == height{61});
}

TEST_CASE("provider: a suspended device does nothing but wait or go")
{
    auto d = after({enrol, start, suspend});
    for (auto const e : {reserve, start, finish, release, enrol, give_up})
        CHECK(d.apply(e, height{1}).error() == reject::wrong_state);
    REQUIRE(d.apply(heartbeat, height{2}));
    CHECK(d.state == device_state::suspended);
    REQUIRE(d.apply(attest, height{2}));
    REQUIRE(d.apply(reinstate, height{3}));
    CHECK(d.state == device_state::idle);
    CHECK(after({enrol, suspend, retire}).state == device_state::absent);
}

TEST_CASE("provider: what the table lacks changes nothing, from every state")
{
    for (std::size_t s = 0; s < device_states; ++s)
        for (std::size_t e = 0; e < device_events; ++e) {
            device_status const before{static_cast<device_state>(s), device_state::idle, height{3},
                                       2};
            auto d = before;
            bool const ok = d.apply(static_cast<device_event>(e), height{7}).has_value();
            if (!ok) CHECK(d == before);
            if (static_cast<device_event>(e) == enrol)
                CHECK(ok == (before.state == device_state::absent));
        }
}
