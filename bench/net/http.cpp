// SPDX-License-Identifier: Apache-2.0
// Our HTTP server and its WebSockets beside the plain use of Beast, per CPU second of the server. Clients are
// other processes, so that only the server's time counts.
#include <harness.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <blendr/net/book.hpp>
#include <blendr/net/http.hpp>

namespace {

using namespace blendr;
using bench::run;
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr int requests = 20'000;
constexpr int events = 100'000;

int connect_to(std::uint16_t port)
{
    int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) ::_exit(1);
    return fd;
}

/// Another process that does `body` and ends.
pid_t client(std::function<void()> const& body)
{
    auto const pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    ::_exit(0);
}

std::string const rpc_request = R"({"jsonrpc":"2.0","id":1,"method":"status"})";

/// Keep-alive requests, one after the other.
void ask(std::uint16_t port)
{
    auto const fd = connect_to(port);
    std::string const request =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(rpc_request.size()) +
        "\r\n\r\n" + rpc_request;
    std::array<char, 8192> buffer{};
    for (int i = 0; i < requests; ++i) {
        if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) ::_exit(1);
        if (::recv(fd, buffer.data(), buffer.size(), 0) <= 0) ::_exit(1);
    }
    ::close(fd);
}

double cpu_seconds()
{
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

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

/// The plain Beast server: a fixed string to every request, asynchronous, one thread.
struct plain_session : std::enable_shared_from_this<plain_session> {
    explicit plain_session(tcp::socket s) : stream{std::move(s)} {}
    void read()
    {
        request = {};
        http::async_read(stream, buffer, request,
                         [self = shared_from_this()](beast::error_code failed, std::size_t) {
                             if (failed) return;
                             self->response = {http::status::ok, self->request.version()};
                             self->response.keep_alive(self->request.keep_alive());
                             self->response.set(http::field::content_type, "application/json");
                             self->response.body() = R"({"jsonrpc":"2.0","id":1,"result":"fixed"})";
                             self->response.prepare_payload();
                             http::async_write(self->stream, self->response,
                                               [self](beast::error_code not_sent, std::size_t) {
                                                   if (!not_sent) self->read();
                                               });
                         });
    }
    beast::tcp_stream stream;
    beast::flat_buffer buffer{};
    http::request<http::string_body> request{};
    http::response<http::string_body> response{};
};

/// Server CPU seconds for `requests` requests.
double ours()
{
    fixed handler{};
    net::http_server server{{}, handler};
    auto const port = net::parse_contact(*server.start())->port;
    auto const begun = cpu_seconds();
    auto const pid = client([&] { ask(port); });
    ::waitpid(pid, nullptr, 0);
    return cpu_seconds() - begun;
}

double plain()
{
    asio::io_context io{1};
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    acceptor.async_accept([](beast::error_code failed, tcp::socket s) {
        if (!failed) std::make_shared<plain_session>(std::move(s))->read();
    });
    auto const begun = cpu_seconds();
    auto const pid = client([port = acceptor.local_endpoint().port()] { ask(port); });
    io.run();
    ::waitpid(pid, nullptr, 0);
    return cpu_seconds() - begun;
}

constexpr std::string_view upgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Reads until all events of 100 bytes have come.
void listen(std::uint16_t port)
{
    auto const fd = connect_to(port);
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
    auto const pid = client([&] { listen(port); });
    while (handler.socket == 0) ::usleep(1000);
    auto const text = std::make_shared<std::string const>(100, 'x');
    auto const begun = cpu_seconds();
    for (int i = 0; i < events; ++i) {
        if (!server.push(handler.socket, text)) std::abort();
        if (i % 20'000 == 19'999) ::usleep(2000);  // 2 MB: within what a client may leave unread
    }
    ::waitpid(pid, nullptr, 0);
    return cpu_seconds() - begun;
}

double plain_events()
{
    asio::io_context io{1};
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    auto const pid = client([port = acceptor.local_endpoint().port()] { listen(port); });
    beast::websocket::stream<beast::tcp_stream> ws{acceptor.accept()};
    ws.accept();
    std::string const text(100, 'x');
    int left = events;
    std::function<void()> write = [&] {
        ws.async_write(asio::buffer(text), [&](beast::error_code failed, std::size_t) {
            if (!failed && --left > 0) write();
        });
    };
    auto const begun = cpu_seconds();
    write();
    io.run();
    auto const used = cpu_seconds() - begun;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return used;
}

double median(std::vector<double> all)
{
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
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
    auto const x = count / median(mine);
    r.report(name, x, unit, x / (count / median(theirs)));
}

bench::suite const plain_http{
    "net/http",
    [](run& r) { compare(r, "net/http/fixed", requests, "requests/cpu-s", ours, plain); }};
bench::suite const sockets{"net/websocket", [](run& r) {
                               compare(r, "net/websocket/events/100b", events, "events/cpu-s",
                                       our_events, plain_events);
                           }};

}  // namespace
