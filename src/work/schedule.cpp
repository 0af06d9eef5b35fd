// SPDX-License-Identifier: Apache-2.0
// One thread a runner, one table of units, one lock. Runners take; nobody is pushed. The caller's thread only
// waits, tells how far it is, and makes the next stage.
#include <blendr/work/schedule.hpp>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

namespace blendr::work {
namespace {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

constexpr auto look_again = std::chrono::milliseconds{5};  ///< for units that became late
constexpr std::size_t said_max = 8;

class function_runner final : public runner {
public:
    function_runner(std::string name, double speed, run_function run)
        : name_{std::move(name)},
          speed_{speed},
          run_{std::move(run)}
    {}
    std::string_view name() const noexcept override { return name_; }
    double speed() const noexcept override { return speed_; }
    result<bytes, problem> run(unit const& what, std::stop_token stop) override
    {
        return run_(what, std::move(stop));
    }

private:
    std::string name_;
    double speed_;
    run_function run_;
};

/// Somebody at work on a unit.
struct copy {
    std::size_t who = 0;
    clock::time_point since{};
    std::stop_source stop{};
};

/// A result that waits for others like it.
struct vote {
    std::size_t who = 0;
    std::size_t like = 0;  ///< the first vote that it agrees with; itself, when there is none
    bytes result{};
};

struct unit_state {
    bool done = false;
    bool judged = false;              ///< the referee was asked
    std::size_t taken_from = 0;       ///< a runner, once done
    bytes result{};                   ///< once done
    unit_receipt receipt{};           ///< likewise
    std::vector<vote> votes{};        ///< until it is done
    std::vector<copy> copies{};       ///< at work on it
    std::vector<std::size_t> failed;  ///< runners, one for each failure

    bool voted(std::size_t who) const
    {
        return std::any_of(votes.begin(), votes.end(),
                           [who](vote const& v) { return v.who == who; });
    }
    /// How many agree with this vote, itself included.
    std::size_t like(std::size_t which) const
    {
        return static_cast<std::size_t>(std::count_if(
            votes.begin(), votes.end(), [which](vote const& v) { return v.like == which; }));
    }
    /// How many results are wanted, if all of them agree with most of those that are there.
    std::size_t wanted(std::size_t agree) const
    {
        std::size_t most = 0;
        for (std::size_t k = 0; k < votes.size(); ++k) most = std::max(most, like(k));
        return agree - std::min(agree, most);
    }
};

/// Content ids of what units read. What they share is hashed once, by whoever comes first.
class content_ids {
public:
    crypto::cid of(shared_bytes const& raw)
    {
        auto const found = [&] {
            std::lock_guard const lock{mutex_};
            auto& at = known_[raw.get()];
            if (!at) at = std::make_shared<entry>(raw);
            return at;
        }();
        std::call_once(found->once, [&] { found->id = crypto::cid::of(*raw); });
        return found->id;
    }
    /// Forgets what nobody holds any more.
    void sweep()
    {
        std::lock_guard const lock{mutex_};
        std::erase_if(known_, [](auto const& each) { return each.second->held.use_count() == 1; });
    }

private:
    struct entry {
        explicit entry(shared_bytes raw) : held{std::move(raw)} {}
        shared_bytes held;
        std::once_flag once{};
        crypto::cid id{};
    };
    std::mutex mutex_;
    std::map<bytes const*, std::shared_ptr<entry>> known_;
};

struct runner_state {
    runner* self = nullptr;
    runner_report report{};
    double speed = 0;  ///< points a second, lately
    bool learnt = false;
    std::size_t failures_in_a_row = 0;
};

/// Everything that is shared while a run goes on.
class crew {
public:
    crew(job& what, std::span<runner* const> on, run_options const& chosen)
        : job_{what},
          chosen_{chosen}
    {
        for (auto* each : on) {
            runner_state state;
            state.self = each;
            state.report.name = std::string{each->name()};
            state.speed = std::max(0.0, each->speed());
            runners_.push_back(std::move(state));
        }
        for (std::size_t who = 0; who < runners_.size(); ++who)
            threads_.emplace_back([this, who] { work(who); });
    }
    crew(crew const&) = delete;
    crew& operator=(crew const&) = delete;

