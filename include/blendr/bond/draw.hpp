// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::bond {

inline constexpr crypto::domain draw_domain{"verify.draw/1"};
inline constexpr std::uint32_t million = 1'000'000;

/// Blocks from an event until a beacon can be read in which nobody's knowledge at the event has a
/// part: the next block makes it, and contracts read beacons two blocks later.
inline constexpr std::uint64_t blocks_until_unknown = 3;

/// The seed of a draw: nobody knows it before the beacon, everybody has it afterwards. `purpose`
/// tells draws of one beacon apart (a task's hash and what is drawn for it).
hash256 seed_of(hash256 const& beacon, bytes_view purpose) noexcept;

/// Draws up to `count` different candidates, each with a chance in proportion to its weight among
/// those that are left. Candidates are bonds, one entry each, in an order that all nodes share; one
/// of weight zero is never drawn. Returns their places in the order of drawing: fewer than `count`
/// when there are no more. Who asks for more gets the same ones first.
///
/// Replicas are drawn after bids are locked, so that a bidder cannot know whom it would have to
/// bribe, nor buy the whole quorum by being cheap.
std::vector<std::uint32_t> draw(hash256 const& seed, std::span<weight const> candidates,
                                std::uint32_t count);

/// The same by owners: as many different ones as asked for, if there are, none of them `excluded`.
/// Returns the place of the bond by which each was drawn.
std::vector<std::uint32_t> draw_owners(hash256 const& seed, std::span<weight const> candidates,
                                       std::span<crypto::address const> owners,
                                       std::span<crypto::address const> excluded,
                                       std::uint32_t count);

/// True with a chance of `part_per_million`, fixed by the seed.
bool chosen(hash256 const& seed, std::uint32_t part_per_million) noexcept;

}  // namespace blendr::bond
