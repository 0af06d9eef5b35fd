// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <blendr/core/bytes.hpp>

namespace blendr::consensus {

/// The target that takes `difficulty` hashes to meet on average: 2^256 / difficulty, rounded down,
/// most significant byte first. Difficulty 0 counts as 1.
hash256 target_of(std::uint64_t difficulty) noexcept;

/// Whether a hash, read as a number with its most significant byte first, is no more than the target.
bool meets(hash256 const& hash, hash256 const& target) noexcept;

/// The default proof of work: memory-hard, made of 32-bit integer operations, for GPUs.
///
/// A table of `table_words` words grows from a fixed seed, each word from its left neighbour and an
/// earlier word. A hash mixes header and seal into sixteen 32-bit lanes and makes `steps` dependent reads of
/// 64-byte lines, each place depending on what was read before, so that memory latency and bandwidth
/// bound it. The table (4 MiB) fits a verifier's memory and no on-chip cache of a miner with
/// thousands of lanes. No floats, no division, no branches on data: lanes run in step.
struct memory_hard {
    static constexpr std::size_t table_words = std::size_t{1} << 20;
    static constexpr unsigned steps = 64;
    static constexpr std::size_t seal_size = 8;

    hash256 hash(hash256 const& header, bytes_view seal) const;

    /// The policy of `nakamoto`: whether this seal is enough work.
    bool operator()(hash256 const& header, hash256 const& target, bytes_view seal) const
    {
        return seal.size() == seal_size && meets(hash(header, seal), target);
    }
};

}  // namespace blendr::consensus
