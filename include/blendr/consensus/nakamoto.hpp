// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <blendr/consensus/branching.hpp>
#include <blendr/consensus/work.hpp>

namespace blendr::consensus {

struct nakamoto_config {
    std::int64_t interval_ms = 15'000;  ///< wanted between blocks; well above the network's delay
    std::uint64_t difficulty_first = 1 << 20;  ///< hashes that the first block takes
    std::uint64_t difficulty_least = 16;
    std::uint32_t depth = 12;          ///< blocks on top that make a block final
    std::int64_t drift_ms = 2'000;     ///< how far ahead of our clock a block may be
    std::int64_t ask_ms = 5'000;       ///< how often somebody asks what it may have missed
    std::int64_t refresh_ms = 10'000;  ///< how often a miner takes newer transactions in
    bool mines = true;
};

/// What a miner puts under a block: how hard it was, and what makes it so.
struct work_seal {
    std::uint64_t difficulty{};
    bounded<bytes, 64> nonce{};
};
BOOST_DESCRIBE_STRUCT(work_seal, (), (difficulty, nonce))

/// Difficulty of a block from its parent's and the time between them: moves by a 64th of the relative
/// error of the interval (which counts as eight intervals at most), so it is steady when blocks take
/// `interval_ms` on average. Integers only.
constexpr std::uint64_t next_difficulty(std::uint64_t parent, std::int64_t took_ms,
                                        nakamoto_config const& c) noexcept
{
    auto const took = std::clamp<std::int64_t>(took_ms, 0, 8 * c.interval_ms);
    auto const step = static_cast<std::int64_t>(std::min<std::uint64_t>(parent / 64 + 1, 1u << 30));
    auto const moved = step * (c.interval_ms - took) / c.interval_ms;
    auto const scaled = static_cast<std::int64_t>(std::min<std::uint64_t>(parent, 1ull << 62));
    return std::max(static_cast<std::uint64_t>(std::max<std::int64_t>(scaled + moved, 1)),
                    c.difficulty_least);
}

/// Proof of work: S. Nakamoto, "Bitcoin: A Peer-to-Peer Electronic Cash System" (2008). The branch with
/// the most work wins, among equals the one heard first; final under `depth` blocks. Departures: the
/// difficulty moves with every block (see next_difficulty); the header that is hashed is the block's
/// name; nobody needs to be in a validator set; stale blocks are counted, not rewarded.
///
/// Final means: an attacker with less hash power than the rest catches up with `depth` blocks only
/// with a probability that falls exponentially. A longer branch from below is a reason to halt.
///
/// `Work` is the hash policy: bool operator()(header, target, seal) const.
template <class Work = memory_hard>
class nakamoto : public branching<nakamoto<Work>> {
    using base = branching<nakamoto<Work>>;
    friend base;
    using node = typename base::node;

public:
    using config = nakamoto_config;
    static constexpr std::string_view name = "nakamoto";
    static constexpr std::int64_t pace_ms(config const& c) noexcept
    {
        return (c.depth + std::int64_t{1}) * c.interval_ms;
    }

    nakamoto(config c, identity me, std::uint64_t seed)
        : base{std::move(me), seed, c.depth, c.ask_ms, c.drift_ms},
          config_{c}
    {}

    /// Two blocks at one height are no crime here.
    static bool check_evidence(membership const&, public_key const&, bytes_view,
                               std::vector<claim>&)
    {
        return false;
    }

private:
    static constexpr std::uint64_t refresh_timer = 1;

    std::optional<bool> claims_of(block_id const&, sealed_block const&, std::vector<claim>&) const
    {
        return true;  // work is checked with the parent at hand, in the step
    }

    std::uint64_t difficulty_after(node const& parent, time_ms time) const
    {
        if (parent.extra == 0) return config_.difficulty_first;
        return next_difficulty(parent.extra, time - parent.what.body.at.block_time, config_);
    }

    std::optional<std::uint64_t> weigh(block_id const& id, node& n, node const& parent)
    {
        n.extra = difficulty_after(parent, n.what.body.at.block_time);
        auto const seal = decode<work_seal>(n.what.seal);
        if (!seal || seal->difficulty != n.extra || !Work{}(id, target_of(n.extra), seal->nonce))
            return std::nullopt;
        return n.extra;
    }

    bool prefers(node const&, node const&) const { return false; }

    /// The last decided block's seal says what the next difficulty follows from.
    void on_started(started const& s)
    {
        auto const* why = std::get_if<depth>(&s.from.why);
        if (why == nullptr || why->seals.empty()) return;
        if (auto const seal = decode<work_seal>(why->seals.back()))
            this->base_.extra = seal->difficulty;
    }
    void on_membership(membership const& m)
    {
        this->others_.clear();
        for (auto const& v : m.set)
            if (v.key != this->me_.self) this->others_.push_back(v.key);
    }

    void branch_changed()
    {
        if (!config_.mines) return;
        draft_.reset();
        this->emit(set_timer{refresh_timer, config_.refresh_ms});
        auto const& top = this->best_node().what.body.at;
        auto const time = std::max(this->now_.wall, after(top.block_time));
        where_ = {this->best(), above(top.at), time, this->me_.self};
        this->emit(build{++request_, where_});
    }
    void fired(std::uint64_t timer)
    {
        if (timer == refresh_timer) branch_changed();
    }
    void on_built(built const& b)
    {
        if (b.request != request_) return;
        if (!b.payload || b.payload->size() > payload_max)  // soon again
            return this->emit(set_timer{refresh_timer, config_.refresh_ms / 10 + 1});
        draft_ = block{where_, *b.payload};
        auto const id = id_of(*draft_);
        difficulty_ = difficulty_after(this->best_node(), where_.block_time);
        this->emit(mine{request_, id, target_of(difficulty_)});
    }
    void on_mined(mined const& m)
    {
        if (m.request != request_ || !draft_) return;
        sealed_block const out{*std::exchange(draft_, std::nullopt),
                               encode(work_seal{difficulty_, m.seal})};
        this->emit(broadcast{lane::consensus, encode(branch_message{out})});
        this->store(id_of(out.body), out);
    }
    void decided_to(height) {}

    config config_;
    std::optional<block> draft_{};
    app::proposal_context where_{};
    std::uint64_t request_{};
    std::uint64_t difficulty_{};
};

static_assert(engine<nakamoto<>>);

}  // namespace blendr::consensus
