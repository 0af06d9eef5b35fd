// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/job.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <string>
#include <unordered_set>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::escrow;

namespace {

crypto::address someone(unsigned n)
{
    hash256 raw{};
    raw[0] = static_cast<std::byte>(n);
    return crypto::address{raw};
}
auto const renter = someone(1);
auto const sponsor = someone(2);
auto const anna = someone(10);
auto const bela = someone(11);
auto const referee = someone(20);

terms by_units(std::uint64_t each = 100)
{
    terms t{};
    t.each = price{each};
    t.bond = amount{1000};
    t.fund_within = t.start_within = 2;
    t.run_within = 20;
    t.window = 4;
    t.verdict_within = 6;
    t.grace = 3;
    t.notice = 1;
    t.fee = 500;
    return t;
}

terms by_time(std::uint64_t rate = 10)
{
    auto t = by_units();
    t.each = price{};
    t.per_height = price{rate};
    t.run_within = 1000;
    return t;
}

/// Who got what from the effects; the world in which a job lives.
struct ledger {
    amount put_in{}, paid{}, fees{}, refunded{}, locked{}, freed{}, slashed{};
    std::vector<phase> phases;
    std::uint32_t relisted = 0;
    amount beside{};
    height warned_of{};
    int closed_times = 0;
    std::vector<std::pair<crypto::address, amount>> refunds;

    void take(effects& out)
    {
        for (auto const& each : out) std::visit([&](auto const& e) { on(e); }, each);
        out.clear();
    }
    void on(pay const& e)
    {
        paid += e.value;
        fees += e.fee;
    }
    void on(refund const& e)
    {
        refunded += e.value;
        refunds.emplace_back(e.to, e.value);
    }
    void on(lock_bond const& e) { locked += e.value; }
    void on(free_bond const& e) { freed += e.value; }
    void on(slash_bond const& e) { slashed += e.value; }
    void on(relist const& e) { relisted += e.units; }
    void on(runs_dry const& e) { warned_of = e.at; }
    void on(moved const& e) { phases.push_back(e.to); }
    void on(closed const&) { ++closed_times; }
    void on(spent const& e) { beside += e.value; }

    bool conserves(job const& j) const
    {
        return put_in == paid + fees + refunded + beside + j.state().balance;
    }
    bool bonds_left() const { return locked == freed + slashed; }
};

struct world {
    job j;
    ledger l{};
    effects out{};

    explicit world(std::uint32_t units, std::uint64_t search_until = 30)
        : j{job::open(renter, units, height{search_until}, 5, height{0}).value()}
    {}
    void put(crypto::address const& who, std::uint64_t value, std::uint64_t at)
    {
        REQUIRE(j.deposit(who, amount{value}, height{at}, out).has_value());
        l.put_in += amount{value};
        took();
    }
    void took()
    {
        l.take(out);
        REQUIRE(l.conserves(j));
    }
    void ok(job::done const& done)
    {
        REQUIRE_MESSAGE(done.has_value(), message(done ? reject::ok : done.error()));
        took();
    }
    agreement_id running(crypto::address const& who, std::uint32_t units, terms const& by,
                         std::uint64_t at)
    {
        auto const id = j.match(who, units, by, height{at}, out);
        REQUIRE(id.has_value());
        ok(j.fund(*id, height{at}, out));
        ok(j.start(*id, who, height{at}, out));
        return *id;
    }
    void tick(std::uint64_t at) { ok(j.tick(height{at}, out)); }
    /// Lets time do all that is left.
    void run_out()
    {
        for (int i = 0; i < 1000 && !j.state().over; ++i) {
            REQUIRE(j.due() != height::max());
            tick(j.due().get());
        }
        REQUIRE(j.state().over);
        CHECK(l.closed_times == 1);
        CHECK(l.bonds_left());
        CHECK(j.state().balance == amount{});
    }
    agreement const& of(agreement_id id) const { return j.state().agreements[id.get()]; }
};

}  // namespace

