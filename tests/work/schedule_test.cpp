// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/schedule.hpp>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>

#include "support/support.hpp"

using namespace blendr;
using namespace blendr::work;
using namespace std::chrono_literals;

namespace {

/// Squares numbers, then adds them up by fours until one is left: map and reduce.
class sum_of_squares final : public job {
public:
    explicit sum_of_squares(std::uint32_t count, bool checked = false)
        : count_{count},
          checked_{checked}
    {}

    hash256 identity() const override
    {
        return hash256{std::byte{7}, static_cast<std::byte>(count_)};
    }

    result<std::optional<stage>, problem> next(std::vector<bytes> const& results) override
    {
        stage out;
        if (results.empty()) {
            out.name = "square";
            for (std::uint32_t k = 0; k < count_; ++k)
                out.units.push_back({{{k, 0, 0}, {}}, encode(k), {}, 8});
        } else {
            if (results.size() == 1) return std::nullopt;
            out.name = "add";
            for (std::uint32_t k = 0; k < results.size(); k += 4) {
                unit one{{{k, 0, 0}, {}}, {}, {}, 8};
                for (std::uint32_t j = k; j < std::min<std::size_t>(k + 4, results.size()); ++j)
                    one.inputs.push_back(share(results[j]));
                out.units.push_back(std::move(one));
            }
        }
        return out;
    }

    std::optional<std::string> wrong(unit const& of, bytes_view result) const override
    {
        if (!checked_ || equal(result, right(of))) return std::nullopt;
        return "it is not " + std::to_string(decode<std::uint64_t>(right(of)).value());
    }

    static bytes right(unit const& what)
    {
        std::uint64_t sum = 0;
        if (what.inputs.empty()) {
            sum = decode<std::uint32_t>(what.parameters).value();
            sum *= sum;
        }
        for (auto const& each : what.inputs) sum += decode<std::uint64_t>(*each).value();
        return encode(sum);
    }

    static std::uint64_t expected(std::uint64_t n) { return (n - 1) * n * (2 * n - 1) / 6; }

private:
    std::uint32_t count_;
    bool checked_;
};

std::unique_ptr<runner> honest(std::string name, std::chrono::microseconds takes = 0us)
{
    return make_runner(std::move(name), 0,
                       [takes](unit const& what, std::stop_token) -> result<bytes, problem> {
                           if (takes > 0us) std::this_thread::sleep_for(takes);
                           return sum_of_squares::right(what);
                       });
}

std::uint64_t sum_in(run_report const& of)
{
    return decode<std::uint64_t>(of.results.at(0)).value();
}

template <class... Runners>
std::array<runner*, sizeof...(Runners)> all(Runners const&... each)
{
    return {each.get()...};
}

}  // namespace

TEST_CASE("schedule: results, receipts and root are the same whoever ran what")
{
    auto const one = honest("one"), two = honest("two", 200us), three = honest("three", 50us);
    sum_of_squares alone{100}, together{100};
    auto const by_one = run(alone, all(one)).value();
    auto const by_all = run(together, all(one, two, three)).value();
    CHECK(sum_in(by_one) == sum_of_squares::expected(100));
    CHECK(by_all.results == by_one.results);
    CHECK(by_all.receipts == by_one.receipts);
    CHECK(by_all.root == by_one.root);
    CHECK(by_all.receipts.size() == 100 + 25 + 7 + 2 + 1);
    std::size_t units = 0;
    for (auto const& each : by_all.runners) units += each.units;
    CHECK(units == by_all.receipts.size());
    CHECK(by_all.disagreements.empty());
}

TEST_CASE("schedule: a unit that fails is done elsewhere, and who failed is named")
{
    auto const good = honest("good", 100us);
    auto const dead =
        make_runner("dead", 0, [](unit const&, std::stop_token) -> result<bytes, problem> {
            return fail{problem{fault::device_failed, "no such device"}};
        });
    auto const throws =
        make_runner("throws", 0, [](unit const&, std::stop_token) -> result<bytes, problem> {
            throw std::runtime_error{"out of paper"};
        });
    auto const short_ =
        make_runner("short", 0, [](unit const&, std::stop_token) -> result<bytes, problem> {
            return bytes(3);
        });
    sum_of_squares what{60};
    run_options chosen;
    chosen.attempts_max = 9;
    auto const made = run(what, all(dead, good, throws, short_), chosen).value();
    CHECK(sum_in(made) == sum_of_squares::expected(60));
    for (auto const& each : made.runners) {
        INFO(each.name);
        CHECK(each.given_up == (each.name != "good" && each.failures >= 3));
        if (each.name == "good") CHECK(each.failures == 0);
        CHECK(each.wrong == (each.name == "short" ? each.failures : 0));
        for (auto const& said : each.said) {
            if (each.name == "throws") CHECK(said.find("out of paper") != std::string::npos);
            if (each.name == "short") CHECK(said.find("3 bytes instead of 8") != std::string::npos);
        }
    }
}

