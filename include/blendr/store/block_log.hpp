// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <blendr/ledger/block_log.hpp>
#include <blendr/store/files.hpp>

namespace blendr::store {

struct block_log_options {
    std::uint64_t segment_bytes = std::uint64_t{64} << 20;  ///< a file is closed once it is larger
};

/// The block log on disk: files of records, each named after its first height.
///
///     file   = "blendrlg" ‖ version u32 ‖ 0 u32 ‖ first height u64 ‖ salt u32 ‖ checksum u32
///     record = payload's checksum u32 ‖ its length u32 ‖ height u64 ‖ safe u64 ‖ 0 u32 ‖ checksum u32
///              ‖ payload                      little-endian; CRC-32C, salted so that no block's content
///                                             can be taken for a record
///
/// `safe` is the first height that was not known durable when the record was written. So a damaged
/// record is told from one that a crash tore: if any later record calls it safe, it was durable, and
/// opening fails and names it; otherwise it is the torn tail, which is cut.
///
/// Opening reads the newest file only. A file is finished and synced before the next is begun.
result<std::unique_ptr<ledger::block_log>, io_error>
open_block_log(file_layer& files, std::string directory, block_log_options const& chosen = {});

}  // namespace blendr::store
