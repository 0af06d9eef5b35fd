// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/gossip.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <string>

#include <blendr/core/random.hpp>

#include "common.hpp"

using namespace blendr;
using net::gossip;

namespace {

/// Gossips that hear each other at once; who is silent answers nothing.
struct village {
    explicit village(std::uint8_t count) : all(count), fresh(count)
    {
        for (std::uint8_t i = 0; i < count; ++i)
            for (std::uint8_t k = 0; k < count; ++k)
                if (i != k) all[i].joined(key(k));
    }
    static crypto::public_key key(std::uint8_t n) { return test::person(n).self(); }

    void deliver(std::uint8_t from, gossip::sends const& out)
    {
        for (auto const& [to, message] : out) {
            for (std::uint8_t i = 0; i < all.size(); ++i) {
                if (key(i) != to || silent == i) continue;
                ++messages;
                gossip::sends answers{};
                std::vector<bytes> got{};
                CHECK(all[i].take(key(from), message, now, answers, got));
                for (auto& each : got) {
                    all[i].offer(each);
                    fresh[i].push_back(each);
                }
                deliver(i, answers);
            }
        }
    }
    void run(int ticks)
    {
        for (int t = 0; t < ticks; ++t) {
            now = now + std::int64_t{20};
            for (std::uint8_t i = 0; i < all.size(); ++i) {
                gossip::sends out{};
                all[i].tick(now, out);
                if (silent != i) deliver(i, out);
            }
        }
    }

    std::vector<gossip> all;
    std::vector<std::vector<bytes>> fresh;
    time_ms now{1'000};
    std::size_t messages = 0;
    int silent = -1;
};

}  // namespace

TEST_CASE("gossip: everybody hears of everything once, in few messages")
{
    village v{5};
    for (int i = 0; i < 1000; ++i) {
        CHECK(v.all[0].offer(to_bytes("thing " + std::to_string(i))));
        CHECK(!v.all[0].offer(to_bytes("thing " + std::to_string(i))));
    }
    v.run(4);
    CHECK(v.fresh[0].empty());
    for (std::size_t i = 1; i < 5; ++i) CHECK(v.fresh[i].size() == 1000);
    CHECK(v.messages < 60);
}

TEST_CASE("gossip: what one peer announces and does not give is asked of another")
{
    village v{3};
    v.all[1].offer(as_bytes("thing"));
    v.all[2].offer(as_bytes("thing"));
    gossip::sends out{};
    v.all[1].tick(v.now, out);
    v.deliver(1, out);
    // 1 gave it at once. Now one that falls silent after announcing.
    CHECK(v.fresh[0].size() == 1);
    v.all[1].offer(as_bytes("other"));
    v.all[2].offer(as_bytes("other"));
    out.clear();
    v.all[1].tick(v.now, out);
    v.silent = 1;
    v.deliver(1, out);
    CHECK(v.fresh[0].size() == 1);
    out.clear();
    v.all[2].tick(v.now, out);
    v.deliver(2, out);
    v.run(80);
    CHECK(v.fresh[0].size() == 2);
}

TEST_CASE("gossip: things that nobody asked for, and garbage, are not taken")
{
    gossip a{};
    auto const b = test::person(1).self();
    a.joined(b);
    gossip other{};
    other.joined(b);
    other.offer(as_bytes("thing"));
    gossip::sends out{};
    std::vector<bytes> fresh{};
    other.tick(time_ms{1}, out);
    REQUIRE(out.size() == 1);
    // The answer to a question that a never asked.
    bytes announced = out[0].second;
    gossip::sends asked{};
    CHECK(a.take(b, announced, time_ms{1}, asked, fresh));
    REQUIRE(asked.size() == 1);
    gossip::sends answer{};
    CHECK(other.take(b, asked[0].second, time_ms{1}, answer, fresh));
    REQUIRE(answer.size() == 1);
    gossip c{};
    c.joined(b);
    gossip::sends none{};
    CHECK(c.take(b, answer[0].second, time_ms{1}, none, fresh));
    CHECK(fresh.empty());
    rng random{1};
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
        bytes noise(1 + random.below(60));
        for (auto& each : noise) each = static_cast<std::byte>(random());
        refused += a.take(b, noise, time_ms{1}, none, fresh) ? 0 : 1;
    }
    CHECK(refused > 90);
}

TEST_CASE("gossip: a flood of announcements and things stays within its bounds")
{
    gossip a{};
    auto const b = test::person(1).self();
    a.joined(b);
    for (int i = 0; i < 2000; ++i) {
        bytes big(20'000);
        big[0] = static_cast<std::byte>(i);
        big[1] = static_cast<std::byte>(i >> 8);
        a.offer(big);
    }
    CHECK(a.held_bytes() <= gossip::held_bytes_max);

    gossip liar{};
    liar.joined(b);
    gossip victim{};
    victim.joined(b);
    std::vector<bytes> fresh{};
    for (int round = 0; round < 30; ++round) {
        for (int i = 0; i < 1000; ++i)
            liar.offer(to_bytes(std::to_string(round) + "/" + std::to_string(i)));
        gossip::sends out{}, asks{};
        liar.tick(time_ms{1}, out);
        for (auto const& [to, m] : out) victim.take(b, m, time_ms{1}, asks, fresh);
    }
    CHECK(victim.wanted() <= gossip::wanted_by_peer_max);
    gossip::sends out{};
    victim.tick(time_ms{5'000}, out);  // nobody gave any of it
    CHECK(victim.wanted() == 0);
}
