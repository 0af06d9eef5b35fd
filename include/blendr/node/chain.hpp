// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include <blendr/app/snapshots.hpp>
#include <blendr/app/types.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/state/store.hpp>

namespace blendr::node {

/// What a chain is made with.
struct chain_setup {
    std::shared_ptr<state::store> store{};  ///< null: in memory
    std::optional<crypto::identity> me{};
    unsigned threads = 0;
    std::size_t mempool_bytes = std::size_t{64} << 20;
    std::uint64_t snapshot_every = 0;  ///< blocks; 0: its state is not handed out
    std::size_t snapshots_kept = 2;
};

/// A transaction that was not taken: its frozen code, and why in words.
struct refusal {
    std::uint32_t code{};
    std::string reason{};
};
using submission = result<hash256, refusal>;

/// What any thread may ask of a chain at any time. It shows the last commit.
class chain_view {
public:
    virtual ~chain_view() = default;
    virtual app::info last() const = 0;
    virtual app::query_result query(std::string_view path, bytes_view key) const = 0;
    /// Offers transactions for a block of this node's; one answer each, in order.
    virtual std::vector<submission> submit(std::span<bytes_view const> raw) = 0;
    /// A transaction that waits for a block.
    virtual std::optional<bytes> waiting(hash256 const& id) const = 0;
    virtual std::size_t waiting_count() const = 0;
    /// Checks a payload's signatures before its turn comes, where that is possible.
    virtual void look_ahead(bytes_view payload) = 0;
};

/// A chain's whole state in pieces: `app::snapshot_application`, call by call, with its promises.
class state_pieces {
public:
    virtual ~state_pieces() = default;
    virtual std::vector<app::snapshot> snapshots() const = 0;
    virtual std::optional<bytes> chunk(height at, std::uint32_t index) const = 0;
    virtual bool offer(app::snapshot const& which, hash256 const& trusted) = 0;
    virtual app::chunk_verdict restore(std::uint32_t index, bytes_view raw) = 0;
};

/// A chain's state machine behind one virtual wall: `app::application`, call by call, with its order and
/// its promises. One thread at a time drives it.
class chain : public chain_view {
public:
    struct opened {
        app::info last{};
        std::optional<app::validator_set> begun{};  ///< when the chain began right now
    };
    /// Takes up what the store holds, or begins from the genesis document.
    virtual result<opened, std::string> open(bytes_view genesis) = 0;
    virtual std::optional<bytes> propose(app::proposal_context const& at,
                                         std::size_t bytes_max) = 0;
    virtual std::optional<app::verdict> verify(app::proposal_context const& at, block_id const& id,
                                               bytes_view payload) = 0;
    virtual app::finalized finalize(app::proposal_context const& at, block_id const& id,
                                    bytes_view payload) = 0;
    virtual height commit() = 0;
    /// Why it cannot go on, when its store failed. The log has all that was decided.
    virtual std::optional<std::string> failure() const = 0;
    /// Null where its state is not handed out and taken in as a whole.
    virtual state_pieces* pieces() noexcept { return nullptr; }
};

/// How people and programs read what a chain's bytes mean. Pure functions.
class chain_forms {
public:
    virtual ~chain_forms() = default;
    /// The genesis document of its JSON text; or the place and the fault.
    virtual result<bytes, std::string> genesis(std::string_view json) const = 0;
    /// {"contract/table": {"key": schema…}}: what may be queried.
    virtual std::vector<std::string> tables() const = 0;
    virtual result<bytes, std::string> key(std::string_view table,
                                           boost::json::value const& json) const = 0;
    virtual result<boost::json::value, std::string> row(std::string_view table,
                                                        bytes_view raw) const = 0;
    virtual result<boost::json::value, std::string> transaction(bytes_view raw) const = 0;
    /// What became of a transaction: its receipt, the code's name and a sentence with it.
    virtual boost::json::value receipt(app::tx_result const& done) const = 0;
    /// Header and transactions of a payload.
    struct block_parts {
        boost::json::value header{};
        std::vector<bytes_view> transactions{};
        std::vector<hash256> ids{};
    };
    virtual result<block_parts, std::string> block(bytes_view payload) const = 0;
};

/// How people and programs write what they ask of a chain and tell it. Pure functions.
class call_forms {
public:
    virtual ~call_forms() = default;
    /// "bank.transfer --to <to> --value <value>", for every message.
    virtual std::vector<std::string> messages() const = 0;
    /// A message, encoded, of {"bank.transfer": {"to": …, "value": …}}; or what is wrong with it.
    virtual result<bytes, std::string> message(boost::json::value const& json) const = 0;
    /// A message of words as they stand on a command line.
    virtual result<bytes, std::string> message(std::span<std::string_view const> words) const = 0;
    /// "market/depth --of <of> --levels <levels>", for every query.
    virtual std::vector<std::string> queries() const = 0;
    virtual result<bytes, std::string> question(std::string_view path,
                                                boost::json::value const& json) const = 0;
    virtual result<boost::json::value, std::string> answer(std::string_view path,
                                                           bytes_view raw) const = 0;
};

/// How a genesis document says which chain it begins, where evidence is judged by the name under which
/// the engine signs. That name depends on the document, so the document is named without it.
class genesis_forms {
public:
    virtual ~genesis_forms() = default;
    /// The document without the chain's name in it, and the name, if it says one.
    struct named {
        bytes bare{};
        std::optional<hash256> name{};
    };
    virtual named naming(bytes_view genesis) const = 0;
    /// With that name; what says none is left as it is.
    virtual bytes renamed(bytes_view genesis, hash256 const& name) const = 0;
    /// As people write it.
    virtual result<boost::json::value, std::string> json(bytes_view genesis) const = 0;
};

/// All that a node needs to know about a kind of chain.
struct chain_kind {
    std::function<std::unique_ptr<chain>(chain_setup)> make{};
    std::shared_ptr<chain_forms const> forms{};
    std::shared_ptr<call_forms const> calls{};
    std::shared_ptr<genesis_forms const> beginnings{};
};

}  // namespace blendr::node
