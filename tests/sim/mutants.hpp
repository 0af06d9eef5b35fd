// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/sim/any_engine.hpp>

/// Engines with one bug each, which the battery must find.
namespace blendr::test {

namespace co = consensus;

// ---- rules broken

/// Makes a block final one step early: on the votes, without waiting for the finishes.
class early_simplex final : public co::simplex_rules<early_simplex> {
public:
    using simplex_rules::simplex_rules;
    static bool proves(std::span<co::certificate const> why, block_id const& id)
    {
        return why.size() == 1 && why[0].about.id == id;
    }
    void certified(co::certificate const& c)
    {
        if (c.about.kind == co::ballot_kind::vote) commit(c.about.id, {c});
        simplex_rules::certified(c);
    }
};

/// Gives a view up and finishes it.
class two_faced_simplex final : public co::simplex_rules<two_faced_simplex> {
public:
    using simplex_rules::simplex_rules;
    static constexpr bool excludes(std::uint8_t, std::uint8_t) { return false; }
};

/// Does not ask why views were skipped.
class gullible_simplex final : public co::simplex_rules<gullible_simplex> {
public:
    using simplex_rules::simplex_rules;
    bool may_vote(co::ballot const&) { return true; }
    void lead() { propose(root().view, {}); }
};

/// Half the weight is a quorum.
class half_simplex final : public co::simplex_rules<half_simplex> {
public:
    using simplex_rules::simplex_rules;
    weight quorum() const { return weight{voters().total().get() / 2 + 1}; }
};

/// Counts heads: the same quorum of seats, whatever they weigh.
class heads_simplex final : public co::simplex_rules<heads_simplex> {
public:
    using simplex_rules::simplex_rules;
    weight quorum() const
    {
        weight least{};
        std::vector<std::uint64_t> all{};
        for (std::size_t i = 0; i < voters().size(); ++i) all.push_back(voters().power(i).get());
        std::sort(all.begin(), all.end());
        auto const seats = quorum_of(weight{all.size()}).get();
        for (std::size_t i = 0; i < seats; ++i) least += weight{all[i]};
        return least;
    }
};

/// Its view timer is set so late that it never comes.
class restless_simplex final : public co::simplex_rules<restless_simplex> {
public:
    using simplex_rules::simplex_rules;
    void arm_view() { set(view_timer, 3'600'000); }
};

/// Votes for whatever the leader says, its lock notwithstanding.
class unlocked_hotstuff2 final : public co::hotstuff2_rules<unlocked_hotstuff2> {
public:
    using hotstuff2_rules::hotstuff2_rules;
    bool may_vote(co::ballot const&) { return true; }
    void lead()  // after a failed view it builds on what it has decided, whatever was locked since
    {
        if (high() + 1 != view()) return propose(root().view, {});
        std::vector<co::certificate> because{};
        if (auto const* c = held(co::ballot_kind::vote, high())) because.push_back(*c);
        propose(high(), std::move(because));
    }
};

/// One quorum is enough.
class hasty_hotstuff2 final : public co::hotstuff2_rules<hasty_hotstuff2> {
public:
    using hotstuff2_rules::hotstuff2_rules;
    static bool proves(std::span<co::certificate const> why, block_id const& id)
    {
        return !why.empty() && why[0].about.id == id;
    }
    void certified(co::certificate const& c)
    {
        if (c.about.kind == co::ballot_kind::vote) commit(c.about.id, {c});
        advance(c.about.view + 1);
    }
};

/// Two quorums make a block final also when views lie between.
class loose_hotstuff2 final : public co::hotstuff2_rules<loose_hotstuff2> {
public:
    using hotstuff2_rules::hotstuff2_rules;
    static bool proves(std::span<co::certificate const> why, block_id const& id)
    {
        return why.size() == 2 && why[0].about.id == id;
    }
    void certified(co::certificate const& c)
    {
        auto const v = c.about.view;
        if (c.about.kind == co::ballot_kind::vote)
            for (auto w = v; w-- > root().view + 1;)
                if (auto const* first = held(co::ballot_kind::vote, w)) {
                    std::vector<co::certificate> const why{*first, c};
                    commit(first->about.id, why);
                    break;
                }
        advance(v + 1);
    }
};

// ---- the host's contract broken, around any engine

/// Forgets its journal: votes again after a restart.
template <class E>
class forgetful {
public:
    using config = typename E::config;
    static constexpr std::string_view name = "forgetful";
    static constexpr co::promise promises = E::promises;
    static constexpr std::int64_t pace_ms(config const& c) { return E::pace_ms(c); }
    static constexpr std::uint8_t kinds = E::kinds;
    static constexpr bool excludes(std::uint8_t a, std::uint8_t b) { return E::excludes(a, b); }
    forgetful(config c, co::identity me, std::uint64_t seed) : inner_{c, std::move(me), seed} {}
    void step(co::event const& in, co::clock now, co::effects& out)
    {
        if (auto s = std::get_if<co::started>(&in)) {
            auto blank = *s;
            blank.journal.clear();
            return inner_.step(blank, now, out);
        }
        inner_.step(in, now, out);
    }
    std::optional<bool> claims(crypto::public_key const& from, bytes_view raw,
                               std::vector<co::claim>& out) const
    {
        return inner_.claims(from, raw, out);
    }
    static bool check(co::membership const& m, co::decide::entry const& b, bytes_view raw,
                      std::vector<co::claim>& out)
    {
        return E::check(m, b, raw, out);
    }
    static bool check_evidence(co::membership const& m, crypto::public_key const& who,
                               bytes_view raw, std::vector<co::claim>& out)
    {
        return E::check_evidence(m, who, raw, out);
    }

protected:
    E inner_;
};

/// Speaks first and writes afterwards: a ballot leaves before it is durable.
template <class E>
class talker : public forgetful<E> {
public:
    using forgetful<E>::forgetful;
    static constexpr std::string_view name = "talker";
    void step(co::event const& in, co::clock now, co::effects& out)
    {
        co::effects asked{};
        this->inner_.step(in, now, asked);
        for (auto& e : asked)
            if (!std::holds_alternative<co::persist>(e)) out.push_back(std::move(e));
        for (auto& e : asked)
            if (auto* p = std::get_if<co::persist>(&e); p != nullptr) out.push_back(std::move(*p));
    }
};

/// Calls every block valid without asking the application.
template <class E>
class trusting : public forgetful<E> {
public:
    using forgetful<E>::forgetful;
    static constexpr std::string_view name = "trusting";
    void step(co::event const& in, co::clock now, co::effects& out)
    {
        co::effects asked{};
        this->inner_.step(in, now, asked);
        while (!asked.empty()) {
            co::effects more{};
            for (auto& e : asked) {
                if (auto* v = std::get_if<co::verify>(&e))
                    this->inner_.step(co::judged{v->id, app::verdict::valid}, now, more);
                else
                    out.push_back(std::move(e));
            }
            asked = std::move(more);
        }
    }
};

/// Asks the application about a block before its ancestors.
template <class E>
class eager : public forgetful<E> {
public:
    using forgetful<E>::forgetful;
    static constexpr std::string_view name = "eager";
    void step(co::event const& in, co::clock now, co::effects& out)
    {
        if (auto const* r = std::get_if<co::received>(&in))
            if (auto const m = decode<co::wire_message>(r->message))
                if (auto const* p = std::get_if<co::proposal>(&*m); p != nullptr && p->body)
                    out.emplace_back(
                        co::verify{co::id_of(*p->body), p->body->at, p->body->payload});
        this->inner_.step(in, now, out);
    }
};

/// Asks the application once and never again.
template <class E>
class shy : public forgetful<E> {
public:
    using forgetful<E>::forgetful;
    static constexpr std::string_view name = "shy";
    void step(co::event const& in, co::clock now, co::effects& out)
    {
        co::effects asked{};
        this->inner_.step(in, now, asked);
        for (auto& e : asked) {
            auto const* v = std::get_if<co::verify>(&e);
            if (v == nullptr || asked_.insert(v->id).second) out.push_back(std::move(e));
        }
    }

private:
    std::set<block_id> asked_{};
};

/// Never lets go of its journal.
template <class E>
class hoarder : public forgetful<E> {
public:
    using forgetful<E>::forgetful;
    static constexpr std::string_view name = "hoarder";
    void step(co::event const& in, co::clock now, co::effects& out)
    {
        this->inner_.step(in, now, out);
        std::erase_if(out, [](auto const& e) { return std::holds_alternative<co::trim>(e); });
    }
};

/// Believes every signature.
template <class E>
class credulous : public forgetful<E> {
public:
    using forgetful<E>::forgetful;
    static constexpr std::string_view name = "credulous";
    void step(co::event const& in, co::clock now, co::effects& out)
    {
        this->inner_.step(in, now, out);
    }
    std::optional<bool> claims(crypto::public_key const& from, bytes_view raw,
                               std::vector<co::claim>& out) const
    {
        auto const known = this->inner_.claims(from, raw, out);
        out.clear();
        return known;
    }
};

/// An engine with a bug, and where the battery comes upon it.
struct mutant {
    sim::engine_kind engine{};
    std::string trial{};
    std::uint64_t seed{};  ///< the first of that trial that shows it
};

inline std::vector<mutant> mutants()
{
    auto two_faced =
        sim::kind_of<two_faced_simplex>({}, "simplex that gives up and finishes one view");
    two_faced.excludes = [](std::uint8_t a, std::uint8_t b) { return co::simplex::excludes(a, b); };
    std::string const calm = "decides in a calm world";
    std::string const faults = "survives crashes, partitions and bad links";
    std::string const villains = "survives villains of less than a third";
    std::string const silent = "asks a silent application again";
    return {
        {sim::kind_of<early_simplex>({}, "simplex that is final one step early"), faults, 9},
        {two_faced, faults, 1},
        {sim::kind_of<gullible_simplex>({}, "simplex that skips views unasked"), calm, 1},
        {sim::kind_of<half_simplex>({}, "simplex with half the weight as quorum"), calm, 1},
        {sim::kind_of<heads_simplex>({}, "simplex that counts heads"), calm, 6},
        {sim::kind_of<eager<co::simplex>>({}, "simplex that verifies before the ancestors"), faults,
         1},
        {sim::kind_of<restless_simplex>({}, "simplex whose view timer never comes"), faults, 50},
        {sim::kind_of<unlocked_hotstuff2>({}, "hotstuff2 without a lock"), villains, 26},
        {sim::kind_of<hasty_hotstuff2>({}, "hotstuff2 with one quorum"), villains, 20},
        {sim::kind_of<loose_hotstuff2>({}, "hotstuff2 that commits over a gap of views"), faults,
         31},
        {sim::kind_of<forgetful<co::simplex>>({}, "simplex that forgets its journal"), faults, 7},
        {sim::kind_of<forgetful<co::hotstuff2>>({}, "hotstuff2 that forgets its journal"), faults,
         1},
        {sim::kind_of<talker<co::simplex>>({}, "simplex that speaks before it writes"), villains,
         17},
        {sim::kind_of<trusting<co::hotstuff2>>({}, "hotstuff2 that trusts every block"), calm, 0},
        {sim::kind_of<credulous<co::simplex>>({}, "simplex that believes every signature"),
         villains, 0},
        {sim::kind_of<hoarder<co::simplex>>({}, "simplex that never trims its journal"),
         "bounded under a flood", 0},
        {sim::kind_of<shy<co::simplex>>({}, "simplex that asks the application once"), silent, 0},
        {sim::kind_of<shy<co::hotstuff2>>({}, "hotstuff2 that asks the application once"), silent,
         0},
    };
}

}  // namespace blendr::test
