// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/tree.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/crypto/blake2b_lanes.hpp>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace blendr::state {
namespace {

// ---- nodes ---------------------------------------------------------------------------------------

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
        for (auto* block : at_) ::operator delete (block, std::align_val_t{alignment});
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
            std::size_t const count = std::size_t{1} << (first_log + block);
            auto* const raw = ::operator new (count * sizeof(T), std::align_val_t{alignment});
#if defined(__linux__)
            if (count * sizeof(T) >= alignment * 512)  // fewer TLB misses on large states
                ::madvise(raw, count * sizeof(T), MADV_HUGEPAGE);
#endif
            at_[block] = static_cast<T*>(raw);
            capacity_ += count;
        }
    }

private:
    static constexpr unsigned first_log = 8;
    static constexpr std::size_t alignment = 4096;
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

struct arena {
    blocks<links> link;
    blocks<hash256> hashed;  // of inner nodes; a leaf's hash is computed where it is needed
    blocks<leaf> rows;
    indices inner_ids;
    indices leaf_ids;

    std::size_t memory() const
    {
        return inner_ids.end() * (sizeof(links) + sizeof(hash256)) + leaf_ids.end() * sizeof(leaf);
    }
    hash256 hash_of(ref r) const
    {
        if (r == none) return empty_root;
        return is_leaf(r) ? leaf_hash(rows[index_of(r)]) : hashed[r];
    }
    leaf const& some_leaf(ref r) const
    {
        while (!is_leaf(r)) r = link[r].left;
        return rows[index_of(r)];
    }
};

// ---- key bits ------------------------------------------------------------------------------------

std::uint64_t head_of(hash256 const& key) noexcept
{
    std::uint64_t head = 0;
    for (unsigned i = 0; i < 8; ++i) head = head << 8 | std::to_integer<std::uint64_t>(key[i]);
    return head;
}

/// The first bit at which two keys differ; 256 if none.
unsigned first_difference(hash256 const& a, hash256 const& b) noexcept
{
    for (unsigned i = 0; i < 32; ++i) {
        auto const x = std::to_integer<unsigned>(a[i] ^ b[i]);
        if (x != 0)
            return 8 * i + static_cast<unsigned>(std::countl_zero(static_cast<std::uint8_t>(x)));
    }
    return 256;
}

/// The 24 bits before `bit`, missing ones zero.
std::uint32_t bits_before(hash256 const& key, std::uint64_t head, unsigned bit) noexcept
{
    if (bit == 0) return 0;
    if (bit <= 64) return static_cast<std::uint32_t>(head >> (64 - bit)) & 0xffffff;
    std::uint32_t out = 0;
    for (unsigned i = bit - before_bits; i < bit; ++i) out = out << 1 | (bit_at(key, i) ? 1u : 0u);
    return out;
}

// ---- one batch -----------------------------------------------------------------------------------

/// The changes in key order, with what most comparisons need beside each other.
struct batch {
    std::vector<change> changes;
    std::vector<std::uint64_t> heads;

    explicit batch(std::span<change const> from)
    {
        BLENDR_ASSERT(from.size() <= tree::rows_max);
        struct entry {
            std::uint64_t head;
            std::uint32_t index;
        };
        std::vector<entry> order(from.size());
        for (std::uint32_t i = 0; i < from.size(); ++i) order[i] = {head_of(from[i].key), i};
        sort(order);
        changes.reserve(from.size());
        heads.reserve(from.size());
        for (auto const& e : order) {
            changes.push_back(from[e.index]);
            heads.push_back(e.head);
        }
        for (std::size_t i = 0; i + 1 < heads.size();) {  // equal heads: by the whole key
            std::size_t end = i + 1;
            while (end < heads.size() && heads[end] == heads[i]) ++end;
            if (end - i > 1)
                std::sort(changes.begin() + static_cast<std::ptrdiff_t>(i),
                          changes.begin() + static_cast<std::ptrdiff_t>(end),
                          [](change const& a, change const& b) { return a.key < b.key; });
            for (std::size_t j = i; j + 1 < end; ++j)
                BLENDR_ASSERT(changes[j].key != changes[j + 1].key);
            i = end;
        }
    }

