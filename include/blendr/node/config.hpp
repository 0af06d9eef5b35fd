// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/result.hpp>
#include <blendr/node/engines.hpp>

namespace blendr::node {

struct p2p_settings {
    std::string listen = "127.0.0.1:0";  ///< empty: only dials
    std::vector<std::string> peers{};    ///< "[key@]host:port"
    bool exchange = true;
    std::uint64_t peers_max = 128;
    std::uint64_t bytes_per_second = std::uint64_t{256} << 20;  ///< in, from one peer
    std::uint64_t bytes_per_second_all = std::uint64_t{1} << 30;
    std::uint64_t send_bytes_per_second = std::uint64_t{256} << 20;  ///< out; consensus never waits
    std::uint64_t send_bytes_per_second_all = std::uint64_t{1} << 30;
    std::uint64_t messages_per_second = 50'000;  ///< from one peer
};
/// Whole states. Those made are held in memory, about 110 bytes an account each.
struct snapshot_settings {
    std::uint64_t every = 0;  ///< blocks from one to the next; 0: none is made
    std::uint64_t kept = 2;
    bool join = false;                  ///< a home without a chain begins with one, from peers
    std::int64_t patience_ms = 60'000;  ///< without progress; then blocks are fetched instead
};
struct rpc_settings {
    std::string listen = "127.0.0.1:0";  ///< empty: none
    std::string cors{};                  ///< an origin that browsers may ask from, or "*"
    std::uint64_t body_bytes_max = std::uint64_t{2} << 20;
    std::uint64_t batch_max = 128;
    std::uint64_t connections_max = 1024;
};
struct blob_settings {
    std::uint64_t quota_bytes = std::uint64_t{4} << 30;  ///< of disk, for all of them
    std::uint64_t bytes_max = std::uint64_t{64} << 20;   ///< of one
};
struct log_settings {
    std::string level = "info";  ///< debug, info, warning, error, none
    bool json = false;
};

/// Everything that may be chosen about a node. A described struct: its JSON is the config file, and every
/// member is a flag, `--rpc.listen 127.0.0.1:8645`.
struct config {
    std::string home = "blendr-home";
    std::string consensus = "simplex";
    engine_settings engine{};
    p2p_settings p2p{};
    rpc_settings rpc{};
    blob_settings blobs{};
    snapshot_settings snapshots{};
    log_settings log{};
    std::uint32_t threads = 0;  ///< of the ledger; 0: one a core
    std::uint64_t mempool_bytes = std::uint64_t{64} << 20;
    std::uint64_t state_cache_bytes = std::uint64_t{16} << 20;
    std::uint64_t state_backlog_bytes = std::uint64_t{48} << 20;
    std::uint64_t block_bytes_max = std::uint64_t{1} << 20;
    std::uint64_t sync_behind =
        64;  ///< so many blocks behind, a node fetches ranges before it votes on
    std::uint64_t keep_blocks = 0;  ///< 0: all
    std::uint64_t stop_after = 0;   ///< a height at which the node stops, for an upgrade; 0: none
};
BOOST_DESCRIBE_STRUCT(p2p_settings, (),
                      (listen, peers, exchange, peers_max, bytes_per_second, bytes_per_second_all,
                       send_bytes_per_second, send_bytes_per_second_all, messages_per_second))
BOOST_DESCRIBE_STRUCT(snapshot_settings, (), (every, kept, join, patience_ms))
BOOST_DESCRIBE_STRUCT(rpc_settings, (), (listen, cors, body_bytes_max, batch_max, connections_max))
BOOST_DESCRIBE_STRUCT(blob_settings, (), (quota_bytes, bytes_max))
BOOST_DESCRIBE_STRUCT(log_settings, (), (level, json))
BOOST_DESCRIBE_STRUCT(config, (),
                      (home, consensus, engine, p2p, rpc, blobs, snapshots, log, threads,
                       mempool_bytes, state_cache_bytes, state_backlog_bytes, block_bytes_max,
                       sync_behind, keep_blocks, stop_after))

/// The defaults, then what `file_text` (JSON; members may be left out) says, then the flags: `--name value`,
/// lists separated by commas, a bare `--name` for a true. Refuses what it does not know, by name.
result<config, std::string> make_config(std::string_view file_text,
                                        std::span<std::string const> flags);

/// As JSON, every member.
std::string to_text(config const& c);

}  // namespace blendr::node
