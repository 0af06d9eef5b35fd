// SPDX-License-Identifier: Apache-2.0
// Our HTTP server and its WebSockets beside the plain use of Beast, per CPU second of the server. Clients are
// other processes, so that only the server's time counts.
#include <harness.hpp>
#include <plain_http.hpp>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include <blendr/net/book.hpp>
#include <blendr/net/http.hpp>

namespace {

using namespace blendr;
using bench::run;
using bench::stopwatch;
namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;

constexpr int requests = 20'000;
constexpr int events = 100'000;

std::string const rpc_request = R"({"jsonrpc":"2.0","id":1,"method":"status"})";

struct fixed final : net::http_handler {
    net::http_reply on_request(net::http_request const&) override
    {
        return {200, "application/json", R"({"jsonrpc":"2.0","id":1,"result":"fixed"})", true};
    }
    std::string on_text(net::socket_id from, std::string_view) override
    {
        socket = from;
        return "y";
    }
    void on_closed(net::socket_id) override {}
    std::atomic<net::socket_id> socket{0};
};

/// Server CPU seconds for `requests` requests.
double ours()
{
    fixed handler{};
    net::http_server server{{}, handler};
    auto const port = net::parse_contact(*server.start())->port;
    stopwatch const used{bench::clock::process_cpu};
    auto const pid = bench::ask(port, rpc_request, requests);
    ::waitpid(pid, nullptr, 0);
    return used.seconds();
}

double plain() { return bench::plain_http(rpc_request, requests); }

constexpr std::string_view upgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Reads until all events of 100 bytes have come.
void listen(std::uint16_t port)
{
    auto const fd = bench::connect_to(port);
    std::string const hello = std::string{upgrade} + std::string{"\x81\x81\x01\x02\x03\x04y", 7};
    if (::send(fd, hello.data(), hello.size(), MSG_NOSIGNAL) < 0) ::_exit(1);
    std::size_t left = std::size_t{events} * 102;
    std::array<char, 262'144> buffer{};
    while (left > 0) {
        auto const n = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (n <= 0) ::_exit(1);
        left -= std::min(left, static_cast<std::size_t>(n));
    }
    ::close(fd);
}

double our_events()
{
    fixed handler{};
    net::http_server server{{}, handler};
    auto const port = net::parse_contact(*server.start())->port;
    auto const pid = bench::client([&] { listen(port); });
    while (handler.socket == 0) ::usleep(1000);
    auto const text = std::make_shared<std::string const>(100, 'x');
    stopwatch const used{bench::clock::process_cpu};
    for (int i = 0; i < events; ++i) {
        if (!server.push(handler.socket, text)) std::abort();
        if (i % 20'000 == 19'999) ::usleep(2000);  // 2 MB: within what a client may leave unread
    }
    ::waitpid(pid, nullptr, 0);
    return used.seconds();
}

double plain_events()
{
    asio::io_context io{1};
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    auto const pid = bench::client([port = acceptor.local_endpoint().port()] { listen(port); });
    beast::websocket::stream<beast::tcp_stream> ws{acceptor.accept()};
    ws.accept();
    std::string const text(100, 'x');
    int left = events;
    std::function<void()> write = [&] {
        ws.async_write(asio::buffer(text), [&](beast::error_code failed, std::size_t) {
            if (!failed && --left > 0) write();
        });
    };
    stopwatch const watch{bench::clock::process_cpu};
    write();
    io.run();
    auto const used = watch.seconds();
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return used;
}

void compare(run& r, std::string const& name, int count, std::string_view unit, double (*a)(),
             double (*b)())
{
    if (!r.wants(name)) return;
    std::vector<double> mine{}, theirs{};
    for (int i = 0; i < 5; ++i) {
        mine.push_back(a());
        theirs.push_back(b());
    }
    auto const x = count / bench::median(mine);
    r.report(name, x, unit, x / (count / bench::median(theirs)));
}

bench::suite const plain_http{
    "net/http",
    [](run& r) { compare(r, "net/http/fixed", requests, "requests/cpu-s", ours, plain); }};
bench::suite const sockets{"net/websocket", [](run& r) {
                               compare(r, "net/websocket/events/100b", events, "events/cpu-s",
                                       our_events, plain_events);
                           }};

}  // namespace