    bool bit(std::uint32_t i, unsigned at) const noexcept
    {
        return at < 64 ? (heads[i] >> (63 - at) & 1) != 0 : bit_at(changes[i].key, at);
    }
    std::uint32_t before(std::uint32_t i, unsigned at) const noexcept
    {
        return bits_before(changes[i].key, heads[i], at);
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
    template <class Entries>
    static void sort(Entries& order)
    {
        if (order.size() < 256) {
            std::sort(order.begin(), order.end(),
                      [](auto const& a, auto const& b) { return a.head < b.head; });
            return;
        }
        // By the highest 33 bits in three passes, then the few left by comparison.
        constexpr unsigned digit = 11;
        Entries other(order.size());
        for (unsigned pass = 0; pass < 3; ++pass) {
            unsigned const shift = 64 - digit * (3 - pass);
            std::array<std::uint32_t, 1u << digit> count{};
            for (auto const& e : order) ++count[e.head >> shift & ((1u << digit) - 1)];
            std::uint32_t sum = 0;
            for (auto& c : count) sum += std::exchange(c, sum);
            for (auto const& e : order) other[count[e.head >> shift & ((1u << digit) - 1)]++] = e;
            order.swap(other);
        }
        for (std::size_t i = 1; i < order.size(); ++i) {
            auto const e = order[i];
            std::size_t j = i;
            for (; j > 0 && order[j - 1].head > e.head; --j) order[j] = order[j - 1];
            order[j] = e;
        }
    }
};

/// A place in the trie to which changes [lo, hi) go. First it is looked at (which makes the places
/// below), later folded (which gives the new reference from those below).
struct place {
    ref old;  // what stands there now
    std::uint32_t lo, hi;
    std::uint32_t below_left, below_right;  // places of the next level, or `none`
    ref left, right;                        // what stays there if no place does
    ref now;                                // the outcome
    std::uint16_t depth;                    // key bits that all of it share
    std::uint16_t bit;                      // where it branches; 256: `now` is known already
    bool at_node;                           // it branches where `old` did
};
constexpr std::uint16_t no_branch = 256;

/// Works on some disjoint subtrees: down level by level, then up level by level.
class worker {
public:
    worker(arena& in, batch const& of) : arena_{in}, batch_{of} {}

    std::vector<std::uint32_t> created_inner, created_leaf, replaced_inner, replaced_leaf;
    std::ptrdiff_t grown = 0;  // rows added less rows removed

    std::vector<std::vector<place>> levels;

    /// Looks at level `at` and makes the one below it. False when there is none.
    bool descend(std::size_t at)
    {
        if (levels.size() < at + 2) levels.resize(at + 2);
        auto& here = levels[at];
        auto& next = levels[at + 1];
        next.clear();
        for (std::size_t i = 0; i < here.size(); ++i) {
            if (i + ahead < here.size()) prefetch(here[i + ahead].old);
            look(here[i], next);
        }
        return !next.empty();
    }

    /// Gives the places of level `at` their outcome, once the level below has its own.
    void fold(std::size_t at)
    {
        jobs_.clear();
        auto const& below = levels[at + 1];
        for (auto& p : levels[at]) settle(p, below);
        hash_jobs();
    }

    void run(std::vector<place> roots)
    {
        if (levels.empty()) levels.resize(1);
        levels[0] = std::move(roots);
        std::size_t depth = 0;
        while (descend(depth)) ++depth;
        for (std::size_t at = depth + 1; at-- > 0;) fold(at);
    }

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

    struct job {
        std::uint32_t node;
        ref left, right;
        unsigned bit;
    };

    void prefetch(ref r) const
    {
        if (r == none) return;
        if (is_leaf(r))
            __builtin_prefetch(&arena_.rows[index_of(r)]);
        else
            __builtin_prefetch(&arena_.link[r]);
    }