TEST_CASE(
    "schedule: a cheat at every place is found by the job's check, named, and changes nothing")
{
    auto const good = honest("good", 50us);
    for (std::uint32_t place = 0; place < 20; ++place) {
        auto const cheat = make_runner(
            "cheat", 0, [&](unit const& what, std::stop_token) -> result<bytes, problem> {
                auto out = sum_of_squares::right(what);
                if (what.where.from.x == place && what.inputs.empty()) out[0] ^= std::byte{1};
                return out;
            });
        sum_of_squares what{20, true};
        // The cheat alone meets every unit; then both.
        auto const caught = run(what, all(cheat)).error();
        CHECK(caught.what == fault::unit_failed);
        CHECK(caught.why.starts_with("unit " + std::to_string(place) + " of square: cheat says "));
        sum_of_squares again{20, true};
        auto const made = run(again, all(cheat, good)).value();
        CHECK(sum_in(made) == sum_of_squares::expected(20));
    }
}

TEST_CASE("schedule: where results must agree the outvoted are named, a referee settles the rest")
{
    auto const one = honest("one"), two = honest("two", 50us), judge = honest("judge");
    auto const liar =
        make_runner("liar", 0, [](unit const& what, std::stop_token) -> result<bytes, problem> {
            auto out = sum_of_squares::right(what);
            if (what.where.from.x % 3 == 0) out[0] ^= std::byte{1};
            return out;
        });
    sum_of_squares whole{30}, among_three{30}, of_two{30}, torn{30}, nobody{30};
    auto const want = run(whole, all(one)).value();
    run_options chosen;
    chosen.agree = 2;
    chosen.failures_max = 1000;
    auto const voted = run(among_three, all(liar, one, two), chosen).value();
    CHECK(voted.results == want.results);
    CHECK(voted.root == want.root);
    CHECK(voted.runners[1].wrong + voted.runners[2].wrong == 0);
    CHECK(voted.disagreements.size() == voted.runners[0].wrong);

    CHECK(run(of_two, all(one, two), chosen).value().root == want.root);

    auto const helpless = run(torn, all(liar, one), chosen);
    REQUIRE(!helpless);
    CHECK(helpless.error().what == fault::unit_failed);
    CHECK(helpless.error().why.find("too few agree") != std::string::npos);

    chosen.referee = judge.get();
    sum_of_squares judged{30};
    auto const settled = run(judged, all(liar, one), chosen).value();
    CHECK(settled.results == want.results);
    CHECK(settled.root == want.root);
    CHECK(settled.runners[0].wrong >= 10);
    CHECK(settled.runners[1].wrong == 0);
    CHECK(settled.runners[1].units == want.receipts.size());

    chosen.agree = 3;
    CHECK(run(nobody, all(one, two), chosen).error().what == fault::bad_plan);
    chosen.agree = 0;
    CHECK(run(nobody, all(one, two), chosen).error().what == fault::bad_plan);
}

TEST_CASE("schedule: a referee is asked about one unit at a time, however many are torn")
{
    auto const liar_of = [](std::string name, std::byte lie) {
        return make_runner(std::move(name), 0,
                           [lie](unit const& what, std::stop_token) -> result<bytes, problem> {
                               auto out = sum_of_squares::right(what);
                               out[0] ^= lie;
                               return out;
                           });
    };
    auto const one = liar_of("one", std::byte{1}), two = liar_of("two", std::byte{2}),
               three = liar_of("three", std::byte{4});
    std::atomic<int> at_once{0}, most{0}, asked{0};
    auto const judge =
        make_runner("judge", 0, [&](unit const& what, std::stop_token) -> result<bytes, problem> {
            int const now = ++at_once;
            if (now > most) most = now;
            ++asked;
            std::this_thread::sleep_for(2ms);
            --at_once;
            return sum_of_squares::right(what);
        });
    run_options chosen;
    chosen.agree = 2;
    chosen.failures_max = 1000;
    chosen.referee = judge.get();
    sum_of_squares what{30};
    auto const made = run(what, all(one, two, three), chosen).value();
    CHECK(sum_in(made) == sum_of_squares::expected(30));
    CHECK(asked == static_cast<int>(made.receipts.size()));
    CHECK(most == 1);
    for (auto const& each : made.runners) CHECK(each.wrong == made.receipts.size());
}

