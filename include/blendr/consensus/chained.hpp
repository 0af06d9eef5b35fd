// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include <blendr/consensus/ballot.hpp>
#include <blendr/consensus/engine.hpp>
#include <blendr/consensus/impl/early_mail.hpp>
#include <blendr/consensus/impl/patience.hpp>
#include <blendr/consensus/messages.hpp>
#include <blendr/core/random.hpp>

namespace blendr::consensus {

/// How an engine on `chained` paces itself. Safety depends on none of it.
struct chained_config {
    std::int64_t view_ms = 1000;               ///< patience with a view; grows while views fail
    std::int64_t ask_ms = 300;                 ///< how often somebody who is stuck says so
    std::int64_t delta_ms = 200;               ///< what a message is expected to take at most
    std::int64_t interval_ms = 0;              ///< least time between a block and its parent
    std::int64_t drift_ms = 10'000;            ///< how far ahead of our clock a block's time may be
    std::uint32_t reply_bytes_max = 1u << 20;  ///< one answer to somebody who is behind
};

/// The part that chained Byzantine-fault-tolerant engines share: ballots cast once and journaled,
/// weighted counting into certificates, evidence, the tree of blocks, epochs, catching up, pacing.
///
/// An engine derives from it (`class mine : public chained<mine>`) and says
///
///     static constexpr std::string_view name;
///     static constexpr std::uint8_t kinds;                      // of ballots, the three shared ones included
///     static constexpr bool excludes(std::uint8_t a, std::uint8_t b);  // different kinds that one voter may not both cast in a view
///     static bool proves(std::span<certificate const>, block_id const&);  // these make this block final
///     void certified(certificate const&);        // a quorum has spoken
///     void entered();                            // a view has begun
///     void lead();                               // we lead the view: call `propose` when it is time
///     bool may_vote(ballot const& proposal);     // the vote rule
///
/// and calls `cast`, `advance`, `propose` and `commit`. What the helper guarantees:
/// - one ballot of a kind in a view, none beside an excluded one, across restarts; each leaves
///   behind a barrier and together with the block it is about;
/// - a vote only for a block whose ancestors were found valid, at a height whose set is known;
/// - `commit` decides the whole path from the last decided block, or waits for what is missing of it;
/// - an application that does not answer is asked again, ever less often;
/// - nothing that arrives is kept without a bound.
///
/// The bodies are beside it in `impl/`, by what they do:
///
/// | file | what is in it |
/// |---|---|
/// | `chained_events.hpp` | what happens: started, received, timers, answers; and what that stirs up |
/// | `chained_claims.hpp` | the signatures that a message stands on |
/// | `chained_votes.hpp` | ballots and certificates |
/// | `chained_views.hpp` | views, their leaders' proposals, when to vote |
/// | `chained_tree.hpp` | blocks above the last decided one, verdicts, deciding, forgetting |
/// | `chained_epochs.hpp` | validator sets that change |
/// | `chained_sync.hpp` | catching up |
/// | `chained_journal.hpp` | what is written, and read after a crash |
/// | `chained_evidence.hpp` | who contradicts itself |
template <class Self>
class chained {
public:
    using config = chained_config;
    static constexpr promise promises = promise::quorum;

    /// A quorum, and a quorum on that one, each there and back.
    static constexpr std::int64_t pace_ms(config const& c) noexcept
    {
        return 5 * c.delta_ms + c.interval_ms;
    }

    /// How many views ahead of ours ballots are kept, and how many behind they are kept whole.
    static constexpr std::uint64_t views_ahead = 16;
    static constexpr std::uint64_t views_behind = 16;
    static constexpr std::size_t blocks_max = 128;
    static constexpr std::size_t early_messages_max = impl::early_mail::messages_max;  ///< a peer's
    static constexpr std::size_t peers_max = impl::early_mail::peers_max;

    chained(config c, identity me, std::uint64_t seed) : config_{c}, me_{std::move(me)}, rng_{seed}
    {}

    void step(event const& in, clock now, effects& out)
    {
        now_ = now;
        out_ = &out;
        std::visit([this](auto const& each) { this->on(each); }, in);
        out_ = nullptr;
    }

