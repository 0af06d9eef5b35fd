// SPDX-License-Identifier: Apache-2.0
// Whatever bytes come over a connection, as a request or after an upgrade to a WebSocket: the server answers in HTTP or
// hangs up, and serves the next one.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

#include <blendr/core/assert.hpp>
#include <blendr/net/book.hpp>
#include <blendr/net/http.hpp>

using namespace blendr;

namespace {

struct echo final : net::http_handler {
    net::http_reply on_request(net::http_request const& in) override
    {
        net::http_reply out{};
        out.body = std::string{in.method} + ' ' + std::string{in.path} + ' ' + std::string{in.body};
        return out;
    }
    std::string on_text(net::socket_id, std::string_view text) override
    {
        return std::string{text};
    }
    void on_closed(net::socket_id) override {}
};

struct served {
    served()
    {
        net::http_options o{};
        o.body_bytes_max = 4096;
        o.text_bytes_max = 4096;
        o.request_ms = 200;
        o.idle_ms = 200;
        server = std::make_unique<net::http_server>(o, who);
        where = *net::parse_contact(*server->start());
    }
    echo who{};
    std::unique_ptr<net::http_server> server{};
    net::contact where{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static served const s{};
    int const fd = ::socket(AF_INET, SOCK_STREAM, 0);
    BLENDR_ASSERT(fd >= 0);
    timeval const limit{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    linger const at_once{1, 0};  // thousands a second would use up the ports
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(s.where.port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BLENDR_ASSERT(::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    static_cast<void>(::send(fd, data, size, MSG_NOSIGNAL));
    ::shutdown(fd, SHUT_WR);
    std::string said{};
    std::array<char, 4096> buffer{};
    for (;;) {
        auto const n = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (n <= 0) {
            BLENDR_ASSERT(n == 0 || errno != EAGAIN);  // it neither answers nor hangs up
            break;
        }
        said.append(buffer.data(), static_cast<std::size_t>(n));
    }
    ::close(fd);
    BLENDR_ASSERT(said.empty() || said.starts_with("HTTP/1."));
    return 0;
}
