// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/result.hpp>
#include <blendr/state/store.hpp>

/// The files under a store, as little of them as it takes. Everything that this library keeps on disk,
/// SQLite included, goes through here, so that a test can lose, tear and refuse any of it.
namespace blendr::store {

using state::io_error;
using state::io_fault;

/// An open file. Reads may come from any thread at any time; one thread at a time writes.
class file {
public:
    virtual ~file() = default;

    /// Fills `into` from `offset` on; fewer bytes only at the file's end.
    virtual result<std::size_t, io_error> read(std::uint64_t offset,
                                               std::span<std::byte> into) const = 0;
    /// After an error any part of it may have been written.
    virtual result<nothing, io_error> write(std::uint64_t offset, bytes_view data) = 0;
    virtual result<nothing, io_error> truncate(std::uint64_t size) = 0;
    /// What was written is durable once this succeeds. After a failure nobody knows: do not go on.
    virtual result<nothing, io_error> sync() = 0;
    virtual result<std::uint64_t, io_error> size() const = 0;
};

enum class open_mode : std::uint8_t {
    read,    ///< must exist
    write,   ///< must exist
    create,  ///< made if it does not exist
    own,     ///< as create, and other processes find it locked
};

/// Held while a directory is in use; letting it go frees the directory.
class directory_lock {
public:
    virtual ~directory_lock() = default;
};

/// Where files are. Paths are separated by '/'. A new, renamed or removed file is durable only once its
/// directory is synced. Any thread may call.
class file_layer {
public:
    virtual ~file_layer() = default;

    virtual result<std::unique_ptr<file>, io_error> open(std::string const& path,
                                                         open_mode mode) = 0;
    virtual result<nothing, io_error> remove(std::string const& path) = 0;
    /// Over an existing file too, at one stroke.
    virtual result<nothing, io_error> rename(std::string const& from, std::string const& to) = 0;
    /// The names of the files in a directory, sorted.
    virtual result<std::vector<std::string>, io_error> list(std::string const& directory) = 0;
    /// Makes it, and those above it, where missing.
    virtual result<nothing, io_error> make_directory(std::string const& directory) = 0;
    virtual result<nothing, io_error> sync_directory(std::string const& directory) = 0;
    /// Refuses with `in_use` while another holder, of this or another process, lives.
    virtual result<std::unique_ptr<directory_lock>, io_error>
    lock(std::string const& directory) = 0;
};

/// The system's own files.
file_layer& system_files();

/// Files in memory, with the failures that real ones have but rarely when a test looks.
///
/// A crash keeps what was synced. Of everything else it loses a random part: single writes, a write's
/// end, new names. The same seed gives the same ruin.
class memory_files final : public file_layer {
public:
    memory_files();
    ~memory_files() override;

    result<std::unique_ptr<file>, io_error> open(std::string const& path, open_mode mode) override;
    result<nothing, io_error> remove(std::string const& path) override;
    result<nothing, io_error> rename(std::string const& from, std::string const& to) override;
    result<std::vector<std::string>, io_error> list(std::string const& directory) override;
    result<nothing, io_error> make_directory(std::string const& directory) override;
    result<nothing, io_error> sync_directory(std::string const& directory) override;
    result<std::unique_ptr<directory_lock>, io_error> lock(std::string const& directory) override;

    /// How often something was changed or synced so far: the points at which a failure can be planned.
    std::uint64_t operations() const;

    enum class failure : std::uint8_t {
        power,       ///< from this operation on everything fails, until `crash`
        full,        ///< the disk is full for that one write, of which a part arrives
        full_after,  ///< the disk is full from then on, until `crash`
        io,          ///< that one operation fails; a failed sync loses what it should have synced
    };
    /// Plans a failure at operation number `at` (as `operations` counts).
    void fail_at(std::uint64_t at, failure what);

    /// The machine went off and is on again. Handles from before are dead, locks are free.
    void crash(rng& random);

    /// Damages what is stored: flips a bit of a file. False if it is not that long.
    bool flip(std::string const& path, std::uint64_t byte, unsigned bit);
    /// Cuts a file as if it had never been longer, durably.
    bool cut(std::string const& path, std::uint64_t size);
    /// From now on nothing can be changed.
    void make_read_only(bool on);

    struct disk;

private:
    std::shared_ptr<disk> disk_;
};

}  // namespace blendr::store
