// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

/// Simplex: B. Chan and R. Pass, "Simplex Consensus: A Simple and Fast Consensus Protocol" (TCC 2023),
/// with votes by weight.
///
/// A view ends when a quorum votes for its block, or gives the view up. Whoever sees the block voted
/// through and has not given the view up says `finish`; a quorum of those makes the block and all
/// below it final, three message delays after the proposal. The next leader goes on after two.
/// Safe because nobody both gives up and finishes a view: after a quorum of finishes, no later block
/// can skip the view.
///
/// Departures from the paper: a leader sends why it may skip views, not the whole chain; who leads is
/// drawn by weight; a validator also gives up when somebody honest must have; views that fail grow
/// the patience; sets change with heights (see `membership`).
template <class Self>
class simplex_rules : public chained<Self> {
    using base = chained<Self>;

public:
    using base::base;

    static constexpr std::string_view name = "simplex";
    static constexpr std::uint8_t kinds = 4;
    static constexpr std::uint8_t finish = 3;

    static constexpr bool excludes(std::uint8_t a, std::uint8_t b) noexcept
    {
        return (a == ballot_kind::give_up && b == finish) ||
               (a == finish && b == ballot_kind::give_up);
    }

    static bool proves(std::span<certificate const> why, block_id const& id)
    {
        return why.size() == 1 && why[0].about.kind == finish && why[0].about.id == id;
    }

protected:
    friend base;

    void certified(certificate const& c)
    {
        auto const& b = c.about;
        if (b.kind == finish) return this->commit(b.id, {c});
        if (b.kind == ballot_kind::vote && b.view >= this->view())
            this->cast(finish, b.view, b.prior, b.id);
        this->advance(b.view + 1);
    }

    void entered() {}

    void lead()
    {
        auto const prior = this->high();
        if (prior + 1 == this->view()) return this->propose(prior, {});
        std::vector<certificate> because{};
        if (auto const* c = this->held(ballot_kind::vote, prior)) because.push_back(*c);
        for (auto v = prior + 1; v < this->view(); ++v) {
            auto const* c = this->held(ballot_kind::give_up, v);
            if (c == nullptr) return;
            because.push_back(*c);
        }
        this->propose(prior, std::move(because));
    }

    /// Every view between the block and the one that it builds on was given up.
    bool may_vote(ballot const& b)
    {
        for (auto v = b.prior + 1; v < b.view; ++v)
            if (this->held(ballot_kind::give_up, v) == nullptr) return false;
        return true;
    }
};

class simplex final : public simplex_rules<simplex> {
public:
    using simplex_rules::simplex_rules;
};

static_assert(engine<simplex>);

}  // namespace blendr::consensus