    std::optional<bool> claims(public_key const& from, bytes_view raw,
                               std::vector<claim>& out) const;
    static bool check(membership const& set, decide::entry const& block, bytes_view raw,
                      std::vector<claim>& out);
    static bool check_evidence(membership const& set, public_key const& who, bytes_view raw,
                               std::vector<claim>& out);

    /// What it holds of others' making, in messages and ballots: for tests of its bounds.
    std::size_t held() const;

protected:
    enum timer : std::uint64_t { view_timer = 0, ask_timer = 1, pace_timer = 2, rule_timer = 8 };

    /// A block of ours to be: where it stands and why.
    struct draft {
        std::uint64_t request{};
        std::uint64_t view{};
        std::uint64_t prior{};
        app::proposal_context at{};
        std::vector<certificate> because{};
        impl::patience patience{};
    };

    struct round {
        std::array<std::optional<ballot>, 8> mine{};  // by kind
        std::array<tally, 8> counts{};
        std::array<std::optional<certificate>, 8> certificates{};
        std::optional<signed_ballot> leader{};  // what the leader proposed, as we heard it first
        std::optional<proposal> offer{};        // ours, to repeat
    };

    struct node {
        block body{};
        enum class state : std::uint8_t { waiting, asked, valid, invalid } what{};
        bool journaled{};
        std::uint64_t view{};       // when it came
        impl::patience patience{};  // with the application, while asked
    };

    struct place {
        block_id id{};
        height at{};
        time_ms time{};
        std::uint64_t view{};  // the view it was decided in, in this epoch; else 0
    };

    // ---- what rules read
    std::uint64_t view() const noexcept { return view_; }
    place const& root() const noexcept { return root_; }
    bool muted() const noexcept { return !seat_ || voters_.epoch() <= mute_to_; }
    config const& settings() const noexcept { return config_; }
    electorate const& voters() const noexcept { return voters_; }
    bool leads(std::uint64_t v) const noexcept { return seat_ && voters_.leader(v) == *seat_; }
    public_key const& leader_key(std::uint64_t v) const { return voters_.key(voters_.leader(v)); }
    certificate const* held(std::uint8_t kind, std::uint64_t v) const;
    /// The view of the newest block that can be built on.
    std::uint64_t high() const;
    /// What a view ended with that can be built on.
    std::optional<block_id> block_of(std::uint64_t v) const;
    bool have_cast(std::uint8_t kind, std::uint64_t v) const;

    // ---- what rules do
    /// Signs and sends, to one validator or to all, unless it would contradict what was cast before.
    bool cast(std::uint8_t kind, std::uint64_t v, std::uint64_t prior, block_id const& id,
              std::optional<std::size_t> to = std::nullopt);
    void advance(std::uint64_t to);
    /// Builds on the block of view `prior`, or repeats it where no set is known for the next height.
    void propose(std::uint64_t prior, std::vector<certificate> because);
    /// These certificates make the block final; the first is the block's own.
    void commit(block_id const& id, std::vector<certificate> why);
    void set(std::uint64_t number, std::int64_t after) { emit(set_timer{number, after}); }
    void tell_to(std::size_t seat, std::vector<certificate> const& what);
    void measure(std::string_view what, std::int64_t value = 1) { emit(metric{what, value}); }

    // ---- what a rule may replace
    weight quorum() const noexcept { return voters_.quorum(); }
    void fired(std::uint64_t) {}
    void arm_view();
    void ask_verdicts();
    /// Who gets our vote; everybody when empty.
    std::optional<std::size_t> votes_to(std::uint64_t) const { return std::nullopt; }

private:
    Self& self() noexcept { return static_cast<Self&>(*this); }
    template <class E>
    void emit(E&& what)
    {
        out_->emplace_back(std::forward<E>(what));
    }

    void on(started const&);
    void on(received const&);
    void on(timer_fired const&);
    void on(built const&);
    void on(judged const&);
    void on(loaded const&);
    void on(mined const&) {}
    void on(membership const&);

