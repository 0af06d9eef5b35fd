// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <blendr/consensus/chained.hpp>

namespace blendr::consensus {

/// HotStuff-2: D. Malkhi and K. Nayak, "HotStuff-2: Optimal Two-Phase Responsive BFT" (2023), in its
/// pipelined form, with votes by weight.
///
/// Votes go to the next leader, who sends the quorum on with its own block: messages grow with the
/// number of validators, not its square. A vote with `prior` one view below says "I have seen that
/// view's quorum" and so is the second-phase vote for its block; a quorum of such votes makes that
/// block final. A validator votes only for a block on the newest quorum that it has seen (its lock).
/// Final at every validator five message delays after the proposal.
///
/// A leader whose last view ended without a quorum waits for `delta_ms`, so that every honest
/// validator's lock reaches it; otherwise it goes at network speed.
///
/// Departures from the paper: views are synchronised by a quorum of given-up ballots instead of epochs
/// of views; validators also give up when somebody honest must have; who leads is drawn by weight;
/// sets change with heights (see `membership`).
template <class Self>
class hotstuff2_rules : public chained<Self> {
    using base = chained<Self>;

public:
    using base::base;

    static constexpr std::string_view name = "hotstuff2";
    static constexpr std::uint8_t kinds = 3;

    static constexpr bool excludes(std::uint8_t, std::uint8_t) noexcept { return false; }

    static bool proves(std::span<certificate const> why, block_id const& id)
    {
        return why.size() == 2 && why[0].about.kind == ballot_kind::vote &&
               why[1].about.kind == ballot_kind::vote && why[0].about.id == id &&
               why[1].about.prior == why[0].about.view &&
               why[1].about.view == why[0].about.view + 1;
    }

protected:
    friend base;

    void certified(certificate const& c)
    {
        auto const v = c.about.view;
        if (c.about.kind == ballot_kind::vote) {
            try_commit(v + 1);
            try_commit(v);
        }
        this->advance(v + 1);
    }

    void try_commit(std::uint64_t v)
    {
        auto const* second = this->held(ballot_kind::vote, v);
        auto const* first = v > 0 ? this->held(ballot_kind::vote, v - 1) : nullptr;
        if (first == nullptr || second == nullptr || second->about.prior != v - 1) return;
        if (first->about.view <= this->root().view) return;
        std::vector<certificate> why{};
        why.reserve(2);
        why.push_back(*first);
        why.push_back(*second);
        this->commit(first->about.id, std::move(why));
    }

    void entered()
    {
        waited_ = false;
        auto const v = this->view();
        if (this->high() + 1 >= v) return;
        if (this->leads(v))
            this->set(wait_timer, this->settings().delta_ms);
        else if (auto const* c = this->held(ballot_kind::vote, this->high()))
            this->tell_to(this->voters().leader(v), {*c});
    }

    void fired(std::uint64_t number)
    {
        if (number == wait_timer) waited_ = true;
    }

    void lead()
    {
        auto const prior = this->high();
        if (prior + 1 != this->view() && !waited_) return;
        std::vector<certificate> because{};
        if (auto const* c = this->held(ballot_kind::vote, prior)) because.push_back(*c);
        this->propose(prior, std::move(because));
    }

    bool may_vote(ballot const& b) { return b.prior == this->high(); }

    std::optional<std::size_t> votes_to(std::uint64_t v) const
    {
        return this->voters().leader(v + 1);
    }

private:
    static constexpr std::uint64_t wait_timer = base::rule_timer;
    bool waited_{};
};

class hotstuff2 final : public hotstuff2_rules<hotstuff2> {
public:
    using hotstuff2_rules::hotstuff2_rules;
};

static_assert(engine<hotstuff2>);

}  // namespace blendr::consensus
