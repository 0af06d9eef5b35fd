// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <blendr/consensus/engine.hpp>
#include <blendr/ledger/block_log.hpp>
#include <blendr/node/record_file.hpp>

namespace blendr::node {

/// What was decided, and who voted when: all that an engine is started from and that others ask for.
///
/// The block log holds blocks one by one; a block that was decided together with later ones has no
/// finality of its own. The file `sets` holds every set of validators with the first height that it is
/// in force at: a new one is durable before the state that it follows from.
///
/// One thread decides; any thread reads.
class history {
public:
    /// `genesis` names the block before the first.
    static result<std::unique_ptr<history>, io_error>
    open(ledger::block_log& log, store::file_layer& files, std::string const& directory,
         block_id const& genesis, hash256 const& chain);

    /// The last height whose block and why it is final are both held.
    height last() const;
    bool has_sets() const;

    /// Makes sure that the set in force from that height on is kept, durably.
    result<nothing, io_error> learn_set(height from, app::validator_set const& set);
    consensus::membership set_at(height at) const;
    height sets_known() const;  ///< sets up to this height are known

    /// Writes blocks behind the log; those that it has are skipped.
    result<nothing, io_error> append(consensus::decide const& what);
    result<nothing, io_error> sync();

    result<consensus::checkpoint, io_error> checkpoint() const;
    /// Whole decisions, the first holding `from`.
    result<std::vector<consensus::decide>, io_error> load(height from, std::size_t bytes_max,
                                                          std::size_t count_max) const;
    result<std::optional<ledger::logged_block>, io_error> block(height at) const;
    std::optional<ledger::block_log::range> held() const { return log_.held(); }

    static std::optional<consensus::finality> finality_of(ledger::logged_block const& from);

private:
    struct epoch {
        height from{};
        app::validator_set set{};
    };
    history(ledger::block_log& log, block_id const& genesis, hash256 const& chain)
        : log_{log},
          genesis_{genesis},
          chain_{chain}
    {}
    consensus::membership set_at_locked(height at) const;

    ledger::block_log& log_;
    block_id genesis_;
    hash256 chain_;
    std::unique_ptr<record_file> file_{};
    mutable std::mutex mutex_{};
    std::vector<epoch> epochs_{};
    height known_{};
    height last_{};
    bool dirty_ = false;
};

}  // namespace blendr::node