    ~crew()
    {
        {
            std::lock_guard const lock{mutex_};
            over_ = true;
            stop_all();
        }
        changed_.notify_all();
        threads_.clear();  // joins
    }

    /// Does one stage, moves its results into `out`, in order, and appends their receipts.
    result<nothing, problem> do_stage(std::uint32_t number, stage const& now,
                                      std::vector<bytes>& out, std::vector<unit_receipt>& receipts,
                                      std::size_t& resumed)
    {
        std::unique_lock lock{mutex_};
        begin(number, now, resumed);
        changed_.notify_all();
        std::stop_callback const cancelled{chosen_.stop, [this] { changed_.notify_all(); }};
        for (;;) {
            if (left_ == 0 || problem_) break;
            if (chosen_.stop.stop_requested()) {
                problem_ = problem{fault::cancelled, {}};
                break;
            }
            if (!anybody_left()) {
                problem_ = problem{fault::all_runners_gone, last_words()};
                break;
            }
            tell(lock);
            changed_.wait_for(lock, chosen_.progress_every);
        }
        stop_all();
        tell(lock);
        stage_ = nullptr;
        // Whoever is still at work on this stage looks into the table when it comes back.
        changed_.wait(lock, [this] { return at_work_ == 0; });
        if (chosen_.saved != nullptr) {
            if (auto const kept = chosen_.saved->sync(); !kept && !problem_)
                problem_ = kept.error();
        }
        if (problem_) return fail{*problem_};
        out.clear();
        for (auto& each : units_) {
            out.push_back(std::move(each.result));
            receipts.push_back(std::move(each.receipt));
        }
        return nothing{};
    }

    /// Only after the last stage.
    void report(run_report& out)
    {
        std::lock_guard const lock{mutex_};
        for (auto const& each : runners_) out.runners.push_back(each.report);
        out.disagreements = disagreements_;
    }

private:
    void begin(std::uint32_t number, stage const& now, std::size_t& resumed)
    {
        stage_ = &now;
        stage_number_ = number;
        units_.assign(now.units.size(), {});
        pending_.clear();
        left_ = now.units.size();
        ids_.sweep();
        for (std::uint32_t k = 0; k < units_.size(); ++k) {
            auto saved = chosen_.saved == nullptr ? std::nullopt
                                                  : chosen_.saved->find(number, k, chosen_.agree);
            if (!saved || !possible(now.units[k], *saved)) {
                pending_.insert(k);
                continue;
            }
            units_[k].done = true;
            units_[k].receipt = receipt_for(number, k, now.units[k], *saved);
            units_[k].result = *std::move(saved);
            --left_;
            ++resumed;
        }
    }

    bool anybody_left() const
    {
        return std::any_of(runners_.begin(), runners_.end(),
                           [](runner_state const& r) { return !r.report.given_up; });
    }

    std::string last_words() const
    {
        std::string text;
        for (auto const& each : runners_) {
            if (!text.empty()) text += "; ";
            text += each.report.name + ": " +
                    (each.report.said.empty() ? "said nothing" : each.report.said.back());
        }
        return text;
    }

    void stop_all()
    {
        for (auto const which : running_)
            for (auto& copy : units_[which].copies) copy.stop.request_stop();
        if (judging_) judging_->request_stop();
    }

    void tell(std::unique_lock<std::mutex>& lock)
    {
        if (!chosen_.on_progress || stage_ == nullptr) return;
        auto const now = clock::now();
        bool const last = left_ == 0;
        if (!last && told_at_ && now - *told_at_ < chosen_.progress_every) return;
        told_at_ = now;
        progress at;
        at.stage = stage_->name;
        at.stages_before = stage_number_;
        at.all = units_.size();
        at.done = at.all - left_;
        at.running = running_.size();
        for (auto const& each : runners_) {
            if (each.report.given_up) continue;
            at.points_per_second += each.speed;
            ++at.runners;
        }
        lock.unlock();
        chosen_.on_progress(at);
        lock.lock();
    }

