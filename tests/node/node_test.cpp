// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/node.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>

#include <blendr/core/random.hpp>
#include <blendr/net/blob.hpp>
#include <blendr/net/memory.hpp>
#include <blendr/node/standard_chain.hpp>
#include <blendr/node/sync.hpp>

#include "common.hpp"
#include "ear.hpp"

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

TEST_CASE("node: a validator that sends noise, lies and repeats on every topic stops nobody")
{
    net::memory_network net{};
    std::vector<std::unique_ptr<node::node>> nodes{};
    for (std::uint8_t i = 1; i <= 3; ++i) {
        auto parts = parts_of(i, 4);
        parts.with.sync_behind = 8;
        parts.transport = net.join(person(i).self());
        auto made = node::node::start(std::move(parts));
        REQUIRE(made);
        nodes.push_back(*std::move(made));
    }
    ear hears{};
    auto const it = net.join(person(4).self());
    REQUIRE(it->start(hears));
    auto const bob = person(101).account();
    REQUIRE(nodes[0]->submit(transfer(person(100), bob, 0)));
    INFO("seed " << seed());
    rng random{seed()};
    for (int i = 0; i < 3'000; ++i) {
        bytes message(1 + random.below(300));
        for (auto& each : message) each = static_cast<std::byte>(random());
        message[0] = static_cast<std::byte>(random.below(4));
        if (i % 2 == 0) {  // somebody else's words, sometimes bent
            std::lock_guard const lock{hears.mutex};
            if (!hears.heard.empty()) message = hears.heard[random.below(hears.heard.size())];
            auto const at = random.below(message.size());
            if (i % 4 == 0) message[at] ^= std::byte{4};
        }
        if (i % 10 == 1) {  // far ahead, or so it says
            message = encode(node::sync_message{node::sync_status{height{1}, height{1'000'000}}});
            message.insert(message.begin(), std::byte{2});
        }
        it->broadcast(static_cast<net::lane>(random.below(3)), net::share(std::move(message)));
    }
    for (auto const& each : nodes) {
        CHECK(eventually([&] { return balance(*each, bob) == 1_blnd; }));
        auto const reached = each->status().last;
        CHECK(eventually([&] { return each->status().last > reached; }));
    }
    it->stop();
}

TEST_CASE(
    "node: in halves nobody decides, and once they hear each other again all go on in one state")
{
    net::memory_network net{};
    auto nodes = network(net, 4, "simplex");
    REQUIRE(eventually([&] { return nodes[0]->status().last >= height{3}; }));
    auto const cut = [&](bool on) {
        for (auto const a : {std::uint8_t{1}, std::uint8_t{2}})
            for (auto const b : {std::uint8_t{3}, std::uint8_t{4}})
                net.cut(person(a).self(), person(b).self(), on);
    };
    cut(true);
    std::this_thread::sleep_for(std::chrono::milliseconds{300});  // what was on its way arrives
    std::vector<height> before{};
    for (auto const& each : nodes) before.push_back(each->status().last);
    std::this_thread::sleep_for(std::chrono::milliseconds{700});
    for (std::size_t i = 0; i < 4; ++i) CHECK(nodes[i]->status().last <= later(before[i], 1));
    cut(false);
    auto const bob = person(101).account();
    REQUIRE(nodes[3]->submit(transfer(person(100), bob, 0)));
    for (auto const& each : nodes) CHECK(eventually([&] { return balance(*each, bob) == 1_blnd; }));
    auto const least = nodes[0]->status().last;
    for (height h{1}; h <= least; h = later(h, 1)) {
        auto const first = nodes[0]->block(h)->block.id;
        for (auto const& each : nodes)
            if (auto const b = each->block(h)) CHECK(b->block.id == first);
    }
}

TEST_CASE("node: a clock that jumps by days, either way, stops nobody, and block times only grow")
{
    static constexpr std::int64_t day = 86'400'000;
    static std::atomic<std::int64_t> off{0};
    net::memory_network net{};
    std::vector<std::unique_ptr<node::node>> nodes{};
    for (std::uint8_t i = 1; i <= 4; ++i) {
        auto parts = parts_of(i, 4);
        parts.transport = net.join(person(i).self());
        if (i == 4)
            parts.wall = [] {
                return time_ms{std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::system_clock::now().time_since_epoch())
                                   .count() +
                               off};
            };
        auto made = node::node::start(std::move(parts));
        REQUIRE(made);
        nodes.push_back(*std::move(made));
    }
    auto const goes_on = [&](std::uint64_t by) {
        for (auto const& each : nodes) {
            auto const from = each->status().last;
            CHECK(eventually([&] { return each->status().last > later(from, by); }));
        }
    };
    goes_on(3);
    for (auto const jump : {day, -day, std::int64_t{2'000}, std::int64_t{-2'000}}) {
        off = jump;
        goes_on(8);
    }
    off = 0;
    goes_on(8);
    time_ms before{};
    auto const last = nodes[0]->status().last;
    for (height h{1}; h <= last; h = later(h, 1)) {
        auto const at = nodes[0]->block(h)->block.at.block_time;
        CHECK(at > before);
        before = at;
    }
    // A clock a day ahead made no block that the others took.
    CHECK(before.get() < std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                                 .count() +
                             day / 2);
}

TEST_CASE("node: blocks of one home are proven and executed into another, and bent ones refused")
{
    net::memory_network net{};
    auto nodes = network(net, 4, "simplex");
    auto const bob = person(101).account();
    REQUIRE(nodes[0]->submit(transfer(person(100), bob, 0)));
    REQUIRE(eventually(
        [&] { return balance(*nodes[0], bob) == 1_blnd && nodes[0]->status().last >= height{4}; }));
    auto const last = nodes[0]->status().last;
    std::vector<ledger::logged_block> row{};
    for (height h{1}; h <= last; h = later(h, 1)) row.push_back(nodes[0]->block(h)->block);
    auto const bring = [&](std::vector<ledger::logged_block> blocks) {
        std::size_t at = 0;
        return node::node::import(parts_of(9, 4), [&]() -> std::optional<ledger::logged_block> {
            if (at == blocks.size()) return std::nullopt;
            return blocks[at++];
        });
    };
    CHECK(bring(row) == last);
    auto bent = row;
    bent[row.size() / 2].payload.back() ^= std::byte{1};
    CHECK(!bring(bent));
    bent = row;
    bent[row.size() / 2].finality.back() ^= std::byte{1};
    CHECK(!bring(bent));
    bent = row;
    bent.erase(bent.begin() + 1);
    CHECK(!bring(bent));
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

TEST_CASE("node: a blob that a peer holds is fetched, and fetched on after its giver was away")
{
    net::memory_network net{};
    auto nodes = network(net, 3, "simplex");
    bytes whole(net::blob_chunk_bytes * 12 + 345);
    rng random{5};
    for (auto& each : whole) each = static_cast<std::byte>(random());
    auto const name = nodes[0]->put_blob(whole);
    REQUIRE(name);
    CHECK(eventually([&] { return nodes[1]->blob(*name).held; }));
    CHECK(nodes[1]->read_blob(*name, 0, whole.size()) == whole);
    // the first is away; who fetched it gives it on
    nodes[0]->stop();
    CHECK(eventually([&] { return nodes[2]->blob(*name).held; }, 40'000));
    CHECK(nodes[2]->read_blob(*name, 300'000, 1'000) ==
          to_bytes(bytes_view{whole}.subspan(300'000, 1'000)));
    auto const none = crypto::cid::of(as_bytes("nobody has this"));
    CHECK(nodes[2]->blob(none).fetching);
}
