// SPDX-License-Identifier: Apache-2.0
// Real processes under what the world does to them: villains, cut networks, full disks, crowds.
#include <doctest/doctest.h>

#include <support/support.hpp>

#include <sched.h>
#include <sys/resource.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <blendr/bond/evidence.hpp>
#include <blendr/core/json.hpp>
#include <blendr/net/book.hpp>

#include "common.hpp"
#include "payer.hpp"
#include "processes.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

std::vector<std::string> const quick{"--engine.interval_ms", "100", "--engine.view_ms", "800",
                                     "--engine.ask_ms",      "200", "--threads",        "1"};

bool works(std::vector<std::string> const& command)
{
    process it{command, "/dev/null"};
    return it.join(10'000) == 0;
}

int shell(std::string const& command) { return std::system(command.c_str()); }

}  // namespace

TEST_CASE(
    "process: one of four forges and equivocates, a stranger lies and floods, all else goes on" *
    doctest::test_suite("e2e"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    devnet net{scratch("villains") / "net", 4, "simplex", quick};
    REQUIRE(net.good());
    for (unsigned i = 0; i < 3; ++i) net.start(i);
    net.start(3, {}, {program("test_villain"), "forge"});
    payer from{net};
    auto const bob = person(7).account();
    REQUIRE(eventually([&] { return net.height_of(0) >= 2; }, 60'000));
    auto const told = net.dir() / "noise.log";
    process stranger{{program("test_villain"), "noise", "--home", net.home(3)}, told};
    std::string key{};
    REQUIRE(eventually([&] {
        key = text_of(told);
        key.resize(std::min(key.find('\n'), key.size()));
        return !key.empty();
    }));
    for (unsigned i = 0; i < 20; ++i) {
        auto const raw = "[\"" + from.next(bob) + "\"]";
        REQUIRE(eventually([&] { return net.call(i % 3, "submit", raw).has_value(); }));
    }
    for (unsigned i = 0; i < 3; ++i)
        CHECK(eventually([&] { return paid(net, i, bob) == 20; }, 60'000));
    auto const reached = net.height_of(0);
    for (unsigned i = 0; i < 3; ++i)
        CHECK(eventually([&] { return net.height_of(i) > reached + 5; }, 60'000));
    // The stranger goes on and on, and is let in no more.
    auto const in_touch = [&](unsigned i) {
        auto const p = net.call(i, "peers");
        return !p || to_text(*p).find(key) != std::string::npos;
    };
    for (unsigned i = 0; i < 3; ++i) {
        CHECK(eventually([&] { return !in_touch(i); }, 30'000));
        for (int again = 0; again < 10; ++again) {
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
            CHECK(!in_touch(i));
        }
        CHECK(net.at(i).resident() < 200'000'000);
    }
    CHECK(stranger.running());
    // The validator that signed two things at once has paid for it: somebody's engine noticed, and reported.
    auto const bond_of = [&](unsigned i) {
        auto const known = net.call(i, "status");
        if (!known) return std::string{};
        auto const who = crypto::parse_public_key(std::string{known->at("self").as_string()});
        REQUIRE(who);
        auto const row = net.call(
            0, "query", R"(["bond/bonds",)" + to_text(to_json(bond::subject_of(*who))) + "]");
        return row ? to_text(row->at("row").at("held").at("locked")) : std::string{};
    };
    auto const honest = bond_of(0);
    REQUIRE(!honest.empty());
    CHECK(bond_of(1) == honest);
    CHECK(eventually(
        [&] {
            auto const lost = bond_of(3);
            return !lost.empty() && lost != honest;
        },
        60'000));
    CHECK(bond_of(0) == honest);
    CHECK(bond_of(1) == honest);
    for (unsigned h = 1, end = static_cast<unsigned>(net.height_of(0)); h + 3 < end; ++h)
        for (unsigned i = 1; i < 3; ++i) REQUIRE(net.block_text(i, h) == net.block_text(0, h));
}

TEST_CASE("process: a partition made in network namespaces heals, and nobody diverged" *
          doctest::test_suite("e2e"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    if (std::getenv("BLENDR_IN_NAMESPACE") == nullptr) {
        if (!works({"unshare", "-rn", "sh", "-c",
                    "ip link add br77 type bridge && ip link add vp77 type veth peer name vq77"}))
            return skip("this system makes no network namespaces with bridges for us");
        // Once more, inside: the network there is this test's alone, and goes with it.
        auto const log = scratch("namespace") / "log";
        process inside{{"unshare", "-rn", "--kill-child", fs::read_symlink("/proc/self/exe"),
                        "--test-case=process: a partition made*", "--no-skip"},
                       log,
                       [] { ::setenv("BLENDR_IN_NAMESPACE", "1", 1); }};
        auto const status = inside.join(180'000);
        INFO(text_of(log));
        CHECK(status == 0);
        return;
    }
    // Two bridges; nodes are on the first but while the network is cut.
    auto const host = [](unsigned i) { return "10.77.0." + std::to_string(i + 1); };
    REQUIRE(
        shell("ip link set lo up && ip link add left type bridge && ip link add right type bridge"
              " && ip addr add 10.77.0.100/24 dev left && ip addr add 10.77.0.101/32 dev right"
              " && ip link set left up && ip link set right up") == 0);
    devnet net{scratch("cut") / "net", 4, "simplex", quick};
    REQUIRE(net.good());
    net.move_to(host);
    std::array<int, 2> go{};
    net.around(
        [&](unsigned i) {
            ::unshare(CLONE_NEWNET);
            char c = 0;
            if (::read(go[0], &c, 1) != 1) ::_exit(3);
            static_cast<void>(shell("ip link set lo up && ip addr add " + host(i) +
                                    "/24 dev e && ip link set e up"));
        },
        [&](unsigned i, process& it) {
            auto const pid = std::to_string(it.id());
            auto const port = "p" + std::to_string(i);
            std::this_thread::sleep_for(std::chrono::milliseconds{100});
            REQUIRE(shell("ip link add " + port + " type veth peer name e netns " + pid +
                          " && ip link set " + port + " master left up") == 0);
            REQUIRE(::write(go[1], "g", 1) == 1);
        });
    for (unsigned i = 0; i < 4; ++i) {
        REQUIRE(::pipe(go.data()) == 0);
        net.start(i);
        ::close(go[0]);
        ::close(go[1]);
    }
    payer from{net};
    auto const bob = person(7).account();
    for (unsigned i = 0; i < 4; ++i)
        REQUIRE(eventually([&] { return net.height_of(i) >= 3; }, 60'000));
    auto const cut = [&](std::vector<unsigned> const& away, bool on) {
        for (auto const i : away) {
            auto const port = std::to_string(i);
            REQUIRE(shell("ip link set p" + port + " master " + (on ? "right" : "left")) == 0);
            REQUIRE(shell((on ? "ip route add " : "ip route del ") + host(i) +
                          "/32 dev right src 10.77.0.101") == 0);
        }
    };
    // In halves: nobody decides.
    cut({2, 3}, true);
    std::this_thread::sleep_for(std::chrono::milliseconds{1'000});
    std::array<std::uint64_t, 4> before{};
    for (unsigned i = 0; i < 4; ++i) before[i] = net.height_of(i);
    for (auto const each : before) CHECK(each > 0);
    CHECK(eventually(
        [&] { return net.call(0, "submit", "[\"" + from.next(bob) + "\"]").has_value(); }));
    std::this_thread::sleep_for(std::chrono::milliseconds{4'000});
    for (unsigned i = 0; i < 4; ++i) {
        CHECK(net.height_of(i) > 0);
        CHECK(net.height_of(i) <= before[i] + 1);
    }
    CHECK(paid(net, 0, bob) == 0);
    cut({2, 3}, false);
    for (unsigned i = 0; i < 4; ++i)
        CHECK(eventually([&] { return paid(net, i, bob) == 1; }, 60'000));
    // One alone: the others go on, and it comes after them.
    cut({1}, true);
    auto const there = net.height_of(0);
    CHECK(eventually([&] { return net.height_of(0) > there + 20; }, 60'000));
    CHECK(net.height_of(1) <= there + 4);
    cut({1}, false);
    CHECK(eventually([&] { return net.height_of(1) + 3 >= net.height_of(0); }, 60'000));
    agree(net);
    for (unsigned i = 0; i < 4; ++i) CHECK(net.at(i).finish() == 0);
}

TEST_CASE("process: a disk that gets full stops the node with the reason, and nothing is lost" *
          doctest::test_suite("e2e"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    auto const room = scratch("full");
    auto const dir = room / "disk";
    fs::create_directories(dir);
    if (!works({"unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs " + dir.string()}))
        return skip("this system mounts no small disk for us");
    auto const node = program("fullnode").string();
    auto const home = (dir / "home").string();
    // A disk of its own, with room for some seconds; then more room, and it goes on.
    auto const script =
        "mount -t tmpfs -o size=3m tmpfs " + dir.string() + " && " + node + " init --home " + home +
        " --consensus solo --engine.interval_ms 1 --log.level warning && " + node + " run --home " +
        home + " >/dev/null; echo status $?; " + "mount -o remount,size=64m " + dir.string() +
        " && " + node + " check --home " + home + "; H=$(" + node + " check --home " + home +
        " | sed 's/.* to //'); " + node + " run --home " + home +
        " --stop_after $((H + 20)) >/dev/null; echo status $?; " + node + " check --home " + home;
    auto const log = room / "log";
    process it{{"unshare", "-rm", "--kill-child", "sh", "-c", script}, log};
    REQUIRE(it.join(120'000));
    auto const said = text_of(log);
    INFO(said);
    auto const first = said.find("status 1");
    REQUIRE(first != std::string::npos);
    CHECK(said.substr(0, first).find("no space is left") != std::string::npos);
    auto const again = said.find("status 0", first);
    REQUIRE(again != std::string::npos);
    auto const height_in = [&](std::size_t from) {
        auto const at = said.find(" to ", said.find("good: blocks 1 to ", from));
        return at == std::string::npos ? 0 : std::stoull(said.substr(at + 4));
    };
    CHECK(height_in(first) > 0);
    CHECK(height_in(again) >= height_in(first) + 20);
}

TEST_CASE("process: thousands of connections take bounded memory, and honest peers are served" *
          doctest::test_suite("e2e"))
{
    if (!fs::exists(program("fullnode"))) return skip("the example fullnode is not built");
    constexpr std::size_t wanted = 2'000;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    auto const before = files;
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 3 * wanted);
    ::setrlimit(RLIMIT_NOFILE, &files);
    auto const crowd_size = std::min<std::size_t>(wanted, files.rlim_cur / 2 - 100);
    devnet net{scratch("crowd") / "net", 2, "simplex", quick};
    REQUIRE(net.good());
    net.start();
    REQUIRE(eventually([&] { return net.height_of(0) >= 2; }, 60'000));
    auto const calm = net.at(0).resident();
    struct sockets {
        ~sockets()
        {
            for (auto const fd : all) ::close(fd);
        }
        std::vector<int> all{};
    } crowd{};
    for (std::size_t i = 0; i < 2 * crowd_size; ++i) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(static_cast<std::uint16_t>(net.p2p_port(0) + (i % 2 == 0 ? 0 : 1)));
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0) break;
        crowd.all.push_back(fd);
        if (::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) continue;
        std::string_view const half =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{";
        static_cast<void>(::send(fd, half.data(), half.size(), MSG_NOSIGNAL));
    }
    MESSAGE(crowd.all.size() << " connections, resident " << calm / 1'000'000 << " MB before, "
                             << net.at(0).resident() / 1'000'000 << " MB with them");
    CHECK(crowd.all.size() >= crowd_size);
    CHECK(net.at(0).resident() < calm + 100'000'000);
    // The two still need each other for every block.
    auto const reached = net.height_of(1);
    CHECK(eventually([&] { return net.height_of(1) > reached + 10; }, 30'000));
    for (auto const fd : crowd.all) ::close(fd);
    crowd.all.clear();
    CHECK(eventually([&] { return net.height_of(0) > 0; }, 60'000));
    ::setrlimit(RLIMIT_NOFILE, &before);
}
