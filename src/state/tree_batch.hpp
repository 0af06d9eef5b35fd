// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
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
    bool branches : 1;    // otherwise `at` is settled already
    bool at_node : 1;     // it branches where `at` does
    bool below_left : 1, below_right : 1;
    bool changed : 1;  // settled: its hash is not what it was, or something else stands there
};
static_assert(sizeof(place) == 32);

/// The places of one depth, and once they are settled the hashes of those that changed.
struct level {
    std::vector<place> places;
    std::vector<hash256> hashes;
};

/// Works on disjoint subtrees: down level by level, then up level by level. It changes the nodes where
/// they are and writes down what they were, so that whatever a row needs on its way up is touched
/// once, in place.
class worker {
public:
    explicit worker(arena& in) : arena_{in} {}

    std::unique_ptr<journal> done;
    std::ptrdiff_t grown = 0;  // rows added less rows removed

    void begin(batch const& of, std::span<place const> roots, std::unique_ptr<journal> into)
    {
        batch_ = &of;
        done = std::move(into);
        grown = 0;
        new_leaves_.clear();
        leaf_in_.clear();
        if (levels_.empty()) levels_.resize(1);
        levels_[0].places.assign(roots.begin(), roots.end());
    }

    level& at_depth(std::size_t depth) { return levels_[depth]; }

    /// Looks at the places of a depth and makes those below. False when there are none.
    bool descend(std::size_t depth)
    {
        if (levels_.size() < depth + 2) levels_.resize(depth + 2);
        auto& here = levels_[depth].places;
        depth_ = static_cast<std::uint32_t>(depth);
        next_ = &levels_[depth + 1].places;
        next_->clear();
        for (std::size_t i = 0; i < here.size(); ++i) {
            if (i + ahead < here.size()) prefetch(here[i + ahead]);
            look_at_ = static_cast<std::uint32_t>(i);
            look(here[i]);
        }
        return !next_->empty();
    }

    /// Hashes the rows that were met on the way down. Comes before any place is settled.
    void hash_leaves()
    {
        for (auto& l : levels_)
            if (l.hashes.size() < l.places.size()) l.hashes.resize(l.places.size());
        for (std::size_t begin = 0; begin < leaf_in_.size(); begin += chunk) {
            std::size_t const count = std::min(leaf_in_.size() - begin, chunk);
            hash_many(leaf_domain, sizeof(leaf), &leaf_in_[begin], count);
            for (std::size_t i = 0; i < count; ++i) {
                auto const& to = new_leaves_[begin + i];
                levels_[to.depth].hashes[to.place] = out_[i];
            }
        }
    }

    /// Settles the places of a depth, once those below are settled.
    void settle(std::size_t depth)
    {
        auto& here = levels_[depth];
        auto const& below = levels_[depth + 1];
        in_.resize(chunk);
        jobs_.clear();
        std::size_t const count = here.places.size();
        for (std::size_t i = 0; i < count; ++i) {
            if (i + ahead < count) prefetch_sides(here.places[i + ahead]);
            auto& p = here.places[i];
            if (!p.branches) continue;
            if (p.at_node)
                settle_node(here, i, below);
            else
                settle_branch(here, i, below);
            if (jobs_.size() == chunk) hash_jobs(here);
        }
        hash_jobs(here);
    }

