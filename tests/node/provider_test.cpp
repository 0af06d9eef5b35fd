// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/provider.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include <blendr/core/random.hpp>
#include <blendr/crypto/seal.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/escrow/letters.hpp>
#include <blendr/node/programs.hpp>

#include "job_town.hpp"

using namespace blendr;
using namespace blendr::test;

namespace {

constexpr std::array<std::uint8_t, 3> sellers{10, 11, 12};

/// Follows a job to its end, with something done at each look.
template <class Each>
node::job_story follow(node::renter& by, std::uint64_t number, Each&& each, int seconds = 300)
{
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{seconds};
    auto out = by.watch(number, [&](node::job_story const& s) {
        each(s);
        return std::chrono::steady_clock::now() < until;
    });
    REQUIRE_MESSAGE(out, (out ? std::string{} : out.error()));
    return *std::move(out);
}

void open_shops(job_town& town)
{
    for (auto const i : sellers) town.let_in(i);
    REQUIRE(eventually([&] { return town.offers() == sellers.size(); }));
}

std::uint64_t sent(node::renter& by, node::job_request const& what)
{
    auto const number = by.submit(what);
    REQUIRE_MESSAGE(number, (number ? std::string{} : number.error()));
    return *number;
}

void settled_to_the_grain(job_town const& town, unsigned devices = 1)
{
    // with no ask in the book, nothing is anywhere but in purses and bonds
    auto const [is, should] = town.money(devices);
    CHECK(is == should);
}

void close_shops(job_town& town, std::initializer_list<std::uint8_t> who)
{
    for (auto const each : who) {
        town.send_home(each);
        close_shop(town.ask(), person(each));
    }
}

}  // namespace

TEST_CASE("provider: a job is found, matched, held, run, checked, paid and rated by both sides" *
          doctest::test_suite("e2e"))
{
    job_town town{scratch("provider") / "whole"};
    REQUIRE(town.good());
    open_shops(town);
    auto const by = town.renter(13);
    auto const what = small_picture(6);
    auto const quote = by->quote(what);
    REQUIRE_MESSAGE(quote, (quote ? std::string{} : quote.error()));
    CHECK(quote->providers == 3);
    CHECK(quote->units >= 4);
    CHECK(quote->sentence().find("3 providers match") != std::string::npos);

    auto const number = sent(*by, what);
    std::atomic<bool> shared = false;
    std::jthread const looks{
        [&](std::stop_token const& stop) {  // more often than a job's story is told
            while (!shared && !stop.stop_requested()) {
                for (auto const i : sellers)
                    if (town.at(i).report().state == node::agent_state::sharing) shared = true;
                std::this_thread::sleep_for(std::chrono::milliseconds{1});
            }
        }};
    auto const story = follow(*by, number, [](node::job_story const&) {});
    CHECK(story.phase == node::job_phase::done);
    CHECK(shared);
    CHECK(story.paid == story.units);
    amount paid{};
    for (auto const& deal : story.stages[0].deals) {
        CHECK(deal.phase == "settled");
        CHECK(deal.rated);
        CHECK(deal.rated_us);
        paid += deal.paid + deal.fees;
        CHECK(deal.score_after >= deal.score_before);
    }
    CHECK(story.cost == paid);
    CHECK(paid != amount{});
    for (auto const& unit : story.stages[0].units) CHECK(!unit.checked.empty());
    // the picture is the one that a single machine makes
    auto const files = by->files(number);
    REQUIRE(files);
    auto const right = done_here(what);
    REQUIRE(files->size() == right.size());
    for (std::size_t i = 0; i < right.size(); ++i) CHECK((*files)[i].content == right[i].content);
    close_shops(town, {10, 11, 12});
    settled_to_the_grain(town);
}

TEST_CASE("provider: wrong results are caught, the bond pays, and an honest one finishes" *
          doctest::test_suite("e2e"))
{
    job_town town{scratch("provider") / "cheat"};
    REQUIRE(town.good());
    auto wicked = town.settings(10);
    wicked.cheat = true;
    town.let_in(10, wicked);
    for (auto const i : {sellers[1], sellers[2]}) town.let_in(i);
    REQUIRE(eventually([&] { return town.offers() == 3; }));
    auto const by = town.renter(13);
    auto const what = small_picture(6);
    auto const number = sent(*by, what);
    auto const story = follow(*by, number, [](auto const&) {});
    CHECK_MESSAGE(story.phase == node::job_phase::done, summary(story));
    amount slashed{};
    for (auto const& deal : story.stages[0].deals) {
        if (deal.provider == to_text(person(10).account())) {
            CHECK(deal.phase == "slashed");
            CHECK(deal.paid == amount{});
            slashed += deal.slashed;
        } else if (deal.phase != "refunded") {
            CHECK(deal.phase == "settled");
        }
    }
    CHECK(slashed != amount{});
    CHECK((*by->files(number))[0].content == done_here(what)[0].content);
    close_shops(town, {10, 11, 12});
    settled_to_the_grain(town);
}

