// SPDX-License-Identifier: Apache-2.0
// A node's JSON-RPC beside a plain Beast server that answers a fixed string, per CPU second of the server. The client is
// another process, so that only the server's time counts; the node's chain stands still meanwhile.
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
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <blendr/crypto/json.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/net/book.hpp>
#include <blendr/node/node.hpp>
#include <blendr/node/rpc.hpp>
#include <blendr/node/standard_chain.hpp>

namespace {

using namespace blendr;
using bench::run;
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr int requests = 20'000;

/// Another process: keep-alive requests, one after the other.
pid_t ask(std::uint16_t port, std::string const& body)
{
    auto const pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) ::_exit(1);
    std::string const request =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    std::array<char, 8192> buffer{};
    for (int i = 0; i < requests; ++i) {
        if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) ::_exit(1);
        if (::recv(fd, buffer.data(), buffer.size(), 0) <= 0) ::_exit(1);
    }
    ::close(fd);
    ::_exit(0);
}

double cpu_seconds()
{
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

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

double plain(std::string const& body)
{
    asio::io_context io{1};
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    acceptor.async_accept([](beast::error_code failed, tcp::socket s) {
        if (!failed) std::make_shared<plain_session>(std::move(s))->read();
    });
    auto const begun = cpu_seconds();
    auto const pid = ask(acceptor.local_endpoint().port(), body);
    io.run();
    ::waitpid(pid, nullptr, 0);
    return cpu_seconds() - begun;
}

bench::suite const all{
    "node/rpc", [](run& r) {
        if (!r.wants("node/rpc/balance")) return;
        crypto::identity const me{
            crypto::secret_key::from_seed(std::array<std::byte, 32>{std::byte{5}})};
        ledger::genesis document{};
        document.accounts = {{me.account(), document.money.premine}};
        document.validators = {{me.self(), weight{1}, {}}};
        node::node_parts parts{{}, me, encode(document), node::standard_chain()};
        parts.with.home.clear();
        parts.with.consensus = "solo";
        parts.with.engine.interval_ms = 3'600'000;
        parts.with.p2p.listen.clear();
        parts.with.threads = 1;
        parts.log = std::make_shared<node::logger>(node::log_level::error);
        auto it = node::node::start(std::move(parts));
        if (!it) std::abort();
        node::rpc_server rpc{**it};
        auto const port = net::parse_contact(*rpc.start())->port;
        std::string const read = R"({"jsonrpc":"2.0","id":1,"method":"balance","params":[")" +
                                 to_text(me.account()) + R"("]})";
        std::vector<double> ours{}, theirs{};
        for (int i = 0; i < 5; ++i) {
            auto const begun = cpu_seconds();
            ::waitpid(ask(port, read), nullptr, 0);
            ours.push_back(cpu_seconds() - begun);
            theirs.push_back(plain(read));
        }
        std::sort(ours.begin(), ours.end());
        std::sort(theirs.begin(), theirs.end());
        r.report("node/rpc/balance", requests / ours[2], "requests/cpu-s", theirs[2] / ours[2]);
    }};

}  // namespace
