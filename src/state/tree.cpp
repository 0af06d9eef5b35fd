// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/tree.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <utility>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/core/task_pool.hpp>

#include "state/tree_batch.hpp"
#include "state/tree_nodes.hpp"

namespace blendr::state {

using namespace nodes;

// ---- versions ------------------------------------------------------------------------------------

namespace {

/// A version's entries by what they change, so that other versions can be read past them.
class directory {
public:
    explicit directory(std::span<std::unique_ptr<journal> const> of)
    {
        for (auto const& j : of) {
            for (auto const& e : j->hashes) entries_.push_back({e.at, &e.other});
            for (auto const& e : j->structure) entries_.push_back({links_from | e.at, &e.other});
            for (auto const& e : j->values) entries_.push_back({values_from | e.at, &e.other});
        }
        std::sort(entries_.begin(), entries_.end(),
                  [](entry const& a, entry const& b) { return a.what < b.what; });
    }

    hash256 const* side(ref node, bool right) const
    {
        return static_cast<hash256 const*>(find(std::uint64_t{node} << 1 | (right ? 1u : 0u)));
    }
    links const* link(ref node) const { return static_cast<links const*>(find(links_from | node)); }
    hash256 const* value(std::uint32_t row) const
    {
        return static_cast<hash256 const*>(find(values_from | row));
    }

private:
    static constexpr std::uint64_t links_from = std::uint64_t{1} << 40,
                                   values_from = std::uint64_t{2} << 40;
    struct entry {
        std::uint64_t what;
        void const* other;
    };
    void const* find(std::uint64_t what) const
    {
        auto const at =
            std::lower_bound(entries_.begin(), entries_.end(), what,
                             [](entry const& e, std::uint64_t w) { return e.what < w; });
        return at != entries_.end() && at->what == what ? at->other : nullptr;
    }
    std::vector<entry> entries_;
};

/// The nodes as they are in one version: those of the working version, but for what lies in the
/// journals on the way from there. The last journal on that way knows best and is asked first.
struct view {
    arena const& nodes;
    ref top;
    std::vector<directory const*> past{};

    links link(ref r) const
    {
        for (auto const* d : past)
            if (auto const* other = d->link(r)) return *other;
        return nodes.link[r];
    }
    hash256 const& side(ref r, bool right) const
    {
        for (auto const* d : past)
            if (auto const* other = d->side(r, right)) return *other;
        return nodes.pair[r][right];
    }
    leaf row(ref r) const
    {
        leaf out = nodes.rows[index_of(r)];
        for (auto const* d : past)
            if (auto const* other = d->value(index_of(r))) {
                out.value = *other;
                break;
            }
        return out;
    }
    leaf some_leaf(ref r) const
    {
        while (!is_leaf(r)) r = link(r).left;
        return row(r);
    }
};

}  // namespace

struct tree::impl {
    struct state {
        tree_version parent{};
        ref top = none;
        hash256 root{};
        std::size_t size = 0;
        std::vector<std::unique_ptr<journal>> changed;  // since the parent
        mutable std::unique_ptr<directory> found;       // in `changed`, once somebody asks
        std::size_t held = 0;
    };

    arena nodes;  // as in version `working`
    tree_version working{};
    batch sorted;  // kept for their memory, as are the workers and the journals
    std::vector<std::unique_ptr<worker>> workers;
    std::vector<std::unique_ptr<journal>> spare;
    std::map<tree_version, state> versions;
    std::deque<tree_version> decided;
    tree_version next{1};
    options chosen;
    // Writers change nodes in place, so a reader keeps them out for as long as it reads. Whoever waits
    // for `mutex` holds `turn`, so that neither side can keep the other waiting for ever.
    mutable std::mutex turn;
    mutable std::shared_mutex mutex;
    mutable std::mutex finding;

    explicit impl(options const& o) : chosen{o}
    {
        BLENDR_ASSERT(chosen.keep >= 1);
        versions.emplace(tree_version{0}, state{});
        decided.push_back(tree_version{0});
    }

    std::shared_lock<std::shared_mutex> reading() const
    {
        std::lock_guard const mine{turn};
        return std::shared_lock{mutex};
    }
    std::unique_lock<std::shared_mutex> writing()
    {
        std::lock_guard const mine{turn};
        return std::unique_lock{mutex};
    }

    state const& at(tree_version v) const
    {
        auto const found = versions.find(v);
        BLENDR_ASSERT(found != versions.end());
        return found->second;
    }

    /// The versions on the way from one to another through their last common ancestor. A version's
    /// number is higher than its parent's, so the higher of two is never an ancestor of the other.
    struct way {
        std::vector<tree_version> up;    // from the first on
        std::vector<tree_version> down;  // from the second on, so in reverse
    };
    way between(tree_version from, tree_version to) const
    {
        way out;
        while (from != to) {
            bool const climb = from > to;
            auto& v = climb ? from : to;
            (climb ? out.up : out.down).push_back(v);
            v = at(v).parent;
        }
        return out;
    }

