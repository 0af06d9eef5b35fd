// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <blendr/state/store.hpp>
#include <blendr/store/files.hpp>

namespace blendr::store {

struct sqlite_options {
    std::size_t cache_bytes = std::size_t{32} << 20;  ///< pages that the writer keeps in memory
};

/// A key-value store in one SQLite database (WAL, synchronous = FULL): what write accepts is durable.
/// It costs a sync and, for keys in random order, a page a row: put a write_behind before it.
///
/// Reads see the last committed batch and never wait for a write. Every page carries a checksum, so a
/// damaged one is an error that names it, never a wrong row. After a failed write everything further
/// is refused (`stopped`) until it is opened again.
result<std::unique_ptr<state::store>, io_error> open_sqlite(file_layer& files, std::string path,
                                                            sqlite_options const& chosen = {});

}  // namespace blendr::store
