// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/state/tree.hpp>

#if defined(__linux__)
#include <sys/mman.h>
#endif

/// What a tree is made of: nodes by index, in arrays that never move, and what led from one version of
/// them to the next.
namespace blendr::state::nodes {

/// A leaf or an inner node by index, or nothing.
using ref = std::uint32_t;
constexpr ref none = 0xffffffff;
constexpr ref leaf_flag = 0x80000000;
constexpr bool is_leaf(ref r) noexcept { return (r & leaf_flag) != 0; }  // `none` excluded before
constexpr std::uint32_t index_of(ref r) noexcept { return r & ~leaf_flag; }

/// Where an inner node leads. `path` holds the branching bit (8 bits) and the 24 key bits before it,
/// which all keys below share: enough to see, without a leaf, whether a key belongs below.
struct links {
    ref left;
    ref right;
    std::uint32_t path;
    unsigned bit() const noexcept { return path & 0xff; }
    std::uint32_t before() const noexcept { return path >> 8; }
};
constexpr unsigned before_bits = 24;
static_assert(sizeof(links) == 12 && sizeof(leaf) == 64);

/// An array that grows without moving: blocks of doubling size. Elements never move, so readers need
/// no lock for what was published to them.
template <class T>
class blocks {
public:
    blocks() = default;
    blocks(blocks const&) = delete;
    blocks& operator=(blocks const&) = delete;
    ~blocks()
    {
        for (unsigned b = 0; b < blocks_; ++b) ::operator delete(at_[b], alignment_of(b));
    }

    T& operator[](std::uint32_t i) noexcept
    {
        auto const [block, offset] = locate(i);
        return at_[block][offset];
    }
    T const& operator[](std::uint32_t i) const noexcept
    {
        auto const [block, offset] = locate(i);
        return at_[block][offset];
    }

    /// Makes room for indices below `size`.
    void reach(std::uint64_t size)
    {
        while (capacity_ < size) {
            unsigned const block = blocks_++;
            std::size_t const count = count_of(block);
            void* const raw = ::operator new(count * sizeof(T), alignment_of(block));
#if defined(__linux__)
            // Random reads over a large state mostly miss the TLB; huge pages mend that.
            if (alignment_of(block) == huge)
                ::madvise(raw, count * sizeof(T) / huge_page * huge_page, MADV_HUGEPAGE);
#endif
            at_[block] = static_cast<T*>(raw);
            capacity_ += count;
        }
    }

private:
    static constexpr unsigned first_log = 8;
    static constexpr std::size_t huge_page = std::size_t{1} << 21;
    static constexpr std::align_val_t huge{huge_page};
    static constexpr std::size_t count_of(unsigned block) noexcept
    {
        return std::size_t{1} << (first_log + block);
    }
    static constexpr std::align_val_t alignment_of(unsigned block) noexcept
    {
        return count_of(block) * sizeof(T) >= huge_page ? huge : std::align_val_t{64};
    }
    static std::pair<unsigned, std::size_t> locate(std::uint32_t i) noexcept
    {
        std::uint64_t const shifted = std::uint64_t{i} + (1u << first_log);
        auto const top = static_cast<unsigned>(std::bit_width(shifted)) - 1;
        return {top - first_log, shifted - (std::uint64_t{1} << top)};
    }

    std::array<T*, 32 - first_log + 1> at_{};
    unsigned blocks_ = 0;
    std::uint64_t capacity_ = 0;
};

/// Indices: handed out in runs to whoever works in parallel, taken back one by one.
class indices {
public:
    template <class Grow>
    void take(std::vector<std::uint32_t>& into, std::size_t count, Grow&& grow)
    {
        std::lock_guard const lock{mutex_};
        std::size_t const reused = std::min(count, free_.size());
        into.insert(into.end(), free_.end() - static_cast<std::ptrdiff_t>(reused), free_.end());
        free_.resize(free_.size() - reused);
        if (reused == count) return;
        std::uint64_t const size = end_ + (count - reused);
        BLENDR_ASSERT(size <= tree::rows_max);
        grow(size);
        // Runs are used from the back, so that fresh indices come out in order.
        for (std::uint64_t i = size; i-- > end_;) into.push_back(static_cast<std::uint32_t>(i));
        end_ = size;
    }
    void give(std::span<std::uint32_t const> back)
    {
        std::lock_guard const lock{mutex_};
        free_.insert(free_.end(), back.rbegin(), back.rend());
    }
    std::uint64_t end() const
    {
        std::lock_guard const lock{mutex_};
        return end_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::uint32_t> free_;
    std::uint64_t end_ = 0;
};

/// The hashes of an inner node's two sides: with the bit, what its own hash is made of. It lies in
/// one cache line, so that an update costs one line for each node above the row.
struct alignas(64) sides {
    hash256 left;
    hash256 right;

