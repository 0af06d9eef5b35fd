// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/app/types.hpp>
#include <blendr/consensus/engine.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::node {

/// What nodes tell each other about decided blocks.
struct sync_status {
    height first{};  ///< the oldest block that may be asked for
    height last{};
};
struct ask_headers {
    height from{};
    std::uint32_t count{};
};
struct sync_header {
    app::proposal_context at{};
    hash256 payload{};  ///< its digest: the block's name follows
};
inline constexpr std::size_t sync_headers_max = 512;
inline constexpr std::size_t sync_headers_more = 16;  ///< to where the last decision ends
inline constexpr std::size_t sync_bodies_max = 64;
inline constexpr std::size_t sync_finality_max = std::size_t{1} << 20;
/// In a row; the last one is final by itself, and why.
struct sync_headers {
    bounded<std::vector<sync_header>, sync_headers_max + sync_headers_more> row{};
    bounded<bytes, sync_finality_max> finality{};
};
struct ask_bodies {
    height from{};
    std::uint32_t count{};
};
struct sync_body {
    bytes payload{};
    bounded<bytes, sync_finality_max> finality{};  ///< of this very block, where it has one
};
struct sync_bodies {
    height from{};
    bounded<std::vector<sync_body>, sync_bodies_max> row{};
};
using sync_message = std::variant<sync_status, ask_headers, sync_headers, ask_bodies, sync_bodies>;
BOOST_DESCRIBE_STRUCT(sync_status, (), (first, last))
BOOST_DESCRIBE_STRUCT(ask_headers, (), (from, count))
BOOST_DESCRIBE_STRUCT(sync_header, (), (at, payload))
BOOST_DESCRIBE_STRUCT(sync_headers, (), (row, finality))
BOOST_DESCRIBE_STRUCT(ask_bodies, (), (from, count))
BOOST_DESCRIBE_STRUCT(sync_body, (), (payload, finality))
BOOST_DESCRIBE_STRUCT(sync_bodies, (), (from, row))

/// Fetches decided blocks: names first, a row at a time, believed only under a certificate; then what they
/// name, in parallel from everybody who has it. Sans-I/O, one thread.
///
/// Nobody is believed about being ahead: a claim is followed up by asking for headers, beside everything else, and
/// who cannot show them is not asked again for a while. Memory is bounded by the two windows.
class block_sync {
public:
    static constexpr std::size_t headers_ahead_max = 4096;
    static constexpr std::size_t bytes_ahead_max = std::size_t{64} << 20;
    static constexpr std::size_t chunk = 32;
    static constexpr std::size_t chunks_by_peer = 3;
    static constexpr std::int64_t patience_ms = 4'000;
    static constexpr std::int64_t distrust_ms = 30'000;

    /// Whether `finality` (as it was sent) proves that block final. `id`, height and time are set.
    using prover = std::function<bool(consensus::decide::entry const& block, bytes_view finality)>;
    using sends = std::vector<std::pair<crypto::public_key, bytes>>;

    /// A block whose name is certain and whose finality is not yet checked.
    struct ready_block {
        consensus::decide::entry block{};
        bytes finality{};  ///< empty: it is final by a later one
        crypto::public_key from{};
    };

    block_sync(height last, block_id const& id, std::uint64_t behind_min, prover proves)
        : last_{last},
          last_id_{id},
          behind_min_{behind_min},
          proves_{std::move(proves)}
    {}

    void joined(crypto::public_key const& who) { peers_[who]; }
    void left(crypto::public_key const& who);

    /// An answer or a status. False: no honest peer sends that.
    bool take(crypto::public_key const& from, sync_message const& said, time_ms now, sends& out);
    /// Asks for what is missing, and again for what does not come.
    void tick(time_ms now, sends& out);

    /// This node has come that far, however it did.
    void advance(height last, block_id const& id);
    /// The next blocks, ending with one that brought a finality; empty when they are not all there. More than
    /// `most` only where so many were decided at once.
    std::vector<ready_block> ready(std::size_t most);
    bool any_ready() const;
    /// Bodies came that were asked for; whoever looks sets it back.
    bool fresh_bodies = false;
    /// What `ready` gave out from that height on was wrong, or not wanted: to be fetched again.
    void refuse(height from, std::optional<crypto::public_key> const& culprit, time_ms now);

    /// The highest block that is certain.
    height certain() const noexcept { return last_ + std::uint64_t{headers_.size()}; }
    /// The highest that somebody claims.
    height claimed(time_ms now) const;

private:
    struct peer {
        sync_status status{};
        std::size_t busy = 0;
        time_ms distrusted_until{};
    };
    struct slot {
        sync_header head{};
        block_id id{};
        std::optional<sync_body> body{};
        crypto::public_key from{};
    };
    struct request {
        crypto::public_key of{};
        height from{};
        std::uint32_t count{};
        time_ms at{};
    };

    bool take_headers(crypto::public_key const& from, sync_headers const& said, time_ms now);
    bool take_bodies(crypto::public_key const& from, sync_bodies const& said);
    void distrust(crypto::public_key const& who, time_ms now);
    crypto::public_key const* somebody(height has, time_ms now) const;

    height last_;
    block_id last_id_;
    std::uint64_t behind_min_;
    prover proves_;
    std::map<crypto::public_key, peer> peers_{};
    std::deque<slot> headers_{};  // of the blocks above last_
    std::size_t bytes_ahead_ = 0;
    std::optional<request> headers_asked_{};
    std::size_t row_max_ = sync_headers_max;  // shorter while voters change
    std::map<height, request> bodies_asked_{};
};

}  // namespace blendr::node