TEST_CASE("schedule: a run that is stopped stops its referee, and one that dies is told")
{
    auto const good = honest("good");
    auto const liar =
        make_runner("liar", 0, [](unit const& what, std::stop_token) -> result<bytes, problem> {
            auto out = sum_of_squares::right(what);
            out[0] ^= std::byte{1};
            return out;
        });
    std::stop_source stop;
    auto const judge =
        make_runner("judge", 0, [&](unit const&, std::stop_token asked) -> result<bytes, problem> {
            stop.request_stop();
            while (!asked.stop_requested()) std::this_thread::sleep_for(1ms);
            return fail{problem{fault::device_failed, "stopped"}};
        });
    run_options chosen;
    chosen.agree = 2;
    chosen.referee = judge.get();
    chosen.stop = stop.get_token();
    sum_of_squares what{1}, again{1};
    CHECK(run(what, all(good, liar), chosen).error().what == fault::cancelled);

    auto const dead =
        make_runner("dead", 0, [](unit const&, std::stop_token) -> result<bytes, problem> {
            throw 7;  // not even an exception
        });
    chosen.referee = dead.get();
    chosen.stop = {};
    auto const why = run(again, all(good, liar), chosen).error();
    CHECK(why.what == fault::unit_failed);
    CHECK(why.why.find("the referee says") != std::string::npos);
    CHECK(why.why.find("it threw") != std::string::npos);
}

TEST_CASE("schedule: another unit that cannot be done does not wait for the referee")
{
    // Three tear the first unit. Two are at the second, and fail there once the third has asked the referee.
    std::atomic<bool> judging{false}, stopped{false};
    auto const until = [](auto const& seen) {
        for (int k = 0; k < 5000 && !seen(); ++k) std::this_thread::sleep_for(1ms);
    };
    auto const runner_of = [&](std::string name, std::byte lie) {
        return make_runner(
            std::move(name), 0,
            [&judging, until, lie,
             tore = false](unit const& what, std::stop_token) mutable -> result<bytes, problem> {
                auto out = sum_of_squares::right(what);
                out[0] ^= lie;
                tore = tore || what.where.from.x == 0;
                // Who came to the second before the first must come back from it to tear that.
                if (what.where.from.x == 0 || !tore) return out;
                until([&] { return judging.load(); });
                return fail{problem{fault::program_failed, "no such number"}};
            });
    };
    auto const judge =
        make_runner("judge", 0, [&](unit const&, std::stop_token stop) -> result<bytes, problem> {
            judging = true;
            until([&] { return stop.stop_requested(); });
            stopped = stop.stop_requested();
            return fail{problem{fault::device_failed, "stopped"}};
        });
    auto const one = runner_of("one", std::byte{1}), two = runner_of("two", std::byte{2}),
               three = runner_of("three", std::byte{4});
    run_options chosen;
    chosen.agree = 2;
    chosen.attempts_max = 1;
    chosen.late = 1e12;
    chosen.referee = judge.get();
    sum_of_squares what{2};
    auto const torn = run(what, all(one, two, three), chosen).error();
    CHECK(torn.what == fault::unit_failed);
    CHECK(torn.why.find("no such number") != std::string::npos);
    CHECK(stopped);
}

TEST_CASE("schedule: nobody agrees with himself, and no referee judges his own result")
{
    auto const one = honest("one"), two = honest("two");
    run_options chosen;
    chosen.agree = 2;
    sum_of_squares what{4};
    CHECK(run(what, all(one, one), chosen).error().what == fault::bad_plan);
    chosen.referee = one.get();
    CHECK(run(what, all(one, two), chosen).error().what == fault::bad_plan);
    std::array<runner*, 2> const hole{one.get(), nullptr};
    CHECK(run(what, hole).error().what == fault::bad_plan);
}

TEST_CASE("schedule: whatever a runner throws is its failure, and what progress throws comes out")
{
    auto const good = honest("good", 1ms);
    auto const throws =
        make_runner("throws", 0, [](unit const&, std::stop_token) -> result<bytes, problem> {
            throw std::string{"no exception"};
        });
    sum_of_squares what{20}, again{20};
    auto const made = run(what, all(throws, good)).value();
    CHECK(sum_in(made) == sum_of_squares::expected(20));
    CHECK(made.runners[1].failures == 0);

    run_options chosen;
    chosen.progress_every = 1ms;
    chosen.on_progress = [](progress const& at) {
        if (at.running > 0) throw std::runtime_error{"enough"};
    };
    CHECK_THROWS_AS((void)run(again, all(good), chosen), std::runtime_error);
}