    void move_to(tree_version to)
    {
        auto const path = between(working, to);
        auto const exchange = [this](tree_version v) {
            for (auto const& j : versions.at(v).changed) j->exchange(nodes);
        };
        for (auto const v : path.up) exchange(v);
        for (auto v = path.down.rbegin(); v != path.down.rend(); ++v) exchange(*v);
        working = to;
    }

    view see(tree_version v) const
    {
        view out{nodes, at(v).top};
        if (v == working) return out;
        auto const path = between(working, v);
        std::lock_guard const lock{finding};
        auto const add = [&](tree_version each) {
            auto const& s = at(each);
            if (!s.found) s.found = std::make_unique<directory>(s.changed);
            out.past.push_back(s.found.get());
        };
        for (auto const each : path.down) add(each);
        for (auto each = path.up.rbegin(); each != path.up.rend(); ++each) add(*each);
        return out;
    }

    std::unique_ptr<journal> take_journal()
    {
        if (spare.empty()) return std::make_unique<journal>();
        auto out = std::move(spare.back());
        spare.pop_back();
        return out;
    }
    void give_back(state& of)
    {
        constexpr std::size_t spare_max = 256, large = std::size_t{1} << 20;
        of.found.reset();
        for (auto& j : of.changed) {
            if (spare.size() >= spare_max || j->created_leaf.capacity() > large) continue;
            j->clear();
            spare.push_back(std::move(j));
        }
        of.changed.clear();
    }

    void retire()
    {
        while (decided.size() > chosen.keep && versions.at(decided.front()).held == 0) {
            auto const last = decided.front();
            drop_children(last, decided[1]);
            if (working == last) move_to(decided[1]);
            versions.erase(last);
            decided.pop_front();
            auto& first = versions.at(decided.front());
            for (auto const& j : first.changed) {
                nodes.inner_ids.give(j->removed_inner);
                nodes.leaf_ids.give(j->removed_leaf);
            }
            give_back(first);  // nobody can go back past it
        }
    }

    void drop_children(tree_version of, tree_version but)
    {
        std::vector<tree_version> gone;
        for (auto it = versions.upper_bound(of); it != versions.end(); ++it)
            if (it->second.parent == of && it->first != but) gone.push_back(it->first);
        for (auto const v : gone) drop(v);
    }

