// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/crypto/blake2b_lanes.hpp>
#include <blendr/state/tree.hpp>

#include "state/tree_nodes.hpp"

/// How a batch of changes becomes a new version.
namespace blendr::state::nodes {

/// The changes in key order. Keeps the first 64 bits of each key at hand: nearly all comparisons need
/// no more.
class batch {
public:
    /// Looks at `from` until the next call.
    void assign(std::span<change const> from)
    {
        BLENDR_ASSERT(from.size() <= tree::rows_max);
        from_ = from;
        order_.resize(from.size());
        for (std::uint32_t i = 0; i < from.size(); ++i) order_[i] = {head_of(from[i].key), i};
        sort();
    }

    std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(order_.size()); }
    change const& operator[](std::uint32_t i) const noexcept { return from_[order_[i].index]; }
    hash256 const& key(std::uint32_t i) const noexcept { return (*this)[i].key; }

    bool bit(std::uint32_t i, unsigned at) const noexcept
    {
        return at < 64 ? (order_[i].head >> (63 - at) & 1) != 0 : bit_at(key(i), at);
    }

    /// The 24 bits before `at`, missing ones zero.
    std::uint32_t before(std::uint32_t i, unsigned at) const noexcept
    {
        if (at == 0) return 0;
        if (at <= 64) return static_cast<std::uint32_t>(order_[i].head >> (64 - at)) & 0xffffff;
        std::uint32_t out = 0;
        for (unsigned b = at - before_bits; b < at; ++b)
            out = out << 1 | (bit_at(key(i), b) ? 1u : 0u);
        return out;
    }

    unsigned difference(std::uint32_t a, std::uint32_t b) const noexcept
    {
        std::uint64_t const x = order_[a].head ^ order_[b].head;
        if (x != 0) return static_cast<unsigned>(std::countl_zero(x));
        return first_difference(key(a), key(b));
    }

    /// The first of [lo, hi) whose key has this bit set; all bits above are the same.
    std::uint32_t split(std::uint32_t lo, std::uint32_t hi, unsigned at) const noexcept
    {
        while (lo < hi) {
            std::uint32_t const mid = lo + (hi - lo) / 2;
            if (bit(mid, at))
                hi = mid;
            else
                lo = mid + 1;
        }
        return lo;
    }

private:
    struct entry {
        std::uint64_t head;
        std::uint32_t index;
    };

    void sort()
    {
        // The highest 33 bits in three counting passes; what is still equal then is compared.
        constexpr unsigned digit = 11, passes = 3, rest = 64 - digit * passes;
        constexpr std::size_t counting_from = 512;
        bool const counted = order_.size() >= counting_from;
        if (counted) {
            other_.resize(order_.size());
            for (unsigned pass = 0; pass < passes; ++pass) {
                unsigned const shift = rest + digit * pass;
                auto const value = [shift](entry const& e) {
                    return e.head >> shift & ((1u << digit) - 1);
                };
                std::array<std::uint32_t, 1u << digit> place{};
                for (auto const& e : order_) ++place[value(e)];
                std::uint32_t sum = 0;
                for (auto& p : place) sum += std::exchange(p, sum);
                for (auto const& e : order_) other_[place[value(e)]++] = e;
                order_.swap(other_);
            }
        }
        auto const less = [this](entry const& a, entry const& b) {
            return a.head != b.head ? a.head < b.head : from_[a.index].key < from_[b.index].key;
        };
        for (std::size_t begin = 0; begin < order_.size();) {
            std::size_t end = counted ? begin + 1 : order_.size();
            while (end < order_.size() && order_[end].head >> rest == order_[begin].head >> rest)
                ++end;
            if (end - begin > 1)
                std::sort(order_.begin() + static_cast<std::ptrdiff_t>(begin),
                          order_.begin() + static_cast<std::ptrdiff_t>(end), less);
            begin = end;
        }
        for (std::uint32_t i = 1; i < order_.size(); ++i)  // one change a key at most
            BLENDR_ASSERT(order_[i - 1].head != order_[i].head || key(i - 1) != key(i));
    }