    std::uint32_t take_leaf()
    {
        if (leaf_run_.empty())
            arena_.leaf_ids.take(leaf_run_, run_size,
                                 [this](std::uint64_t size) { arena_.rows.reach(size); });
        std::uint32_t const id = leaf_run_.back();
        leaf_run_.pop_back();
        created_leaf.push_back(id);
        return id;
    }

    std::uint32_t take_inner()
    {
        if (inner_run_.empty())
            arena_.inner_ids.take(inner_run_, run_size, [this](std::uint64_t size) {
                arena_.link.reach(size);
                arena_.hashed.reach(size);
            });
        std::uint32_t const id = inner_run_.back();
        inner_run_.pop_back();
        created_inner.push_back(id);
        return id;
    }

    ref make_leaf(change const& from)
    {
        std::uint32_t const id = take_leaf();
        arena_.rows[id] = leaf{from.key, *from.value};
        return id | leaf_flag;
    }

    void look(place& p, std::vector<place>& next)
    {
        p.below_left = p.below_right = none;
        p.left = p.right = none;
        p.bit = no_branch;
        p.at_node = false;
        if (p.old == none)
            look_nowhere(p, next);
        else if (is_leaf(p.old))
            look_leaf(p, next);
        else
            look_inner(p, next);
    }

    void look_nowhere(place& p, std::vector<place>& next)
    {
        if (p.hi - p.lo == 1) {
            auto const& c = batch_.changes[p.lo];
            p.now = none;
            if (c.value) {
                p.now = make_leaf(c);
                ++grown;
            }
            return;
        }
        branch(p, difference(p.lo, p.hi - 1), next);
    }

    void look_leaf(place& p, std::vector<place>& next)
    {
        auto const& row = arena_.rows[index_of(p.old)];
        if (p.hi - p.lo == 1) {
            auto const& c = batch_.changes[p.lo];
            if (c.key == row.key) {
                if (c.value && *c.value == row.value) {
                    p.now = p.old;
                    return;
                }
                replaced_leaf.push_back(index_of(p.old));
                p.now = none;
                if (c.value)
                    p.now = make_leaf(c);
                else
                    --grown;
                return;
            }
        }
        unsigned const d = std::min(first_difference(batch_.changes[p.lo].key, row.key),
                                    first_difference(batch_.changes[p.hi - 1].key, row.key));
        branch(p, d, next, bit_at(row.key, d));
    }

    void look_inner(place& p, std::vector<place>& next)
    {
        auto const node = arena_.link[p.old];
        unsigned const bit = node.bit();
        if (unsigned const skipped = bit - p.depth; skipped != 0) {
            if (skipped <= before_bits) {
                std::uint32_t const mask = (1u << skipped) - 1;
                std::uint32_t const first = (batch_.before(p.lo, bit) ^ node.before()) & mask;
                std::uint32_t const last = (batch_.before(p.hi - 1, bit) ^ node.before()) & mask;
                if (std::uint32_t const any = first | last; any != 0) {
                    unsigned const d = bit - static_cast<unsigned>(std::bit_width(any));
                    bool const side =
                        (node.before() >> (static_cast<unsigned>(std::bit_width(any)) - 1) & 1) !=
                        0;
                    return branch(p, d, next, side);
                }
            } else {  // a rare long way without a branch: ask a leaf
                auto const& row = arena_.some_leaf(p.old);
                unsigned const d =
                    std::min(first_difference(batch_.changes[p.lo].key, row.key),
                             first_difference(batch_.changes[p.hi - 1].key, row.key));
                if (d < bit) return branch(p, d, next, bit_at(row.key, d));
            }
        }
        p.at_node = true;
        p.bit = static_cast<std::uint16_t>(bit);
        std::uint32_t const mid = batch_.split(p.lo, p.hi, bit);
        p.left = node.left;
        p.right = node.right;
        if (p.lo < mid) p.below_left = add(next, node.left, p.lo, mid, bit + 1);
        if (mid < p.hi) p.below_right = add(next, node.right, mid, p.hi, bit + 1);
    }

