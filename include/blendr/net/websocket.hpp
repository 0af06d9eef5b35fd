// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>

namespace blendr::net {

/// The server's half of WebSocket framing (RFC 6455), without I/O and without extensions.
namespace websocket {

enum class opcode : std::uint8_t { more = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// Why a connection ends: the status codes of the RFC.
enum class close_code : std::uint16_t {
    normal = 1000,
    protocol = 1002,
    unsupported = 1003,
    not_text = 1007,
    too_big = 1009,
};

/// Appends a frame as a server writes it: whole, not masked.
void append_frame(std::string& out, opcode what, std::string_view payload);

/// A whole message, or a control frame.
struct incoming {
    opcode what{};
    std::string payload{};
};

/// Takes a client's bytes apart. Bounded by `bytes_max` for a message with all its fragments.
class parser {
public:
    explicit parser(std::size_t bytes_max) : bytes_max_{bytes_max} {}

    void feed(std::string_view raw) { waiting_.append(raw); }
    /// Whether there is a message, put into `out`. After an error the connection is of no use.
    result<bool, close_code> next(incoming& out);

private:
    std::size_t bytes_max_;
    std::string waiting_{};
    std::size_t at_ = 0;
    std::string whole_{};
    opcode begun_ = opcode::more;  // of the fragments so far; `more`: none
};

}  // namespace websocket
}  // namespace blendr::net
