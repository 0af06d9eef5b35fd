// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <blendr/crypto/identity.hpp>
#include <blendr/net/frames.hpp>
#include <blendr/net/transport.hpp>

namespace blendr::net {

/// What one node is willing to spend on its peers.
struct tcp_limits {
    std::size_t peers_max = 128;
    std::size_t dialled_max = 16;     ///< to addresses that peers told; those asked for come on top
    std::size_t strangers_max = 128;  ///< connections whose handshake is under way
    std::size_t strangers_by_host_max = 32;
    std::int64_t handshake_ms = 5'000;
    std::int64_t idle_ms =
        20'000;  ///< without one whole frame; there is a ping every quarter of it
    std::uint64_t bytes_per_second = std::uint64_t{256} << 20;    ///< in, from one peer
    std::uint64_t bytes_per_second_all = std::uint64_t{1} << 30;  ///< in, from all peers
    /// Out, to one peer and to all: gossip and bulk wait for it, consensus does not.
    std::uint64_t send_bytes_per_second = std::uint64_t{256} << 20;
    std::uint64_t send_bytes_per_second_all = std::uint64_t{1} << 30;
    std::uint64_t messages_per_second = 50'000;                 ///< from one peer
    std::size_t unfinished_bytes_max = std::size_t{128} << 20;  ///< of messages, from all peers
    std::array<std::size_t, 4> queue_bytes{std::size_t{48} << 20, std::size_t{8} << 20,
                                           std::size_t{48} << 20, std::size_t{64} << 10};
    message_limits messages{};
};

struct tcp_options {
    crypto::identity me;
    hash256 chain{};
    std::string listen = "127.0.0.1:0";  ///< empty: only dials, as behind a NAT
    std::vector<std::string> peers{};    ///< "[key@]host:port", tried for ever
    bool exchange = true;                ///< tell peers of each other
    std::string agent = "blendr";
    bool aes = has_aes();
    std::uint64_t seed = 0;  ///< of waiting times; 0: from the system
    tcp_limits limits{};
    std::string book_file{};  ///< where told addresses outlive the process; empty: nowhere
};

/// Peers over TCP. One thread does all of it.
///
/// Whoever is faster than the limits is read more slowly, not dropped: TCP tells the sender. What no honest
/// peer sends (see `is_malice`) costs the connection and 50 points. Of two connections between the same
/// peers one stays, both sides agreeing on which.
std::unique_ptr<transport> make_tcp_transport(tcp_options chosen);

}  // namespace blendr::net
