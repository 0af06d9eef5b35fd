// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/memory.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;
using net::lane;

TEST_CASE(
    "memory: members hear of each other, in order within a lane, and who is cut off hears nothing")
{
    net::memory_network net{};
    auto const a = person(1).self(), b = person(2).self();
    listener at_a{}, at_b{};
    auto left = net.join(a);
    auto right = net.join(b);
    REQUIRE(left->start(at_a));
    REQUIRE(right->start(at_b));
    CHECK(eventually([&] { return at_a.has(b) && at_b.has(a); }));
    for (std::uint8_t i = 0; i < 100; ++i)
        CHECK(left->send(b, lane::gossip, net::share({static_cast<std::byte>(i)})));
    CHECK(eventually([&] { return at_b.count() == 100; }));
    auto const heard = at_b.heard();
    for (std::size_t i = 0; i < heard.size(); ++i)
        CHECK(std::get<2>(heard[i]) == bytes{static_cast<std::byte>(i)});
    net.cut(a, b, true);
    CHECK(left->send(b, lane::gossip, net::share({std::byte{0}})));
    net.cut(a, b, false);
    CHECK(left->broadcast(lane::bulk, net::share({std::byte{1}})) == 1);
    CHECK(eventually([&] { return at_b.count() == 101; }));
    right->stop();
    CHECK(eventually([&] { return !at_a.has(b); }));
    CHECK(!left->send(b, lane::gossip, net::share({})));
}