TEST_CASE("provider: one that is gone loses its units, and others finish them" *
          doctest::test_suite("e2e"))
{
    job_town town{scratch("provider") / "gone"};
    REQUIRE(town.good());
    town.let_in(10, town.settings(10), 1, endless_units());
    for (auto const i : {sellers[1], sellers[2]}) town.let_in(i);
    REQUIRE(eventually([&] { return town.offers() == 3; }));
    auto const by = town.renter(13);
    auto what = small_picture(6);
    what.run_s = 3;
    what.start_s = 2;
    what.check_s = 2;
    auto const number = sent(*by, what);
    auto const lost = to_text(person(10).account());
    std::uint32_t owed = 0;
    auto const story = follow(*by, number, [&](node::job_story const& s) {
        if (owed != 0) return;
        for (auto const& unit : s.stages[0].units)
            owed += unit.provider == lost && unit.state == "assigned";
        if (owed != 0) town.send_home(10);
    });
    CHECK(owed != 0);  // it had begun what it never delivered …
    CHECK_MESSAGE(story.phase == node::job_phase::done, summary(story));
    CHECK(story.paid == story.units);
    for (auto const& unit : story.stages[0].units) CHECK(unit.provider != lost);  // … others did
    for (auto const& deal : story.stages[0].deals)
        if (deal.provider == lost) CHECK(deal.paid == amount{});
    CHECK((*by->files(number))[0].content == done_here(what)[0].content);
    close_shops(town, {10, 11, 12});
    settled_to_the_grain(town);
}

TEST_CASE(
    "provider: a device is seen to share from its agreement's block on, and to be idle again" *
    doctest::test_suite("e2e"))
{
    job_town town{scratch("provider") / "seen"};
    REQUIRE(town.good());
    auto const& agent = town.let_in(10, town.settings(10), 1, endless_units());
    REQUIRE(eventually([&] { return town.offers() == 1; }));
    market::device_key const device{person(10).account(), 0};
    auto const doing = [&] {
        escrow::query::engaged asked{};
        asked.devices.push_back(device);
        auto const all =
            town.ask().ask<std::vector<escrow::query::engagement>>("escrow/engaged", asked);
        return all && all->size() == 1 ? all->front() : escrow::query::engagement{};
    };
    CHECK(doing().state == market::device_state::idle);
    auto const by = town.renter(13);
    auto what = small_picture(2, 1);
    what.run_s = 3'600;
    auto const number = sent(*by, what);
    escrow::job_key const job{person(13).account(), number};
    REQUIRE(eventually([&] {  // between two equal answers nothing changed
        auto const now = doing();
        auto const row = town.ask().row<escrow::contract, escrow::jobs>(job);
        if (!row || now != doing()) return false;
        auto const& all = row->money.agreements;
        CHECK((now.state == market::device_state::sharing) == !all.empty());
        if (all.empty()) return false;
        CHECK(now.agreements == 1);
        CHECK(now.units == row->money.units.size());
        return true;
    }));
    REQUIRE(eventually([&] { return agent.report().devices[0].on_chain == "sharing"; }));
    CHECK(agent.report().state == node::agent_state::sharing);
    // the registry itself knows of hours that were sold, not of units
    auto const kept = town.ask().row<market::contract, market::devices>(device);
    CHECK((kept && kept->status.state == market::device_state::idle));
    REQUIRE(by->cancel(number));
    CHECK(eventually([&] { return doing().state == market::device_state::idle; }));
    CHECK(eventually([&] { return agent.report().devices[0].on_chain == "idle"; }));
    close_shops(town, {10});
    settled_to_the_grain(town);
}

