// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/app/block_id.hpp>
#include <blendr/app/snapshots.hpp>
#include <blendr/consensus/engine.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/node/chain.hpp>
#include <blendr/node/sync.hpp>

namespace blendr::node {

/// What nodes tell each other about whole states.
struct ask_states {
    std::uint32_t most = 8;
};
struct states {
    bounded<std::vector<app::snapshot>, 8> row{};
};
inline constexpr std::size_t trail_max = 256;
inline constexpr std::size_t trail_voters_max = 4096;
struct ask_trail {
    height from{};
};
/// A block without its transactions: its header says what the one before led to.
struct trail_block {
    app::proposal_context at{};
    bounded<bytes, app::payload_head_max> head{};
    hash256 body{};
};
/// In a row, all decided by the same voters; the last one is final by itself. Where others vote from then
/// on, they come along.
struct trail {
    height from{};
    bounded<std::vector<trail_block>, trail_max> row{};
    bounded<bytes, sync_finality_max> finality{};
    bounded<app::validator_set, trail_voters_max> next{};
};
struct ask_piece {
    height at{};
    std::uint32_t index{};
};
struct piece {
    height at{};
    std::uint32_t index{};
    bytes raw{};  ///< empty: it is not held
};
struct ask_tail {
    height from{};
};
/// Whole blocks, up to one that is final by itself.
struct tail {
    height from{};
    bounded<std::vector<sync_body>, sync_bodies_max> row{};
};
using state_message =
    std::variant<ask_states, states, ask_trail, trail, ask_piece, piece, ask_tail, tail>;
BOOST_DESCRIBE_STRUCT(ask_states, (), (most))
BOOST_DESCRIBE_STRUCT(states, (), (row))
BOOST_DESCRIBE_STRUCT(ask_trail, (), (from))
BOOST_DESCRIBE_STRUCT(trail_block, (), (at, head, body))
BOOST_DESCRIBE_STRUCT(trail, (), (from, row, finality, next))
BOOST_DESCRIBE_STRUCT(ask_piece, (), (at, index))
BOOST_DESCRIBE_STRUCT(piece, (), (at, index, raw))
BOOST_DESCRIBE_STRUCT(ask_tail, (), (from))
BOOST_DESCRIBE_STRUCT(tail, (), (from, row))

/// Fetches a whole state instead of all blocks: the trail of headers from genesis on, proven by
/// certificates; then a state that one of them names, in pieces, from everybody who has it; then the block
/// that it is the state after, to begin a log with. Sans-I/O, one thread.
///
/// Nothing is trusted but the genesis document: the voters of a header are those that headers before it
/// name. Every piece is checked on arrival, and whoever gave a wrong one is named. Somebody must still have
/// the trail from its beginning. Finality by depth proves nothing to others: then there is no trail.
class snapshot_sync {
public:
    static constexpr std::size_t pieces_by_peer = 4;
    static constexpr std::size_t names_kept = 16'384;
    static constexpr std::uint32_t pieces_max = std::uint32_t{1} << 20;
    static constexpr std::int64_t patience_ms = 4'000;
    static constexpr std::int64_t stall_ms =
        3 * patience_ms;  ///< then others' states are tried first
    static constexpr std::int64_t rest_ms = 500;

    /// Whether `finality` (as it was sent) proves that these voters made the block final.
    using prover = std::function<bool(consensus::membership const& voters,
                                      consensus::decide::entry const& block, bytes_view finality)>;
    using sends = std::vector<std::pair<crypto::public_key, bytes>>;
    /// Where good pieces lie until all are there; what is there is checked again.
    struct keeper {
        std::function<void(height at, std::uint32_t index, bytes_view raw)> save{};
        std::function<std::optional<bytes>(height at, std::uint32_t index)> load{};
    };
    /// What a log and the sets of voters begin with.
    struct beginning {
        app::snapshot state{};
        consensus::decide blocks{};  ///< the first is the one that the state is the state after
        std::vector<std::pair<height, app::validator_set>> voters{};  ///< from that height on
    };
    struct progress {
        height trail{};  ///< headers up to there are proven
        height state{};  ///< which is being fetched
        std::uint32_t pieces{};
        std::uint32_t taken{};
        std::uint32_t kept{};  ///< of them from the keeper, not from a peer

        friend bool operator==(progress const&, progress const&) = default;
    };

    snapshot_sync(app::validator_set begun, hash256 const& chain, prover proves, state_pieces& into,
                  keeper keep);

    void joined(crypto::public_key const& who) { peers_[who]; }
    void left(crypto::public_key const& who);
    /// An answer. What no honest peer says is refused with a sentence.
    std::optional<std::string> take(crypto::public_key const& from, state_message const& said,
                                    time_ms now);
    /// Asks for what is missing, and again for what does not come.
    void tick(time_ms now, sends& out);

    bool done() const noexcept { return begins_.has_value(); }
    /// Once done.
    beginning const& begins() const { return *begins_; }
    progress const& so_far() const noexcept { return progress_; }
    /// Grows with every new piece, and with headers until the trail is as long as the chain: a chain that
    /// goes on is no step towards its state.
    std::uint64_t steps() const noexcept { return steps_; }

private:
    struct peer {
        std::vector<app::snapshot> offers{};
        time_ms offers_asked{-1'000'000};
        time_ms rests_until{-1'000'000};
        std::size_t busy = 0;
    };
    struct request {
        crypto::public_key of{};
        time_ms at{};
    };
    struct name {
        app::proposal_context at{};
        block_id id{};
        hash256 before{};  ///< the application's hash after the block before
    };

    std::optional<std::string> take_trail(crypto::public_key const& from, trail const& said,
                                          time_ms now);
    std::optional<std::string> take_piece(crypto::public_key const& from, piece const& said,
                                          time_ms now);
    std::optional<std::string> take_tail(crypto::public_key const& from, tail const& said,
                                         time_ms now);
    name const* named(height at) const;
    consensus::membership voters_at(height at) const;
    void choose();
    void note(std::uint32_t index, app::chunk_verdict how);
    void give_up_state(std::vector<app::snapshot>& into);
    void drop(crypto::public_key const& who);
    bool offers(peer const& p) const;
    crypto::public_key const* somebody(time_ms now) const;
    void ask_pieces(time_ms now, sends& out);

    hash256 chain_;
    prover proves_;
    state_pieces& into_;
    keeper keep_;
    std::map<crypto::public_key, peer> peers_{};

    height end_{};  // of the trail
    block_id end_id_{};
    std::vector<std::pair<height, app::validator_set>> voters_{};
    std::deque<name> names_{};  // the trail's last
    std::optional<request> trail_asked_{};
    bool at_tip_ = false;

    std::optional<app::snapshot> chosen_{};
    std::vector<app::snapshot> refused_{};
    std::vector<app::snapshot> stalled_{};  // whoever said to have them gave nothing
    std::vector<bool> here_{};
    std::map<std::uint32_t, request> asked_{};
    time_ms offered_at_{};
    time_ms moved_at_{};  // the last new piece
    bool whole_ = false;

    std::optional<request> tail_asked_{};
    std::optional<beginning> begins_{};
    progress progress_{};
    std::uint64_t steps_ = 0;
};

}  // namespace blendr::node