    hash256& operator[](bool on_right) noexcept { return on_right ? right : left; }
    hash256 const& operator[](bool on_right) const noexcept { return on_right ? right : left; }
};
static_assert(sizeof(sides) == 64);

struct arena {
    blocks<links> link;
    blocks<sides> pair;  // a node's own hash lies in the node above, the top's in the version
    blocks<leaf> rows;
    indices inner_ids;
    indices leaf_ids;

    std::size_t memory() const
    {
        return inner_ids.end() * (sizeof(links) + sizeof(sides)) + leaf_ids.end() * sizeof(leaf);
    }
    leaf const& some_leaf(ref r) const
    {
        while (!is_leaf(r)) r = link[r].left;
        return rows[index_of(r)];
    }
};

/// What one version changed in nodes that its parent has too, and how it was before. Nodes hold the
/// state of one version, the working one; exchanging a version's entries with them leads from that
/// version to its parent, exchanging them again leads back.
struct journal {
    struct side_entry {
        std::uint32_t at;  // node, and in the lowest bit its side
        hash256 other;
    };
    struct link_entry {
        std::uint32_t at;
        links other;
    };
    struct value_entry {
        std::uint32_t at;
        hash256 other;
    };
    std::vector<side_entry> hashes;
    std::vector<link_entry> structure;
    std::vector<value_entry> values;
    std::vector<std::uint32_t> created_inner, created_leaf;  // until it is decided
    std::vector<std::uint32_t> removed_inner, removed_leaf;  // alive in the parent, not here

    void exchange(arena& with)
    {
        constexpr std::size_t ahead = 32;
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            if (i + ahead < hashes.size())
                __builtin_prefetch(&with.pair[hashes[i + ahead].at >> 1], 1);
            std::swap(with.pair[hashes[i].at >> 1][(hashes[i].at & 1) != 0], hashes[i].other);
        }
        for (auto& e : structure) std::swap(with.link[e.at], e.other);
        for (auto& e : values) std::swap(with.rows[e.at].value, e.other);
    }
    void clear()
    {
        hashes.clear();
        structure.clear();
        values.clear();
        for (auto* ids : {&created_inner, &created_leaf, &removed_inner, &removed_leaf})
            ids->clear();
    }
    std::size_t memory() const
    {
        return hashes.size() * sizeof(side_entry) + structure.size() * sizeof(link_entry) +
               values.size() * sizeof(value_entry) +
               (created_inner.size() + created_leaf.size() + removed_inner.size() +
                removed_leaf.size()) *
                   sizeof(std::uint32_t);
    }
};

inline std::uint64_t head_of(hash256 const& key) noexcept
{
    std::uint64_t head = 0;
    for (unsigned i = 0; i < 8; ++i) head = head << 8 | std::to_integer<std::uint64_t>(key[i]);
    return head;
}

/// Without a loop over bytes, which is what a compiler makes of ==.
inline bool same(hash256 const& a, hash256 const& b) noexcept
{
    return std::memcmp(a.data(), b.data(), a.size()) == 0;
}

/// The first bit at which two keys differ; 256 if none.
inline unsigned first_difference(hash256 const& a, hash256 const& b) noexcept
{
    for (unsigned i = 0; i < 32; i += 8) {
        std::uint64_t x = 0, y = 0;
        std::memcpy(&x, a.data() + i, 8);
        std::memcpy(&y, b.data() + i, 8);
        if (x == y) continue;
        unsigned byte = i;
        while (a[byte] == b[byte]) ++byte;
        auto const differing = std::to_integer<unsigned>(a[byte] ^ b[byte]);
        return 8 * byte +
               static_cast<unsigned>(std::countl_zero(static_cast<std::uint8_t>(differing)));
    }
    return 256;
}

}  // namespace blendr::state::nodes