TEST_CASE(
    "provider: inputs are sealed, and who does a unit waits for the key, which nobody else has" *
    doctest::test_suite("e2e"))
{
    job_town town{scratch("provider") / "sealed"};
    REQUIRE(town.good());
    town.let_in(10);
    REQUIRE(eventually([&] { return town.offers() == 1; }));
    auto const by = town.renter(13);
    auto what = small_picture(3, 1);
    what.start_s = what.run_s = 3'600;
    auto const number = sent(*by, what);
    escrow::job_key const job{person(13).account(), number};
    auto const row = [&] { return town.ask().row<escrow::contract, escrow::jobs>(job).value(); };
    auto const letter = [&] {
        return town.ask()
            .row<escrow::letters, escrow::letter_of>({job.renter, job.number})
            .value()
            .blob;
    };
    REQUIRE(eventually([&] {
        auto const now = row();
        return !now.money.agreements.empty() &&
               now.money.agreements[0].at == escrow::phase::running;
    }));
    // the renter looks away: more blocks than failures that an agent would bear
    auto const began = town.ask().where()->last;
    REQUIRE(eventually([&] { return town.ask().where()->last > later(began, 20); }));
    auto const still = row();
    CHECK(still.money.agreements[0].at == escrow::phase::running);
    for (auto const& unit : still.money.units) CHECK(unit.at == escrow::unit_state::assigned);

    auto const opens = [&](std::uint8_t who) {
        auto const whom = decode<crypto::sealed_for>(town.blobs()->get(letter()).value()).value();
        return crypto::unwrap(whom, crypto::sealing_key::of(person(who).key()));
    };
    CHECK(opens(13).has_value());
    CHECK(opens(10).error().what == crypto::seal_error::kind::not_for_us);
    auto const sheet = decode<node::job_sheet>(town.blobs()->get(still.what.data).value()).value();
    REQUIRE(sheet.units.size() == still.what.inputs.size());
    auto const key = opens(13).value();
    for (std::size_t u = 0; u < sheet.units.size(); ++u) {
        auto const lies = town.blobs()->get(sheet.units[u]).value();
        CHECK(!work::unpack(lies));
        auto const unit = crypto::open(lies, key).value();
        CHECK(work::unpack(unit));
        CHECK(node::hash_before(unit) == still.what.inputs[u]);
    }

    auto const story = follow(*by, number, [](auto const&) {});
    CHECK_MESSAGE(story.phase == node::job_phase::done, summary(story));
    CHECK(by->files(number)->front().content == done_here(what).front().content);
    CHECK(eventually([&] { return letter() == hash256{}; }));
    close_shops(town, {10});
    settled_to_the_grain(town);
}

namespace {

/// One that takes nothing more while its disk is full.
class full_shelf final : public node::shelf {
public:
    explicit full_shelf(std::shared_ptr<node::shelf> of) : of_{std::move(of)} {}
    result<hash256, std::string> put(bytes_view content) override
    {
        if (full) return fail{std::string{"the disk is full"}};
        return of_->put(content);
    }
    result<bytes, std::string> get(hash256 const& name) override { return of_->get(name); }
    std::atomic<bool> full = false;

private:
    std::shared_ptr<node::shelf> of_;
};

}  // namespace

TEST_CASE("provider: a key that could not be handed over for want of room is handed over later" *
          doctest::test_suite("e2e"))
{
    job_town town{scratch("provider") / "full"};
    REQUIRE(town.good());
    town.let_in(10);
    REQUIRE(eventually([&] { return town.offers() == 1; }));
    auto const disk = std::make_shared<full_shelf>(town.blobs());
    node::renter by{town.rpc(), person(13), disk, town.home() / "renter"};
    auto what = small_picture(2, 1);
    what.start_s = what.run_s = 3'600;
    auto const number = sent(by, what);
    disk->full = true;
    REQUIRE(eventually([&] {
        auto const story = by.look(number);
        return story && !story->stages[0].deals.empty();
    }));
    for (int i = 0; i < 5; ++i) CHECK(by.look(number));
    disk->full = false;
    auto const story = follow(by, number, [](auto const&) {});
    CHECK_MESSAGE(story.phase == node::job_phase::done, summary(story));
    close_shops(town, {10});
    settled_to_the_grain(town);
}

TEST_CASE("provider: who may be drawn can read a job's inputs while its renter is away" *
          doctest::test_suite("e2e"))
{
    job_town town{scratch("provider") / "readers"};
    REQUIRE(town.good());
    open_shops(town);
    REQUIRE(eventually([&] {  // they enlist when their boxes are up
        return town.ask()
                   .ask<std::vector<escrow::letters::reader>>("letters/readers",
                                                              escrow::letters::readers{10})
                   .value()
                   .size() == 3;
    }));
    auto const by = town.renter(13);
    auto what = small_picture(6);
    what.start_s = what.run_s = 3'600;
    auto const number = sent(*by, what);
    escrow::job_key const job{person(13).account(), number};
    bool seen = false;
    CHECK(eventually([&] {  // nobody looks
        auto const now = town.ask().row<escrow::contract, escrow::jobs>(job);
        if (!now || !escrow::jobs::present(*now)) return now && seen;  // or over already
        seen = true;
        auto const& units = now->money.units;
        return std::none_of(units.begin(), units.end(), [](auto const& u) {
            return u.at == escrow::unit_state::listed || u.at == escrow::unit_state::assigned;
        });
    }));
    auto const story = follow(*by, number, [](auto const&) {});
    CHECK_MESSAGE(story.phase == node::job_phase::done, summary(story));
    close_shops(town, {10, 11, 12});
    settled_to_the_grain(town);
}

