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

struct unit_state {
    bool done = false;
    std::size_t taken_from = 0;       ///< a runner, once done
    bytes result{};                   ///< once done
    std::vector<copy> copies{};       ///< at work on it
    std::vector<std::size_t> failed;  ///< runners, one for each failure
};

struct runner_state {
    runner* self = nullptr;
    runner_report report{};
    double speed = 0;  ///< points a second, lately
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

    /// Does one stage and moves its results into `out`, in order.
    result<nothing, problem> do_stage(std::uint32_t number, stage const& now,
                                      std::vector<bytes>& out, std::size_t& resumed)
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
        for (auto& each : units_) out.push_back(std::move(each.result));
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
        for (std::uint32_t k = 0; k < units_.size(); ++k) {
            auto const* saved = chosen_.saved == nullptr ? nullptr : chosen_.saved->find(number, k);
            if (saved == nullptr) {
                pending_.insert(k);
                continue;
            }
            units_[k].done = true;
            units_[k].result = *saved;
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
            auto const which = choose(who);
            if (!which) {
                if (left_ != 0)
                    changed_.wait_for(lock, look_again);
                else
                    changed_.wait(lock);
                continue;
            }
            pending_.erase(*which);
            running_.insert(*which);
            copy mine{who, clock::now(), {}};
            auto const stop = mine.stop.get_token();
            units_[*which].copies.push_back(std::move(mine));
            ++at_work_;
            auto const& what = stage_->units[*which];

            lock.unlock();
            auto made = attempt(*runners_[who].self, what, stop);
            lock.lock();

            --at_work_;
            settle(who, *which, what, stop, std::move(made));
            changed_.notify_all();
        }
    }

    /// What comes back from a runner, looked at.
    result<bytes, problem> attempt(runner& by, unit const& what, std::stop_token stop) const
    {
        auto made = [&]() -> result<bytes, problem> {
            try {
                return by.run(what, std::move(stop));
            } catch (std::exception const& e) {
                return fail{problem{fault::device_failed, e.what()}};
            }
        }();
        if (!made) return made;
        if (what.result_bytes && made->size() != *what.result_bytes)
            return fail{problem{fault::wrong_size, std::to_string(made->size()) +
                                                       " bytes instead of " +
                                                       std::to_string(*what.result_bytes)}};
        if (auto why = job_.wrong(what, *made))
            return fail{problem{fault::wrong_result, *std::move(why)}};
        return made;
    }

    /// The next unit for a runner: one that nobody has, or one that somebody is late with.
    std::optional<std::uint32_t> choose(std::size_t who) const
    {
        std::optional<std::uint32_t> again;
        for (auto const which : pending_) {
            auto const& failed = units_[which].failed;
            if (std::find(failed.begin(), failed.end(), who) == failed.end()) return which;
            // It failed here before: once more only if there is nobody else.
            if (!again && !anybody_but(failed)) again = which;
        }
        if (again) return again;
        if (!pending_.empty()) return std::nullopt;
        return latest(who);
    }

    bool anybody_but(std::vector<std::size_t> const& these) const
    {
        for (std::size_t k = 0; k < runners_.size(); ++k)
            if (!runners_[k].report.given_up &&
                std::find(these.begin(), these.end(), k) == these.end())
                return true;
        return false;
    }

    std::optional<std::uint32_t> latest(std::size_t who) const
    {
        auto const now = clock::now();
        std::optional<std::uint32_t> found;
        double most = 0;
        for (auto const k : running_) {
            auto const& u = units_[k];
            if (u.done || u.copies.size() != 1 || u.copies.front().who == who) continue;
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
                result<bytes, problem> made)
    {
        auto& u = units_[which];
        auto& r = runners_[who];
        auto const mine = std::find_if(u.copies.begin(), u.copies.end(),
                                       [&](copy const& c) { return c.who == who; });
        auto const took = seconds{clock::now() - mine->since}.count();
        u.copies.erase(mine);
        if (u.copies.empty()) running_.erase(which);
        r.report.seconds += took;
        bool const proven = !made && (made.error().what == fault::wrong_result ||
                                      made.error().what == fault::wrong_size);
        if (!made && !proven && stop.stop_requested()) {  // it was told to: nobody's fault
            r.report.stolen += u.done ? 1 : 0;
            if (!u.done && u.copies.empty()) pending_.insert(which);
            return;
        }
        if (!made) return failed(who, which, made.error());

        r.failures_in_a_row = 0;
        if (u.done) {
            ++r.report.stolen;
            if (!job_.same(what, u.result, *made))
                disagreements_.push_back(
                    {stage_number_, which, runners_[u.taken_from].report.name, r.report.name});
            return;
        }
        learn(r, what, took);
        u.done = true;
        u.taken_from = who;
        u.result = std::move(*made);
        ++r.report.units;
        r.report.points += static_cast<double>(what.where.size.points());
        --left_;
        for (auto& other : u.copies) other.stop.request_stop();
        if (chosen_.saved != nullptr && !problem_) {
            auto const kept = chosen_.saved->save(stage_number_, which, u.result);
            if (!kept) problem_ = kept.error();
        }
    }

    static void learn(runner_state& r, unit const& what, double took)
    {
        auto const seen = static_cast<double>(what.where.size.points()) / std::max(took, 1e-9);
        r.speed = r.report.units == 0 || r.speed <= 0 ? seen : 0.75 * r.speed + 0.25 * seen;
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
        if (u.copies.empty()) pending_.insert(which);
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

    stage const* stage_ = nullptr;  ///< null between stages
    std::uint32_t stage_number_ = 0;
    std::vector<unit_state> units_;
    std::set<std::uint32_t> pending_, running_;
    std::size_t left_ = 0;
    std::optional<clock::time_point> told_at_;

    std::vector<runner_state> runners_;
    std::vector<disagreement> disagreements_;
    std::vector<std::jthread> threads_;
};

/// Receipts of a stage. Inputs that units share are hashed once.
class receipts_of_run {
public:
    void add(std::uint32_t number, stage const& now, std::vector<bytes> const& results)
    {
        for (std::uint32_t k = 0; k < now.units.size(); ++k) {
            auto const& what = now.units[k];
            unit_receipt made{number, k, what.where, crypto::cid::of(what.parameters), {}, {}};
            for (auto const& input : what.inputs) made.inputs.push_back(id_of(input));
            made.result = crypto::cid::of(results[k]);
            out.push_back(std::move(made));
        }
        known_.clear();
    }

    std::vector<unit_receipt> out;

private:
    crypto::cid id_of(shared_bytes const& raw)
    {
        auto const found = known_.find(raw.get());
        if (found != known_.end()) return found->second;
        return known_.emplace(raw.get(), crypto::cid::of(*raw)).first->second;
    }

    std::map<bytes const*, crypto::cid> known_;
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
    auto const began = clock::now();
    run_report out;
    receipts_of_run receipts;
    {
        crew workers{what, on, chosen};
        for (std::uint32_t number = 0;; ++number) {
            BLENDR_TRY(auto const now, what.next(out.results));
            if (!now) break;
            BLENDR_CHECK(check(*now));
            BLENDR_CHECK(workers.do_stage(number, *now, out.results, out.resumed));
            receipts.add(number, *now, out.results);
        }
        workers.report(out);
    }
    out.receipts = std::move(receipts.out);
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