    // ------------------------------------------------------------ a runner's thread
    void work(std::size_t who)
    {
        std::unique_lock lock{mutex_};
        while (!over_) {
            if (stage_ == nullptr || problem_ || runners_[who].report.given_up) {
                changed_.wait(lock);
                continue;
            }
            if (auto const which = choose(who)) {
                do_unit(who, *which, lock);
            } else if (auto const torn = undecided()) {
                judge(*torn, lock);
            } else if (left_ != 0) {
                changed_.wait_for(lock, look_again);
            } else {
                changed_.wait(lock);
            }
        }
    }

    void do_unit(std::size_t who, std::uint32_t which, std::unique_lock<std::mutex>& lock)
    {
        copy mine{who, clock::now(), {}};
        auto const since = mine.since;
        auto const stop = mine.stop.get_token();
        units_[which].copies.push_back(std::move(mine));
        queue(which);
        ++at_work_;
        auto const& what = stage_->units[which];
        auto const number = stage_number_;

        lock.unlock();
        auto made = attempt(*runners_[who].self, what, stop);
        auto const took = seconds{clock::now() - since}.count();
        auto const receipt = made ? receipt_for(number, which, what, *made) : unit_receipt{};
        lock.lock();

        --at_work_;
        settle(who, which, what, stop, took, std::move(made), receipt);
        changed_.notify_all();
    }

    unit_receipt receipt_for(std::uint32_t stage_at, std::uint32_t which, unit const& what,
                             bytes_view made)
    {
        unit_receipt out{stage_at, which, what.where, {}, {}, {}};
        out.parameters = crypto::cid::of(what.parameters);
        out.result = crypto::cid::of(made);
        for (auto const& input : what.inputs) out.inputs.push_back(ids_.of(input));
        return out;
    }

    /// What comes back from a runner, looked at.
    result<bytes, problem> attempt(runner& by, unit const& what, std::stop_token stop) const
    {
        auto made = [&]() -> result<bytes, problem> {
            try {
                return by.run(what, std::move(stop));
            } catch (std::exception const& e) {
                return fail{problem{fault::device_failed, e.what()}};
            } catch (...) {
                return fail{problem{fault::device_failed, "it threw what is no exception"}};
            }
        }();
        if (made) BLENDR_CHECK(possible(what, *made));
        return made;
    }

    /// Whether it may be a result of the unit at all.
    result<nothing, problem> possible(unit const& what, bytes_view made) const
    {
        if (what.result_bytes && made.size() != *what.result_bytes)
            return fail{problem{fault::wrong_size, std::to_string(made.size()) +
                                                       " bytes instead of " +
                                                       std::to_string(*what.result_bytes)}};
        if (auto why = job_.wrong(what, made))
            return fail{problem{fault::wrong_result, *std::move(why)}};
        return nothing{};
    }

    /// Lists a unit under what it is: waiting for a runner, at one, or neither.
    void queue(std::uint32_t which)
    {
        auto const& u = units_[which];
        auto const put = [which](std::set<std::uint32_t>& list, bool in) {
            if (in)
                list.insert(which);
            else
                list.erase(which);
        };
        put(pending_, !u.done && u.copies.size() < u.wanted(chosen_.agree));
        put(running_, !u.copies.empty());
    }

    /// The next unit for a runner: one that nobody has, or one that somebody is late with.
    std::optional<std::uint32_t> choose(std::size_t who) const
    {
        std::optional<std::uint32_t> again;
        bool other = false;  // there is something, but not for this one
        for (auto const which : pending_) {
            auto const& u = units_[which];
            if (has(u, who)) continue;
            if (std::find(u.failed.begin(), u.failed.end(), who) == u.failed.end()) return which;
            other = true;
            // It failed here before: once more only if there is nobody else.
            if (!again && !anybody_for(u, true)) again = which;
        }
        if (again) return again;
        if (other) return std::nullopt;
        return latest(who);
    }

