// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <blendr/store/files.hpp>

namespace blendr::store {

inline constexpr std::uint32_t page_size = 4096;
inline constexpr std::uint32_t page_reserved = 8;  // our checksum at each page's end

/// Is this what was written as page `number` (from 1 on)?
bool page_intact(bytes_view page, std::uint32_t number) noexcept;

/// Lets SQLite work on a file layer: all its reads, writes and syncs go there, its locks and shared
/// memory stay in this process (the directory's lock keeps others out). Pages of the database get a
/// checksum when they are written, and are refused when they come back otherwise.
class sqlite_files {
public:
    explicit sqlite_files(file_layer& files);
    ~sqlite_files();
    sqlite_files(sqlite_files const&) = delete;
    sqlite_files& operator=(sqlite_files const&) = delete;

    /// What to pass to sqlite3_open_v2.
    char const* name() const noexcept;

    /// The last thing that went wrong below, once.
    std::optional<io_error> take_error();

    struct impl;

private:
    std::unique_ptr<impl> impl_;
};

}  // namespace blendr::store
