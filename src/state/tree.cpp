// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/tree.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/core/task_pool.hpp>

#include "state/tree_batch.hpp"
#include "state/tree_nodes.hpp"

namespace blendr::state {

using namespace nodes;

namespace {

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
    batch sorted;  // kept for their memory, as are the workers
    std::vector<std::unique_ptr<worker>> workers;
    std::map<tree_version, state> versions;
    std::deque<tree_version> decided;
    tree_version next{1};
    options chosen;
    mutable std::shared_mutex
        mutex;  // over versions and decided; nodes are immutable once published

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

    constexpr std::size_t parallel_from = 512, groups = 64;
    sorted.assign(changes);
    while (workers.size() < (pool == nullptr ? 1 : 1 + groups))
        workers.push_back(std::make_unique<worker>(nodes));
    worker& top = *workers[0];
    std::size_t used = 1;
    place const whole = worker::place_of(on.top, 0, sorted.size(), 0);
    top.begin(sorted, {&whole, 1});
    if (pool == nullptr || changes.size() < parallel_from) {
        top.run();
    } else {
        std::size_t depth = 0;
        bool more = true;
        while (more && top.level(depth).size() < groups) {
            more = top.descend(depth);
            if (more) ++depth;
        }
        if (more) {  // each group of places at this depth is another's work
            auto& frontier = top.level(depth);
            auto const edge = [&](std::size_t g) { return frontier.size() * g / groups; };
            pool->parallel_for(groups, 1, [&](std::size_t g, std::size_t end) {
                for (; g < end; ++g) {
                    auto const mine = std::span{frontier}.subspan(edge(g), edge(g + 1) - edge(g));
                    worker& w = *workers[1 + g];
                    w.begin(sorted, mine);
                    w.run();
                    std::copy(w.level(0).begin(), w.level(0).end(), mine.begin());
                }
            });
            used = 1 + groups;
        } else {
            ++depth;
        }
        while (depth-- > 0) top.settle(depth);
    }

    std::ptrdiff_t grown = 0;
    for (std::size_t i = 0; i < used; ++i) {
        auto& w = *workers[i];
        w.finish();
        grown += w.done.grown;
        append(out.created_inner, w.done.created_inner);
        append(out.created_leaf, w.done.created_leaf);
        append(out.replaced_inner, w.done.replaced_inner);
        append(out.replaced_leaf, w.done.replaced_leaf);
    }
    out.top = top.level(0)[0].at;
    out.size = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(on.size) + grown);
    out.root = nodes.hash_of(out.top);
    return out;
}

tree_version tree::apply(tree_version on, std::span<change const> changes, task_pool* pool)
{
    impl::state base;  // a reader that lets go of a hold may retire versions meanwhile
    {
        std::shared_lock const lock{impl_->mutex};
        auto const& found = impl_->at(on);
        base.top = found.top;
        base.root = found.root;
        base.size = found.size;
    }
    impl::state made = impl_->run(base, changes, pool);
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
    std::array<ref, 256> beside;
    std::size_t count = 0;
    while (!is_leaf(r)) {
        auto const& node = nodes.link[r];
        bool const right = bit_at(key, node.bit());
        ref const other = right ? node.left : node.right;
        out.branches.set(node.bit());
        if (is_leaf(other))
            __builtin_prefetch(&nodes.rows[index_of(other)]);
        else
            __builtin_prefetch(&nodes.hashed[other]);
        beside[count++] = other;
        r = right ? node.right : node.left;
    }
    out.siblings.reserve(count);
    for (std::size_t i = 0; i < count; ++i) out.siblings.push_back(nodes.hash_of(beside[i]));
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
