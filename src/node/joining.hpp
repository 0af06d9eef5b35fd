// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <blendr/node/config.hpp>
#include <blendr/node/snapshot_sync.hpp>
#include <blendr/store/database.hpp>
#include <node/history.hpp>

namespace blendr::node {

/// A node's answer to who fetches a whole state; none to what is an answer itself.
std::optional<state_message> answer(state_message const& asked, history const& from,
                                    state_pieces const* pieces);

/// How a node's home opens its database.
store::database::options database_options(config const& with);

/// A home that has no chain yet, filled by snapshot_sync.
///
///     home/data.new   the database that is being filled; afterwards it is home/data, at one stroke
///     home/joining/   good pieces, "<height>-<index>": they outlive a kill
///
/// Until the last moment the home has no chain: whoever is killed begins anew and finds the pieces.
class joiner {
public:
    /// Whether the home has no chain yet.
    static bool may_join(config const& with);

    joiner(config const& with, chain_kind const& kind) : config_{with}, kind_{kind} {}

    /// Removes what an attempt left, once the home has a chain or is to get one of blocks. Not while another
    /// process joins there.
    static void sweep(config const& with);

    result<nothing, std::string> begin(bytes_view genesis, hash256 const& chain,
                                       snapshot_sync::prover proves);
    snapshot_sync& sync() noexcept { return *sync_; }
    /// Once `sync` is done: makes it the home's chain.
    result<height, std::string> install(block_id const& genesis_id, hash256 const& chain);

private:
    std::string in(char const* what) const { return config_.home + '/' + what; }

    config const& config_;
    chain_kind const& kind_;
    std::unique_ptr<store::directory_lock> lock_{};
    std::unique_ptr<store::database> database_{};
    std::unique_ptr<chain> chain_{};
    std::unique_ptr<snapshot_sync> sync_{};
};

}  // namespace blendr::node