    std::span<change const> from_;
    std::vector<entry> order_, other_;
};

/// A place in the trie to which changes [lo, hi) go. First it is looked at, which makes the places
/// below it; then it is settled, which gives the node that stands there from now on.
struct place {
    ref at;  // what stands there; after settling: what stands there now
    std::uint32_t lo, hi;
    std::uint32_t path;   // before the look: how many key bits all of it share; then as links::path
    ref left, right;      // the sides as they are, where no place below changes them
    std::uint32_t below;  // the first place below, the left one if there are two
    bool branches;        // otherwise `at` is settled already
    bool at_node;         // it branches where `at` does
    bool below_left, below_right;
};
static_assert(sizeof(place) == 32);

/// Works on disjoint subtrees: down level by level, then up level by level.
class worker {
public:
    explicit worker(arena& in) : arena_{in} {}

    struct outcome {
        std::vector<std::uint32_t> created_inner, created_leaf, replaced_inner, replaced_leaf;
        std::ptrdiff_t grown = 0;  // rows added less rows removed

        void clear()
        {
            for (auto* list : {&created_inner, &created_leaf, &replaced_inner, &replaced_leaf})
                list->clear();
            grown = 0;
        }
    };
    outcome done;

    void begin(batch const& of, std::span<place const> roots)
    {
        batch_ = &of;
        done.clear();
        if (levels_.empty()) levels_.resize(1);
        levels_[0].assign(roots.begin(), roots.end());
    }

    std::vector<place>& level(std::size_t at) { return levels_[at]; }

    /// Looks at level `at` and makes the one below it. False when that has no places.
    bool descend(std::size_t at)
    {
        if (levels_.size() < at + 2) levels_.resize(at + 2);
        auto& here = levels_[at];
        next_ = &levels_[at + 1];
        next_->clear();
        for (std::size_t i = 0; i < here.size(); ++i) {
            if (i + ahead < here.size()) prefetch(here[i + ahead]);
            look(here[i]);
        }
        return !next_->empty();
    }

    /// Settles level `at`, once the level below is settled.
    void settle(std::size_t at)
    {
        jobs_.clear();
        auto const& below = levels_[at + 1];
        for (auto& p : levels_[at])
            if (p.branches) settle(p, below);
        hash_jobs();
    }

    void run()
    {
        std::size_t depth = 0;
        while (descend(depth)) ++depth;
        for (std::size_t at = depth + 1; at-- > 0;) settle(at);
    }

    /// Gives unused indices back.
    void finish()
    {
        arena_.inner_ids.give(inner_run_);
        arena_.leaf_ids.give(leaf_run_);
        inner_run_.clear();
        leaf_run_.clear();
    }

private:
    static constexpr std::size_t ahead = 12;
    static constexpr std::size_t run_size = 256;
    static constexpr std::size_t chunk = 256;

    struct job {
        ref node, left, right;
        unsigned bit;
    };

    // Inlined by force: a compiler may drop calls of a function that only prefetches.
    [[gnu::always_inline]] void prefetch(place const& p) const
    {
        if (p.at == none || is_leaf(p.at)) __builtin_prefetch(&(*batch_)[p.lo]);
        if (p.at == none) return;
        if (is_leaf(p.at))
            __builtin_prefetch(&arena_.rows[index_of(p.at)]);
        else
            __builtin_prefetch(&arena_.link[p.at]);
    }
    [[gnu::always_inline]] void prefetch_hash(ref r) const
    {
        if (is_leaf(r))
            __builtin_prefetch(&arena_.rows[index_of(r)]);
        else
            __builtin_prefetch(&arena_.hashed[r]);
    }