    /// Whether a runner is at work on a unit, or returned a result of it.
    static bool has(unit_state const& u, std::size_t who)
    {
        return u.voted(who) || std::any_of(u.copies.begin(), u.copies.end(),
                                           [who](copy const& c) { return c.who == who; });
    }

    /// Whether somebody else may be asked for a unit.
    bool anybody_for(unit_state const& u, bool without_failures) const
    {
        for (std::size_t k = 0; k < runners_.size(); ++k)
            if (!runners_[k].report.given_up && !has(u, k) &&
                !(without_failures &&
                  std::find(u.failed.begin(), u.failed.end(), k) != u.failed.end()))
                return true;
        return false;
    }

    /// A unit with results of which none is taken, and nobody left who could help; one at a time, as the referee works.
    std::optional<std::uint32_t> undecided() const
    {
        if (judging_) return std::nullopt;
        for (auto const which : pending_) {
            auto const& u = units_[which];
            if (!u.votes.empty() && u.copies.empty() && !u.judged && !anybody_for(u, false))
                return which;
        }
        return std::nullopt;
    }

    void judge(std::uint32_t which, std::unique_lock<std::mutex>& lock)
    {
        auto& u = units_[which];
        u.judged = true;
        auto const& what = stage_->units[which];
        if (chosen_.referee == nullptr) {
            problem_ = problem{fault::unit_failed,
                               "unit " + std::to_string(which) + " of " + stage_->name +
                                   ": too few agree, and nobody is left to be asked"};
            changed_.notify_all();
            return;
        }
        ++at_work_;
        auto const stop = judging_.emplace().get_token();
        auto const number = stage_number_;
        lock.unlock();
        auto made = attempt(*chosen_.referee, what, stop);
        auto const receipt = made ? receipt_for(number, which, what, *made) : unit_receipt{};
        lock.lock();
        --at_work_;
        judging_.reset();
        if (made) {
            take(which, what, std::move(*made), receipt, {});
        } else if (!problem_) {
            problem_ = problem{fault::unit_failed, "unit " + std::to_string(which) + " of " +
                                                       stage_->name + ": the referee says " +
                                                       message(made.error())};
        }
        changed_.notify_all();
    }

    std::optional<std::uint32_t> latest(std::size_t who) const
    {
        auto const now = clock::now();
        std::optional<std::uint32_t> found;
        double most = 0;
        for (auto const k : running_) {
            auto const& u = units_[k];
            if (u.done || u.copies.size() != u.wanted(chosen_.agree) || has(u, who)) continue;
            if (std::find(u.failed.begin(), u.failed.end(), who) != u.failed.end()) continue;
            auto const points = static_cast<double>(stage_->units[k].where.size.points());
            auto const mine = runners_[who].speed;
            if (mine <= 0) continue;
            auto const known = runners_[u.copies.front().who].speed;
            auto const theirs = known > 0 ? known : mine;
            auto const elapsed = seconds{now - u.copies.front().since}.count();
            auto const expected = points / theirs;
            // Late, or so slow that beginning anew here is the shorter way.
            auto const left = std::max(expected - elapsed, 0.0);
            bool const late = elapsed > chosen_.late * expected;
            if (!late && !(left > chosen_.late * points / mine)) continue;
            auto const gain = late ? elapsed / expected + 1e6 : left;
            if (!found || gain > most) found = k, most = gain;
        }
        return found;
    }