    void run()
    {
        std::size_t depth = 0;
        while (descend(depth)) ++depth;
        hash_leaves();
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

    static place place_of(ref at, std::uint32_t lo, std::uint32_t hi, unsigned shared_bits)
    {
        return {at, lo, hi, shared_bits, none, none, 0, false, false, false, false, false};
    }

private:
    static constexpr std::size_t ahead = 32;  // lines on their way: about what a core can ask for
    static constexpr std::size_t run_size = 256;
    static constexpr std::size_t chunk = 256;

    using inner_input = std::array<std::byte, 65>;

    // Inlined by force: a compiler may drop calls of a function that only prefetches.
    [[gnu::always_inline]] void prefetch(place const& p) const
    {
        if (p.at == none || is_leaf(p.at)) __builtin_prefetch(&(*batch_)[p.lo]);
        if (p.at == none) return;
        if (is_leaf(p.at))
            __builtin_prefetch(&arena_.rows[index_of(p.at)], 1);
        else
            __builtin_prefetch(&arena_.link[p.at]);
    }
    [[gnu::always_inline]] void prefetch_sides(place const& p) const
    {
        if (p.at_node) __builtin_prefetch(&arena_.pair[p.at], 1);
    }

    ref make_leaf(change const& from)
    {
        if (leaf_run_.empty())
            arena_.leaf_ids.take(leaf_run_, run_size,
                                 [this](std::uint64_t size) { arena_.rows.reach(size); });
        std::uint32_t const id = leaf_run_.back();
        leaf_run_.pop_back();
        done->created_leaf.push_back(id);
        arena_.rows[id] = leaf{from.key, *from.value};
        return id | leaf_flag;
    }

    ref take_inner()
    {
        if (inner_run_.empty())
            arena_.inner_ids.take(inner_run_, run_size, [this](std::uint64_t size) {
                arena_.link.reach(size);
                arena_.pair.reach(size);
            });
        std::uint32_t const id = inner_run_.back();
        inner_run_.pop_back();
        done->created_inner.push_back(id);
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
        ++grown;
        new_leaf(p, leaf{c.key, *c.value});
    }

    void look_leaf(place& p)
    {
        auto& row = arena_.rows[index_of(p.at)];
        if (p.hi - p.lo == 1) {
            auto const& c = (*batch_)[p.lo];
            if (same(c.key, row.key)) return change_leaf(p, row, c);
        }
        unsigned const d = std::min(first_difference(batch_->key(p.lo), row.key),
                                    first_difference(batch_->key(p.hi - 1), row.key));
        branch(p, d, bit_at(row.key, d));
    }

    void change_leaf(place& p, leaf& row, change const& c)
    {
        if (!c.value) {
            done->removed_leaf.push_back(index_of(p.at));
            p.at = none;
            p.changed = true;
            --grown;
            return;
        }
        if (same(*c.value, row.value)) return;
        done->values.push_back({index_of(p.at), row.value});
        row.value = *c.value;
        new_leaf(p, row);
    }

    void new_leaf(place& p, leaf const& row)
    {
        p.changed = true;
        new_leaves_.push_back({depth_, look_at_});
        leaf_in_.push_back(row);
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
        p.branches = true;
        p.left = left;
        p.right = right;
        p.below = static_cast<std::uint32_t>(next_->size());
        if (p.hi - p.lo == 1) {  // most of them
            bool const goes_right = batch_->bit(p.lo, bit);
            p.below_left = !goes_right;
            p.below_right = goes_right;
            next_->push_back(place_of(goes_right ? right : left, p.lo, p.hi, bit + 1));
            return;
        }
        std::uint32_t const middle = batch_->split(p.lo, p.hi, bit);
        p.below_left = p.lo < middle;
        p.below_right = middle < p.hi;
        if (p.below_left) next_->push_back(place_of(left, p.lo, middle, bit + 1));
        if (p.below_right) next_->push_back(place_of(right, middle, p.hi, bit + 1));
    }

    // ---- up

    /// What stands on a side of a place whose places below are settled.
    struct outcome {
        ref at;
        bool changed;
        hash256 const* hash;  // if it changed
    };
    static outcome side_of(place const& p, bool right, level const& below)
    {
        if (!(right ? p.below_right : p.below_left))
            return {right ? p.right : p.left, false, nullptr};
        std::size_t const i = p.below + (right && p.below_left ? 1u : 0u);
        place const& settled = below.places[i];
        return {settled.at, settled.changed, &below.hashes[i]};
    }

    /// The branch is a node that stands there.
    void settle_node(level& here, std::size_t i, level const& below)
    {
        place& p = here.places[i];
        std::uint32_t const node = p.at;
        auto& pair = arena_.pair[node];
        if (p.below_left != p.below_right) {  // most have one place below, and it stays where it is
            auto const& settled = below.places[p.below];
            if (!settled.changed) return;
            if (settled.at == (p.below_right ? p.right : p.left)) {
                p.changed = true;
                done->hashes.push_back(
                    {node << 1 | (p.below_right ? 1u : 0u), pair[p.below_right]});
                pair[p.below_right] = below.hashes[p.below];
                return add_job(static_cast<std::uint32_t>(i), pair, p.path);
            }
        }
        auto const left = side_of(p, false, below), right = side_of(p, true, below);
        if (!left.changed && !right.changed) return;
        p.changed = true;
        if (left.at == none || right.at == none) {
            auto const& stays = left.at == none ? right : left;
            done->removed_inner.push_back(node);
            p.at = stays.at;
            if (stays.at != none)
                here.hashes[i] = stays.changed ? *stays.hash : pair[left.at == none];
            return;
        }
        for (bool const on_right : {false, true}) {
            auto const& side = on_right ? right : left;
            if (!side.changed) continue;
            done->hashes.push_back({node << 1 | (on_right ? 1u : 0u), pair[on_right]});
            pair[on_right] = *side.hash;
        }
        if (left.at != p.left || right.at != p.right) {
            auto& link = arena_.link[node];
            done->structure.push_back({node, link});
            link = {left.at, right.at, p.path};
        }
        add_job(static_cast<std::uint32_t>(i), pair, p.path);
    }

    /// The branch is new, unless a side of it came to nothing.
    void settle_branch(level& here, std::size_t i, level const& below)
    {
        place& p = here.places[i];
        auto const left = side_of(p, false, below), right = side_of(p, true, below);
        if (left.at == none || right.at == none) {
            auto const& stays = left.at == none ? right : left;
            p.changed = left.changed || right.changed;
            p.at = stays.at;
            if (stays.at != none && stays.changed) here.hashes[i] = *stays.hash;
            return;
        }
        p.changed = true;
        p.at = take_inner();
        auto& pair = arena_.pair[p.at];
        arena_.link[p.at] = {left.at, right.at, p.path};
        for (bool const on_right : {false, true}) {
            auto const& side = on_right ? right : left;
            if (side.changed)
                pair[on_right] = *side.hash;
            else  // what stood there before; its hash lies above, where this node goes now
                late_.push_back(
                    {static_cast<std::uint32_t>(jobs_.size()), p.at, side.at, on_right});
        }
        add_job(static_cast<std::uint32_t>(i), pair, p.path);
    }

    void add_job(std::uint32_t to, sides const& pair, std::uint32_t path)
    {
        auto* const raw = in_[jobs_.size()].data();
        std::memcpy(raw, &pair, sizeof(pair));
        raw[sizeof(pair)] = static_cast<std::byte>(path & 0xff);
        jobs_.push_back(to);
    }

    /// Some hundred hashes at a time, so that they stay in the nearest cache.
    void hash_jobs(level& here)
    {
        if (jobs_.empty()) return;
        hash_late();
        hash_many(inner_domain, sizeof(inner_input), in_.data(), jobs_.size());
        for (std::size_t i = 0; i < jobs_.size(); ++i) here.hashes[jobs_[i]] = out_[i];
        jobs_.clear();
    }

    /// The hashes of unchanged nodes that came under a new one.
    void hash_late()
    {
        if (late_.empty()) return;
        for (bool const leaves : {true, false}) {
            late_leaves_.clear();
            late_inner_.clear();
            for (auto const& l : late_) {
                if (is_leaf(l.of) != leaves) continue;
                if (leaves) {
                    late_leaves_.push_back(arena_.rows[index_of(l.of)]);
                } else {
                    auto& raw = late_inner_.emplace_back();
                    std::memcpy(raw.data(), &arena_.pair[l.of], sizeof(sides));
                    raw[sizeof(sides)] = static_cast<std::byte>(arena_.link[l.of].bit());
                }
            }
            if (leaves)
                hash_many(leaf_domain, sizeof(leaf), late_leaves_.data(), late_leaves_.size());
            else
                hash_many(inner_domain, sizeof(inner_input), late_inner_.data(),
                          late_inner_.size());
            auto from = out_.begin();
            for (auto const& l : late_) {
                if (is_leaf(l.of) != leaves) continue;
                arena_.pair[l.node][l.on_right] = *from;
                std::memcpy(in_[l.job].data() + (l.on_right ? 32 : 0), from->data(), 32);
                ++from;
            }
        }
        late_.clear();
    }

    void hash_many(crypto::domain const& about, std::size_t size, void const* in, std::size_t count)
    {
        if (out_.size() < count) out_.resize(count);
        crypto::blake2b_256_many(about.state(),
                                 bytes_view{static_cast<std::byte const*>(in), count * size}, size,
                                 std::span{out_}.first(count));
    }

    struct target {
        std::uint32_t depth, place;
    };
    struct late {
        std::uint32_t job;
        ref node, of;
        bool on_right;
    };

    arena& arena_;
    batch const* batch_ = nullptr;
    std::vector<level> levels_;
    std::vector<place>* next_ = nullptr;
    std::uint32_t depth_ = 0, look_at_ = 0;
    std::vector<std::uint32_t> inner_run_, leaf_run_;
    std::vector<target> new_leaves_;
    std::vector<leaf> leaf_in_, late_leaves_;
    std::vector<std::uint32_t> jobs_;  // places whose hash is to be made, from in_
    std::vector<late> late_;
    std::vector<inner_input> in_, late_inner_;
    std::vector<hash256> out_;
};

}  // namespace blendr::state::nodes
