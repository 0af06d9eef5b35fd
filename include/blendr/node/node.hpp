// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/consensus/engine.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/ledger/block_log.hpp>
#include <blendr/net/transport.hpp>
#include <blendr/node/chain.hpp>
#include <blendr/node/config.hpp>
#include <blendr/node/engines.hpp>
#include <blendr/node/log.hpp>

namespace blendr::node {

/// Where a node stands.
struct node_status {
    std::string state{};  ///< "starting", "syncing", "running", "stopped" or "failed"
    std::string why{};    ///< it stopped or failed
    std::string consensus{};
    crypto::public_key self{};
    hash256 chain{};
    height last{};
    block_id block{};
    hash256 app_hash{};
    time_ms block_time{};
    std::uint64_t validators{};
    bool validator{};  ///< does this node vote now?
    std::uint64_t peers{};
    std::uint64_t waiting{};       ///< transactions
    std::uint64_t transactions{};  ///< in blocks, since the node started
    height best_peer{};
    std::string p2p{};  ///< where it listens
    std::string rpc{};
};
BOOST_DESCRIBE_STRUCT(node_status, (),
                      (state, why, consensus, self, chain, last, block, app_hash, block_time,
                       validators, validator, peers, waiting, transactions, best_peer, p2p, rpc))

/// A block that was just committed.
struct committed_block {
    consensus::decide::entry block{};
    app::finalized done{};
};
using committed_ptr = std::shared_ptr<committed_block const>;

/// All that a node is made of. `transport` and `log` may be left out: then it is TCP, and the standard
/// error stream.
struct node_parts {
    config with{};
    crypto::identity me;
    bytes genesis{};  ///< the document, encoded
    chain_kind chain{};
    engine_registry engines = engine_registry::standard();
    std::unique_ptr<net::transport> transport{};
    std::shared_ptr<logger> log{};
    /// Asked now and then while `start` takes long, joining by a snapshot: whether to leave it.
    std::function<bool()> stopping{};
    /// What block times are taken from; it may be wrong and jump. Empty: the system's clock.
    std::function<time_ms()> wall{};
};

/// A node: machine × engine × store × transport, and the loop between them.
///
/// The engine's effects become journal writes, messages and calls of the chain, strictly in order; nothing leaves
/// before what must be durable is. Three threads: one drives engine and chain, one moves bytes of
/// peers, one takes in transactions and serves who is behind. With an empty `home` all is kept in memory.
///
/// A failure of the disk, a fork below what was decided, a decision that the chain cannot execute: it
/// stops and says why (`status().why`); nothing is thrown away.
class node {
public:
    static result<std::unique_ptr<node>, std::string> start(node_parts parts);
    /// Takes decided blocks that were kept elsewhere into a home whose node is stopped, from the one after
    /// its last on: each must be named by its content, follow the one before and be proven final, and is
    /// executed. With `trust`, who brings them vouches for what no certificate proves (finality by depth).
    /// The height reached, or why it stopped there; what came before the refused block is kept.
    static result<height, std::string>
    import(node_parts parts, std::function<std::optional<ledger::logged_block>()> const& next,
           bool trust = false);
    /// Stops it.
    ~node();

    /// Leaves peers, finishes what is being written. Returns when all threads are gone.
    void stop();

    node_status status() const;
    /// False once the node has stopped by itself; waits at most that long for it.
    bool wait(std::int64_t ms) const;

    /// Offers transactions: checked, kept for a block, told to peers. Any thread.
    std::vector<submission> submit(std::span<bytes_view const> raw);
    submission submit(bytes_view raw) { return std::move(submit(std::span{&raw, 1}).front()); }

    chain_view const& view() const;
    chain_forms const& forms() const;
    /// How its questions and messages are written; null where the kind of chain says nothing of it.
    call_forms const* calls() const;
    engine_kind const& engine() const;
    std::vector<net::peer_info> peers() const;
    std::map<std::string, std::int64_t> metrics() const;
    config const& settings() const;
    logger& log() const;
    result<nothing, net::error> dial(std::string const& address);

    /// A block of the log, with what executing it led to where that is still known.
    struct block_info {
        ledger::logged_block block{};
        std::vector<app::tx_result> results{};
        bool executed{};  ///< are the results known?
    };
    std::optional<block_info> block(height at) const;
    struct place {
        height at{};
        std::uint32_t index{};
    };
    /// Where a transaction went; remembered for the last blocks.
    std::optional<place> find(hash256 const& transaction) const;
    consensus::membership validators(height at) const;

    /// Keeps a blob for whoever asks by its name, this node's peers too; or says why not. Any thread.
    result<crypto::cid, std::string> put_blob(bytes_view whole);
    struct blob_state {
        bool held{};
        bool fetching{};
        std::uint64_t size{};  ///< as far as it is known
        std::uint64_t chunks{}, chunks_held{};
        std::string why{};  ///< it is not held, nor fetched
    };
    /// What is known of a blob. One that is not held is asked for from peers from now on: ask again.
    blob_state blob(crypto::cid const& what);
    /// Part of a blob that is held, every byte checked.
    result<bytes, std::string> read_blob(crypto::cid const& what, std::uint64_t from,
                                         std::uint64_t count) const;

    /// Called after each commit, on the engine's thread: be quick. The number ends it.
    std::uint64_t on_block(std::function<void(committed_ptr const&)> tell);
    void forget(std::uint64_t subscription);

    /// For who shows it: where the RPC listens.
    void note_rpc(std::string where);

    class body;

private:
    explicit node(std::unique_ptr<body> made);
    std::unique_ptr<body> body_;
};

}  // namespace blendr::node