    unsigned difference(std::uint32_t a, std::uint32_t b) const
    {
        std::uint64_t const x = batch_.heads[a] ^ batch_.heads[b];
        if (x != 0) return static_cast<unsigned>(std::countl_zero(x));
        return first_difference(batch_.changes[a].key, batch_.changes[b].key);
    }

    /// Parts the changes at `bit`; what stood here goes to its side.
    void branch(place& p, unsigned bit, std::vector<place>& next, bool old_right = false)
    {
        p.bit = static_cast<std::uint16_t>(bit);
        std::uint32_t const mid = batch_.split(p.lo, p.hi, bit);
        (old_right ? p.right : p.left) = p.old;
        if (p.lo < mid) p.below_left = add(next, old_right ? none : p.old, p.lo, mid, bit + 1);
        if (mid < p.hi) p.below_right = add(next, old_right ? p.old : none, mid, p.hi, bit + 1);
    }

    static std::uint32_t add(std::vector<place>& next, ref old, std::uint32_t lo, std::uint32_t hi,
                             unsigned depth)
    {
        auto const index = static_cast<std::uint32_t>(next.size());
        next.push_back({old, lo, hi, none, none, none, none, none,
                        static_cast<std::uint16_t>(depth), no_branch, false});
        return index;
    }

    void settle(place& p, std::vector<place> const& below)
    {
        if (p.bit == no_branch) return;
        if (p.below_left != none) p.left = below[p.below_left].now;
        if (p.below_right != none) p.right = below[p.below_right].now;
        std::uint32_t path = 0;
        if (p.at_node) {
            auto const& node = arena_.link[p.old];
            if (node.left == p.left && node.right == p.right) {
                p.now = p.old;
                return;
            }
            replaced_inner.push_back(p.old);
            path = node.path;
        }
        if (p.left == none || p.right == none) {
            p.now = p.left == none ? p.right : p.left;
            return;
        }
        if (!p.at_node) path = batch_.before(p.lo, p.bit) << 8 | p.bit;
        p.now = take_inner();
        arena_.link[p.now] = {p.left, p.right, path};
        jobs_.push_back({p.now, p.left, p.right, p.bit});
    }

    void hash_jobs()
    {
        leaves_in_.clear();
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            if (i + ahead < jobs_.size()) {
                prefetch_hash(jobs_[i + ahead].left);
                prefetch_hash(jobs_[i + ahead].right);
            }
            for (ref const r : {jobs_[i].left, jobs_[i].right})
                if (is_leaf(r)) leaves_in_.push_back(arena_.rows[index_of(r)]);
        }
        leaves_out_.resize(leaves_in_.size());
        hash_many(leaf_domain, sizeof(leaf), leaves_in_.data(), leaves_out_);

        inner_in_.resize(jobs_.size());
        std::size_t leaf_at = 0;
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            auto& raw = inner_in_[i];
            std::size_t at = 0;
            for (ref const r : {jobs_[i].left, jobs_[i].right}) {
                auto const& h = is_leaf(r) ? leaves_out_[leaf_at++] : arena_.hashed[r];
                std::memcpy(raw.data() + at, h.data(), h.size());
                at += h.size();
            }
            raw[64] = static_cast<std::byte>(jobs_[i].bit);
        }
        inner_out_.resize(jobs_.size());
        hash_many(inner_domain, 65, inner_in_.data(), inner_out_);
        for (std::size_t i = 0; i < jobs_.size(); ++i) arena_.hashed[jobs_[i].node] = inner_out_[i];
    }

    void prefetch_hash(ref r) const
    {
        if (is_leaf(r))
            __builtin_prefetch(&arena_.rows[index_of(r)]);
        else
            __builtin_prefetch(&arena_.hashed[r]);
    }

    static void hash_many(crypto::domain const& about, std::size_t size, void const* in,
                          std::vector<hash256>& out)
    {
        bytes_view const packed{static_cast<std::byte const*>(in), out.size() * size};
        crypto::blake2b_256_many(about.state(), packed, size, out);
    }

    arena& arena_;
    batch const& batch_;
    std::vector<std::uint32_t> inner_run_, leaf_run_;
    std::vector<job> jobs_;
    std::vector<leaf> leaves_in_;
    std::vector<hash256> leaves_out_, inner_out_;
    std::vector<std::array<std::byte, 65>> inner_in_;
};

