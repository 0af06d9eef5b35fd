// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/tcp.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <blendr/core/random.hpp>
#include <blendr/net/book.hpp>

#include <support/support.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;
using net::lane;

namespace {

struct member {
    explicit member(std::uint8_t who, std::vector<std::string> peers = {},
                    std::function<void(net::tcp_options&)> const& change = {})
        : key{person(who).self()}
    {
        net::tcp_options o{person(who)};
        o.peers = std::move(peers);
        o.seed = who;
        if (change) change(o);
        it = net::make_tcp_transport(std::move(o));
        auto const started = it->start(ear);
        REQUIRE(started);
        where = *started;
    }
    crypto::public_key key;
    listener ear{};
    std::unique_ptr<net::transport> it{};
    std::string where{};
};

/// A connection without any manners.
struct raw_socket {
    explicit raw_socket(std::string const& where)
    {
        auto const to = *net::parse_contact(where);
        fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(to.port);
        ::inet_pton(AF_INET, to.host.c_str(), &at.sin_addr);
        good = ::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
        timeval const limit{10, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    ~raw_socket() { ::close(fd); }
    raw_socket(raw_socket&& other) noexcept : fd{std::exchange(other.fd, -1)}, good{other.good} {}

    bool send(bytes_view what) const
    {
        return ::send(fd, what.data(), what.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(what.size());
    }
    /// Until the other side hangs up; false when it does not within the limit.
    bool hung_up() const
    {
        std::array<char, 4096> buffer{};
        for (;;) {
            auto const n = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (n == 0) return true;
            if (n < 0) return errno == ECONNRESET;
        }
    }
    int fd = -1;
    bool good = false;
};

}  // namespace

TEST_CASE("tcp: two nodes know each other's keys and hear each other, messages of any size, on "
          "every lane")
{
    member a{1};
    member b{2, {to_text(person(1).self()) + "@" + a.where}};
    REQUIRE(eventually([&] { return a.ear.has(b.key) && b.ear.has(a.key); }));
    rng random{1};
    std::vector<bytes> sent{};
    for (std::size_t const size :
         {std::size_t{0}, std::size_t{1}, std::size_t{70'000}, std::size_t{900'000}}) {
        bytes m(size);
        for (auto& each : m) each = static_cast<std::byte>(random());
        sent.push_back(m);
        for (auto const on : {lane::consensus, lane::gossip, lane::bulk})
            CHECK(b.it->send(a.key, on, net::share(m)));
    }
    REQUIRE(eventually([&] { return a.ear.count() == 12; }));
    for (auto const on : {lane::consensus, lane::gossip, lane::bulk}) {
        std::vector<bytes> got{};
        for (auto const& [from, by, m] : a.ear.heard())
            if (by == on) got.push_back(m);
        CHECK(got == sent);
    }
    auto const peers = a.it->peers();
    REQUIRE(peers.size() == 1);
    CHECK(!peers[0].dialled);
    CHECK(peers[0].bytes_in > 2'900'000);
    CHECK(!a.it->send(person(9).self(), lane::bulk, net::share({})));
    CHECK(
        !b.it->send(a.key, lane::gossip, net::share(bytes(2'000'000))));  // beyond its lane's limit
}

TEST_CASE("tcp: a consensus message overtakes bulk that was queued before it")
{
    member a{1};
    member b{2, {a.where}};
    REQUIRE(eventually([&] { return b.ear.has(a.key); }));
    auto const bulk = net::share(bytes(4'000'000));
    for (int i = 0; i < 8; ++i) b.it->send(a.key, lane::bulk, bulk);
    b.it->send(a.key, lane::consensus, net::share(bytes(10)));
    REQUIRE(eventually([&] { return a.ear.count() == 9; }));
    auto const heard = a.ear.heard();
    auto const at = std::find_if(heard.begin(), heard.end(), [](auto const& each) {
        return std::get<1>(each) == lane::consensus;
    });
    CHECK(at - heard.begin() < 8);  // how many it overtakes is the machine's business
}

TEST_CASE("tcp: when both dial each other, one connection stays")
{
    member a{1};
    member b{2, {a.where}};
    REQUIRE(a.it->dial(b.where));
    REQUIRE(eventually([&] { return a.ear.has(b.key) && b.ear.has(a.key); }));
    std::this_thread::sleep_for(std::chrono::milliseconds{600});
    CHECK(a.it->peers().size() == 1);
    CHECK(b.it->peers().size() == 1);
    CHECK(a.it->send(b.key, lane::gossip, net::share(bytes(3))));
    CHECK(eventually([&] { return b.ear.count() == 1; }));
}

TEST_CASE("tcp: a node that comes back at the same address is found again")
{
    member a{1};
    auto b = std::make_unique<member>(std::uint8_t{2});
    auto const where = b->where;
    REQUIRE(a.it->dial(where));
    REQUIRE(eventually([&] { return a.ear.has(b->key); }));
    auto const key = b->key;
    b.reset();
    REQUIRE(eventually([&] { return !a.ear.has(key); }));
    b = std::make_unique<member>(std::uint8_t{2}, std::vector<std::string>{},
                                 [&](net::tcp_options& o) { o.listen = where; });
    CHECK(eventually([&] { return a.ear.has(key); }));
}

TEST_CASE("tcp: peers tell each other of peers")
{
    member hub{1};
    member b{2, {hub.where}};
    REQUIRE(eventually([&] { return hub.ear.has(b.key); }));
    member c{3, {hub.where}};
    CHECK(eventually([&] { return b.ear.has(c.key) && c.ear.has(b.key); }));
}

TEST_CASE("tcp: whom peers told of is found again after a restart, though the teller is gone")
{
    auto const file = (scratch("net") / "addresses").string();
    auto const kept = [&](net::tcp_options& o) { o.book_file = file; };
    member c{3};
    {
        auto hub = std::make_unique<member>(std::uint8_t{1});
        REQUIRE(hub->it->dial(c.where));
        REQUIRE(eventually([&] { return hub->ear.has(c.key); }));
        member b{2, {hub->where}, kept};
        REQUIRE(eventually([&] { return b.ear.has(c.key); }));
    }
    member b{2, {}, kept};
    CHECK(eventually([&] { return b.ear.has(c.key); }));
}

TEST_CASE("tcp: whatever lies where the address book should, a node starts and meets others")
{
    namespace fs = std::filesystem;
    auto const home = scratch("net");
    member hub{1};
    auto const meets = [&](fs::path const& file) {
        member b{2, {hub.where}, [&](net::tcp_options& o) { o.book_file = file.string(); }};
        return eventually([&] { return b.ear.has(hub.key); });
    };
    auto const garbage = home / "garbage";
    {
        std::ofstream out{garbage, std::ios::binary};
        out << "blendr addresses 1\n";
        for (int i = 0; i < 4'000'000; ++i) out << static_cast<char>(i * 7 + i / 251);
    }
    CHECK(meets(garbage));
    CHECK(fs::file_size(garbage) < net::book_text_max);  // written anew
    CHECK(fs::is_directory(home));
    CHECK(meets(home));
    CHECK(fs::is_directory(home));
    CHECK(meets(home / "no such" / "directory"));
    auto const pipe = home / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(meets(pipe));
    fs::create_directories(home / "taken.new" / "full");  // what is written first cannot be
    CHECK(meets(home / "taken"));
}

TEST_CASE("tcp: who is on another chain, or has another key than the one expected, stays outside")
{
    member a{1};
    member b{2, {a.where}, [](net::tcp_options& o) { o.chain[0] = std::byte{1}; }};
    member c{3, {to_text(person(7).self()) + "@" + a.where}};
    std::this_thread::sleep_for(std::chrono::milliseconds{500});
    CHECK(a.it->peers().empty());
    CHECK(b.it->peers().empty());
    CHECK(c.it->peers().empty());
}

TEST_CASE("tcp: garbage, silence and crowds are cut off while an honest peer is served")
{
    member a{1, {}, [](net::tcp_options& o) {
                 o.limits.handshake_ms = 400;
                 o.limits.strangers_by_host_max = 24;
             }};
    member honest{2, {a.where}};
    REQUIRE(eventually([&] { return a.ear.has(honest.key); }));

    raw_socket const garbage{a.where};
    garbage.send(as_bytes("GET / HTTP/1.1\r\n\r\n"));
    CHECK(garbage.hung_up());

    raw_socket const slow{a.where};  // one byte, then nothing
    slow.send(as_bytes("b"));
    CHECK(slow.hung_up());

    std::vector<raw_socket> crowd{};
    for (int i = 0; i < 300; ++i) crowd.emplace_back(a.where);
    honest.it->send(a.key, lane::consensus, net::share(bytes(7)));
    CHECK(eventually([&] { return a.ear.count() == 1; }));
    for (auto const& each : crowd) CHECK(each.hung_up());
    CHECK(a.it->peers().size() == 1);
}

TEST_CASE("tcp: what no honest peer sends ends in a ban")
{
    member a{1};
    a.ear.accepts = false;
    member b{2, {a.where}};
    for (int i = 0; i < 2; ++i) {
        REQUIRE(eventually([&] { return b.it->send(a.key, lane::gossip, net::share(bytes(1))); }));
        REQUIRE(eventually([&] { return a.ear.count() == static_cast<std::size_t>(i) + 1; }));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{1500});
    CHECK(a.it->peers().empty());  // though b keeps dialling
}

TEST_CASE("tcp: who sends faster than it may is read more slowly and loses nothing")
{
    member a{1, {}, [](net::tcp_options& o) { o.limits.bytes_per_second = 2'000'000; }};
    a.ear.keep = false;
    member b{2, {a.where}};
    REQUIRE(eventually([&] { return b.ear.has(a.key); }));
    auto const begun = std::chrono::steady_clock::now();
    std::size_t sent = 0;
    for (int i = 0; i < 40; ++i)
        sent += b.it->send(a.key, lane::bulk, net::share(bytes(100'000))) ? 1u : 0u;
    CHECK(sent == 40);
    CHECK(eventually([&] { return a.ear.count() == 40; }));
    auto const took = std::chrono::steady_clock::now() - begun;
    CHECK(took > std::chrono::milliseconds{700});  // 4 MB, of which one second's worth is free
}

TEST_CASE("tcp: bulk leaves no faster than it may, and consensus does not wait for it")
{
    member a{1};
    member b{2, {a.where}, [](net::tcp_options& o) { o.limits.send_bytes_per_second = 2'000'000; }};
    REQUIRE(eventually([&] { return b.ear.has(a.key); }));
    auto const begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 40; ++i) CHECK(b.it->send(a.key, lane::bulk, net::share(bytes(100'000))));
    // the second's worth that was saved up goes at once, the rest waits; a vote does not
    CHECK(b.it->send(a.key, lane::consensus, net::share(bytes(10))));
    REQUIRE(eventually([&] { return a.ear.count() == 41; }));
    auto const heard = a.ear.heard();
    auto const vote = std::find_if(heard.begin(), heard.end(), [](auto const& each) {
        return std::get<1>(each) == lane::consensus;
    });
    CHECK(vote - heard.begin() < 35);
    CHECK(std::chrono::steady_clock::now() - begun > std::chrono::milliseconds{700});
}

TEST_CASE("tcp: a queue that is full drops the message and says so")
{
    member a{1, {}, [](net::tcp_options& o) { o.limits.bytes_per_second = 1000; }};
    member b{2, {a.where}, [](net::tcp_options& o) { o.limits.queue_bytes[2] = 1'000'000; }};
    REQUIRE(eventually([&] { return b.ear.has(a.key); }));
    std::size_t refused = 0;
    for (int i = 0; i < 400; ++i)
        refused += b.it->send(a.key, lane::bulk, net::share(bytes(100'000))) ? 0u : 1u;
    CHECK(refused > 0);
    CHECK(b.it->peers().at(0).dropped == refused);
}