TEST_CASE("job: units are paid one by one as their windows end, and the rest goes back")
{
    world w{3};
    w.put(renter, 1000, 0);
    auto const a = w.running(anna, 3, by_units(), 1);
    CHECK(w.j.free() == amount{700});
    w.ok(w.j.deliver(unit_id{0}, anna, height{2}, w.out));
    w.ok(w.j.deliver(unit_id{1}, anna, height{3}, w.out));
    CHECK(w.l.paid == amount{});
    w.tick(6);  // the window of the first unit ends here
    CHECK(w.l.paid == amount{95});
    CHECK(w.l.fees == amount{5});
    w.ok(w.j.deliver(unit_id{2}, anna, height{7}, w.out));
    CHECK(w.of(a).at == phase::delivered);
    w.ok(w.j.approve(a, renter, height{7}, w.out));  // no need to wait
    CHECK(w.of(a).at == phase::settled);
    CHECK(w.l.paid == amount{285});
    CHECK(w.l.freed == amount{1000});
    CHECK(w.l.refunded == amount{700});
    CHECK(w.j.state().over);
    CHECK(w.j.tick(height{8}, w.out).error() == reject::job_closed);
}

TEST_CASE("job: a provider that fails loses its unfinished units, and another finishes them")
{
    world w{4};
    w.put(renter, 400, 0);
    auto const a = w.running(anna, 4, by_units(), 0);
    w.ok(w.j.deliver(unit_id{0}, anna, height{1}, w.out));
    w.ok(w.j.fail(a, height{2}, w.out));
    CHECK(w.of(a).at == phase::delivered);  // the finished unit still counts
    CHECK(w.l.relisted == 3);
    CHECK(w.l.slashed == amount{100});
    w.running(bela, 3, by_units(), 3);
    for (std::uint32_t i = 1; i < 4; ++i) w.ok(w.j.deliver(unit_id{i}, bela, height{4}, w.out));
    w.run_out();
    CHECK(w.of(a).at == phase::settled);
    CHECK(w.of(a).earned == amount{100});
    CHECK(w.l.paid + w.l.fees == amount{400});
}

TEST_CASE("job: what a referee proves wrong is not paid, and costs the bond")
{
    world w{3};
    w.put(renter, 300, 0);
    auto const a = w.running(anna, 2, by_units(), 0);
    w.ok(w.j.deliver(unit_id{0}, anna, height{1}, w.out));
    w.ok(w.j.deliver(unit_id{1}, anna, height{1}, w.out));
    w.ok(w.j.object(unit_id{1}, height{2}, w.out));
    CHECK(w.of(a).at == phase::disputed);
    w.ok(w.j.convict(unit_id{1}, referee, height{3}, w.out));
    CHECK(w.of(a).at == phase::slashed);
    CHECK(w.l.slashed == amount{1000});
    CHECK(w.l.relisted == 2);
    w.run_out();
    CHECK(w.l.refunded == amount{300});
}

TEST_CASE("job: an objection that nobody proves does not keep the provider from its money")
{
    world w{2};
    w.put(renter, 200, 0);
    auto const a = w.running(anna, 2, by_units(), 0);
    w.ok(w.j.deliver(unit_id{0}, anna, height{1}, w.out));
    w.ok(w.j.object(unit_id{0}, height{2}, w.out));  // others are still to come
    w.ok(w.j.deliver(unit_id{1}, anna, height{3}, w.out));
    CHECK(w.of(a).at == phase::disputed);
    w.ok(w.j.acquit(unit_id{0}, height{4}, w.out));
    CHECK(w.of(a).at == phase::delivered);
    w.ok(w.j.object(unit_id{1}, height{5}, w.out));
    w.run_out();  // the referee vanishes
    CHECK(w.of(a).at == phase::settled);
    CHECK(w.l.paid + w.l.fees == amount{200});
    CHECK(w.l.slashed == amount{});
}

TEST_CASE(
    "job: rented time is paid to the height, the end is known, announced, and a top-up goes on")
{
    world w{0, 200};
    w.put(renter, 105, 0);
    auto const a = w.running(anna, 0, by_time(10), 0);
    CHECK(w.j.runs_dry_at() == height{10});
    CHECK(w.j.due() == height{5});
    w.tick(5);
    CHECK(w.l.warned_of == height{10});
    CHECK(w.of(a).earned == amount{50});
    w.tick(10);
    CHECK(w.of(a).at == phase::paused);
    CHECK(w.of(a).earned == amount{100});
    w.put(sponsor, 95, 12);
    CHECK(w.of(a).at == phase::running);
    CHECK(w.j.runs_dry_at() == height{22});  // nothing was owed for the pause
    w.tick(22);
    CHECK(w.of(a).at == phase::paused);
    w.run_out();
    CHECK(w.of(a).at == phase::settled);
    CHECK(w.l.paid + w.l.fees == amount{200});
}