    void settle(std::size_t who, std::uint32_t which, unit const& what, std::stop_token const& stop,
                double took, result<bytes, problem> made, unit_receipt const& receipt)
    {
        auto& u = units_[which];
        auto& r = runners_[who];
        std::erase_if(u.copies, [who](copy const& c) { return c.who == who; });
        r.report.seconds += took;
        bool const proven = !made && (made.error().what == fault::wrong_result ||
                                      made.error().what == fault::wrong_size);
        if (!made && !proven && stop.stop_requested()) {  // it was told to: nobody's fault
            r.report.stolen += u.done ? 1 : 0;
        } else if (!made) {
            failed(who, which, made.error());
        } else if (u.done) {
            r.failures_in_a_row = 0;
            ++r.report.stolen;
            if (!job_.same(what, u.result, *made))
                disagreements_.push_back(
                    {stage_number_, which, runners_[u.taken_from].report.name, r.report.name});
        } else {
            learn(r, what, took);
            vote mine{who, u.votes.size(), std::move(*made)};
            for (std::size_t k = 0; k < u.votes.size() && mine.like == u.votes.size(); ++k)
                if (u.votes[k].like == k && job_.same(what, u.votes[k].result, mine.result))
                    mine.like = k;
            auto const like = mine.like;
            u.votes.push_back(std::move(mine));
            if (u.like(like) >= chosen_.agree) {
                auto& first = u.votes[like];
                bool const this_one = like + 1 == u.votes.size();
                auto const of_first =
                    this_one ? receipt : receipt_for(stage_number_, which, what, first.result);
                take(which, what, std::move(first.result), of_first, like);
            }
        }
        queue(which);
    }

    /// Ends a unit: whoever voted for this result did it, whoever voted for another is named.
    void take(std::uint32_t which, unit const& what, bytes made, unit_receipt const& receipt,
              std::optional<std::size_t> vote_for)
    {
        auto& u = units_[which];
        auto const votes = std::exchange(u.votes, {});
        u.done = true;
        u.result = std::move(made);
        u.receipt = receipt;
        --left_;
        std::vector<std::size_t> others;
        for (auto const& each : votes) {
            bool const for_it =
                vote_for ? each.like == *vote_for : job_.same(what, u.result, each.result);
            if (!for_it) {
                others.push_back(each.who);
                continue;
            }
            u.taken_from = each.who;
            auto& r = runners_[each.who];
            r.failures_in_a_row = 0;
            ++r.report.units;
            r.report.points += static_cast<double>(what.where.size.points());
        }
        for (auto const each : others) {
            auto const& by = others.size() == votes.size() ? chosen_.referee->name()
                                                           : runners_[u.taken_from].report.name;
            disagreements_.push_back(
                {stage_number_, which, std::string{by}, runners_[each].report.name});
            failed(each, which, {fault::wrong_result, "others returned another"});
        }
        for (auto& other : u.copies) other.stop.request_stop();
        queue(which);
        if (chosen_.saved != nullptr && !problem_) {
            auto const kept = chosen_.saved->save(stage_number_, which, u.result, chosen_.agree);
            if (!kept) problem_ = kept.error();
        }
    }

    static void learn(runner_state& r, unit const& what, double took)
    {
        auto const seen = static_cast<double>(what.where.size.points()) / std::max(took, 1e-9);
        r.speed = !r.learnt || r.speed <= 0 ? seen : 0.75 * r.speed + 0.25 * seen;
        r.learnt = true;
    }

    void failed(std::size_t who, std::uint32_t which, problem const& why)
    {
        auto& u = units_[which];
        auto& r = runners_[who];
        auto& report = r.report;
        ++report.failures;
        report.wrong += why.what == fault::wrong_result || why.what == fault::wrong_size ? 1 : 0;
        if (report.said.size() == said_max) report.said.erase(report.said.begin());
        report.said.push_back("unit " + std::to_string(which) + ": " + message(why));
        if (++r.failures_in_a_row >= chosen_.failures_max) report.given_up = true;
        if (u.done) return;
        u.failed.push_back(who);
        if (u.failed.size() >= chosen_.attempts_max && !problem_) {
            problem_ = problem{fault::unit_failed, "unit " + std::to_string(which) + " of " +
                                                       stage_->name + ": " + reasons(which)};
            return;
        }
    }

    std::string reasons(std::uint32_t which) const
    {
        std::string text;
        auto const prefix = "unit " + std::to_string(which) + ": ";
        for (auto const& each : runners_)
            for (auto const& said : each.report.said) {
                if (!said.starts_with(prefix)) continue;
                text += (text.empty() ? "" : "; ") + each.report.name + " says " +
                        said.substr(prefix.size());
            }
        return text;
    }