    void drop(tree_version v)
    {
        // A child has a higher number than its parent, so one pass finds all that stands on v.
        std::vector<tree_version> gone{v};
        for (auto it = versions.upper_bound(v); it != versions.end(); ++it)
            if (std::find(gone.begin(), gone.end(), it->second.parent) != gone.end())
                gone.push_back(it->first);
        if (std::find(gone.begin(), gone.end(), working) != gone.end())
            move_to(versions.at(v).parent);
        for (auto const g : gone) {
            auto& s = versions.at(g);
            BLENDR_ASSERT(s.held == 0);
            for (auto const& j : s.changed) {
                nodes.inner_ids.give(j->created_inner);
                nodes.leaf_ids.give(j->created_leaf);
            }
            give_back(s);
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
    auto const lock = impl_->reading();
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
    top.begin(sorted, {&whole, 1}, take_journal());
    if (pool == nullptr || changes.size() < parallel_from) {
        top.run();
    } else {
        std::size_t depth = 0;
        bool more = true;
        while (more && top.at_depth(depth).places.size() < groups) {
            more = top.descend(depth);
            if (more) ++depth;
        }
        top.hash_leaves();
        if (more) {  // each group of places at this depth is another's work
            auto& frontier = top.at_depth(depth);
            auto const edge = [&](std::size_t g) { return frontier.places.size() * g / groups; };
            for (std::size_t g = 0; g < groups; ++g)
                workers[1 + g]->begin(
                    sorted, std::span{frontier.places}.subspan(edge(g), edge(g + 1) - edge(g)),
                    take_journal());
            pool->parallel_for(groups, 1, [&](std::size_t g, std::size_t end) {
                for (; g < end; ++g) {
                    worker& w = *workers[1 + g];
                    w.run();
                    auto const& settled = w.at_depth(0);
                    std::copy_n(settled.places.begin(), edge(g + 1) - edge(g),
                                frontier.places.begin() + static_cast<std::ptrdiff_t>(edge(g)));
                    std::copy_n(settled.hashes.begin(), edge(g + 1) - edge(g),
                                frontier.hashes.begin() + static_cast<std::ptrdiff_t>(edge(g)));
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
        grown += w.grown;
        out.changed.push_back(std::move(w.done));
    }
    auto const& settled = top.at_depth(0);
    if (settled.places[0].changed) {
        out.top = settled.places[0].at;
        out.root = out.top == none ? empty_root : settled.hashes[0];
    }
    out.size = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(on.size) + grown);
    return out;
}

tree_version tree::apply(tree_version on, std::span<change const> changes, task_pool* pool)
{
    auto const lock = impl_->writing();
    impl::state const& base = impl_->at(on);
    impl_->move_to(on);
    impl::state made = impl_->run(base, changes, pool);
    made.parent = on;
    tree_version const v = impl_->next;
    impl_->next = tree_version{v.get() + 1};
    impl_->versions.emplace(v, std::move(made));
    impl_->working = v;
    return v;
}

void tree::decide(tree_version next)
{
    auto const lock = impl_->writing();
    tree_version const last = impl_->decided.back();
    BLENDR_ASSERT(impl_->at(next).parent == last && next != last);
    impl_->drop_children(last, next);
    for (auto const& j : impl_->versions.at(next).changed) {
        j->created_inner.clear();
        j->created_leaf.clear();
    }
    impl_->decided.push_back(next);
    impl_->retire();
}

void tree::drop(tree_version undecided)
{
    auto const lock = impl_->writing();
    auto const& d = impl_->decided;
    BLENDR_ASSERT(impl_->versions.contains(undecided));
    BLENDR_ASSERT(std::find(d.begin(), d.end(), undecided) == d.end());
    impl_->drop(undecided);
}

bool tree::alive(tree_version at) const
{
    auto const lock = impl_->reading();
    return impl_->versions.contains(at);
}

// ---- reading -------------------------------------------------------------------------------------

hash256 tree::root(tree_version at) const
{
    auto const lock = impl_->reading();
    return impl_->at(at).root;
}

std::size_t tree::size(tree_version at) const
{
    auto const lock = impl_->reading();
    return impl_->at(at).size;
}

std::optional<hash256> tree::get(tree_version at, hash256 const& key) const
{
    auto const lock = impl_->reading();
    auto const nodes = impl_->see(at);
    ref r = nodes.top;
    if (r == none) return std::nullopt;
    while (!is_leaf(r)) {
        auto const node = nodes.link(r);
        r = bit_at(key, node.bit()) ? node.right : node.left;
    }
    auto const row = nodes.row(r);
    if (row.key != key) return std::nullopt;
    return row.value;
}

namespace {

proof prove_in(view const& nodes, hash256 const& key)
{
    proof out;
    ref r = nodes.top;
    if (r == none) return out;
    std::array<ref, 256> beside;  // nodes, and in the lowest bit which side lies beside the walk
    std::size_t count = 0;
    while (!is_leaf(r)) {
        __builtin_prefetch(&nodes.nodes.pair[r]);
        auto const node = nodes.link(r);
        bool const right = bit_at(key, node.bit());
        out.branches.set(node.bit());
        beside[count++] = r << 1 | (right ? 0u : 1u);
        r = right ? node.right : node.left;
    }
    __builtin_prefetch(&nodes.nodes.rows[index_of(r)]);
    out.siblings.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        out.siblings.push_back(nodes.side(beside[i] >> 1, (beside[i] & 1) != 0));
    auto const row = nodes.row(r);
    out.what = row.key == key ? proof::kind::present : proof::kind::absent;
    if (out.what == proof::kind::absent) out.other = row;
    return out;
}

/// False when the visitor had enough.
template <class Visit>
bool visit_rows(view const& nodes, ref top, Visit&& visit)
{
    std::vector<ref> stack;
    if (top != none) stack.push_back(top);
    while (!stack.empty()) {
        ref const r = stack.back();
        stack.pop_back();
        if (is_leaf(r)) {
            if (!visit(nodes.row(r))) return false;
            continue;
        }
        auto const node = nodes.link(r);
        stack.push_back(node.right);
        stack.push_back(node.left);
    }
    return true;
}

}  // namespace

proof tree::prove(tree_version at, hash256 const& key) const
{
    auto const lock = impl_->reading();
    return prove_in(impl_->see(at), key);
}

tree::part tree::part_of(tree_version at, unsigned bits, std::uint32_t index) const
{
    BLENDR_ASSERT(bits <= 32 && (std::uint64_t{index} >> bits) == 0);
    hash256 key{};
    for (unsigned b = 0; b < bits; ++b)
        if ((index >> (bits - 1 - b) & 1) != 0)
            key[b / 8] |= static_cast<std::byte>(0x80U >> b % 8);

    auto const lock = impl_->reading();
    auto const nodes = impl_->see(at);
    part out;
    ref r = nodes.top;
    while (r != none && !is_leaf(r)) {
        auto const node = nodes.link(r);
        if (node.bit() >= bits) break;
        bool const right = bit_at(key, node.bit());
        out.branches.set(node.bit());
        out.siblings.push_back(nodes.side(r, !right));
        r = right ? node.right : node.left;
    }
    if (r == none || first_difference(nodes.some_leaf(r).key, key) < bits) {
        out = {};
        // The walk of this very key ends at a leaf below r, whose first bits are not the part's.
        out.none = prove_in(nodes, key);
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
    auto const lock = impl_->reading();
    auto const nodes = impl_->see(at);
    visit_rows(nodes, nodes.top, visit);
}

std::size_t tree::memory() const
{
    auto const lock = impl_->reading();
    std::size_t sum = impl_->nodes.memory();
    for (auto const& [v, s] : impl_->versions)
        for (auto const& j : s.changed) sum += j->memory();
    return sum;
}

// ---- holding -------------------------------------------------------------------------------------

std::optional<tree::hold> tree::keep(tree_version at)
{
    auto const lock = impl_->writing();
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
    auto const lock = of.writing();
    --of.versions.at(at_).held;
    of.retire();
}

}  // namespace blendr::state