    ref make_leaf(change const& from)
    {
        if (leaf_run_.empty())
            arena_.leaf_ids.take(leaf_run_, run_size,
                                 [this](std::uint64_t size) { arena_.rows.reach(size); });
        std::uint32_t const id = leaf_run_.back();
        leaf_run_.pop_back();
        if (leaf_run_.size() >= ahead)
            __builtin_prefetch(&arena_.rows[leaf_run_[leaf_run_.size() - ahead]], 1);
        done.created_leaf.push_back(id);
        arena_.rows[id] = leaf{from.key, *from.value};
        return id | leaf_flag;
    }

    ref take_inner()
    {
        if (inner_run_.empty())
            arena_.inner_ids.take(inner_run_, run_size, [this](std::uint64_t size) {
                arena_.link.reach(size);
                arena_.hashed.reach(size);
            });
        std::uint32_t const id = inner_run_.back();
        inner_run_.pop_back();
        if (inner_run_.size() >= ahead) {
            std::uint32_t const soon = inner_run_[inner_run_.size() - ahead];
            __builtin_prefetch(&arena_.link[soon], 1);
            __builtin_prefetch(&arena_.hashed[soon], 1);
        }
        done.created_inner.push_back(id);
        return id;
    }

    // ---- down

    void look(place& p)
    {
        if (p.at == none)
            look_nowhere(p);
        else if (is_leaf(p.at))
            look_leaf(p);
        else
            look_inner(p);
    }

    void look_nowhere(place& p)
    {
        if (p.hi - p.lo > 1) return branch(p, batch_->difference(p.lo, p.hi - 1), false);
        auto const& c = (*batch_)[p.lo];
        if (!c.value) return;
        p.at = make_leaf(c);
        ++done.grown;
    }

    void look_leaf(place& p)
    {
        auto const& row = arena_.rows[index_of(p.at)];
        if (p.hi - p.lo == 1) {
            auto const& c = (*batch_)[p.lo];
            if (c.key == row.key) return change_leaf(p, row, c);
        }
        unsigned const d = std::min(first_difference(batch_->key(p.lo), row.key),
                                    first_difference(batch_->key(p.hi - 1), row.key));
        branch(p, d, bit_at(row.key, d));
    }

    void change_leaf(place& p, leaf const& row, change const& c)
    {
        if (c.value && *c.value == row.value) return;
        done.replaced_leaf.push_back(index_of(p.at));
        if (c.value) {
            p.at = make_leaf(c);
        } else {
            p.at = none;
            --done.grown;
        }
    }

    void look_inner(place& p)
    {
        auto const node = arena_.link[p.at];
        unsigned const bit = node.bit();
        // Do all changes belong below this node, or do some part from it above its own bit? First and
        // last tell for all between, as they are in order.
        unsigned const skipped = bit - p.path;
        if (skipped > before_bits) {  // rare: a way so long that a leaf has to be asked
            auto const& row = arena_.some_leaf(p.at);
            unsigned const d = std::min(first_difference(batch_->key(p.lo), row.key),
                                        first_difference(batch_->key(p.hi - 1), row.key));
            if (d < bit) return branch(p, d, bit_at(row.key, d));
        } else if (skipped != 0) {
            std::uint32_t const differing = ((batch_->before(p.lo, bit) ^ node.before()) |
                                             (batch_->before(p.hi - 1, bit) ^ node.before())) &
                                            ((1u << skipped) - 1);
            if (auto const back = static_cast<unsigned>(std::bit_width(differing)); back != 0)
                return branch(p, bit - back, (node.before() >> (back - 1) & 1) != 0);
        }
        p.at_node = true;
        part(p, bit, node.left, node.right);
        p.path = node.path;
    }

    /// Parts the changes above what stands here, which goes to its own side.
    void branch(place& p, unsigned bit, bool old_right)
    {
        std::uint32_t const path = batch_->before(p.lo, bit) << 8 | bit;
        part(p, bit, old_right ? none : p.at, old_right ? p.at : none);
        p.path = path;
    }