void append(std::vector<std::uint32_t>& to, std::vector<std::uint32_t> const& from)
{
    to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

// ---- versions ------------------------------------------------------------------------------------

struct tree::impl {
    struct state {
        tree_version parent{};
        ref top = none;
        hash256 root{};
        std::size_t size = 0;
        std::vector<std::uint32_t> created_inner, created_leaf;    // until it is decided
        std::vector<std::uint32_t> replaced_inner, replaced_leaf;  // alive in the parent, not here
        std::size_t held = 0;
    };

    arena nodes;
    std::map<tree_version, state> versions;
    std::deque<tree_version> decided;
    tree_version next{1};
    options chosen;
    mutable std::shared_mutex mutex;  // over the four above; nodes are immutable once published

    explicit impl(options const& o) : chosen{o}
    {
        BLENDR_ASSERT(chosen.keep >= 1);
        versions.emplace(tree_version{0}, state{});
        decided.push_back(tree_version{0});
    }

    state const& at(tree_version v) const
    {
        auto const found = versions.find(v);
        BLENDR_ASSERT(found != versions.end());
        return found->second;
    }

    void retire()
    {
        while (decided.size() > chosen.keep && versions.at(decided.front()).held == 0) {
            versions.erase(decided.front());
            decided.pop_front();
            auto& first = versions.at(decided.front());
            nodes.inner_ids.give(first.replaced_inner);
            nodes.leaf_ids.give(first.replaced_leaf);
            first.replaced_inner = {};
            first.replaced_leaf = {};
        }
    }

    void drop(tree_version v)
    {
        // A child has a higher number than its parent, so one pass finds all that stands on v.
        std::vector<tree_version> gone{v};
        for (auto it = versions.upper_bound(v); it != versions.end(); ++it)
            if (std::find(gone.begin(), gone.end(), it->second.parent) != gone.end())
                gone.push_back(it->first);
        for (auto const g : gone) {
            auto& s = versions.at(g);
            BLENDR_ASSERT(s.held == 0);
            nodes.inner_ids.give(s.created_inner);
            nodes.leaf_ids.give(s.created_leaf);
            versions.erase(g);
        }
    }

    state run(state const& on, std::span<change const> changes, task_pool* pool);
};

tree::tree() : tree{options{}} {}
tree::tree(options const& chosen) : impl_{std::make_unique<impl>(chosen)} {}
tree::~tree() = default;
tree::tree(tree&&) noexcept = default;
tree& tree::operator=(tree&&) noexcept = default;

tree_version tree::decided() const
{
    std::shared_lock const lock{impl_->mutex};
    return impl_->decided.back();
}

tree::impl::state tree::impl::run(state const& on, std::span<change const> changes, task_pool* pool)
{
    state out;
    out.top = on.top;
    out.root = on.root;
    out.size = on.size;
    if (changes.empty()) return out;

    batch const sorted{changes};
    worker top{nodes, sorted};
    std::vector<worker> others;
    place const whole{on.top,    0,    static_cast<std::uint32_t>(changes.size()),
                      none,      none, none,
                      none,      none, 0,
                      no_branch, false};

    constexpr std::size_t parallel_from = 512, groups = 64;
    if (pool == nullptr || changes.size() < parallel_from) {
        top.run({whole});
    } else {
        top.levels.assign(1, {whole});
        std::size_t depth = 0;
        bool more = true;
        while (more && top.levels[depth].size() < groups) {
            more = top.descend(depth);
            if (more) ++depth;
        }
        if (more) {
            auto& frontier = top.levels[depth];
            others.reserve(groups);
            std::size_t const count = std::min(groups, frontier.size());
            for (std::size_t g = 0; g < count; ++g) others.emplace_back(nodes, sorted);
            auto const edge = [&](std::size_t g) { return frontier.size() * g / count; };
            pool->parallel_for(count, 1, [&](std::size_t g, std::size_t groups_end) {
                for (; g < groups_end; ++g) {
                    auto const begin = frontier.begin() + static_cast<std::ptrdiff_t>(edge(g));
                    auto const end = frontier.begin() + static_cast<std::ptrdiff_t>(edge(g + 1));
                    others[g].run({begin, end});
                    std::copy(others[g].levels[0].begin(), others[g].levels[0].end(), begin);
                }
            });
            for (std::size_t at = depth; at-- > 0;) top.fold(at);
        } else {
            for (std::size_t at = depth + 1; at-- > 0;) top.fold(at);
        }
    }
    out.top = top.levels[0][0].now;
    others.push_back(std::move(top));
    std::ptrdiff_t grown = 0;
    for (auto& w : others) {
        w.finish();
        grown += w.grown;
        append(out.created_inner, w.created_inner);
        append(out.created_leaf, w.created_leaf);
        append(out.replaced_inner, w.replaced_inner);
        append(out.replaced_leaf, w.replaced_leaf);
    }
    out.size = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(on.size) + grown);
    out.root = nodes.hash_of(out.top);
    return out;
}

