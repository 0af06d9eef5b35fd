// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/node.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <filesystem>
#include <map>

#include <blendr/net/memory.hpp>
#include <blendr/node/standard_chain.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

node::node_parts parts_of(std::uint8_t who, std::uint8_t of, std::string engine = "simplex",
                          std::string home = {})
{
    node::node_parts out{{},
                         person(who),
                         small_genesis(of),
                         node::standard_chain(),
                         node::engine_registry::standard(),
                         {},
                         quiet()};
    out.with.home = std::move(home);
    out.with.consensus = std::move(engine);
    out.with.engine.interval_ms = 50;
    out.with.engine.view_ms = 500;
    out.with.engine.delta_ms = 50;
    out.with.engine.ask_ms = 100;
    if (out.with.consensus == "authority") out.with.engine.depth = 2;
    if (out.with.consensus == "nakamoto") {
        out.with.engine.interval_ms = 150;
        out.with.engine.difficulty = 4'000;
        out.with.engine.depth = 8;
    }
    out.with.threads = 1;
    out.with.mempool_bytes = std::uint64_t{8} << 20;
    return out;
}

amount balance(node::node const& of, crypto::address const& who)
{
    auto const raw = of.view().query("ledger/purses", encode(who)).value;
    auto const row = decode<ledger::purses::row>(raw);
    return row ? row->balance : amount{};
}

std::vector<std::unique_ptr<node::node>> network(net::memory_network& net, std::uint8_t count,
                                                 std::string const& engine)
{
    std::vector<std::unique_ptr<node::node>> out{};
    for (std::uint8_t i = 1; i <= count; ++i) {
        auto parts = parts_of(i, count, engine);
        parts.transport = net.join(person(i).self());
        auto made = node::node::start(std::move(parts));
        REQUIRE_MESSAGE(made, (made ? "" : made.error()));
        out.push_back(*std::move(made));
    }
    return out;
}

/// One transfer, offered to the last node, is seen on all.
void pays(std::string const& engine, std::uint8_t count)
{
    net::memory_network net{};
    auto nodes = network(net, count, engine);
    auto const bob = person(101).account();
    auto const sent = nodes.back()->submit(transfer(person(100), bob, 0));
    REQUIRE_MESSAGE(sent, (sent ? "" : sent.error().reason));
    for (auto const& each : nodes) CHECK(eventually([&] { return balance(*each, bob) == 1_blnd; }));
    for (auto const& each : nodes) each->stop();
    // Whoever is at the same height is in the same state.
    std::map<height, hash256> states{};
    for (auto const& each : nodes) {
        auto const s = each->status();
        CHECK(s.state == "stopped");
        CHECK(states.try_emplace(s.last, s.app_hash).first->second == s.app_hash);
    }
}

}  // namespace

TEST_CASE("node: a transfer is committed by every node under each engine by its name")
{
    SUBCASE("solo") { pays("solo", 1); }
    SUBCASE("simplex") { pays("simplex", 4); }
    SUBCASE("hotstuff2") { pays("hotstuff2", 4); }
    SUBCASE("authority") { pays("authority", 3); }
    SUBCASE("nakamoto") { pays("nakamoto", 2); }
}

TEST_CASE("node: an engine that nobody knows is refused by name, and all names are told")
{
    auto const made = node::node::start(parts_of(1, 1, "dag"));
    REQUIRE(!made);
    CHECK(made.error().find("dag") != std::string::npos);
    CHECK(made.error().find("simplex") != std::string::npos);
}

TEST_CASE(
    "node: what was committed is there after it was stopped and started again, leaking nothing")
{
    auto const home = (scratch("node") / "again").string();
    auto const bob = person(101).account();
    height last{};
    for (std::uint64_t round = 0; round < 3; ++round) {
        auto made = node::node::start(parts_of(1, 1, "solo", home));
        REQUIRE_MESSAGE(made, (made ? "" : made.error()));
        auto& it = **made;
        CHECK(it.status().last >= last);
        CHECK(balance(it, bob) == amount{round * grains_per_blnd});
        REQUIRE(it.submit(transfer(person(100), bob, round)));
        CHECK(
            eventually([&] { return balance(it, bob) == amount{(round + 1) * grains_per_blnd}; }));
        it.stop();
        last = it.status().last;
    }
}

TEST_CASE("node: over TCP, validators find each other and one that joins later catches up")
{
    std::vector<std::unique_ptr<node::node>> nodes{};
    std::string first{};
    auto const begin = [&](std::uint8_t who) {
        auto parts = parts_of(who, 4);
        parts.with.sync_behind = 8;
        if (!first.empty()) parts.with.p2p.peers = {first};
        auto made = node::node::start(std::move(parts));
        REQUIRE_MESSAGE(made, (made ? "" : made.error()));
        if (first.empty()) first = (*made)->status().p2p;
        nodes.push_back(*std::move(made));
    };
    for (std::uint8_t i = 1; i <= 3; ++i) begin(i);
    CHECK(eventually([&] { return nodes[0]->status().last >= height{20}; }));
    begin(4);
    CHECK(eventually([&] { return nodes[3]->status().last >= nodes[0]->status().last; }));
    auto const bob = person(101).account();
    REQUIRE(nodes[3]->submit(transfer(person(100), bob, 0)));
    for (auto const& each : nodes) CHECK(eventually([&] { return balance(*each, bob) == 1_blnd; }));
    // Told of each other by the first, all know all.
    CHECK(eventually([&] { return nodes[1]->peers().size() == 3; }));
}