    job& job_;
    run_options const& chosen_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;
    std::size_t at_work_ = 0;
    std::optional<problem> problem_;
    std::optional<std::stop_source> judging_;  ///< while the referee is asked

    stage const* stage_ = nullptr;  ///< null between stages
    std::uint32_t stage_number_ = 0;
    std::vector<unit_state> units_;
    std::set<std::uint32_t> pending_, running_;
    std::size_t left_ = 0;
    std::optional<clock::time_point> told_at_;
    content_ids ids_;

    std::vector<runner_state> runners_;
    std::vector<disagreement> disagreements_;
    std::vector<std::jthread> threads_;
};

result<nothing, problem> check(stage const& now)
{
    if (now.units.empty()) return fail{problem{fault::bad_plan, "stage " + now.name + " is empty"}};
    if (now.units.size() > units_max) return fail{problem{fault::too_many_units, now.name}};
    for (auto const& each : now.units) {
        BLENDR_CHECK(work::check(each.where.size));
        if (each.inputs.size() > decltype(unit_receipt::inputs)::elements_max)
            return fail{problem{fault::bad_plan, "a unit of " + now.name + " has too many inputs"}};
        for (auto const& input : each.inputs)
            if (input == nullptr)
                return fail{problem{fault::bad_plan, "a unit of " + now.name + " lacks an input"}};
    }
    return nothing{};
}

}  // namespace

std::unique_ptr<runner> make_runner(std::string name, double speed, run_function run)
{
    return std::make_unique<function_runner>(std::move(name), speed, std::move(run));
}

result<run_report, problem> run(job& what, std::span<runner* const> on, run_options chosen)
{
    if (on.empty()) return fail{problem{fault::no_runners, {}}};
    if (chosen.attempts_max == 0 || chosen.failures_max == 0 || !(chosen.late > 0))
        return fail{problem{fault::bad_plan, "no attempts are allowed"}};
    if (chosen.agree == 0 || chosen.agree > on.size())
        return fail{problem{fault::bad_plan, std::to_string(chosen.agree) + " of " +
                                                 std::to_string(on.size()) +
                                                 " runners cannot agree"}};
    std::set<runner*> different{on.begin(), on.end()};
    if (different.size() != on.size() || different.contains(nullptr))
        return fail{problem{fault::bad_plan, "a runner is none, or is there twice"}};
    if (chosen.referee != nullptr && different.contains(chosen.referee))
        return fail{problem{fault::bad_plan, "the referee is one of the runners"}};
    auto const began = clock::now();
    run_report out;
    std::optional<stage> now;  // outlives those who work on it, whatever is thrown
    {
        crew workers{what, on, chosen};
        for (std::uint32_t number = 0;; ++number) {
            BLENDR_TRY(now, what.next(out.results));
            if (!now) break;
            BLENDR_CHECK(check(*now));
            BLENDR_CHECK(workers.do_stage(number, *now, out.results, out.receipts, out.resumed));
        }
        workers.report(out);
    }
    out.root = root_of(out.receipts);
    out.seconds = seconds{clock::now() - began}.count();
    return out;
}

std::string bar(progress const& at, std::size_t width)
{
    auto const filled = at.all == 0 ? 0 : width * at.done / at.all;
    std::string text{at.stage};
    text += " [" + std::string(filled, '#') + std::string(width - filled, '.') + "]  ";
    text += std::to_string(at.done) + "/" + std::to_string(at.all) + "  " +
            std::to_string(at.running) + " running  ";
    constexpr std::array<std::string_view, 4> units{"", " k", " M", " G"};
    auto rate = at.points_per_second;
    std::size_t unit = 0;
    for (; rate >= 1000 && unit + 1 < units.size(); ++unit) rate /= 1000;
    auto const tenths = static_cast<std::uint64_t>(rate * 10);
    text += std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
    return text.append(units[unit]).append(" points/s");
}

}  // namespace blendr::work
