// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/state/proof.hpp>

namespace blendr {
class task_pool;
}

namespace blendr::state {

/// One row's new value by hashes (state::key_hash, state::value_hash); without a value the row goes.
struct change {
    hash256 key{};
    std::optional<hash256> value{};
};

struct tree_version_tag {
    static constexpr auto rules = arithmetic::none;
};
/// A state that the tree knows, by number. Numbers are local and never used twice.
using tree_version = strong<tree_version_tag>;

/// The authenticated state: root and proofs over hashed rows, in many versions at once.
///
/// Versions form a tree as blocks do. `apply` makes a version on top of any living one and touches
/// nothing else, so speculative blocks have their roots before anything is decided. `decide` makes
/// one of the children of the last decided version the next: its siblings and all that stands on them
/// are dropped, and decided versions are never undone. The last `keep` decided versions stay provable;
/// undecided versions that stand on one go with it when it retires.
///
/// The root depends on the set of rows alone: not on the order of changes, on history, on threads.
/// A batch hashes each node that it touches once, level by level; an unchanged value changes nothing.
/// A row costs 140 bytes (a 64-byte leaf and a 76-byte inner node), and each version that is still
/// alive costs 36 bytes for each hash that it changed.
///
/// The nodes are those of the version that was made last; the others are read past a journal of what
/// changed between, which costs a search for each step, and `apply` on another version than the last
/// undoes and redoes the changes between the two first.
///
/// One thread calls apply, decide and drop. The const functions may be called from any thread at any
/// time; they and `apply` wait for each other. To be sure that a version lives as long as it is
/// needed, `hold` it.
class tree {
public:
    static constexpr std::size_t rows_max = (1u << 31) - 1;

    struct options {
        std::size_t keep = 8;  ///< decided versions that stay provable, the last one included
    };

    tree();
    explicit tree(options const& chosen);
    ~tree();
    tree(tree&&) noexcept;
    tree& operator=(tree&&) noexcept;

    /// The last decided version; at first the state without rows.
    tree_version decided() const;

    /// A new version: `on` with these changes, in any order, one at most for each key (asserted).
    /// Removing a row that is not there changes nothing. With a pool, subtrees are worked on in
    /// parallel.
    tree_version apply(tree_version on, std::span<change const> changes, task_pool* pool = nullptr);

    /// Makes `next`, a child of the last decided version, the last decided version.
    void decide(tree_version next);

    /// Forgets an undecided version and all that stands on it.
    void drop(tree_version undecided);

    bool alive(tree_version at) const;

    // All below ask for a version that is alive (asserted).

    hash256 root(tree_version at) const;
    std::size_t size(tree_version at) const;
    std::optional<hash256> get(tree_version at, hash256 const& key) const;

    /// Shows that the key is there, or that it is not. At most about 1 kB at a million rows.
    proof prove(tree_version at, hash256 const& key) const;

    /// The part of a version whose keys begin with given bits: what a snapshot chunk holds.
    struct part {
        bit_set branches{};               ///< as in a proof, above the part only
        std::vector<hash256> siblings{};  ///< as in a proof
        std::vector<leaf> rows{};         ///< in key order; empty if none begins so
        std::optional<proof> none{};      ///< if empty: the proof that no key begins so
    };

    /// The part under the `bits` highest bits of `index`'s low end: part 0 of 2^bits comes first.
    part part_of(tree_version at, unsigned bits, std::uint32_t index) const;

    /// All rows in key order, until the visitor says false.
    void for_each(tree_version at, std::function<bool(leaf const&)> const& visit) const;

    /// Keeps a decided version, and those after it, from retiring while it lives. Not to outlive the
    /// tree.
    class hold {
    public:
        hold() = default;
        hold(hold&& from) noexcept;
        hold& operator=(hold&& from) noexcept;
        ~hold();

        tree_version at() const noexcept { return at_; }

    private:
        friend class tree;
        void release() noexcept;
        void* of_ = nullptr;
        tree_version at_{};
    };
    /// Nothing if the version is not decided or retired already.
    std::optional<hold> keep(tree_version at);

    /// Bytes in use for nodes, free ones included.
    std::size_t memory() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace blendr::state
