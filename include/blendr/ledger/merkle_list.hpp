// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/blake2b_lanes.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::ledger {

inline constexpr crypto::domain list_node_domain{"list.node/1"};
inline constexpr crypto::domain list_root_domain{"list.root/1"};

/// That an element stands at a place of a list, shown to whoever knows the list's root.
struct list_proof {
    std::uint64_t index{};
    std::uint64_t count{};
    bounded<std::vector<hash256>, 64> path{};  ///< siblings, lowest first, where there is one

    friend bool operator==(list_proof const&, list_proof const&) = default;
};
BOOST_DESCRIBE_STRUCT(list_proof, (), (index, count, path))

namespace impl {

inline hash256 list_root_of(std::uint64_t count, hash256 const& top)
{
    crypto::hasher out{list_root_domain};
    out.update(encode(count)).update(top);
    return out.finish();
}

/// The level above, in place, hashed in lanes. A last node without a sibling moves up as it is.
inline std::size_t list_level_up(std::span<hash256> level)
{
    static_assert(sizeof(hash256) == 32);
    constexpr std::size_t batch = 128;
    std::array<hash256, batch> out;
    std::size_t const pairs = level.size() / 2;
    for (std::size_t begin = 0; begin < pairs; begin += batch) {
        auto const count = std::min(batch, pairs - begin);
        auto const in = std::as_bytes(level.subspan(2 * begin, 2 * count));
        crypto::blake2b_256_many(list_node_domain.state(), in, 64, std::span{out}.first(count));
        std::copy_n(out.begin(), count, level.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    if (level.size() % 2 != 0) level[pairs] = level.back();
    return pairs + level.size() % 2;
}

}  // namespace impl

/// The root of a list of hashes: binary, in order, its length bound in, so that no two lists share a
/// root. Uses `leaves` up as working space.
inline hash256 list_root(std::vector<hash256>&& leaves)
{
    auto const count = leaves.size();
    std::span<hash256> level{leaves};
    while (level.size() > 1) level = level.first(impl::list_level_up(level));
    return impl::list_root_of(count, level.empty() ? hash256{} : level.front());
}

inline hash256 list_root(std::span<hash256 const> leaves)
{
    return list_root(std::vector<hash256>{leaves.begin(), leaves.end()});
}

/// Shows that leaves[index] is where it is. `index` must be inside.
inline list_proof prove(std::span<hash256 const> leaves, std::uint64_t index)
{
    BLENDR_ASSERT(index < leaves.size());
    list_proof out{index, leaves.size(), {}};
    std::vector<hash256> work{leaves.begin(), leaves.end()};
    std::span<hash256> level{work};
    while (level.size() > 1) {
        auto const sibling = static_cast<std::size_t>(index ^ 1);
        if (sibling < level.size()) out.path.push_back(level[sibling]);
        level = level.first(impl::list_level_up(level));
        index /= 2;
    }
    return out;
}

/// Whether `proof` shows that `leaf` stands at proof.index in the list of that root. Needs nothing
/// else, takes any input, and accepts exactly one proof for each place.
inline bool verify(hash256 const& root, hash256 const& leaf, list_proof const& proof)
{
    if (proof.index >= proof.count) return false;
    auto at = leaf;
    auto index = proof.index;
    std::size_t used = 0;
    for (auto width = proof.count; width > 1; width = width / 2 + width % 2, index /= 2) {
        if ((index ^ 1) >= width) continue;
        if (used == proof.path.size()) return false;
        auto const& sibling = proof.path[used++];
        at = index % 2 == 0 ? crypto::hash(list_node_domain, at, sibling)
                            : crypto::hash(list_node_domain, sibling, at);
    }
    return used == proof.path.size() && impl::list_root_of(proof.count, at) == root;
}

}  // namespace blendr::ledger
