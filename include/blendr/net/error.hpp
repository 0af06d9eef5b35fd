// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <boost/describe/enum.hpp>

namespace blendr::net {

/// Why bytes, a peer or a request were refused. Numbers are frozen; hundreds say what follows from it:
/// 1 malformed (a fault of the sender's), 2 not allowed, 3 not now.
enum class error : std::uint16_t {
    // malformed: no honest peer sends it
    wrong_magic = 100,
    wrong_frame_length = 101,
    wrong_seal = 102,
    wrong_fragment = 103,
    message_too_long = 104,
    wrong_point = 105,
    malformed_message = 106,
    wrong_text = 107,
    // not allowed
    wrong_chain = 200,
    wrong_peer = 201,
    wrong_signature = 202,
    own_key = 203,
    banned = 204,
    // not now
    timed_out = 300,
    full = 301,
    too_fast = 302,
    closed = 303,
    unreachable = 304,
    replaced = 305,
};
BOOST_DESCRIBE_ENUM(error, wrong_magic, wrong_frame_length, wrong_seal, wrong_fragment,
                    message_too_long, wrong_point, malformed_message, wrong_text, wrong_chain,
                    wrong_peer, wrong_signature, own_key, banned, timed_out, full, too_fast, closed,
                    unreachable, replaced)

struct error_text {
    error what{};
    std::string_view sentence{};
};

inline constexpr std::array error_texts{
    error_text{error::wrong_magic, "the other side does not speak this protocol"},
    error_text{error::wrong_frame_length, "a frame is longer or shorter than frames are"},
    error_text{error::wrong_seal, "a frame was changed on its way, or comes from elsewhere"},
    error_text{error::wrong_fragment, "a frame names no lane, or continues what did not begin"},
    error_text{error::message_too_long, "a message is longer than its lane allows"},
    error_text{error::wrong_point, "the other side's key share would make the secret predictable"},
    error_text{error::malformed_message, "a message does not decode"},
    error_text{error::wrong_text, "an address is not written as [key@]host:port"},
    error_text{error::wrong_chain, "the other side is on another chain"},
    error_text{error::wrong_peer, "the other side has another key than the one expected"},
    error_text{error::wrong_signature, "the other side does not hold the key that it shows"},
    error_text{error::own_key, "the other side is this node itself"},
    error_text{error::banned, "the peer is banned for a while"},
    error_text{error::timed_out, "the other side took too long"},
    error_text{error::full, "there is no room for it now"},
    error_text{error::too_fast, "more came than the limit for a peer allows"},
    error_text{error::closed, "the connection was closed"},
    error_text{error::unreachable, "nobody answers at that address"},
    error_text{error::replaced, "another connection to the same peer took its place"},
};

/// A sentence for people.
constexpr std::string_view message(error what) noexcept
{
    for (auto const& each : error_texts)
        if (each.what == what) return each.sentence;
    return "unknown network error";
}

/// Whether no honest peer would have caused it.
constexpr bool is_malice(error what) noexcept { return static_cast<std::uint16_t>(what) < 200; }

}  // namespace blendr::net