TEST_CASE("job: when nobody looked in time the shortfall is shared in proportion")
{
    world w{0, 500};
    w.put(renter, 400, 0);
    auto const a = w.running(anna, 0, by_time(10), 0);
    auto const b = w.running(bela, 0, by_time(30), 0);
    CHECK(w.j.runs_dry_at() == height{10});
    CHECK(w.j.deposit(sponsor, amount{1}, height{12}, w.out).error() == reject::tick_first);
    w.tick(20);  // ten heights late: 800 are owed, 400 are there
    CHECK(w.of(a).earned == amount{100});
    CHECK(w.of(b).earned == amount{300});
    CHECK(w.of(a).at == phase::paused);
    CHECK(w.of(b).at == phase::paused);
}

TEST_CASE("job: a renter may cancel a run, pays the notice and gets the rest back")
{
    world w{5};
    w.put(renter, 300, 0);
    w.put(sponsor, 200, 0);
    auto const a = w.running(anna, 5, by_units(), 0);
    w.ok(w.j.deliver(unit_id{0}, anna, height{1}, w.out));
    CHECK(w.j.cancel(a, anna, height{2}, w.out).error() == reject::not_renter);
    w.ok(w.j.cancel_all(renter, height{2}, w.out));
    CHECK(w.l.paid + w.l.fees == amount{100});  // one unit of notice
    CHECK(w.l.slashed == amount{});
    w.run_out();
    CHECK(w.l.paid + w.l.fees == amount{200});
    CHECK(w.l.refunded == amount{300});
}

TEST_CASE("job: refunds follow what each payer put in, to the grain")
{
    world w{1, 3};
    w.put(renter, 10, 0);
    w.put(sponsor, 5, 0);
    w.put(anna, 1, 0);
    w.running(bela, 1, by_units(3), 0);
    w.ok(w.j.deliver(unit_id{0}, bela, height{1}, w.out));
    w.tick(5);
    CHECK(w.j.state().over);
    // 13 grains are left for 10 : 5 : 1; the one that cannot be shared goes to the earliest.
    decltype(w.l.refunds) const want{{renter, amount{9}}, {sponsor, amount{4}}};
    CHECK(w.l.refunds == want);
}

TEST_CASE("job: a refusal changes nothing")
{
    world w{2, 10};
    w.put(renter, 150, 0);
    auto const refused = [&](auto const& call, reject why) {
        auto const before = encode(w.j.state());
        auto const due = w.j.due();
        auto const answer = call();
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error() == why);
        CHECK(message(answer.error()) != "unknown reason");
        CHECK(encode(w.j.state()) == before);
        CHECK(w.j.due() == due);
        CHECK(w.out.empty());
    };
    auto& j = w.j;
    auto& out = w.out;
    auto const at = height{1};
    refused([&] { return j.deposit(renter, amount{}, at, out); }, reject::zero_amount);
    refused([&] { return j.deposit(renter, amount::max(), at, out); }, reject::value_too_large);
    refused([&] { return j.match(anna, 3, by_units(), at, out); }, reject::no_units_left);
    refused([&] { return j.match(anna, 0, by_units(), at, out); }, reject::zero_units);
    refused([&] { return j.match(anna, 1, by_time(), at, out); }, reject::has_no_units);
    auto open_ended = by_units();
    open_ended.verdict_within = 0;
    refused([&] { return j.match(anna, 1, open_ended, at, out); }, reject::bad_terms);
    auto both = by_units();
    both.per_height = price{1};
    refused([&] { return j.match(anna, 1, both, at, out); }, reject::bad_terms);
    auto const id = j.match(anna, 2, by_units(), at, out).value();
    w.took();
    refused([&] { return j.fund(id, at, out); }, reject::underfunded);
    refused([&] { return j.start(id, anna, at, out); }, reject::wrong_phase);
    refused([&] { return j.fund(agreement_id{7}, at, out); }, reject::unknown_agreement);
    refused([&] { return j.deliver(unit_id{9}, anna, at, out); }, reject::unknown_unit);
    refused([&] { return j.accept(unit_id{0}, at, out); }, reject::wrong_unit_state);
    refused([&] { return j.cancel(id, anna, at, out); }, reject::not_renter);
    w.put(renter, 50, 1);
    w.ok(j.fund(id, at, out));
    refused([&] { return j.start(id, bela, at, out); }, reject::not_provider);
    w.ok(j.start(id, anna, at, out));
    refused([&] { return j.deliver(unit_id{0}, bela, at, out); }, reject::not_provider);
    refused([&] { return j.tick(height{0}, out); }, reject::height_went_back);
    w.ok(j.deliver(unit_id{0}, anna, at, out));
    refused([&] { return j.deliver(unit_id{0}, anna, at, out); }, reject::wrong_unit_state);
    refused([&] { return j.acquit(unit_id{0}, at, out); }, reject::wrong_unit_state);
    refused([&] { return j.quit(id, bela, at, out); }, reject::not_provider);
    refused([&] { return j.accept(unit_id{0}, height{9}, out); }, reject::tick_first);
}

