// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/http.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <utility>
#include <vector>

#include <blendr/net/book.hpp>
#include <blendr/net/websocket.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

struct echo final : net::http_handler {
    net::http_reply on_request(net::http_request const& in) override
    {
        static constexpr net::http_field one[]{{"x-one", "1"}};
        if (in.path == "/tagged")
            return {200, "text/plain", "had " + std::string{in.known}, true, "\"new\"", one};
        return {200, "text/plain",
                std::string{in.method} + ' ' + std::string{in.path} + ' ' + std::string{in.body},
                true};
    }
    std::string on_text(net::socket_id from, std::string_view said) override
    {
        socket = from;
        return "you said " + std::string{said};
    }
    void on_closed(net::socket_id) override { ++closed; }
    std::atomic<net::socket_id> socket{0};
    std::atomic<int> closed{0};
};

struct plain_socket {
    explicit plain_socket(std::string const& where)
    {
        auto const to = *net::parse_contact(where);
        fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(to.port);
        ::inet_pton(AF_INET, to.host.c_str(), &at.sin_addr);
        REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
        timeval const limit{10, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    ~plain_socket() { ::close(fd); }
    plain_socket(plain_socket&& other) noexcept : fd{std::exchange(other.fd, -1)} {}

    void send(std::string_view what) const
    {
        CHECK(::send(fd, what.data(), what.size(), MSG_NOSIGNAL) ==
              static_cast<ssize_t>(what.size()));
    }
    /// All that comes until `until` is in it, or the other side hangs up.
    std::string read(std::string_view until) const
    {
        std::string out{};
        std::array<char, 65536> buffer{};
        while (until.empty() || out.find(until) == out.npos) {
            auto const n = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (n <= 0) break;
            out.append(buffer.data(), static_cast<std::size_t>(n));
        }
        return out;
    }
    int fd = -1;
};

constexpr std::string_view upgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

struct served {
    explicit served(net::http_options o = {}) : server{std::move(o), handler}
    {
        auto const started = server.start();
        REQUIRE(started);
        where = *started;
    }
    echo handler{};
    net::http_server server;
    std::string where{};
};

}  // namespace

TEST_CASE(
    "http: requests are answered, one after the other on a connection, with CORS where it is on")
{
    net::http_options o{};
    o.cors = "https://example.org";
    served s{o};
    auto const got = net::http_ask(s.where, "POST", "/a?b", "body");
    REQUIRE(got);
    CHECK(got->body == "POST /a body");
    plain_socket const c{s.where};
    c.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    auto const both = c.read("GET /2 ");
    CHECK(both.find("GET /1 ") < both.find("GET /2 "));
    CHECK(both.find("Access-Control-Allow-Origin: https://example.org") != both.npos);
    CHECK(net::http_ask("127.0.0.1:1", "GET", "/").error() == net::error::unreachable);
}

TEST_CASE(
    "http: an answer may carry a tag and fields of its own, and tells what the client has already")
{
    served s{};
    plain_socket const c{s.where};
    c.send("GET /tagged HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"old\"\r\n\r\n");
    auto const got = c.read("had \"old\"");
    CHECK(got.find("ETag: \"new\"\r\n") != got.npos);
    CHECK(got.find("x-one: 1\r\n") != got.npos);
    CHECK(got.find("had \"old\"") != got.npos);
}

TEST_CASE("http: a browser may open a WebSocket from a page of this server, not from another")
{
    served s{};
    auto const from = [&](std::string const& origin) {
        plain_socket const c{s.where};
        auto text = std::string{upgrade};
        text.insert(text.find("Upgrade:"), "Origin: " + origin + "\r\n");
        c.send(text);
        return c.read("\r\n\r\n");
    };
    CHECK(from("http://x").find(" 101 ") != std::string::npos);
    CHECK(from("https://x").find(" 101 ") != std::string::npos);
    CHECK(from("http://y").find(" 403 ") != std::string::npos);
    CHECK(from("http://x.example").find(" 403 ") != std::string::npos);
    CHECK(from("null").find(" 403 ") != std::string::npos);
}

TEST_CASE("http: a page of another origin makes nothing happen, even where it asks nobody first")
{
    net::http_options o{};
    o.cors = "https://allowed.example";
    served s{o};
    auto const say = [&](std::string const& method, std::string const& origin) {
        plain_socket const c{s.where};
        c.send(method + " /act HTTP/1.1\r\nHost: x:1\r\n" +
               (origin.empty() ? "" : "Origin: " + origin + "\r\n") +
               "Content-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
        return c.read("");
    };
    for (std::string const method : {"POST", "PUT", "DELETE"}) {
        for (std::string const other :
             {"http://evil.example", "null", "http://x", "http://x:1.evil.example", "ftp://x:1",
              "x:1", "https://allowed.example.evil"}) {
            auto const got = say(method, other);
            CHECK(got.find(" 403 ") != got.npos);
            CHECK(got.find(method + " /act") == got.npos);
        }
        for (std::string const own : {"", "http://x:1", "https://x:1", "https://allowed.example"})
            CHECK(say(method, own).find(method + " /act hi") != std::string::npos);
    }
    CHECK(say("GET", "http://evil.example").find("GET /act") != std::string::npos);
}

TEST_CASE("http: a server of this machine does not answer to a name that was made to lead to it")
{
    net::http_options o{};
    o.named_locally = true;
    o.cors = "https://shown.example";
    served s{o};
    auto const named = [&](std::string const& host, std::string const& more) {
        plain_socket const c{s.where};
        c.send("GET /" + more + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
        return c.read("");
    };
    for (std::string const good : {"localhost", "localhost:80", "127.0.0.1:5", "127.9.9.9",
                                   "[::1]:5", "[::1]", "shown.example", ""})
        CHECK(named(good, "a").find(" 200 ") != std::string::npos);
    for (std::string const bad : {"evil.example", "evil.example:5", "127.0.0.1.evil.example",
                                  "localhost.evil.example:5", "192.0.2.1:5", "[::1].evil:5"}) {
        CHECK(named(bad, "a").find(" 421 ") != std::string::npos);
        plain_socket const c{s.where};
        auto text = std::string{upgrade};
        text.replace(text.find("Host: x"), 7, "Host: " + bad + "\r\nOrigin: http://" + bad);
        c.send(text);
        CHECK(c.read("\r\n\r\n").find(" 421 ") != std::string::npos);
    }
}

TEST_CASE("http: what is too large, too slow or no HTTP ends the connection, and others are served")
{
    net::http_options o{};
    o.body_bytes_max = 1000;
    o.request_ms = 300;
    o.connections_max = 20;
    served s{o};
    {
        plain_socket const large{s.where};
        large.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
        CHECK(large.read({}).find(" 413 ") != std::string::npos);
        plain_socket const head{s.where};
        head.send("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
        CHECK(head.read({}).find(" 431 ") != std::string::npos);
        plain_socket const noise{s.where};
        noise.send("\x16\x03\x01 what is this\r\n\r\n");
        CHECK(noise.read({}).find(" 400 ") != std::string::npos);
        plain_socket const slow{s.where};
        slow.send("GET / HT");
        CHECK(slow.read({}).empty());  // hung up upon
    }
    std::vector<plain_socket> crowd{};
    for (int i = 0; i < 100; ++i) crowd.emplace_back(s.where);
    CHECK(eventually([&] { return s.server.count().refused >= 70; }));
    crowd.clear();
    CHECK(eventually([&] { return net::http_ask(s.where, "GET", "/").has_value(); }));
}

TEST_CASE("http: a WebSocket talks both ways, and many pushes leave in few writes")
{
    served s{};
    plain_socket const c{s.where};
    c.send(upgrade);
    CHECK(c.read("\r\n\r\n").find(" 101 ") != std::string::npos);
    c.send(std::string{"\x81\x82\x01\x02\x03\x04ik", 8});
    CHECK(c.read("you said hi").find("you said hi") != std::string::npos);
    auto const text = std::make_shared<std::string const>(100, 'x');
    for (int i = 0; i < 20'000; ++i) REQUIRE(s.server.push(s.handler.socket, text));
    std::size_t bytes = 0;
    while (bytes < 20'000 * 102) {
        std::array<char, 65536> buffer{};
        auto const n = ::recv(c.fd, buffer.data(), buffer.size(), 0);
        REQUIRE(n > 0);
        bytes += static_cast<std::size_t>(n);
    }
    auto const count = s.server.count();
    CHECK(count.texts_out == 20'001);
    CHECK(count.writes < 10'000);
    c.send(std::string{"\x88\x80\x01\x02\x03\x04", 6});
    CHECK(eventually([&] { return s.handler.closed == 1; }));
    CHECK(!s.server.push(s.handler.socket, text));
}

TEST_CASE("http: a WebSocket client that does not read is dropped, not waited for")
{
    net::http_options o{};
    o.unsent_bytes_max = 200'000;
    served s{o};
    plain_socket const c{s.where};
    c.send(upgrade);
    c.read("\r\n\r\n");
    c.send(std::string{"\x81\x82\x01\x02\x03\x04ik", 8});
    c.read("you said hi");
    auto const text = std::make_shared<std::string const>(50'000, 'x');
    int sent = 0;
    while (sent < 10'000 && s.server.push(s.handler.socket, text)) ++sent;
    CHECK(sent < 10'000);
    CHECK(s.server.count().dropped == 1);
    CHECK(eventually([&] { return s.handler.closed == 1; }));
}
