// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/chained.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <blendr/consensus/simplex.hpp>
#include <blendr/sim/ideal.hpp>

using namespace blendr;
using namespace blendr::consensus;

namespace {

/// One engine, fed by hand.
struct bench {
    membership set{height{1}, 1, {}, {}};
    simplex e;
    effects out{};
    consensus::clock now{time_ms{0}, time_ms{1'000'000}};

    explicit bench(std::vector<bytes> journal = {}) : e{{}, sim::ideal_identity(0), 1}
    {
        for (std::uint32_t i = 0; i < 4; ++i)
            set.set.push_back({sim::ideal_identity(i).self, weight{1}});
        std::sort(set.set.begin(), set.set.end(),
                  [](auto const& a, auto const& b) { return a.key < b.key; });
        started s{};
        auto second = set;
        second.from = height{2};
        s.from.sets = {set, second};
        s.journal = std::move(journal);
        e.step(s, now, out);
    }
    template <class T>
    std::vector<T> asked() const
    {
        std::vector<T> all{};
        for (auto const& each : out)
            if (auto const* t = std::get_if<T>(&each)) all.push_back(*t);
        return all;
    }
    void give_up_view()
    {
        out.clear();
        e.step(timer_fired{0}, now, out);
    }
    wire_message say(std::uint32_t who, ballot const& b)
    {
        auto const me = sim::ideal_identity(who);
        return vote{{b, me.sign(ballot_domain, electorate{set}.statement(b))}, {}};
    }
    void hear(std::uint32_t who, wire_message const& m)
    {
        auto const raw = encode(m);
        std::vector<claim> claims{};
        auto const known = e.claims(sim::ideal_identity(who).self, raw, claims);
        if (known != false)
            e.step(received{sim::ideal_identity(who).self, raw, known.has_value()}, now, out);
    }
};

}  // namespace

TEST_CASE("chained: a ballot leaves only behind a barrier")
{
    bench b{};
    b.give_up_view();
    bool durable = false;
    bool spoke = false;
    for (auto const& each : b.out) {
        if (auto const* p = std::get_if<persist>(&each)) durable = durable || p->barrier;
        if (std::holds_alternative<broadcast>(each)) {
            CHECK(durable);
            spoke = true;
        }
    }
    CHECK(spoke);
}

TEST_CASE("chained: what was cast before a restart is cast again, never contradicted")
{
    bench b{};
    b.give_up_view();
    std::vector<bytes> journal{};
    for (auto const& p : b.asked<persist>()) journal.push_back(p.record);
    REQUIRE(journal.size() == 1);
    bench again{journal};
    again.give_up_view();
    CHECK(again.asked<persist>().empty());     // nothing new is cast in that view
    CHECK(!again.asked<broadcast>().empty());  // the old ballot is repeated
}

TEST_CASE("chained: a journal record that nobody can read is named, and the voter stays silent")
{
    bench b{{to_bytes("not a record")}};
    bool named = false;
    for (auto const& m : b.asked<metric>()) named = named || m.name == "journal_corrupt";
    CHECK(named);
    b.give_up_view();
    CHECK(b.asked<persist>().empty());
    CHECK(b.asked<broadcast>().empty());
}

