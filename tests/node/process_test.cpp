// SPDX-License-Identifier: Apache-2.0
// Validators as real processes on loopback.
#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <cstdlib>

#include <blendr/core/random.hpp>

#include "common.hpp"
#include "payer.hpp"
#include "processes.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

std::vector<std::string> const quick{"--engine.interval_ms", "100", "--engine.view_ms", "800",
                                     "--engine.ask_ms",      "200", "--threads",        "1"};

/// Kills `at_once` nodes at random moments, `times` times, under load; then all agree and all that was committed is there.
void killed(unsigned count, unsigned at_once, unsigned times)
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    devnet net{scratch("process") / ("kill" + std::to_string(at_once)), count, "simplex", quick};
    REQUIRE(net.good());
    net.start();
    payer from{net};
    auto const bob = person(7).account();
    rng random{seed()};
    REQUIRE(eventually([&] { return net.height_of(0) >= 2; }, 60'000));
    std::uint64_t sent = 0, seen = 0;
    for (unsigned round = 0; round < times; ++round) {
        std::vector<unsigned> victims{};
        while (victims.size() < at_once) {
            auto const v = static_cast<unsigned>(random.below(count));
            if (std::find(victims.begin(), victims.end(), v) == victims.end()) victims.push_back(v);
        }
        unsigned alive = 0;
        while (std::find(victims.begin(), victims.end(), alive) != victims.end()) ++alive;
        if (sent - seen < 16 && net.call(alive, "submit", "[\"" + from.next(bob) + "\"]"))
            ++sent;
        else
            --from.nonce;
        std::this_thread::sleep_for(std::chrono::milliseconds{random.below(250)});
        for (auto const v : victims) net.at(v).kill();
        // What somebody saw committed never goes away: who was behind just now comes to it, too.
        CHECK(eventually([&] { return paid(net, alive, bob) >= seen; }));
        seen = std::max(seen, paid(net, alive, bob));
        std::this_thread::sleep_for(std::chrono::milliseconds{random.below(100)});
        for (auto const v : victims) net.start(v);
        auto const reached = net.height_of(alive);
        REQUIRE_MESSAGE(eventually([&] { return net.height_of(alive) > reached; }, 60'000),
                        "stuck in round " << round);
    }
    for (unsigned i = 0; i < count; ++i)
        CHECK(eventually(
            [&] { return paid(net, i, bob) >= seen && net.height_of(i) + 3 >= net.height_of(0); },
            60'000));
    CHECK(seen > 0);
    agree(net);
    for (unsigned i = 0; i < count; ++i) CHECK(net.at(i).finish() == 0);
}

}  // namespace

TEST_CASE("process: four validators commit transfers, stop in order, and go on where they were" *
          doctest::test_suite("e2e"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    devnet net{scratch("process") / "four", 4, "simplex", quick};
    REQUIRE(net.good());
    net.start();
    payer from{net};
    auto const bob = person(7).account();
    REQUIRE(eventually([&] { return net.height_of(0) >= 2; }, 60'000));
    for (int i = 0; i < 20; ++i)
        REQUIRE(net.call(static_cast<unsigned>(i) % 4, "submit", "[\"" + from.next(bob) + "\"]"));
    for (unsigned i = 0; i < 4; ++i) CHECK(eventually([&] { return paid(net, i, bob) == 20; }));
    auto const before = net.height_of(0);
    for (unsigned i = 0; i < 4; ++i) CHECK(net.at(i).finish() == 0);
    net.start();
    for (unsigned i = 0; i < 4; ++i)
        CHECK(eventually([&] { return net.height_of(i) > before; }, 60'000));
    CHECK(paid(net, 0, bob) == 20);
    agree(net);
}

TEST_CASE("process: each engine by its name" * doctest::test_suite("e2e"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    for (std::string const engine : {"solo", "hotstuff2", "authority"}) {
        CAPTURE(engine);
        auto settings = quick;
        settings.insert(settings.end(), {"--engine.depth", "2"});
        devnet net{scratch("process") / engine, engine == "solo" ? 1u : 3u, engine, settings};
        REQUIRE(net.good());
        net.start();
        payer from{net};
        auto const bob = person(7).account();
        REQUIRE(eventually([&] { return net.height_of(0) >= 1; }, 60'000));
        REQUIRE(net.call(0, "submit", "[\"" + from.next(bob) + "\"]"));
        for (unsigned i = 0; i < net.size(); ++i)
            CHECK(eventually([&] { return paid(net, i, bob) == 1; }, 60'000));
    }
}

TEST_CASE("process: one of four is killed again and again, and nothing committed is lost" *
          doctest::test_suite("e2e"))
{
    killed(4, 1, 6);
}

TEST_CASE("process: one of four is killed fifty times under load" * doctest::test_suite("slow"))
{
    killed(4, 1, 50);
}

TEST_CASE("process: two of seven are killed together fifty times under load" *
          doctest::test_suite("slow"))
{
    killed(7, 2, 50);
}

TEST_CASE("process: a node that was away for long fetches what it missed" *
          doctest::test_suite("e2e"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    auto settings = quick;
    settings.insert(settings.end(), {"--sync_behind", "16"});
    devnet net{scratch("process") / "away", 4, "simplex", settings};
    REQUIRE(net.good());
    for (unsigned i = 0; i < 3; ++i) net.start(i);
    REQUIRE(eventually([&] { return net.height_of(0) >= 60; }, 90'000));
    net.start(3);
    CHECK(eventually([&] { return net.height_of(3) + 2 >= net.height_of(0); }, 60'000));
    agree(net);
}

TEST_CASE("process: a node joins by a snapshot, killed and started again meanwhile, and follows" *
          doctest::test_suite("e2e"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    auto settings = quick;
    settings.insert(settings.end(), {"--snapshots.every", "25", "--sync_behind", "8"});
    devnet net{scratch("process") / "joins", 5, "simplex", settings};
    REQUIRE(net.good());
    for (unsigned i = 0; i < 4; ++i) net.start(i);
    payer from{net};
    auto const bob = person(7).account();
    REQUIRE(eventually([&] { return net.height_of(0) >= 2; }, 60'000));
    for (unsigned i = 0; i < 20; ++i)
        REQUIRE(net.call(i % 4, "submit", "[\"" + from.next(bob) + "\"]"));
    REQUIRE(eventually([&] { return net.height_of(0) >= 55; }, 60'000));
    // So slowly that it is killed in the middle, whatever it is at; unless this machine was quicker still.
    rng random{seed()};
    auto const has_chain = [&] { return fs::exists(fs::path{net.home(4)} / "data"); };
    for (int i = 0; i < 4 && !has_chain(); ++i) {
        net.start(4, {"--snapshots.join", "--p2p.bytes_per_second", "1500"});
        std::this_thread::sleep_for(
            std::chrono::milliseconds{100 + static_cast<std::int64_t>(random.below(600))});
        net.at(4).kill();
    }
    // Once as a command of its own, then as a node.
    bool const by_command = !has_chain();
    if (by_command) {
        process once{{program("fullnode"), "snapshot", "--home", net.home(4)}, net.log(4)};
        CHECK(once.join(60'000) == 0);
        CHECK(text_of(net.log(4)).find("at block ") != std::string::npos);
    }
    process twice{{program("fullnode"), "snapshot", "--home", net.home(4)}, net.log(4)};
    CHECK(twice.join(60'000) == 1);
    net.start(4, {"--snapshots.join", "--log.level", "info"});
    bool const there = eventually(
        [&] {
            auto const h = net.height_of(4);
            return h > 0 && h + 3 >= net.height_of(0);
        },
        60'000);
    REQUIRE_MESSAGE(there, text_of(net.log(4)));
    CHECK(paid(net, 4, bob) == 20);
    CHECK(net.block_text(4, 1).empty());  // it has no block from before
    if (by_command) CHECK(text_of(net.log(4)).find("joined by a snapshot") != std::string::npos);
    std::uint64_t first = 1;
    while (net.block_text(4, first).empty()) ++first;
    CHECK(first >= 25);
    agree(net, first);
    // It votes, and starts again like any other.
    net.at(0).kill();
    auto const reached = net.height_of(4);
    CHECK(eventually([&] { return net.height_of(4) > reached + 5; }, 60'000));
    net.start(0);
    CHECK(net.at(4).finish() == 0);
    net.start(4);
    CHECK(eventually([&] { return net.height_of(4) > reached + 5; }, 60'000));
}

TEST_CASE("process: a stranger's address and its back-off are known again after a restart" *
          doctest::test_suite("e2e"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    devnet net{scratch("process") / "book", 3, "simplex", quick};
    REQUIRE(net.good());
    // The third is told of the first alone, and the first of nobody.
    auto const only = [&](std::string const& where) {
        return std::vector<std::string>{"--p2p.peers", where};
    };
    auto const first = "127.0.0.1:" + std::to_string(net.p2p_port(0));
    net.start(0, only("127.0.0.1:1"));
    REQUIRE(eventually([&] { return net.call(0, "status").has_value(); }));
    net.start(1, only(first));
    net.start(2, only(first));
    auto const peers = [&](unsigned i) {
        auto const s = net.call(i, "status");
        return s ? s->at("peers").to_number<std::uint64_t>() : 0;
    };
    REQUIRE(eventually([&] { return peers(2) == 2; }, 30'000));
    CHECK(net.at(2).finish() == 0);
    net.at(0).kill();
    // Whom it was told to ask is gone; the second it remembers.
    net.start(2, only(first));
    CHECK(eventually([&] { return peers(2) == 1; }, 30'000));
}

TEST_CASE("process: ten minutes of load leave memory bounded and one state" *
          doctest::test_suite("slow"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    auto const* const told = std::getenv("BLENDR_SOAK_SECONDS");
    auto const seconds = told != nullptr ? std::atoi(told) : 600;
    devnet net{scratch("process") / "soak", 4, "simplex", quick};
    REQUIRE(net.good());
    net.start();
    payer from{net};
    auto const bob = person(7).account();
    REQUIRE(eventually([&] { return net.height_of(0) >= 2; }, 60'000));
    auto const begun = std::chrono::steady_clock::now();
    std::uint64_t early = 0, most = 0;
    std::uint64_t sent = 0;
    while (std::chrono::steady_clock::now() - begun < std::chrono::seconds{seconds}) {
        if (sent < paid(net, 0, bob) + 40) {
            // A node that is busy may answer late, or be a few blocks behind: it is asked again.
            auto const raw = "[\"" + from.next(bob) + "\"]";
            bool once = false;
            REQUIRE(eventually(
                [&] {
                    bool const again = std::exchange(once, true);
                    auto const got = net.call(static_cast<unsigned>(sent % 4), "submit", raw);
                    return got || (again && paid(net, 0, bob) > sent);
                },
                30'000));
            ++sent;
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        }
        if (sent % 64 != 0) continue;
        std::uint64_t now = 0;
        for (unsigned i = 0; i < 4; ++i) now = std::max(now, net.at(i).resident());
        most = std::max(most, now);
        if (std::chrono::steady_clock::now() - begun < std::chrono::seconds{seconds / 3})
            early = std::max(early, now);
    }
    MESSAGE(seconds << " s: " << sent << " transfers, height " << net.height_of(0)
                    << ", resident at most " << early / 1'000'000 << " MB in the first third, "
                    << most / 1'000'000 << " MB in all");
    CHECK(most < 200'000'000);
    CHECK(most < early + early / 2 + 20'000'000);
    for (unsigned i = 0; i < 4; ++i) CHECK(eventually([&] { return paid(net, i, bob) == sent; }));
    agree(net);
}