tree_version tree::apply(tree_version on, std::span<change const> changes, task_pool* pool)
{
    impl::state made = impl_->run(impl_->at(on), changes, pool);
    made.parent = on;
    std::lock_guard const lock{impl_->mutex};
    tree_version const v = impl_->next;
    impl_->next = tree_version{v.get() + 1};
    impl_->versions.emplace(v, std::move(made));
    return v;
}

void tree::decide(tree_version next)
{
    std::lock_guard const lock{impl_->mutex};
    tree_version const last = impl_->decided.back();
    BLENDR_ASSERT(impl_->at(next).parent == last && next != last);
    std::vector<tree_version> siblings;
    for (auto const& [v, s] : impl_->versions)
        if (v > last && s.parent == last && v != next) siblings.push_back(v);
    for (auto const v : siblings) impl_->drop(v);
    auto& s = impl_->versions.at(next);
    s.created_inner = {};
    s.created_leaf = {};
    impl_->decided.push_back(next);
    impl_->retire();
}

void tree::drop(tree_version undecided)
{
    std::lock_guard const lock{impl_->mutex};
    auto const& d = impl_->decided;
    BLENDR_ASSERT(impl_->versions.contains(undecided));
    BLENDR_ASSERT(std::find(d.begin(), d.end(), undecided) == d.end());
    impl_->drop(undecided);
}

bool tree::alive(tree_version at) const
{
    std::shared_lock const lock{impl_->mutex};
    return impl_->versions.contains(at);
}

// ---- reading -------------------------------------------------------------------------------------

hash256 tree::root(tree_version at) const
{
    std::shared_lock const lock{impl_->mutex};
    return impl_->at(at).root;
}

std::size_t tree::size(tree_version at) const
{
    std::shared_lock const lock{impl_->mutex};
    return impl_->at(at).size;
}

std::optional<hash256> tree::get(tree_version at, hash256 const& key) const
{
    std::shared_lock const lock{impl_->mutex};
    auto const& nodes = impl_->nodes;
    ref r = impl_->at(at).top;
    if (r == none) return std::nullopt;
    while (!is_leaf(r)) {
        auto const& node = nodes.link[r];
        r = bit_at(key, node.bit()) ? node.right : node.left;
    }
    auto const& row = nodes.rows[index_of(r)];
    if (row.key != key) return std::nullopt;
    return row.value;
}