    void take(public_key const&, proposal&&);
    void take(public_key const&, vote&&);
    void take(public_key const&, ask&&);
    void take(public_key const&, tell&&);
    void take(public_key const&, catch_up&&);

    bool claims_of(public_key const&, proposal const&, std::vector<claim>&) const;
    bool claims_of(public_key const&, vote const&, std::vector<claim>&) const;
    bool claims_of(public_key const&, tell const&, std::vector<claim>&) const;
    bool claims_of(public_key const&, catch_up const&, std::vector<claim>&) const;
    bool needs(certificate const&) const;
    bool claims_of(certificate const&, std::vector<claim>&) const;

    void count(std::size_t seat, signed_ballot const&);
    void accuse(std::size_t seat, signed_ballot const&, signed_ballot const&);
    void hold(certificate, bool journaled = false);
    bool contradict(ballot const&, ballot const&) const;
    std::optional<crypto::signature> sign_once(ballot const&);
    void stir();
    void consider();
    bool stands(ballot const&) const;
    bool hear_leader(signed_ballot const&);
    void put_forward(ballot const&, std::optional<block>, std::vector<certificate>);
    void write(std::uint64_t v, record const&, bool barrier);

    void store(block_id const&, block);
    void remind();
    bool usable(block_id const&) const;
    bool open(height) const;
    std::optional<place> place_of(block_id const&) const;
    std::vector<block_id> lacking() const;

    void finish_commit();
    void settle(std::vector<decide::entry> path, std::vector<certificate> why);
    void prune();
    void thin();
    void enter_epoch(electorate);
    void replay(std::vector<bytes> const&);
    void adopt_later();
    void keep_early(public_key const&, bytes_view);
    void flush_early();
    void give_up();
    void tick();
    void resend();
    bool early(wire_message const&) const;
    void halt(std::string_view why, block_id const& theirs);

    config config_;
    identity me_;
    rng rng_;
    clock now_{};
    effects* out_{};

    electorate voters_{};
    std::optional<electorate> next_{};
    height known_to_{};  // sets are known up to here
    std::optional<std::size_t> seat_{};
    place root_{};                         // the last decided block
    std::vector<certificate> root_why_{};  // what ended its view, in this epoch
    std::uint64_t view_{};
    std::map<std::uint64_t, round> rounds_{};
    std::map<block_id, node> tree_{};
    std::set<std::size_t> accused_{};  // seats, once an epoch
    std::optional<std::pair<block_id, std::vector<certificate>>> pending_{};
    std::optional<draft> draft_{};

    impl::early_mail early_{};
    std::map<public_key, time_ms> answered_{};
    std::map<std::uint64_t, public_key> loads_{};
    std::vector<std::pair<std::uint64_t, record>> later_{};  // of the journal, for epochs to come
    std::vector<block> later_blocks_{};                      // the same, for heights to come
    std::map<std::uint64_t, height> tags_{};                 // by view: the tag its records have
    std::uint64_t requests_{};
    /// Eighths of the patience that failed views have added since the last decision: four when the
    /// leader was heard, so more time would have helped, one when it was silent.
    std::uint64_t impatience_{};
    std::uint64_t mute_to_{};  // casts nothing in epochs up to here
    height trimmed_{};
    bool stopped_ = true;  // until started; for ever when halted
    bool stirred_{};       // something that may let us vote, lead or decide
    bool progress_{};
    bool behind_{};
};

}  // namespace blendr::consensus

// IWYU pragma: begin_exports
#include <blendr/consensus/impl/chained_claims.hpp>
#include <blendr/consensus/impl/chained_epochs.hpp>
#include <blendr/consensus/impl/chained_events.hpp>
#include <blendr/consensus/impl/chained_evidence.hpp>
#include <blendr/consensus/impl/chained_journal.hpp>
#include <blendr/consensus/impl/chained_sync.hpp>
#include <blendr/consensus/impl/chained_tree.hpp>
#include <blendr/consensus/impl/chained_views.hpp>
#include <blendr/consensus/impl/chained_votes.hpp>
// IWYU pragma: end_exports