namespace {

/// A job small enough to be looked at whole, and everything that anybody can do to it.
struct move_of {
    std::string_view what;
    std::function<bool(job&, height, effects&)> make;
};

std::vector<move_of> all_moves(std::uint32_t units, std::uint32_t agreements, terms const& by,
                               bool timed)
{
    std::vector<move_of> all;
    auto const add = [&](std::string_view what, auto call) {
        all.push_back({what, [call](job& j, height at, effects& out) {
                           return call(j, at, out).has_value();
                       }});
    };
    add("deposit", [](job& j, height at, effects& out) {
        if (j.state().payers.size() > 1) return job::done{blendr::fail{reject::too_many_payers}};
        return j.deposit(j.state().payers.empty() ? renter : sponsor, amount{150}, at, out);
    });
    add("spend", [](job& j, height at, effects& out) { return j.spend(amount{70}, at, out); });
    for (std::uint32_t n = timed ? 0 : 1; n <= (timed ? 0 : units); ++n)
        add("match", [=](job& j, height at, effects& out) -> job::done {
            if (j.state().agreements.size() == agreements)
                return blendr::fail{reject::too_many_agreements};
            if (auto const id = j.match(anna, n, by, at, out); !id) return blendr::fail{id.error()};
            return nothing{};
        });
    for (std::uint32_t i = 0; i < agreements; ++i) {
        agreement_id const id{i};
        add("fund", [=](job& j, height at, effects& o) { return j.fund(id, at, o); });
        add("start", [=](job& j, height at, effects& o) { return j.start(id, anna, at, o); });
        add("approve", [=](job& j, height at, effects& o) { return j.approve(id, renter, at, o); });
        add("quit", [=](job& j, height at, effects& o) { return j.quit(id, anna, at, o); });
        add("fail", [=](job& j, height at, effects& o) { return j.fail(id, at, o); });
        add("cancel", [=](job& j, height at, effects& o) { return j.cancel(id, renter, at, o); });
    }
    for (std::uint32_t i = 0; i < units; ++i) {
        unit_id const id{i};
        add("deliver", [=](job& j, height at, effects& o) { return j.deliver(id, anna, at, o); });
        add("accept", [=](job& j, height at, effects& o) { return j.accept(id, at, o); });
        add("object", [=](job& j, height at, effects& o) { return j.object(id, at, o); });
        add("acquit", [=](job& j, height at, effects& o) { return j.acquit(id, at, o); });
        add("forgo", [=](job& j, height at, effects& o) { return j.forgo(id, at, o); });
        add("convict",
            [=](job& j, height at, effects& o) { return j.convict(id, referee, at, o); });
    }
    add("cancel all", [](job& j, height at, effects& o) { return j.cancel_all(renter, at, o); });
    return all;
}

amount bonds_of(job const& j)
{
    amount sum{};
    for (auto const& each : j.state().agreements) sum += each.bond;
    return sum;
}

/// Money in = money out + what is there, bonds likewise; what is held is what units are owed.
void check_step(job const& before, job const& after, effects const& out, amount put)
{
    ledger l{};
    for (auto const& each : out) std::visit([&](auto const& e) { l.on(e); }, each);
    REQUIRE(before.state().balance + put ==
            after.state().balance + l.paid + l.fees + l.refunded + l.beside);
    REQUIRE(bonds_of(before) + l.locked == bonds_of(after) + l.freed + l.slashed);
    REQUIRE(l.closed_times == (after.state().over && !before.state().over ? 1 : 0));
    amount held{};
    for (auto const& a : after.state().agreements) {
        if (a.at != phase::open)
            REQUIRE(a.held ==
                    a.by.each * quantity{is_end(a.at) ? 0 : a.assigned + a.delivered + a.disputed});
        held += a.held;
    }
    REQUIRE(held == after.state().held);
    REQUIRE(held <= after.state().balance);
    if (after.state().over) REQUIRE(after.state().balance == amount{});
}

struct explored {
    std::size_t states = 0;
    std::size_t steps = 0;
    std::size_t ends = 0;
};

explored explore(std::uint32_t units, std::uint32_t agreements, terms const& by, bool timed,
                 std::size_t states_max)
{
    auto const moves = all_moves(units, agreements, by, timed);
    struct node {
        job j;
        height now;
    };
    std::deque<node> open;
    std::unordered_set<std::string> seen;
    explored found{};
    auto const meet = [&](job const& j, height now) {
        auto key = encode(j.state());
        append(key, now);
        if (seen.emplace(as_text(key)).second) open.push_back({j, now});
    };
    meet(job::open(renter, units, height{3}, 1, height{0}).value(), height{0});
    while (!open.empty() && found.states < states_max) {
        auto const here = std::move(open.front());
        open.pop_front();
        ++found.states;
        if (here.j.state().over) {
            ++found.ends;
            continue;
        }
        effects out;
        for (auto const& each : moves) {
            job next = here.j;
            out.clear();
            bool const done = each.make(next, here.now, out);
            ++found.steps;
            if (!done) {
                REQUIRE(encode(next.state()) == encode(here.j.state()));
                REQUIRE(out.empty());
                continue;
            }
            check_step(here.j, next, out, each.what == "deposit" ? amount{150} : amount{});
            meet(next, here.now);
        }
        // Time passes; and from here, left alone, the job ends by its own deadlines.
        job next = here.j;
        out.clear();
        REQUIRE(next.tick(here.now, out).has_value());
        check_step(here.j, next, out, amount{});
        meet(next, here.now + std::uint64_t{1});
        for (int quiet = 0; !next.state().over; ++quiet) {
            REQUIRE(quiet < 50);
            REQUIRE(next.due() != height::max());
            job const last = next;
            out.clear();
            REQUIRE(next.tick(next.due(), out).has_value());
            check_step(last, next, out, amount{});
        }
        // A state that went through its bytes is the same state.
        REQUIRE(job{decode<job_state>(encode(here.j.state())).value()}.due() == here.j.due());
    }
    return found;
}

terms short_terms(bool timed)
{
    auto by = timed ? by_time(40) : by_units(100);
    by.fund_within = by.start_within = by.window = by.verdict_within = by.grace = 1;
    by.run_within = 2;
    return by;
}

}  // namespace

