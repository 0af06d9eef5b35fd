// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/consensus/engine.hpp>
#include <blendr/consensus/impl/patience.hpp>
#include <blendr/consensus/messages.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/wide.hpp>

namespace blendr::consensus {

/// A block with what its maker put under it: a signature, or work.
struct sealed_block {
    block body{};
    bounded<bytes, 256> seal{};
};
BOOST_DESCRIBE_STRUCT(sealed_block, (), (body, seal))

/// Where the sender stands; the answer is what extends it.
struct branch_ask {
    height decided{};
    block_id best{};
};
BOOST_DESCRIBE_STRUCT(branch_ask, (), (decided, best))

struct branch_tell {
    bounded<std::vector<sealed_block>, 64> blocks{};
};
BOOST_DESCRIBE_STRUCT(branch_tell, (), (blocks))

using branch_message = std::variant<sealed_block, branch_ask, branch_tell>;

/// The part that engines with a fork choice share: a tree of sealed blocks, ancestors verified first,
/// the heaviest valid branch, final under `depth` blocks, catching up. An engine derives from it and
/// says
///
///     std::optional<bool> claims_of(id, sealed_block const&, std::vector<claim>&) const;
///     std::optional<std::uint64_t> weigh(id, node&, node const& parent);  // nothing: refused
///     bool prefers(node const& a, node const& b) const;    // among equally heavy ones
///     void branch_changed();                               // another best block: build on it
///     void fired(timer), on_built(built), on_mined(mined), on_membership(membership)
///
/// Memory is bounded: `tree_max` blocks, `orphans_max` without a parent, in so many bytes.
template <class Self>
class branching {
public:
    static constexpr std::size_t tree_max = 2048;
    static constexpr std::size_t orphans_max = 128;
    static constexpr std::size_t orphan_bytes_max = std::size_t{32} << 20;
    static constexpr std::size_t peers_max = 4096;
    static constexpr promise promises = promise::depth;

    void step(event const& in, clock now, effects& out);
    std::optional<bool> claims(public_key const&, bytes_view raw, std::vector<claim>& out) const;
    /// Depth is no proof to a stranger.
    static bool check(membership const&, decide::entry const&, bytes_view, std::vector<claim>&)
    {
        return false;
    }
    std::size_t held() const { return tree_.size() + orphans_.size() + answered_.size(); }

protected:
    struct node {
        sealed_block what{};
        u128 weight{};          // of the whole branch
        std::uint64_t extra{};  // the engine's: difficulty, or slot
        enum class state : std::uint8_t { waiting, asked, valid, invalid } verdict{};
        impl::patience patience{};  // with the application, while asked
    };

    branching(identity me, std::uint64_t seed, std::uint32_t depth, std::int64_t ask_ms,
              std::int64_t drift_ms)
        : me_{std::move(me)},
          rng_{seed},
          depth_{depth},
          ask_ms_{ask_ms},
          drift_ms_{drift_ms}
    {}

    template <class E>
    void emit(E&& what)
    {
        out_->emplace_back(std::forward<E>(what));
    }
    void measure(std::string_view what, std::int64_t value = 1) { emit(metric{what, value}); }

    /// Takes a block in: ours, or one whose claims held.
    void store(block_id const& id, sealed_block const& b);
    node const& at(block_id const& id) const { return id == root_ ? base_ : tree_.at(id); }
    block_id const& best() const noexcept { return best_; }
    node const& best_node() const { return at(best_); }
    height root_height() const noexcept { return base_.what.body.at.at; }

    identity me_;
    rng rng_;
    clock now_{};
    effects* out_{};

    static constexpr std::uint64_t ask_timer = 0;

private:
    Self& self() noexcept { return static_cast<Self&>(*this); }
    Self const& self() const noexcept { return static_cast<Self const&>(*this); }

    void on(started const&);
    void on(received const&);
    void on(timer_fired const&);
    void on(built const& b) { self().on_built(b); }
    void on(judged const&);
    void on(loaded const&);
    void on(mined const& m) { self().on_mined(m); }
    void on(membership const& m) { self().on_membership(m); }

    void answer(public_key const&, branch_ask const&);
    void ask_somebody();
    void adopt_orphans();
    void ask_verdicts();
    void remind();
    void keep_orphan(block_id const&, sealed_block const&);
    void choose();
    void decide_deep();
    void note_foreign(block_id const&);
    bool heavier(block_id const& a, block_id const& b) const;
    /// Whether the asker cannot know yet who may make blocks at this height.
    bool too_far(height h, branch_ask const& a) const
    {
        return h.get() > a.decided.get() && h.get() - a.decided.get() > depth_ + 1;
    }

    std::uint32_t depth_;
    std::int64_t ask_ms_;
    std::int64_t drift_ms_;
    block_id root_{};  // the last decided block
    node base_{};
    block_id best_{};
    std::map<block_id, node> tree_{};
    std::map<block_id, sealed_block> orphans_{};
    std::size_t orphan_bytes_{};
    std::map<public_key, time_ms> answered_{};
    std::map<std::uint64_t, std::pair<public_key, branch_ask>> loads_{};
    std::vector<public_key> others_{};
    std::uint64_t requests_{};
    bool stopped_ = true;
    bool behind_{};

    friend Self;
};

}  // namespace blendr::consensus

#include <blendr/consensus/impl/branching.hpp>  // IWYU pragma: export
