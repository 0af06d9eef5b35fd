// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/ballot.hpp>

#include <map>

#include <doctest/doctest.h>

#include <blendr/sim/ideal.hpp>

using namespace blendr;
using namespace blendr::consensus;

namespace {

electorate weighing(std::vector<std::uint64_t> const& powers)
{
    membership m{height{1}, 1, {}, {}};
    for (std::uint32_t i = 0; i < powers.size(); ++i)
        m.set.push_back({sim::ideal_identity(i).self, weight{powers[i]}});
    std::sort(m.set.begin(), m.set.end(),
              [](auto const& a, auto const& b) { return a.key < b.key; });
    return electorate{m};
}

}  // namespace

TEST_CASE("electorate: leaders are drawn by weight")
{
    auto const all = weighing({1, 1, 8});
    std::map<std::uint64_t, int> led{};
    for (std::uint64_t v = 1; v <= 10'000; ++v) ++led[all.power(all.leader(v)).get()];
    CHECK(led[8] > 7'700);
    CHECK(led[8] < 8'300);
}

TEST_CASE("tally: counts a seat once, for what it said first, and keeps what contradicts it out")
{
    auto const all = weighing({3, 4, 5});
    tally t{};
    ballot const a{ballot_kind::vote, 1, 2, 1, {std::byte{1}}};
    ballot const b{ballot_kind::vote, 1, 2, 1, {std::byte{2}}};
    CHECK(t.add(all, 0, a, {}) == tally::outcome::counted);
    CHECK(t.add(all, 0, a, {}) == tally::outcome::repeated);
    CHECK(t.add(all, 0, b, {}) == tally::outcome::contradicts);
    CHECK(t.add(all, 1, b, {}) == tally::outcome::counted);
    CHECK(t.find(a)->sum == all.power(0));
    CHECK(t.find(b)->sum == all.power(1));
    CHECK(t.said(0)->about == a);
    CHECK(!t.said(2));
}

TEST_CASE("tally: a leader who splits without end fills no memory")
{
    auto const all = weighing(std::vector<std::uint64_t>(50, 1));
    tally t{};
    std::size_t kept = 0;
    for (std::uint32_t i = 0; i < 50; ++i)
        kept += t.add(all, i, {ballot_kind::vote, 1, 2, 1, {static_cast<std::byte>(i)}}, {}) ==
                tally::outcome::counted;
    CHECK(kept == tally::choices_max);
}

TEST_CASE("electorate: a certificate is a quorum by weight in one form, or none")
{
    auto const all = weighing({1, 1, 1, 6});
    ballot const a{ballot_kind::vote, 1, 2, 1, {std::byte{1}}};
    tally light{}, heavy{};
    for (std::size_t i = 0; i < 4; ++i) {
        if (all.power(i).get() == 1) light.add(all, i, a, {});
        if (all.power(i).get() == 6 || i == 0 || i == 1) heavy.add(all, i, a, {});
    }
    CHECK(!all.check(tally::certify(*light.find(a), 4), nullptr));  // three of four heads, 3 of 9
    auto good = tally::certify(*heavy.find(a), 4);
    std::vector<claim> claims{};
    CHECK(all.check(good, &claims));
    CHECK(claims.size() == good.signatures.size());
    auto bad = good;
    bad.seats.push_back(std::byte{0});
    CHECK(!all.check(bad, nullptr));
    bad = good;
    bad.seats[0] |= std::byte{0x80};  // nobody sits there
    CHECK(!all.check(bad, nullptr));
    bad = good;
    bad.signatures.push_back({});
    CHECK(!all.check(bad, nullptr));
    bad = good;
    bad.about.epoch = 2;
    CHECK(!all.check(bad, nullptr));
}
