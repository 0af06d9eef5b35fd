// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <blendr/ledger/block_log.hpp>
#include <blendr/store/block_log.hpp>
#include <blendr/store/files.hpp>
#include <blendr/store/sqlite_store.hpp>
#include <blendr/store/write_behind.hpp>

namespace blendr::store {

/// A node's directory: the block log and, behind it, the state.
///
///     FORMAT     the version of all this, in text
///     LOCK       held while a process uses the directory
///     log/       the blocks (block_log.hpp)
///     state.db   the state (SQLite), written behind by checkpoints
///
/// A block is durable once the log is synced, its effect on the state later. After a crash: replay the
/// blocks above `state().durable()`, all of which the log holds; opening refuses a directory where that
/// is not so. Whatever was torn or lost, what was durable is there, or it is an error with a name.
class database {
public:
    static constexpr std::uint32_t version = 1;

    struct options {
        block_log_options log{};
        sqlite_options sqlite{};
        write_behind_options behind{};
    };

    /// Makes the directory if there is none. Refuses one that another process uses (`in_use`), that a
    /// newer version wrote (`newer`), that is read-only (`denied`) or damaged (`corrupt`, `missing`).
    static result<std::unique_ptr<database>, io_error>
    open(std::string directory, options const& chosen, file_layer& files = system_files());
    static result<std::unique_ptr<database>, io_error> open(std::string directory);

    /// Lets the state catch up with what it was given, if it can.
    ~database();

    ledger::block_log& log() noexcept { return *log_; }
    write_behind& state() noexcept { return *state_; }

    /// The blocks to execute again after opening: those above the durable state.
    struct replay {
        height from{};
        height to{};  ///< below `from` when there is nothing to do
    };
    replay to_replay() const;

    /// Lets blocks below go, but none that the state still needs after a crash.
    result<nothing, io_error> prune(height below);

    /// Reads everything on disk, and names the first thing that is damaged or does not fit together.
    result<nothing, io_error> check() const;

private:
    database() = default;
    result<nothing, io_error> fits() const;

    std::string directory_;
    std::unique_ptr<directory_lock> lock_;
    std::unique_ptr<ledger::block_log> log_;
    std::unique_ptr<write_behind> state_;
};

}  // namespace blendr::store
