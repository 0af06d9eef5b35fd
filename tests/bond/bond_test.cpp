// SPDX-License-Identifier: Apache-2.0
#include <blendr/bond/bond.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::bond;

namespace {
crypto::address who(std::string_view name) { return crypto::address_of("test", as_bytes(name)); }
auto const ada = who("ada");
auto const bob = who("bob");
constexpr terms by{10, 100_grains, 2'000};
}  // namespace

TEST_CASE("bond: what is locked leaves after the delay, and no sooner")
{
    holding in{};
    REQUIRE(can_lock(in, by, ada, 150_grains) == error::ok);
    lock(in, ada, 150_grains);
    CHECK(unbond(in, by, ada, 50_grains, height{5}) == error::ok);
    CHECK(in.locked == 100_grains);
    CHECK(withdraw(in, ada, height{14}).error() == error::nothing_due);
    CHECK(withdraw(in, ada, height{15}) == 50_grains);
    CHECK(unbond(in, by, ada, 100_grains, height{20}) == error::ok);
    CHECK(in.state() == state::leaving);
    CHECK(withdraw(in, ada, height{30}) == 100_grains);
    CHECK(in == holding{});
}

TEST_CASE("bond: each refusal has its reason and changes nothing")
{
    holding in{};
    CHECK(can_lock(in, by, ada, 0_grains) == error::nothing);
    CHECK(can_lock(in, by, ada, 99_grains) == error::too_small);
    lock(in, ada, 150_grains);
    auto const before = in;
    CHECK(can_lock(in, by, bob, 100_grains) == error::not_yours);
    CHECK(can_lock(in, by, ada, amount::max()) == error::poor);
    CHECK(unbond(in, by, bob, 10_grains, height{1}) == error::not_yours);
    CHECK(unbond(in, by, ada, 0_grains, height{1}) == error::nothing);
    CHECK(unbond(in, by, ada, 51_grains, height{1}) == error::too_small);
    CHECK(unbond(in, by, ada, 151_grains, height{1}) == error::not_locked);
    CHECK(withdraw(in, bob, height{1}).error() == error::not_yours);
    CHECK(in == before);
    lock(in, ada, 1'000_grains);
    for (std::uint64_t h = 0; h < leaving_max; ++h)
        CHECK(unbond(in, by, ada, 1_grains, height{h}) == error::ok);
    CHECK(unbond(in, by, ada, 1_grains, height{99}) == error::too_many);
    CHECK(unbond(in, by, ada, 1_grains, height{leaving_max - 1}) == error::ok);
}

TEST_CASE("bond: the table that the code runs from is the one in the header's comment")
{
    CHECK_FALSE(holding{}.may(step::unbond));
    CHECK_FALSE(holding{}.may(step::slash));
    holding in{};
    lock(in, ada, 100_grains);
    CHECK(in.may(step::slash));
    REQUIRE(unbond(in, by, ada, 100_grains, height{1}) == error::ok);
    CHECK(unbond(in, by, ada, 1_grains, height{1}) == error::wrong_state);
    CHECK(in.may(step::slash));
    CHECK(in.may(step::lock));
}

TEST_CASE("bond: slashing takes what leaves first, latest first, and burns at least half")
{
    holding in{};
    lock(in, ada, 400_grains);
    REQUIRE(unbond(in, by, ada, 50_grains, height{1}) == error::ok);
    REQUIRE(unbond(in, by, ada, 60_grains, height{2}) == error::ok);
    CHECK(slash(in, by, 70_grains) == slashed{56_grains, 14_grains});
    CHECK(in.leaving.size() == 1);
    CHECK(in.leaving.front() == parting{40_grains, height{11}});
    CHECK(in.locked == 290_grains);
    auto const greedy = terms{10, 100_grains, 9'999};
    CHECK(slash(in, greedy, amount::max()) == slashed{165_grains, 165_grains});
    CHECK(in == holding{});
    CHECK(slash(in, by, 5_grains) == slashed{});
}

TEST_CASE("bond: no history creates or loses a grain" * doctest::test_suite("property"))
{
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        CAPTURE(seed);
        rng random{seed};
        holding in{};
        amount put{}, got{};
        height now{};
        for (int i = 0; i < 300; ++i) {
            now = now + random.below(4);
            auto const value = amount{random.below(300)};
            auto const& actor = random.chance(1, 2) ? ada : bob;
            switch (random.below(4)) {
            case 0:
                if (can_lock(in, by, actor, value) == error::ok)
                    lock(in, actor, value), put += value;
                break;
            case 1:
                static_cast<void>(unbond(in, by, actor, value, now));
                break;
            case 2:
                if (auto const out = withdraw(in, actor, now)) got += *out;
                break;
            default:
                auto const lost = slash(in, by, random.chance(1, 20) ? value : amount{3});
                REQUIRE(lost.burned >= lost.reporter);
                got += lost.burned + lost.reporter;
            }
            REQUIRE(put == got + in.held());
            REQUIRE(in.leaving.size() <= leaving_max);
        }
        REQUIRE(got > amount{});
    }
}