TEST_CASE("schedule: what a checkpoint holds is looked at like what a runner returns")
{
    sum_of_squares whole{10, true};
    auto const one = honest("one");
    auto const want = run(whole, all(one)).value();
    auto const file = blendr::test::scratch("work_forged") / "run";
    auto saved = checkpoint::open(file, whole.identity()).value();
    REQUIRE(saved.save(0, 2, encode(std::uint64_t{4})));
    REQUIRE(saved.save(0, 3, encode(std::uint64_t{8})));  // it is 9
    REQUIRE(saved.save(0, 4, bytes(7)));                  // a byte is missing
    run_options chosen;
    chosen.saved = &saved;
    auto const made = run(whole, all(one), chosen).value();
    CHECK(made.resumed == 1);
    CHECK(made.results == want.results);
    CHECK(made.root == want.root);
    CHECK(*saved.find(0, 3) == encode(std::uint64_t{9}));
}

TEST_CASE("schedule: what one runner did is done again where two must agree")
{
    sum_of_squares what{10, true};
    auto const one = honest("one"), two = honest("two");
    auto const file = blendr::test::scratch("work_two") / "run";
    auto saved = checkpoint::open(file, what.identity()).value();
    run_options chosen;
    chosen.saved = &saved;
    auto const alone = run(what, all(one), chosen).value();
    chosen.agree = 2;
    auto const together = run(what, all(one, two), chosen).value();
    CHECK(together.resumed == 0);
    CHECK(together.results == alone.results);
    CHECK(run(what, all(one, two), chosen).value().resumed == alone.receipts.size());
}

TEST_CASE("schedule: who hangs is overtaken")
{
    auto const good = honest("good", 100us);
    std::atomic<int> hung{0};
    auto const hangs =
        make_runner("hangs", 0, [&](unit const&, std::stop_token stop) -> result<bytes, problem> {
            ++hung;
            while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
            return fail{problem{fault::device_failed, "stopped"}};
        });
    sum_of_squares what{40};
    auto const made = run(what, all(hangs, good)).value();
    CHECK(sum_in(made) == sum_of_squares::expected(40));
    CHECK(hung > 0);
    auto const& report = made.runners.at(0);
    CHECK(report.units == 0);
    CHECK(report.failures == 0);  // it was told to stop
    CHECK(report.stolen > 0);
}

TEST_CASE("schedule: two different results of one unit are told")
{
    // Whoever has the unit first waits for the other to take it over; the liar's answer comes last, all the same.
    std::atomic<bool> lying{false}, overtaken{false};
    auto const good =
        make_runner("good", 1e6, [&](unit const& what, std::stop_token) -> result<bytes, problem> {
            while (!lying) std::this_thread::sleep_for(1ms);
            overtaken = true;
            return sum_of_squares::right(what);
        });
    auto const liar =
        make_runner("liar", 1e6, [&](unit const& what, std::stop_token) -> result<bytes, problem> {
            lying = true;
            while (!overtaken) std::this_thread::sleep_for(1ms);
            std::this_thread::sleep_for(20ms);
            auto out = sum_of_squares::right(what);
            out[0] ^= std::byte{1};
            return out;
        });
    bool told = false;
    for (int round = 0; round < 50 && !told; ++round) {  // until 20 ms were enough
        lying = overtaken = false;
        sum_of_squares what{1};
        auto const made = run(what, all(liar, good)).value();
        CHECK(made.results.size() == 1);
        told = made.disagreements.size() == 1 && made.disagreements[0].taken == "good" &&
               made.disagreements[0].other == "liar";
    }
    CHECK(told);
}

TEST_CASE(
    "schedule: nobody, nobody left, an impossible unit, and a plan without sense are told apart")
{
    sum_of_squares what{10};
    CHECK(run(what, {}).error().what == fault::no_runners);
    auto const good = honest("good");
    run_options none;
    none.attempts_max = 0;
    CHECK(run(what, all(good), none).error().what == fault::bad_plan);
    sum_of_squares empty{0};
    CHECK(run(empty, all(good)).error().what == fault::bad_plan);

    auto const dead =
        make_runner("dead", 0, [](unit const&, std::stop_token) -> result<bytes, problem> {
            return fail{problem{fault::device_failed, "lost"}};
        });
    run_options often;
    often.attempts_max = 100;
    auto const gone = run(what, all(dead), often).error();
    CHECK(gone.what == fault::all_runners_gone);
    CHECK(gone.why.find("dead: unit ") == 0);

    auto const traps =
        make_runner("traps", 0, [](unit const& u, std::stop_token) -> result<bytes, problem> {
            if (u.where.from.x == 4) return fail{problem{fault::program_failed, "out of bounds"}};
            return sum_of_squares::right(u);
        });
    auto const trapped = run(what, all(traps)).error();
    CHECK(trapped.what == fault::unit_failed);
    CHECK(trapped.why.find("out of bounds") != std::string::npos);
}