namespace {

proof prove_in(arena const& nodes, ref r, hash256 const& key)
{
    proof out;
    if (r == none) return out;
    while (!is_leaf(r)) {
        auto const& node = nodes.link[r];
        bool const right = bit_at(key, node.bit());
        out.branches.set(node.bit());
        out.siblings.push_back(nodes.hash_of(right ? node.left : node.right));
        r = right ? node.right : node.left;
    }
    auto const& row = nodes.rows[index_of(r)];
    out.what = row.key == key ? proof::kind::present : proof::kind::absent;
    if (out.what == proof::kind::absent) out.other = row;
    return out;
}

/// False when the visitor had enough.
template <class Visit>
bool visit_rows(arena const& nodes, ref top, Visit&& visit)
{
    std::vector<ref> stack;
    if (top != none) stack.push_back(top);
    while (!stack.empty()) {
        ref const r = stack.back();
        stack.pop_back();
        if (is_leaf(r)) {
            if (!visit(nodes.rows[index_of(r)])) return false;
            continue;
        }
        auto const& node = nodes.link[r];
        stack.push_back(node.right);
        stack.push_back(node.left);
    }
    return true;
}

}  // namespace

proof tree::prove(tree_version at, hash256 const& key) const
{
    std::shared_lock const lock{impl_->mutex};
    return prove_in(impl_->nodes, impl_->at(at).top, key);
}

tree::part tree::part_of(tree_version at, unsigned bits, std::uint32_t index) const
{
    BLENDR_ASSERT(bits <= 32 && (std::uint64_t{index} >> bits) == 0);
    hash256 key{};
    for (unsigned b = 0; b < bits; ++b)
        if ((index >> (bits - 1 - b) & 1) != 0)
            key[b / 8] |= static_cast<std::byte>(0x80U >> b % 8);

    std::shared_lock const lock{impl_->mutex};
    auto const& nodes = impl_->nodes;
    ref const top = impl_->at(at).top;
    part out;
    ref r = top;
    while (r != none && !is_leaf(r) && nodes.link[r].bit() < bits) {
        auto const& node = nodes.link[r];
        bool const right = bit_at(key, node.bit());
        out.branches.set(node.bit());
        out.siblings.push_back(nodes.hash_of(right ? node.left : node.right));
        r = right ? node.right : node.left;
    }
    if (r == none || first_difference(nodes.some_leaf(r).key, key) < bits) {
        out = {};
        // The walk of this very key ends at a leaf below r, whose first bits are not the part's.
        out.none = prove_in(nodes, top, key);
        return out;
    }
    visit_rows(nodes, r, [&](leaf const& row) {
        out.rows.push_back(row);
        return true;
    });
    return out;
}

void tree::for_each(tree_version at, std::function<bool(leaf const&)> const& visit) const
{
    std::shared_lock const lock{impl_->mutex};
    visit_rows(impl_->nodes, impl_->at(at).top, visit);
}

std::size_t tree::memory() const
{
    std::shared_lock const lock{impl_->mutex};
    return impl_->nodes.memory();
}

// ---- holding -------------------------------------------------------------------------------------

std::optional<tree::hold> tree::keep(tree_version at)
{
    std::lock_guard const lock{impl_->mutex};
    auto const& d = impl_->decided;
    if (std::find(d.begin(), d.end(), at) == d.end()) return std::nullopt;
    ++impl_->versions.at(at).held;
    hold out;
    out.of_ = impl_.get();
    out.at_ = at;
    return out;
}

tree::hold::hold(hold&& from) noexcept : of_{std::exchange(from.of_, nullptr)}, at_{from.at_} {}

tree::hold& tree::hold::operator=(hold&& from) noexcept
{
    if (this != &from) {
        release();
        of_ = std::exchange(from.of_, nullptr);
        at_ = from.at_;
    }
    return *this;
}

tree::hold::~hold() { release(); }

void tree::hold::release() noexcept
{
    if (of_ == nullptr) return;
    auto& of = *static_cast<impl*>(std::exchange(of_, nullptr));
    std::lock_guard const lock{of.mutex};
    --of.versions.at(at_).held;
    of.retire();
}

}  // namespace blendr::state