TEST_CASE(
    "chained: wrong epochs, views, kinds and strangers are dropped with a metric, nothing is kept")
{
    bench b{};
    auto const before = b.e.held();
    for (std::uint64_t i = 0; i < 2'000; ++i) {
        b.hear(1, b.say(1, {ballot_kind::vote, 1, 1'000 + i, 999, {std::byte{1}}}));  // far ahead
        b.hear(1, b.say(1, {ballot_kind::vote, 0, i + 1, i, {std::byte{1}}}));        // gone epoch
        b.hear(1, b.say(1, {9, 1, 1, 0, {std::byte{1}}}));                  // no such kind
        b.hear(7, b.say(7, {ballot_kind::vote, 1, 1, 0, {std::byte{1}}}));  // no seat
    }
    CHECK(b.e.held() <= before + 1);
}

TEST_CASE("chained: no message makes a quorum believed whose signatures were not checked")
{
    bench b{};
    auto const quorum = [&](std::uint64_t epoch, std::uint8_t kind, std::uint64_t view) {
        auto const give_up = kind == ballot_kind::give_up;
        return certificate{{kind, epoch, view, give_up ? 0 : view - 1,
                            give_up ? block_id{} : block_id{std::byte{1}}},
                           {std::byte{0xf}},
                           std::vector<crypto::signature>(4)};
    };
    started s{};
    s.from.last = {{std::byte{7}}, {{}, height{1}, time_ms{1}, {}}, {}};
    s.from.why = encode(std::vector{quorum(1, simplex::finish, 9)});
    for (std::uint64_t h : {1u, 2u, 3u}) s.from.sets.push_back({height{h}, 1, b.set.set, {}});
    for (std::uint64_t epoch : {0u, 1u, 2u})
        for (std::uint64_t at : {1u, 8u, 9u, 10u, 11u, 40u})  // around the decided view, which is 9
            for (std::uint64_t view : {8u, 9u, 10u, 11u, 25u, 1'034u})
                for (std::uint8_t kind = 1; kind < simplex::kinds; ++kind) {
                    auto const c = quorum(1, kind, view);
                    signed_ballot const said{{ballot_kind::propose, epoch, at, at - 1, {}}, {}};
                    auto const by = sim::ideal_identity(1).sign(
                        ballot_domain, electorate{b.set}.statement(said.about));
                    signed_ballot const lied{said.about, by};
                    block const body{{{std::byte{7}}, height{2}, time_ms{2}, {}}, {}};
                    for (wire_message const& m :
                         {wire_message{proposal{said, {}, {c}}},
                          wire_message{proposal{lied, body, {c}}}, wire_message{tell{{c}, {body}}},
                          wire_message{catch_up{{body}, encode(std::vector{c})}}}) {
                        simplex e{{}, sim::ideal_identity(0), 1};
                        effects out{};
                        e.step(s, b.now, out);
                        out.clear();
                        auto const raw = encode(m);
                        std::vector<claim> claims{};
                        auto const known = e.claims(sim::ideal_identity(1).self, raw, claims);
                        if (known != true || !std::ranges::all_of(claims, [](claim const& each) {
                                return sim::ideal_holds(each.key, each.digest, each.signature);
                            }))
                            continue;
                        e.step(received{sim::ideal_identity(1).self, raw, true}, b.now, out);
                        for (auto const& each : out) CHECK(!std::holds_alternative<persist>(each));
                    }
                }
}

TEST_CASE("chained: a peer's messages for epochs to come are kept up to a bound")
{
    bench b{};
    for (std::uint64_t i = 0; i < 5'000; ++i)
        b.hear(1, b.say(1, {ballot_kind::vote, 5 + i % 3, 1 + i, 0, {std::byte{1}}}));
    CHECK(b.e.held() <= simplex::early_messages_max + 4);
}

TEST_CASE("chained: two ballots of one voter in a view are evidence that a stranger can check")
{
    bench b{};
    b.hear(1, b.say(1, {ballot_kind::vote, 1, 1, 0, {std::byte{1}}}));
    b.hear(1, b.say(1, {ballot_kind::vote, 1, 1, 0, {std::byte{2}}}));
    auto const found = b.asked<evidence>();
    REQUIRE(found.size() == 1);
    CHECK(found[0].culprit == sim::ideal_identity(1).self);
    std::vector<claim> claims{};
    CHECK(simplex::check_evidence(b.set, found[0].culprit, found[0].proof, claims));
    for (auto const& c : claims) CHECK(sim::ideal_holds(c.key, c.digest, c.signature));
    CHECK(!simplex::check_evidence(b.set, sim::ideal_identity(9).self, found[0].proof, claims));
    for (std::size_t i = 0; i < found[0].proof.size(); ++i) {
        auto bent = found[0].proof;
        bent[i] ^= std::byte{1};
        claims.clear();
        bool good = simplex::check_evidence(b.set, found[0].culprit, bent, claims);
        for (auto const& c : claims) good = good && sim::ideal_holds(c.key, c.digest, c.signature);
        CHECK(!good);
    }
}
