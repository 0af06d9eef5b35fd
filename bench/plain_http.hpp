// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <harness.hpp>

// The yardstick of servers: a plain Beast server that answers a fixed string, asynchronously, on one thread. Clients are other
// processes, so that only the server's time counts.
namespace blendr::bench {

inline int connect_to(std::uint16_t port)
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
inline pid_t client(std::function<void()> const& body)
{
    auto const pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    ::_exit(0);
}

/// Another process: keep-alive requests, one after the other.
inline pid_t ask(std::uint16_t port, std::string const& body, int requests)
{
    return client([&] {
        auto const fd = connect_to(port);
        std::string const request =
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body;
        std::array<char, 8192> buffer{};
        for (int i = 0; i < requests; ++i) {
            if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) ::_exit(1);
            if (::recv(fd, buffer.data(), buffer.size(), 0) <= 0) ::_exit(1);
        }
        ::close(fd);
    });
}

struct plain_session : std::enable_shared_from_this<plain_session> {
    explicit plain_session(boost::asio::ip::tcp::socket s) : stream{std::move(s)} {}
    void read()
    {
        namespace http = boost::beast::http;
        request = {};
        http::async_read(stream, buffer, request,
                         [self = shared_from_this()](boost::beast::error_code failed, std::size_t) {
                             if (failed) return;
                             self->response = {http::status::ok, self->request.version()};
                             self->response.keep_alive(self->request.keep_alive());
                             self->response.set(http::field::content_type, "application/json");
                             self->response.body() = R"({"jsonrpc":"2.0","id":1,"result":"fixed"})";
                             self->response.prepare_payload();
                             http::async_write(
                                 self->stream, self->response,
                                 [self](boost::beast::error_code not_sent, std::size_t) {
                                     if (!not_sent) self->read();
                                 });
                         });
    }
    boost::beast::tcp_stream stream;
    boost::beast::flat_buffer buffer{};
    boost::beast::http::request<boost::beast::http::string_body> request{};
    boost::beast::http::response<boost::beast::http::string_body> response{};
};

/// What so many requests with this body cost the plain server, in seconds of its processor time.
inline double plain_http(std::string const& body, int requests)
{
    using tcp = boost::asio::ip::tcp;
    boost::asio::io_context io{1};
    tcp::acceptor acceptor{io, {boost::asio::ip::address_v4::loopback(), 0}};
    acceptor.async_accept([](boost::beast::error_code failed, tcp::socket s) {
        if (!failed) std::make_shared<plain_session>(std::move(s))->read();
    });
    stopwatch const used{clock::process_cpu};
    auto const pid = ask(acceptor.local_endpoint().port(), body, requests);
    io.run();
    ::waitpid(pid, nullptr, 0);
    return used.seconds();
}

}  // namespace blendr::bench