TEST_CASE("provider: agent and renter are stopped and started again, and the job goes on" *
          doctest::test_suite("e2e"))
{
    job_town town{scratch("provider") / "again"};
    REQUIRE(town.good());
    open_shops(town);
    auto by = town.renter(13);
    auto what = small_picture(6);
    auto const number = sent(*by, what);
    rng random{seed()};
    for (int round = 0; round < 12; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds{random.below(150)});
        auto const who = static_cast<std::uint8_t>(10 + random.below(4));
        if (who == 13)
            by = town.renter(13);
        else
            town.let_in(who);
        (void)by->look(number);
    }
    auto const story = follow(*by, number, [](auto const&) {});
    CHECK_MESSAGE(story.phase == node::job_phase::done, summary(story));
    for (auto const& deal : story.stages[0].deals) CHECK(deal.slashed == amount{});
    CHECK((*by->files(number))[0].content == done_here(what)[0].content);
    close_shops(town, {10, 11, 12});
    settled_to_the_grain(town);
}

TEST_CASE("provider: what its owner does not allow is not done" * doctest::test_suite("e2e"))
{
    job_town town{scratch("provider") / "owner"};
    REQUIRE(town.good());
    auto picky = town.settings(10);
    picky.limits.apps = {"nothing of that name"};
    auto const& choosy = town.let_in(10, picky, 2);
    auto dear = town.settings(11);
    dear.ask = price{1'000'000'000};
    town.let_in(11, dear);
    REQUIRE(eventually([&] { return town.offers() == 1; }));
    REQUIRE(eventually([&] { return choosy.report().state == node::agent_state::idle; }));
    CHECK(choosy.report().devices.size() == 2);
    auto const by = town.renter(13);
    auto what = small_picture(2);
    what.post = true;
    what.each_most = 10'000'000_grains;
    what.search_s = 4;
    auto const number = sent(*by, what);
    std::string explained{};
    auto const story = follow(*by, number, [&](node::job_story const& s) {
        if (!s.explained.empty()) explained = s.explained;
    });
    CHECK(story.phase == node::job_phase::failed);
    CHECK(explained.find("price") != std::string::npos);
    CHECK(choosy.report().delivered == 0);
    close_shops(town, {10, 11});
    settled_to_the_grain(town, 2);
}

TEST_CASE("provider: a hundred small jobs at once all settle" * doctest::test_suite("slow"))
{
    job_town town{scratch("provider") / "hundred", 6, 60};
    REQUIRE(town.good());
    for (auto const i : sellers) {
        auto with = town.settings(i);
        with.limits.backlog = 200;
        with.bond = 2'000_blnd;
        town.let_in(i, with);
    }
    REQUIRE(eventually([&] { return town.offers() == 3; }));
    auto const by = town.renter(13);
    auto what = small_picture(2);
    what.what.options = R"({"width":16,"height":16,"samples":1,"bounces":2})";
    what.search_s = 120;
    what.start_s = what.run_s = what.check_s = 60;
    auto const began = std::chrono::steady_clock::now();
    std::vector<std::uint64_t> numbers{};
    while (numbers.size() < 100) {
        auto const made = by->submit(what);
        if (made) {
            numbers.push_back(*made);
            continue;
        }
        CAPTURE(made.error());
        REQUIRE(std::chrono::steady_clock::now() - began < std::chrono::seconds{60});
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    std::size_t done = 0;
    std::vector<node::job_phase> at(numbers.size());
    while (done < numbers.size() &&
           std::chrono::steady_clock::now() - began < std::chrono::seconds{400}) {
        done = 0;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            if (at[i] != node::job_phase::done && at[i] != node::job_phase::failed)
                if (auto const s = by->look(numbers[i])) at[i] = s->phase;
            done += at[i] == node::job_phase::done || at[i] == node::job_phase::failed;
        }
    }
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - began;
    auto const good = std::count(at.begin(), at.end(), node::job_phase::done);
    MESSAGE(good << " of 100 done in " << took.count() << " s");
    CHECK(done == 100);
    CHECK(good == 100);
    close_shops(town, {10, 11, 12});
    settled_to_the_grain(town);
}