TEST_CASE(
    "job: a unit that another's result stands for is neither paid nor done again, at no fault")
{
    effects out;
    auto j = job::open(renter, 2, height{100}, 1, height{0}).value();
    REQUIRE(j.deposit(renter, amount{400}, height{0}, out).has_value());
    auto const id = j.match(anna, 2, by_units(100), height{0}, out).value();
    REQUIRE(j.fund(id, height{0}, out).has_value());
    REQUIRE(j.start(id, anna, height{0}, out).has_value());
    CHECK(j.forgo(unit_id{0}, height{0}, out).error() == reject::wrong_unit_state);
    REQUIRE(j.deliver(unit_id{0}, anna, height{1}, out).has_value());
    REQUIRE(j.object(unit_id{0}, height{1}, out).has_value());
    REQUIRE(j.forgo(unit_id{0}, height{2}, out).has_value());
    CHECK(j.state().units[0].at == unit_state::dropped);
    CHECK(j.state().agreements[0].at == phase::running);
    CHECK(j.state().held == amount{100});
    CHECK(j.state().agreements[0].bond == by_units(100).bond);
    REQUIRE(j.deliver(unit_id{1}, anna, height{3}, out).has_value());
    REQUIRE(j.forgo(unit_id{1}, height{3}, out).has_value());
    CHECK(j.state().agreements[0].at == phase::refunded);
    CHECK(j.state().over);
}

