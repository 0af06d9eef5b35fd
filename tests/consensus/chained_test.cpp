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
    std::uint32_t leader(std::uint64_t view) const
    {
        electorate const all{set};
        for (std::uint32_t i = 0; i < 4; ++i)
            if (sim::ideal_identity(i).self == all.key(all.leader(view))) return i;
        return 0;
    }
    public_key leader_key(std::uint64_t view) const
    {
        return sim::ideal_identity(leader(view)).self;
    }
    wire_message propose(std::uint64_t view, block const& body)
    {
        ballot const about{ballot_kind::propose, 1, view, view - 1, id_of(body)};
        auto const me = sim::ideal_identity(leader(view));
        return proposal{
            {about, me.sign(ballot_domain, electorate{set}.statement(about))}, body, {}};
    }
    /// Everybody's ballots in one.
    certificate quorum(ballot const& about) const
    {
        electorate const all{set};
        certificate c{about, {std::byte{0xf}}, {}};
        for (std::size_t seat = 0; seat < 4; ++seat)
            for (std::uint32_t i = 0; i < 4; ++i)
                if (auto const me = sim::ideal_identity(i); me.self == all.key(seat))
                    c.signatures.push_back(me.sign(ballot_domain, all.statement(about)));
        return c;
    }
    bool leads() const { return !asked<build>().empty(); }
    /// Everybody gives the view up.
    void pass_view()
    {
        out.clear();
        hear(1, tell{{quorum({ballot_kind::give_up, 1, failed++, 0, {}})}, {}});
    }
    std::uint64_t failed = 1;  // the view that fails next
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

TEST_CASE("chained: an application that says nothing is asked again, ever less often")
{
    bench b{};
    block const body{{{}, height{1}, time_ms{900'000}, b.leader_key(1)}, to_bytes("x")};
    b.hear(b.leader(1), b.propose(1, body));
    REQUIRE(b.asked<verify>().size() == 1);
    std::vector<std::int64_t> when{};
    for (std::int64_t ms = 100; ms <= 30'000; ms += 100) {
        b.now.monotonic = time_ms{ms};
        b.out.clear();
        b.e.step(timer_fired{1}, b.now, b.out);  // the ask timer
        for (auto const& v : b.asked<verify>()) {
            CHECK(v.id == id_of(body));
            when.push_back(ms);
        }
    }
    CHECK(when == std::vector<std::int64_t>{300, 900, 2'100, 4'500, 9'300, 18'900, 28'500});
    b.out.clear();
    b.e.step(judged{id_of(body), app::verdict::valid}, b.now, b.out);
    CHECK(!b.asked<broadcast>().empty());  // it votes at last
    b.now.monotonic = time_ms{90'000};
    b.out.clear();
    b.e.step(timer_fired{1}, b.now, b.out);
    CHECK(b.asked<verify>().empty());
}

TEST_CASE("chained: a host that never answers is asked for the same payload again")
{
    bench b{};
    while (!b.leads()) b.pass_view();
    auto const first = b.asked<build>();
    REQUIRE(first.size() == 1);
    b.now.monotonic = after(b.now.monotonic, 400);
    b.out.clear();
    b.e.step(timer_fired{1}, b.now, b.out);
    auto const second = b.asked<build>();
    REQUIRE(second.size() == 1);
    CHECK(second[0].request == first[0].request);
    b.out.clear();
    b.e.step(built{first[0].request, to_bytes("x")}, b.now, b.out);
    CHECK(!b.asked<broadcast>().empty());
    b.out.clear();
    b.e.step(built{first[0].request, to_bytes("y")}, b.now, b.out);  // the second answer
    CHECK(b.out.empty());
}

TEST_CASE("chained: a decision trims the journal to what views still open need")
{
    bench b{};
    block const body{{{}, height{1}, time_ms{900'000}, b.leader_key(1)}, to_bytes("x")};
    b.hear(b.leader(1), b.propose(1, body));
    b.e.step(judged{id_of(body), app::verdict::valid}, b.now, b.out);
    b.out.clear();
    auto const finish = b.quorum({simplex::finish, 1, 1, 0, id_of(body)});
    b.hear(1, tell{{finish}, {}});
    auto const done = b.asked<decide>();
    REQUIRE(done.size() == 1);
    auto const trimmed = b.asked<trim>();
    REQUIRE(trimmed.size() == 1);
    CHECK(trimmed[0].below == height{2});
    std::size_t decided_at = 0;
    for (std::size_t i = 0; i < b.out.size(); ++i) {
        if (std::holds_alternative<decide>(b.out[i])) decided_at = i;
        if (std::holds_alternative<trim>(b.out[i])) CHECK(i > decided_at);
        if (auto const* p = std::get_if<persist>(&b.out[i])) CHECK(p->tag <= height{2});
    }
}

TEST_CASE("chained: an engine goes on from a checkpoint, and proves what it stands on to who asks")
{
    bench before{};
    started s{};
    s.from.last = {{std::byte{7}}, {{}, height{5}, time_ms{1}, {}}, {}};
    auto const finish = before.quorum({simplex::finish, 1, 9, 8, s.from.last.id});
    s.from.why = encode(std::vector{finish});
    for (std::uint64_t h : {5u, 6u, 7u}) s.from.sets.push_back({height{h}, 1, before.set.set, {}});
    simplex e{{}, sim::ideal_identity(0), 1};
    effects out{};
    e.step(s, before.now, out);
    out.clear();
    auto const raw = encode(wire_message{ask{1, 9, height{5}, {}}});
    e.step(received{sim::ideal_identity(1).self, raw, true}, before.now, out);
    REQUIRE(out.size() == 1);
    auto const answer = decode<wire_message>(std::get<send>(out[0]).message);
    REQUIRE(answer);
    CHECK(std::get<tell>(*answer).certificates.at(0) == finish);
    out.clear();
    auto const behind = encode(wire_message{ask{1, 1, height{2}, {}}});
    e.step(received{sim::ideal_identity(2).self, behind, true}, before.now, out);
    REQUIRE(std::holds_alternative<load>(out.at(0)));  // decided blocks come from the host's log
    CHECK(std::get<load>(out[0]).from == height{3});
}

TEST_CASE("chained: a crowd of strangers fills no more memory than was set aside for it")
{
    consensus::impl::early_mail mail{};
    std::size_t kept = 0;
    constexpr std::size_t size = 400'000;
    for (std::uint32_t who = 0; who < 200; ++who)
        for (int i = 0; i < 4; ++i)
            kept += mail.keep(sim::ideal_identity(who).self, bytes(size)) ? size : 0;
    CHECK(kept <= consensus::impl::early_mail::bytes_in_all);
    CHECK(kept > consensus::impl::early_mail::bytes_in_all / 2);
    std::size_t back = 0;
    mail.empty_into([&](public_key const&, bytes m) { back += m.size(); });
    CHECK(back == kept);
    CHECK(mail.keep(sim::ideal_identity(1).self, bytes(1)));
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
