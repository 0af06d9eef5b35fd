// SPDX-License-Identifier: Apache-2.0
// A consensus engine of one's own in an afternoon: a two-phase quorum engine on `chained`, run through the battery.
//
// In a view the leader proposes; all vote to all; a quorum of votes is an `echo`; all confirm what they
// saw echoed; a quorum of confirmations is final. A validator that confirmed does not give the view up, and
// the other way round: that one rule is the whole safety argument, as for Simplex.
#include <cstdio>
#include <span>
#include <vector>

#include <blendr/consensus/chained.hpp>
#include <blendr/sim/battery.hpp>

using namespace blendr;
using namespace blendr::consensus;

class echo_engine final : public chained<echo_engine> {
public:
    using chained::chained;
    static constexpr std::string_view name = "echo";
    static constexpr std::uint8_t confirm = 3;  // after propose, vote and give_up, which are shared
    static constexpr std::uint8_t kinds = 4;

    /// Two kinds of ballots that nobody honest casts both in one view. The helper refuses the second,
    /// across crashes, and turns somebody else's second into evidence.
    static constexpr bool excludes(std::uint8_t a, std::uint8_t b)
    {
        return (a == confirm && b == ballot_kind::give_up) ||
               (b == confirm && a == ballot_kind::give_up);
    }

    /// What convinces a stranger: one quorum of confirmations.
    static bool proves(std::span<certificate const> why, block_id const& id)
    {
        return why.size() == 1 && why[0].about.kind == confirm && why[0].about.id == id;
    }

    /// A quorum has spoken.
    void certified(certificate const& c)
    {
        auto const& b = c.about;
        if (b.kind == confirm) return commit(b.id, {c});
        if (b.kind == ballot_kind::vote && b.view >= view()) cast(confirm, b.view, b.prior, b.id);
        advance(b.view + 1);
    }

    void entered() {}

    /// Ours to lead: build on the newest echoed block, and show why the views since may be skipped.
    void lead()
    {
        std::vector<certificate> because{};
        if (auto const* c = held(ballot_kind::vote, high())) because.push_back(*c);
        for (auto v = high() + 1; v < view(); ++v) {
            auto const* skipped = held(ballot_kind::give_up, v);
            if (skipped == nullptr) return;
            because.push_back(*skipped);
        }
        propose(high(), std::move(because));
    }

    /// The vote rule: nothing may have been confirmed in the views that the proposal skips.
    bool may_vote(ballot const& proposal)
    {
        for (auto v = proposal.prior + 1; v < proposal.view; ++v)
            if (held(ballot_kind::give_up, v) == nullptr) return false;
        return true;
    }
};

static_assert(engine<echo_engine>);

int main()
{
    sim::effort how{};
    how.seeds = 10;  // a real engine deserves thousands
    bool good = true;
    for (auto const& trial : sim::battery(sim::kind_of<echo_engine>())) {
        auto const failed = trial.run(sim::kind_of<echo_engine>(), how);
        std::printf("%-45s %s\n", trial.name.c_str(), failed ? "FAILED" : "held");
        if (failed) std::printf("%s", sim::to_text(*failed).c_str());
        good = good && !failed;
    }

    sim::scenario calm{};
    calm.seed = 1;
    calm.end_ms = 1'000'000;
    sim::world_options options{};
    options.net = sim::constant(10'000);
    options.sync_us = options.verify_us = 0;
    options.blocks_max = 20;
    options.keep_latencies = true;
    auto const r = sim::run(sim::kind_of<echo_engine>(), calm, options);
    std::printf("final after %lld message delays\n",
                static_cast<long long>(r.latencies_us.at(0) / 10'000));
    return good ? 0 : 1;
}