TEST_CASE(
    "schedule: cancelled at any point, a run is taken up from its checkpoint and ends the same")
{
    auto const folder = blendr::test::scratch("work_resume");
    sum_of_squares whole{50};
    auto const one = honest("one"), two = honest("two", 30us);
    auto const want = run(whole, all(one)).value();
    for (int stop_at = 0; stop_at < 60; stop_at += 6) {
        auto const file = folder / ("run" + std::to_string(stop_at));
        sum_of_squares what{50};
        std::stop_source stop;
        std::atomic<int> units{0};
        {
            auto saved = checkpoint::open(file, what.identity()).value();
            auto const counting = make_runner(
                "counting", 0, [&](unit const& u, std::stop_token) -> result<bytes, problem> {
                    if (++units > stop_at) stop.request_stop();
                    return sum_of_squares::right(u);
                });
            run_options chosen;
            chosen.saved = &saved;
            chosen.stop = stop.get_token();
            auto const first = run(what, all(counting), chosen);
            REQUIRE(!first);
            CHECK(first.error().what == fault::cancelled);
        }
        auto saved = checkpoint::open(file, what.identity()).value();
        CHECK(saved.size() >= static_cast<std::size_t>(stop_at));
        run_options chosen;
        chosen.saved = &saved;
        auto const made = run(what, all(one, two), chosen).value();
        CHECK(made.resumed >= static_cast<std::size_t>(stop_at));
        CHECK(made.results == want.results);
        CHECK(made.root == want.root);
    }
}

TEST_CASE("schedule: a full disk stops the run with a sentence")
{
    sum_of_squares what{10};
    auto saved =
        checkpoint::open(blendr::test::scratch("work_full") / "x", what.identity()).value();
    auto moved = std::move(saved);  // what is left behind has no file
    run_options chosen;
    chosen.saved = &saved;
    auto const one = honest("one");
    CHECK(run(what, all(one), chosen).error().what == fault::cannot_save);
}

TEST_CASE("schedule: progress is told on the caller's thread and ends with everything done")
{
    auto const one = honest("one", 300us), two = honest("two", 300us);
    sum_of_squares what{30};
    auto const here = std::this_thread::get_id();
    std::size_t told = 0, done = 0;
    run_options chosen;
    chosen.progress_every = 1ms;
    chosen.on_progress = [&](progress const& at) {
        CHECK(std::this_thread::get_id() == here);
        CHECK(at.done <= at.all);
        CHECK(at.runners == 2);
        if (at.stage == "square") CHECK(at.done >= std::exchange(done, at.done));
        ++told;
    };
    CHECK(run(what, all(one, two), chosen));
    CHECK(done == 30);
    CHECK(told >= 4);
    CHECK(bar({"render", 0, 3, 2, 12, 1'250'000, 2}, 8) ==
          "render [##......]  3/12  2 running  1.2 M points/s");
    CHECK(bar({"x", 0, 0, 0, 0, 12, 0}, 2) == "x [..]  0/0  0 running  12.0 points/s");
}

TEST_CASE("schedule: runners that die at random change nothing but the time" *
          doctest::test_suite("property"))
{
    auto const seed = blendr::test::seed();
    INFO("seed " << seed);
    rng random{seed};
    sum_of_squares whole{64};
    auto const steady = honest("steady");
    auto const want = run(whole, all(steady)).value();
    for (int round = 0; round < 100; ++round) {
        std::array<std::atomic<int>, 3> left;
        for (auto& each : left) each = static_cast<int>(random.below(60));
        std::vector<std::unique_ptr<runner>> mortal;
        for (std::size_t k = 0; k < left.size(); ++k)
            mortal.push_back(make_runner(
                "mortal" + std::to_string(k), 0,
                [&left, k](unit const& what, std::stop_token) -> result<bytes, problem> {
                    if (left[k]-- <= 0) return fail{problem{fault::device_failed, "killed"}};
                    return sum_of_squares::right(what);
                }));
        sum_of_squares what{64};
        run_options chosen;
        chosen.attempts_max = 100;
        auto const made = run(what, all(mortal[0], mortal[1], steady, mortal[2]), chosen).value();
        REQUIRE(made.results == want.results);
        REQUIRE(made.root == want.root);
    }
}