TEST_CASE("job: only money that no agreement counts on is spent on checks")
{
    world w{2};
    w.put(renter, 250, 0);
    auto const id = w.j.match(anna, 2, by_units(100), height{0}, w.out).value();
    CHECK(w.j.spare() == amount{50});  // of what is promised nothing, though it is not held yet
    CHECK(w.j.spend(amount{51}, height{1}, w.out).error() == reject::underfunded);
    CHECK(w.j.spend(amount{}, height{1}, w.out).error() == reject::zero_amount);
    REQUIRE(w.j.spend(amount{30}, height{1}, w.out).has_value());
    REQUIRE(w.j.fund(id, height{1}, w.out).has_value());
    CHECK(w.j.spare() == amount{20});
    w.took();
    CHECK(w.l.beside == amount{30});
}

TEST_CASE("job: in every state of a small job money is conserved and the way out is open" *
          doctest::test_suite("property"))
{
    auto const small = explore(2, 1, short_terms(false), false, 20'000);
    auto const timed = explore(0, 2, short_terms(true), true, 12'000);
    MESSAGE("by units: " << small.states << " states, " << small.steps << " steps, " << small.ends
                         << " ends; by time: " << timed.states << " states, " << timed.steps
                         << " steps, " << timed.ends << " ends");
    CHECK(small.ends > 10);
    CHECK(timed.ends > 10);
}

TEST_CASE("job: two providers, three units, every order of events" * doctest::test_suite("slow"))
{
    auto const found = explore(3, 2, short_terms(false), false, 400'000);
    MESSAGE(found.states << " states, " << found.steps << " steps, " << found.ends << " ends");
    CHECK(found.states > 100'000);
}

TEST_CASE("job: long random lives conserve money and end" * doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    std::size_t events = 0;
    for (int life = 0; life < 300; ++life) {
        bool const timed = random.chance(1, 3);
        std::uint32_t const units = timed ? 0 : static_cast<std::uint32_t>(random.between(1, 12));
        auto by = timed ? by_time(random.between(1, 60)) : by_units(random.between(1, 60));
        by.notice = static_cast<std::uint32_t>(random.below(4));
        auto const moves = all_moves(units, 4, by, timed);
        job j = job::open(renter, units, height{40}, 3, height{0}).value();
        height now{0};
        effects out;
        for (int i = 0; i < 400 && !j.state().over; ++i, ++events) {
            job const before = j;
            out.clear();
            if (random.chance(1, 6)) {
                if (random.chance(1, 3)) j = job{j.state()};  // a crash between blocks
                REQUIRE(j.tick(now, out).has_value());
                check_step(before, j, out, amount{});
                now = now + random.between(1, random.chance(1, 10) ? 9 : 2);
                if (j.due() < now && !j.state().over) {
                    job const late = j;
                    out.clear();
                    REQUIRE(j.tick(height{now.get() - 1}, out).has_value());
                    check_step(late, j, out, amount{});
                }
                continue;
            }
            auto const& each = moves[random.below(moves.size())];
            bool const done = each.make(j, now, out);
            check_step(before, j, out, done && each.what == "deposit" ? amount{150} : amount{});
        }
        while (!j.state().over) {
            out.clear();
            job const before = j;
            REQUIRE(j.tick(std::max(now, j.due()), out).has_value());
            check_step(before, j, out, amount{});
            now = std::max(now, j.due() == height::max() ? now : j.due());
        }
    }
    MESSAGE(events << " events");
}
