// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <blendr/core/result.hpp>
#include <blendr/net/error.hpp>

namespace blendr::net {

struct http_request {
    std::string_view method{};
    std::string_view path{};  ///< without what follows a `?`
    std::string_view body{};
    std::string_view origin{};
    std::string_view range{};  ///< "bytes=…", as the client wrote it
    std::string_view known{};  ///< the tag of what the client has of this path ("If-None-Match")
};

/// A field of an answer's head; literals.
struct http_field {
    std::string_view name{};
    std::string_view value{};
};

struct http_reply {
    unsigned status = 200;
    std::string_view type = "application/json";  ///< a literal
    std::string body{};
    bool cors = true;                    ///< may other origins read it, where CORS is on at all?
    std::string_view tag{};              ///< a literal: its ETag
    std::span<http_field const> head{};  ///< what else its head says
    std::string part{};                  ///< of a part, its Content-Range
};

/// Names a WebSocket connection as long as it lasts, and none after it.
using socket_id = std::uint64_t;

/// Who answers. Calls come from the server's threads, several at once; a connection's own come one at
/// a time, in order.
class http_handler {
public:
    virtual ~http_handler() = default;
    virtual http_reply on_request(http_request const& in) = 0;
    /// How long a body may be there; 0: as the server's options say. A body above those counts towards
    /// `large_bytes_max` and must tell its length.
    virtual std::size_t body_bytes_max(std::string_view method, std::string_view path) const
    {
        (void)method;
        (void)path;
        return 0;
    }
    /// What a WebSocket client said; the answer goes back to it, unless empty.
    virtual std::string on_text(socket_id from, std::string_view text) = 0;
    virtual void on_closed(socket_id which) = 0;
};

struct http_options {
    std::string listen = "127.0.0.1:0";
    std::string cors{};  ///< the origin that browsers may ask from, or "*"; empty: none
    /// Only "localhost", a loopback address and the host of `cors` may name it, where it is named: a page whose
    /// own name was made to lead here is another's.
    bool named_locally = false;
    std::size_t connections_max = 1024;
    std::size_t body_bytes_max = std::size_t{2} << 20;
    std::size_t large_bytes_max = std::size_t{256} << 20;  ///< of all large bodies and answers
    std::size_t header_bytes_max = std::size_t{16} << 10;
    std::size_t text_bytes_max = std::size_t{1} << 20;    ///< of one WebSocket message
    std::size_t unsent_bytes_max = std::size_t{4} << 20;  ///< slower WebSocket clients are dropped
    std::int64_t request_ms = 10'000;                     ///< to send a request, or take an answer
    std::int64_t idle_ms = 60'000;
    unsigned threads = 1;
    bool lends = false;  ///< handlers may call `meanwhile`
};

/// An HTTP/1.1 server with WebSockets at `/ws`, bound to loopback unless told otherwise. A browser may open
/// one, and POST or PUT, from a page of this very server and from the origin that `cors` names: what a page
/// of others sends without asking is refused before the handler sees it.
///
/// A request that is too large, too slow or no HTTP is answered with its status, and the connection
/// ends; more connections than allowed are closed at once. What is pushed to a WebSocket gathers while
/// an earlier write is on its way and leaves in one: a write an event would cost ten times as much.
class http_server {
public:
    http_server(http_options chosen, http_handler& who);
    ~http_server();

    /// Says where it listens, "host:port".
    result<std::string, error> start();
    /// Ends all connections; no call of the handler comes after it.
    void stop();

    /// Sends a text to a WebSocket client. False: it is gone, or was too slow and is now gone. Any thread.
    bool push(socket_id to, std::shared_ptr<std::string const> text);

    struct counters {
        std::uint64_t requests = 0;
        std::uint64_t connections = 0;
        std::uint64_t sockets = 0;
        std::uint64_t refused = 0;  ///< connections beyond the limit, and malformed requests
        std::uint64_t dropped = 0;  ///< WebSocket clients that were too slow
        std::uint64_t texts_out = 0;
        std::uint64_t writes = 0;  ///< to WebSockets: how well texts gather
    };
    counters count() const;

    /// For a handler that takes long: does `what` on its thread, while another serves everybody else.
    void meanwhile(std::function<void()> const& what);

    struct state;

private:
    std::shared_ptr<state> state_;
};

/// Asks a server and waits for the answer's body: for command lines and tests. `method` is GET, PUT or POST;
/// `range`, where not empty, asks for a part ("bytes=0-99"). The
/// whole exchange is over within `limit_ms`, and the answer has at most 64 MiB.
struct http_answer {
    unsigned status{};
    std::string body{};
};
result<http_answer, error> http_ask(std::string const& server, std::string_view method,
                                    std::string const& path, std::string body = {},
                                    std::int64_t limit_ms = 10'000, std::string const& range = {});

}  // namespace blendr::net