    void part(place& p, unsigned bit, ref left, ref right)
    {
        std::uint32_t const middle = batch_->split(p.lo, p.hi, bit);
        p.branches = true;
        p.left = left;
        p.right = right;
        p.below = static_cast<std::uint32_t>(next_->size());
        p.below_left = p.lo < middle;
        p.below_right = middle < p.hi;
        if (p.below_left) next_->push_back(place_of(left, p.lo, middle, bit + 1));
        if (p.below_right) next_->push_back(place_of(right, middle, p.hi, bit + 1));
    }

public:
    static place place_of(ref at, std::uint32_t lo, std::uint32_t hi, unsigned shared_bits)
    {
        return {at, lo, hi, shared_bits, none, none, 0, false, false, false, false};
    }

private:
    // ---- up

    void settle(place& p, std::vector<place> const& below)
    {
        ref const left = p.below_left ? below[p.below].at : p.left;
        ref const right = p.below_right ? below[p.below + (p.below_left ? 1 : 0)].at : p.right;
        if (p.at_node) {
            if (left == p.left && right == p.right) return;
            done.replaced_inner.push_back(p.at);
        }
        if (left == none || right == none) {
            p.at = left == none ? right : left;
            return;
        }
        p.at = take_inner();
        arena_.link[p.at] = {left, right, p.path};
        jobs_.push_back({p.at, left, right, p.path & 0xff});
    }

    /// All hashes of a level, some hundred at a time so that they stay in the nearest cache: first
    /// those of the leaves that are needed, then the nodes' own.
    void hash_jobs()
    {
        for (std::size_t i = 0; i < std::min(jobs_.size(), chunk); ++i) prefetch_sides(jobs_[i]);
        for (std::size_t begin = 0; begin < jobs_.size(); begin += chunk) {
            auto const rest = std::span{jobs_}.subspan(begin);
            hash_chunk(rest.first(std::min(rest.size(), chunk)), rest);
        }
    }

    void hash_chunk(std::span<job const> now, std::span<job const> ahead_too)
    {
        leaves_in_.clear();
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (i + chunk < ahead_too.size()) prefetch_sides(ahead_too[i + chunk]);
            for (ref const r : {now[i].left, now[i].right})
                if (is_leaf(r)) leaves_in_.push_back(arena_.rows[index_of(r)]);
        }
        hash_many(leaf_domain, sizeof(leaf), leaves_in_.data(), leaves_in_.size(), leaves_out_);

        inner_in_.resize(chunk);
        std::size_t leaf_at = 0;
        for (std::size_t i = 0; i < now.size(); ++i) {
            auto* raw = inner_in_[i].data();
            for (ref const r : {now[i].left, now[i].right}) {
                auto const& h = is_leaf(r) ? leaves_out_[leaf_at++] : arena_.hashed[r];
                std::memcpy(raw, h.data(), h.size());
                raw += h.size();
            }
            *raw = static_cast<std::byte>(now[i].bit);
        }
        hash_many(inner_domain, sizeof(inner_input), inner_in_.data(), now.size(), inner_out_);
        for (std::size_t i = 0; i < now.size(); ++i) arena_.hashed[now[i].node] = inner_out_[i];
    }

    [[gnu::always_inline]] void prefetch_sides(job const& j) const
    {
        prefetch_hash(j.left);
        prefetch_hash(j.right);
    }

    static void hash_many(crypto::domain const& about, std::size_t size, void const* in,
                          std::size_t count, std::vector<hash256>& out)
    {
        if (out.size() < count) out.resize(count);
        crypto::blake2b_256_many(about.state(),
                                 bytes_view{static_cast<std::byte const*>(in), count * size}, size,
                                 std::span{out}.first(count));
    }

    using inner_input = std::array<std::byte, 65>;

    arena& arena_;
    batch const* batch_ = nullptr;
    std::vector<std::vector<place>> levels_;
    std::vector<place>* next_ = nullptr;
    std::vector<std::uint32_t> inner_run_, leaf_run_;
    std::vector<job> jobs_;
    std::vector<leaf> leaves_in_;
    std::vector<hash256> leaves_out_, inner_out_;
    std::vector<inner_input> inner_in_;
};

}  // namespace blendr::state::nodes
