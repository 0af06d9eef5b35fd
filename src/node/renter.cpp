// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/renter.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/crypto/seal.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/node/client.hpp>
#include <blendr/node/programs.hpp>
#include <node/provider_tasks.hpp>

namespace blendr::node {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using escrows = escrow::contract;
using markets = market::contract;
using ratings = reputation::contract;

/// What a market unit is reckoned to be, when the work of a job's unit is only estimated.
constexpr double operations_per_unit = 1e9;
constexpr std::uint32_t units_max = escrow::units_per_job;
constexpr std::uint32_t spare_replicas = 2;

/// What a job's directory remembers beside its story.
struct saved_file {
    std::string name{};
    bytes content{};
};
struct saved_request {
    std::string app{}, options{}, wanted{};
    std::vector<saved_file> files{};
    std::uint32_t units{}, quorum{}, search_s{}, start_s{}, run_s{}, check_s{};
    std::uint32_t device_class{};
    std::optional<amount> each_most{}, bond{};
    bool post{};
};
BOOST_DESCRIBE_STRUCT(saved_file, (), (name, content))
BOOST_DESCRIBE_STRUCT(saved_request, (),
                      (app, options, wanted, files, units, quorum, search_s, start_s, run_s,
                       check_s, device_class, each_most, bond, post))

std::string words(amount value) { return to_string(value); }

template <class Enum>
std::string name_of(Enum value)
{
    auto const text = to_json(value);
    return std::string{text.as_string()};
}

std::string short_name(std::string const& address)
{
    return address.size() <= 16 ? address
                                : address.substr(0, 12) + "…" + address.substr(address.size() - 4);
}

}  // namespace

std::string job_quote::sentence() const
{
    return std::to_string(units) + " units, ≈ " + words(total) + " BLND, " +
           std::to_string(providers) + (providers == 1 ? " provider matches" : " providers match") +
           ", verifier: " + verifier;
}

class renter::body {
public:
    body(std::string rpc, crypto::identity const& me, std::shared_ptr<shelf> blobs, fs::path home,
         amount fee_max)
        : me_{me},
          self_{me.account()},
          node_{std::move(rpc)},
          blobs_{std::move(blobs)},
          home_{std::move(home)},
          fee_max_{fee_max},
          seal_{crypto::sealing_key::of(me.key())}
    {}

    // ---------------------------------------------------------------- before anything is paid

    struct plan {
        std::unique_ptr<work::task> task{};
        work::stage stage{};
        escrow::order order{};
        job_quote quote{};
    };

    result<job_quote, std::string> quote(job_request const& what)
    {
        BLENDR_TRY(auto made, make_plan(what, 0, {}));
        return std::move(made.quote);
    }

    result<std::uint64_t, std::string> submit(job_request const& what)
    {
        auto const number =
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                           std::chrono::system_clock::now().time_since_epoch())
                                           .count());
        auto const dir = home_ / std::to_string(number);
        std::error_code failed;
        fs::create_directories(dir, failed);
        if (failed) return fail{"cannot use " + dir.string() + ": " + failed.message()};
        saved_request request{what.app,   what.what.options, what.wanted,   {},
                              what.units, what.quorum,       what.search_s, what.start_s,
                              what.run_s, what.check_s,      what.of.get(), what.each_most,
                              what.bond,  what.post};
        for (auto const& each : what.what.files) request.files.push_back({each.name, each.content});
        BLENDR_CHECK(impl::write_whole(dir / "request", encode(request)));
        job_story story{};
        story.number = number;
        story.app = what.app;
        BLENDR_TRY(story.own_score_before,
                   score(self_, reputation::role::renter, reputation::family::fp32));
        auto const sent = send_stage(what, story);
        if (!sent) {
            fs::remove_all(dir, failed);
            return fail{sent.error()};
        }
        BLENDR_CHECK(keep(story));
        return number;
    }

    // ---------------------------------------------------------------- looking

    result<job_story, std::string> look(std::uint64_t number)
    {
        BLENDR_TRY(auto story, load(number));
        if (story.phase == job_phase::done || story.phase == job_phase::failed) return story;
        auto const before = encode(story);
        BLENDR_TRY(auto const at, node_.where());
        out_for(number).settle(at.last);
        (void)out_for(number).refused();
        auto& stage = story.stages.back();
        escrow::job_key const key{self_, stage.number};
        BLENDR_TRY(auto const row, node_.row<escrows, escrow::jobs>(key));
        bool const there =
            escrow::jobs::present(row) && (stage.opened == height{} || stage.opened == row.opened);
        if (there)
            BLENDR_CHECK(follow(story, key, row, at.last));
        else if (stage.opened == height{})
            BLENDR_CHECK(wait_for_block(story, key, at.last));
        else
            BLENDR_CHECK(conclude(story, key, at.last));
        add_up(story);
        if (encode(story) != before) BLENDR_CHECK(keep(story));
        return story;
    }

    result<std::vector<work::file>, std::string> files(std::uint64_t number)
    {
        BLENDR_TRY(auto const story, load(number));
        if (story.phase != job_phase::done)
            return fail{"job " + std::to_string(number) + " is " + name_of(story.phase) +
                        (story.why.empty() ? "" : ": " + story.why)};
        std::vector<work::file> out{};
        for (auto const& each : story.files) {
            BLENDR_TRY(auto content, impl::read_whole(home_ / std::to_string(number) / each));
            out.push_back({each, std::move(content)});
        }
        return out;
    }

    result<nothing, std::string> cancel(std::uint64_t number)
    {
        BLENDR_TRY(auto const story, load(number));
        BLENDR_TRY(auto const at, node_.where());
        auto& out = out_for(number);
        out.settle(at.last);
        auto const& stage = story.stages.back();
        escrow::job_key const key{self_, stage.number};
        std::vector<ledger::wire_message> both{};
        market::order_key const bid{
            {market_class(number), market::hour{0}}, market::side::buy, self_, stage.number};
        auto const waits = node_.row<markets, market::orders>(bid);
        if (waits && market::orders::present(*waits))
            both.push_back(ledger::wrap<markets>(markets::cancel{bid}));
        both.push_back(ledger::wrap<escrows>(escrows::cancel_all{key}));
        if (!out.say("cancel", std::move(both))) {
            auto const why = out.refused();
            return fail{why.empty() ? std::string{"it is on its way already"} : why.front().why};
        }
        return nothing{};
    }

    std::vector<std::uint64_t> jobs() const
    {
        std::vector<std::uint64_t> out{};
        std::error_code none;
        for (auto const& each : fs::directory_iterator{home_, none}) {
            auto const name = each.path().filename().string();
            if (name.find_first_not_of("0123456789") == name.npos &&
                fs::exists(each.path() / "story"))
                out.push_back(std::stoull(name));
        }
        std::sort(out.begin(), out.end());
        return out;
    }

private:
    // ---------------------------------------------------------------- planning

    /// How long a block takes lately.
    std::int64_t block_ms() const
    {
        constexpr std::uint64_t lately = 16;
        auto const at = node_.where();
        if (!at || at->last <= height{lately + 1}) return 500;
        auto const old = node_.call("block", json::array{at->last.get() - lately});
        if (!old || !old->is_object()) return 500;
        auto const* const time = old->get_object().if_contains("time_ms");
        auto const then = time != nullptr ? from_json<time_ms>(*time) : from_json<time_ms>({});
        if (!then) return 500;
        return std::clamp<std::int64_t>(
            (at->block_time - *then) / static_cast<std::int64_t>(lately), 10, 60'000);
    }

    result<std::uint32_t, std::string> score(crypto::address const& who, reputation::role as,
                                             reputation::family work) const
    {
        auto const found = node_.ask<ratings::standing>(
            "reputation/score_of", ratings::score_of{{who, as, work}, height{}});
        if (!found) return fail{found.error()};
        return found->score;
    }

    result<std::unique_ptr<work::task>, std::string> make_task(job_request const& what) const
    {
        auto const* const app = work::find_app(what.app);
        if (app == nullptr) {
            std::string all{};
            for (auto const* const each : work::apps())
                all += (all.empty() ? "" : ", ") + std::string{each->info().name};
            return fail{"there is no app \"" + what.app + "\"; there are " + all};
        }
        if (what.units == 0 || what.units > units_max)
            return fail{"a job has between 1 and " + std::to_string(units_max) + " units"};
        auto whole = app->make(what.what, {});
        if (!whole) return fail{message(whole.error())};
        auto const first = (*whole)->next({});
        if (!first) return fail{message(first.error())};
        double points = 0;
        if (*first)
            for (auto const& each : (*first)->units)
                points += static_cast<double>(each.where.size.points());
        // what a splitter cuts for devices of this speed has about so many parts
        auto const speed = points / (0.05 * what.units);
        std::vector<double> const speeds(what.units / 20 + 1, speed);
        auto cut = app->make(what.what, speeds);
        if (!cut) return fail{message(cut.error())};
        return *std::move(cut);
    }

    result<plan, std::string> make_plan(job_request const& what, std::uint64_t number,
                                        std::vector<stage_story> const& stages)
    {
        plan out{};
        BLENDR_TRY(out.task, make_task(what));
        // a job that goes on makes its memory again from the results of its stages
        std::vector<bytes> known{};
        for (std::size_t i = 0; i < stages.size(); ++i) {
            if (auto const old = out.task->next(known); !old) return fail{message(old.error())};
            BLENDR_TRY(known, results_of(number, stages[i]));
        }
        auto next = out.task->next(known);
        if (!next) return fail{message(next.error())};
        if (!*next) return fail{std::string{"there is nothing to do"}};
        out.stage = **std::move(next);
        BLENDR_CHECK(order_for(what, out));
        return out;
    }
    result<std::vector<bytes>, std::string> results_of(std::uint64_t number,
                                                       stage_story const& stage) const
    {
        std::vector<bytes> out{};
        for (std::uint32_t u = 0; u < stage.units.size(); ++u) {
            BLENDR_TRY(auto raw, impl::read_whole(result_file(number, stage.number, u)));
            out.push_back(std::move(raw));
        }
        return out;
    }

    result<nothing, std::string> order_for(job_request const& what, plan& out)
    {
        auto const* const app = work::find_app(what.app);
        auto const& units = out.stage.units;
        if (units.empty() || units.size() > units_max)
            return fail{"the job has " + std::to_string(units.size()) + " units; between 1 and " +
                        std::to_string(units_max) + " can be ordered at a time"};
        double operations = 0;
        std::uint64_t steps = 0;
        bool steppable = true;
        for (auto const& each : units) {
            operations = std::max(operations, app->estimate(each).operations);
            auto const count = steps_of(what.app, work::pack(each));
            steppable = steppable && count != 0;
            steps = std::max(steps, count);
        }
        auto const count = static_cast<std::uint32_t>(units.size());
        auto& q = out.quote;
        q.app = what.app;
        q.units = count;
        q.demand = std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(operations / operations_per_unit + 0.999));
        BLENDR_CHECK(ask_market(what, q));

        auto const ms = block_ms();
        auto const heights = [&](std::uint32_t seconds) {
            return static_cast<std::uint32_t>(
                std::clamp<std::int64_t>(std::int64_t{seconds} * 1000 / ms, 8, 1 << 16));
        };
        auto& o = out.order;
        o.program = program_of(what.app);
        o.items = o.units = count;
        o.demand = q.demand;
        static_cast<std::string&>(o.wanted) = what.wanted;
        o.cap = price{static_cast<std::uint64_t>(q.each_most.grains())};
        o.bond = what.bond ? *what.bond : std::max(1_blnd, amount{q.each_most.grains() * 10});
        o.search_within = heights(what.search_s);
        o.start_within = heights(what.start_s);
        o.run_within = heights(what.run_s);
        o.window = std::max(heights(2), 10u);
        o.grace = 8;
        o.warn_before = 4;
        for (auto const& each : units) o.inputs.push_back(hash_before(work::pack(each)));
        bool const compared = what.quorum >= 2 && out.task->check() == work::check_kind::exact;
        if (compared) {
            o.checks.by = escrow::checker::replicas;
            o.checks.quorum = static_cast<std::uint16_t>(what.quorum);
            o.checks.most = static_cast<std::uint16_t>(what.quorum + spare_replicas);
            o.checks.commit_within = o.checks.reveal_within = heights(what.check_s);
            o.checks.fee = q.each;
        }
        if (steppable) {
            o.checks.steps = steps;
            o.checks.move_within = heights(what.check_s);
        }
        q.verifier = compared ? "quorum ×" + std::to_string(what.quorum) : "the renter";
        if (compared && steppable) q.verifier += ", a referee decides";
        q.checks = escrow::price_of_checks(o).held;
        q.work = amount{q.each.grains() * count};
        q.total =
            q.work + amount{o.checks.fee.grains() * (compared ? what.quorum - 1u : 0u) * count};
        if (auto const why = escrow::sound(o); why != escrow::reject::ok)
            return fail{std::string{message(why)}};
        return nothing{};
    }

    /// What the book says of the price, and of who there is.
    result<nothing, std::string> ask_market(job_request const& what, job_quote& q)
    {
        market::instrument const spot{what.of, market::hour{0}};
        if (auto const good = market::requirement::parse(what.wanted); !good)
            return fail{"the requirement: " + message(good.error())};
        market::query::explain asked{what.of, {}, price{}};
        static_cast<std::string&>(asked.wanted) = what.wanted;
        auto const found = node_.ask<market::query::explained>("market/explain", asked);
        if (!found) return fail{found.error()};
        q.offers = found->asks;
        q.devices = found->satisfying;
        std::set<crypto::address> owners{};
        std::vector<client::question> questions{};
        auto const path = client::path_of<markets, market::orders>();
        for (auto const& each : found->cheapest) {
            owners.insert(each.owner);
            questions.push_back({path, encode(each)});
        }
        q.providers = static_cast<std::uint32_t>(owners.size());
        q.explained = found->text;

        auto const known =
            node_.ask<market::query::price_now>("market/reference", market::query::reference{spot});
        auto each = known ? known->reference : price{};
        u128 cost = 0;
        std::uint64_t left = q.demand * q.units, sold = 0;
        for (auto const& raw : node_.ask(questions)) {
            auto const row = raw ? client::read<market::orders::row>(path, *raw)
                                 : result<market::orders::row, std::string>{fail{raw.error()}};
            if (!row || !market::orders::present(*row)) continue;
            auto const part = std::min(left - sold, row->left.get());
            cost += u128{part} * row->limit.get();
            sold += part;
        }
        if (sold != 0) each = price{static_cast<std::uint64_t>((cost + sold - 1) / sold)};
        if (each == price{}) each = price{1'000'000};
        q.each = amount{u128{each.get()} * q.demand};
        q.each_most = what.each_most ? *what.each_most : amount{q.each.grains() * 2};
        if (q.each_most.grains() > u128{1} << 62)
            return fail{std::string{"a unit cannot cost so much"}};
        // the bid is by market unit, so the most for a unit is a multiple of what it takes
        q.each_most = amount{q.each_most.grains() / q.demand * q.demand};
        if (q.each_most == amount{})
            return fail{"less than a grain for each of the " + std::to_string(q.demand) +
                        " market units that a unit takes"};
        return nothing{};
    }

    market::device_class market_class(std::uint64_t number) const
    {
        auto const request = load_request(number);
        return request ? request->of : market::device_class{1};
    }

    // ---------------------------------------------------------------- submitting

    result<nothing, std::string> send_stage(job_request const& what, job_story& story)
    {
        BLENDR_TRY(auto made, make_plan(what, story.number, story.stages));
        if (made.quote.providers == 0 && !what.post && story.stages.empty())
            story.explained = made.quote.explained;
        job_sheet sheet{};
        sheet.app = what.app;
        sheet.renter = seal_.self();
        stage_story stage{};
        stage.name = made.stage.name;
        for (auto const& each : made.stage.units) {
            BLENDR_TRY(auto const name, blobs_->put(work::pack(each)));
            sheet.units.push_back(name);
            unit_story unit{};
            unit.state = "listed";
            unit.input = name;
            unit.with = escrow::nobody;
            stage.units.push_back(std::move(unit));
        }
        BLENDR_TRY(made.order.data, blobs_->put(encode(sheet)));
        BLENDR_TRY(auto const at, node_.where());
        stage.number = story.number + story.stages.size();
        stage.submitted = at.last;
        stage.steps = made.order.checks.steps;
        stage.quorum = made.order.checks.quorum;
        stage.each = made.quote.each_most;
        stage.held = made.quote.checks;

        auto const work = amount{made.quote.each_most.grains() * made.quote.units};
        escrows::submit order{stage.number, made.order, {}, {}};
        std::vector<ledger::wire_message> both{};
        if (what.post) {
            order.deposit = work;
            order.posted = made.order.cap;
            both.push_back(ledger::wrap<escrows>(order));
        } else {
            both.push_back(ledger::wrap<escrows>(order));
            both.push_back(ledger::wrap<markets>(bid_for(what, made, stage.number, at.last)));
        }
        BLENDR_TRY(auto const purse, node_.purse_of(self_));
        auto const needs = work + made.quote.checks + fee_max_;
        if (purse.balance < needs)
            return fail{"insufficient funds: have " + words(purse.balance) + ", need at the most " +
                        words(work) + " for work, " + words(made.quote.checks) +
                        " for checks and " + words(fee_max_) + " fee"};
        story.stages.push_back(std::move(stage));
        story.phase = job_phase::submitted;
        BLENDR_CHECK(keep(story));
        auto& out = out_for(story.number);
        out.settle(at.last);
        auto const name = "submit " + std::to_string(story.stages.back().number);
        if (!out.say(name, std::move(both))) {
            auto const why = out.refused();
            return fail{why.empty() ? std::string{"the node does not take the order"}
                                    : why.back().why};
        }
        return nothing{};
    }

    markets::place bid_for(job_request const& what, plan const& made, std::uint64_t number,
                           height now) const
    {
        auto const& q = made.quote;
        markets::place bid{};
        bid.of = {what.of, market::hour{0}};
        bid.way = market::side::buy;
        bid.client_id = number;
        bid.size = quantity{q.demand * q.units};
        bid.limit = price{static_cast<std::uint64_t>(q.each_most.grains() / q.demand)};
        bid.expires = later(now, made.order.search_within);
        bid.rounds = std::min(made.order.search_within, 1'000u);
        auto const sharers = std::max<std::uint64_t>(1, q.devices);
        auto const share = (q.units + sharers - 1) / sharers;
        bid.per_provider_max = quantity{share * q.demand};
        static_cast<std::string&>(bid.wanted) = what.wanted;
        return bid;
    }

    // ---------------------------------------------------------------- while it runs

    result<nothing, std::string> wait_for_block(job_story& story, escrow::job_key const& key,
                                                height now)
    {
        constexpr std::uint64_t patience = outbox::give_up_after + 10;
        auto& stage = story.stages.back();
        if (now <= later(stage.submitted, patience)) return nothing{};
        // it never came, or it came and went while nobody looked
        if (auto const opened = find_submission(stage.submitted, now, key)) {
            stage.opened = *opened;
            return nothing{};
        }
        story.phase = job_phase::failed;
        story.why = "no block took the order";
        return nothing{};
    }

    result<nothing, std::string> follow(job_story& story, escrow::job_key const& key,
                                        escrow::jobs::row const& row, height now)
    {
        auto& stage = story.stages.back();
        stage.opened = row.opened;
        if (row.money.units.size() != stage.units.size())
            return fail{std::string{"the chain has another job of that number"}};
        see_deals(stage, key, row);
        std::uint32_t listed = 0, open = 0;
        std::vector<std::uint32_t> disputed{};
        for (std::uint32_t u = 0; u < stage.units.size(); ++u) {
            auto const& unit = row.money.units[u];
            auto& seen = stage.units[u];
            listed += unit.at == escrow::unit_state::listed;
            open +=
                unit.at == escrow::unit_state::listed || unit.at == escrow::unit_state::assigned;
            seen.state = name_of(unit.at);
            if (unit.with == escrow::nobody) {
                bool const judged = unit.at == escrow::unit_state::dropped && !seen.checked.empty();
                if (judged) seen.state = "outvoted";  // others agree on another result
                seen.fetched = false;
                continue;
            }
            if (seen.with != unit.with) {  // somebody else does it now
                seen.fetched = false;
                seen.checked.clear();
            }
            seen.with = unit.with;
            seen.provider = to_text(row.money.agreements[unit.with].provider);
            seen.data = row.data[u];
            seen.claim = row.claims[u];
            if (unit.at == escrow::unit_state::disputed) disputed.push_back(u);
            bool const there = unit.at == escrow::unit_state::delivered ||
                               unit.at == escrow::unit_state::disputed ||
                               unit.at == escrow::unit_state::paid;
            if (there && !seen.fetched)
                take_in(story, stage, u, key, row.money.agreements[unit.with].provider,
                        row.what.checks.by, unit.at == escrow::unit_state::delivered);
        }
        see_checks(stage, key, row, disputed);
        bool const anybody = !row.money.agreements.empty();
        story.phase = !anybody    ? job_phase::searching
                      : open != 0 ? job_phase::running
                                  : job_phase::checking;
        story.explained.clear();
        if (listed != 0 && !anybody && now > later(stage.opened, 3)) explain(story);
        return nothing{};
    }

    void explain(job_story& story)
    {
        auto const request = load_request(story.number);
        if (!request) return;
        market::query::explain asked{
            request->of, {}, price{static_cast<std::uint64_t>(story.stages.back().each.grains())}};
        static_cast<std::string&>(asked.wanted) = request->wanted;
        auto const found = node_.ask<market::query::explained>("market/explain", asked);
        if (found) story.explained = found->text;
    }

    void see_deals(stage_story& stage, escrow::job_key const& key, escrow::jobs::row const& row)
    {
        for (std::uint32_t i = 0; i < row.money.agreements.size(); ++i) {
            auto const& a = row.money.agreements[i];
            if (stage.deals.size() == i) {
                deal_story made{};
                made.number = i;
                made.provider = to_text(a.provider);
                made.name = escrow::task_of({key, row.opened, escrow::nobody, i});
                made.score_before =
                    score(a.provider, reputation::role::provider, row.what.work).value_or(0);
                stage.deals.push_back(std::move(made));
            }
            auto& d = stage.deals[i];
            d.phase = name_of(a.at);
            d.units = std::max(d.units, a.assigned + a.delivered + a.disputed + a.paid);
            d.paid_units = a.paid;
            d.paid = a.earned - a.fees;
            d.fees = a.fees;
            d.each = a.by.each * quantity{1};
            if (a.at == escrow::phase::slashed) d.slashed = a.by.bond;
            d.bond = std::max(d.bond, a.bond);
        }
    }

    /// Who does disputed units again, and what became of it.
    void see_checks(stage_story& stage, escrow::job_key const& key, escrow::jobs::row const& row,
                    std::vector<std::uint32_t> const& disputed)
    {
        if (disputed.empty()) return;
        std::vector<client::question> questions{};
        auto const rounds = client::path_of<verify::contract, verify::rounds>();
        auto const disputes = client::path_of<verify::contract, verify::disputes>();
        for (auto const u : disputed) {
            auto const task = escrow::task_of({key, row.opened, u, row.money.units[u].with});
            questions.push_back({rounds, encode(task)});
            questions.push_back({disputes, encode(task)});
        }
        auto const answers = node_.ask(questions);
        for (std::size_t i = 0; i < disputed.size(); ++i) {
            auto& seen = stage.units[disputed[i]];
            auto const none = [] { return fail{std::string{}}; };
            auto const round = answers[2 * i]
                                   ? client::read<verify::rounds::row>(rounds, *answers[2 * i])
                                   : result<verify::rounds::row, std::string>{none()};
            auto const dispute =
                answers[2 * i + 1]
                    ? client::read<verify::disputes::row>(disputes, *answers[2 * i + 1])
                    : result<verify::disputes::row, std::string>{none()};
            if (dispute && dispute->of.high != 0) {
                seen.checked = "disputed by " + short_name(to_text(dispute->of.challenger)) +
                               ", step " + std::to_string(dispute->of.low) + " to " +
                               std::to_string(dispute->of.high);
            } else if (round && round->until != height{}) {
                seen.checked = "done again by";
                for (std::size_t k = 1; k < round->of.replicas.size(); ++k)
                    seen.checked +=
                        (k == 1 ? " " : ", ") + short_name(to_text(round->of.replicas[k].worker));
                if (round->of.replicas.size() == 1) seen.checked = "drawing who does it again";
            }
        }
    }

    fs::path result_file(std::uint64_t number, std::uint64_t stage, std::uint32_t unit) const
    {
        return home_ / std::to_string(number) /
               ("stage" + std::to_string(stage - number) + ".unit" + std::to_string(unit));
    }

    /// Fetches a unit's result and sees whether it is what the chain knows of it.
    void take_in(job_story const& story, stage_story& stage, std::uint32_t u,
                 escrow::job_key const& key, crypto::address const& provider, escrow::checker by,
                 bool may_object)
    {
        auto& seen = stage.units[u];
        auto const sealed = blobs_->get(seen.data);
        if (!sealed) return;  // it may come yet
        auto const opened = crypto::open(*sealed, seal_);
        auto const read = opened ? decode<unit_result>(*opened) : decode<unit_result>(bytes{});
        auto const packed = blobs_->get(seen.input);
        if (!packed) return;
        bool good = false;
        if (opened && read) {
            auto const after = hash_after(*packed, read->result);
            auto const task = escrow::task_of({key, stage.opened, u, seen.with});
            auto const said =
                by == escrow::checker::renter
                    ? after
                    : verify::commit({provider, task, read->nonce, verify::digest_of(after, {})});
            good = said == seen.claim;
        }
        if (!good) {
            // not what it committed to: have it done again before it is paid
            if (may_object && by != escrow::checker::renter)
                out_for(story.number)
                    .say("object " + std::to_string(u),
                         {ledger::wrap<escrows>(escrows::object{key, escrow::unit_id{u}})});
            return;
        }
        if (impl::write_whole(result_file(story.number, stage.number, u), read->result, false))
            seen.fetched = true;
    }

    // ---------------------------------------------------------------- when it is over

    result<nothing, std::string> conclude(job_story& story, escrow::job_key const& key, height now)
    {
        auto& stage = story.stages.back();
        stage.over = true;
        story.phase = job_phase::settling;
        bool const missing = std::any_of(stage.units.begin(), stage.units.end(),
                                         [](auto const& u) { return !u.fetched; });
        if (missing) find_deliveries(story, stage, key, now);
        settle_deals(story, stage);
        distrust(stage);
        for (std::uint32_t u = 0; u < stage.units.size(); ++u) {
            auto& seen = stage.units[u];
            if (!seen.fetched) {
                // it was done and judged; only its bytes are lost
                bool const judged = seen.state == "delivered" || seen.state == "disputed" ||
                                    seen.state == "paid" || seen.state == "outvoted";
                if (!judged || !do_here(story, stage, u)) {
                    story.phase = job_phase::failed;
                    story.why =
                        "unit " + std::to_string(u) + " was not done; what was not paid came back";
                    return nothing{};
                }
            }
        }
        for (auto& u : stage.units)
            if (u.state == "delivered" || u.state == "disputed")
                for (auto const& d : stage.deals)
                    if (d.number == u.with && d.phase == "settled") u.state = "paid";
        if (!all_rated(stage, now)) return nothing{};
        BLENDR_TRY(auto const request, load_request(story.number));
        BLENDR_TRY(auto const task, make_task(request));
        std::vector<bytes> known{};
        for (auto const& each : story.stages) {
            if (auto const old = task->next(known); !old) return fail{message(old.error())};
            BLENDR_TRY(known, results_of(story.number, each));
        }
        auto const next = task->next(known);
        if (!next) return fail{message(next.error())};
        if (*next) return send_stage(request, story);
        auto const made = task->files(known);
        if (!made) return fail{message(made.error())};
        for (auto const& each : *made) {
            auto const name = fs::path{each.name}.filename().string();
            BLENDR_CHECK(
                impl::write_whole(home_ / std::to_string(story.number) / name, each.content));
            story.files.push_back(name);
        }
        story.own_score_after =
            score(self_, reputation::role::renter, reputation::family::fp32).value_or(0);
        story.phase = job_phase::done;
        return nothing{};
    }

    /// Results that are not to be believed although they are here: of who was proven wrong elsewhere in
    /// the job, and of units that were judged in the last block and not paid.
    static void distrust(stage_story& stage)
    {
        for (auto const& d : stage.deals) {
            auto const mine = [&](unit_story const& u) {
                return u.with == d.number && u.provider == d.provider && !u.remade;
            };
            if (d.phase == "slashed") {
                for (auto& u : stage.units)
                    if (mine(u)) u.fetched = false;
            } else if (d.phase == "settled" && d.each != amount{}) {
                auto const paid = (d.paid + d.fees).grains() / d.each.grains();
                auto const count = static_cast<std::uint64_t>(
                    std::count_if(stage.units.begin(), stage.units.end(), mine));
                if (paid >= count) continue;
                for (auto& u : stage.units)
                    if (mine(u) && u.state == "disputed") u.fetched = false;
            }
        }
    }

    /// Does on this machine what others did, for its bytes.
    bool do_here(job_story const& story, stage_story& stage, std::uint32_t u)
    {
        auto const packed = blobs_->get(stage.units[u].input);
        if (!packed) return false;
        if (!device_) device_ = work::make_native_device(1);
        auto const done = work::run_packed(story.app, *packed, {*device_});
        if (!done || !impl::write_whole(result_file(story.number, stage.number, u), *done, false))
            return false;
        stage.units[u].fetched = stage.units[u].remade = true;
        stage.units[u].checked += (stage.units[u].checked.empty() ? "" : "; ") +
                                  std::string{"its bytes were made again here"};
        return true;
    }

    void settle_deals(job_story const& story, stage_story& stage)
    {
        std::vector<client::question> questions{};
        auto const path = client::path_of<ratings, reputation::ended>();
        for (auto const& each : stage.deals) questions.push_back({path, encode(each.name)});
        auto const rows = node_.ask(questions);
        for (std::size_t i = 0; i < stage.deals.size(); ++i) {
            auto& d = stage.deals[i];
            if (!rows[i]) continue;
            auto const row = client::read<reputation::settled_agreement>(path, *rows[i]);
            if (!row) continue;
            auto const who = crypto::parse_address(d.provider);
            if (!who) continue;
            if (row->provider != *who) {
                if (!is_end_text(d.phase)) d.phase = d.paid == amount{} ? "refunded" : "settled";
                continue;
            }
            d.phase = "settled";
            d.paid = row->paid;
            d.fees = row->fees_burned;
            d.paid_units = std::max(d.paid_units,
                                    static_cast<std::uint32_t>(std::count_if(
                                        stage.units.begin(), stage.units.end(), [&](auto const& u) {
                                            return u.with == d.number && u.state != "dropped";
                                        })));
            d.rated = row->rated_by_renter;
            d.rated_us = row->rated_by_provider;
            d.score_after = score(*who, reputation::role::provider, row->work).value_or(0);
            if (!d.rated) {
                // all that was agreed on, or less
                std::uint32_t const rating = d.paid_units >= d.units ? 100 : 50;
                out_for(story.number)
                    .say("rate " + std::to_string(stage.number) + '#' + std::to_string(d.number),
                         {ledger::wrap<ratings>(ratings::rate{
                             d.name, {*who, reputation::role::provider, row->work}, rating})});
            }
        }
        for (auto& d : stage.deals)
            if (d.phase != "settled" && d.score_after == 0)
                if (auto const who = crypto::parse_address(d.provider))
                    d.score_after =
                        score(*who, reputation::role::provider, reputation::family::fp32)
                            .value_or(0);
    }
    static bool is_end_text(std::string const& phase)
    {
        return phase == "settled" || phase == "refunded" || phase == "slashed";
    }

    /// Whether both sides have said what they think, or had time enough.
    bool all_rated(stage_story const& stage, height now)
    {
        constexpr std::uint64_t patience = 120;
        auto const since = closed_.try_emplace(stage.number, now).first->second;
        if (now > later(since, patience)) return true;
        return std::all_of(stage.deals.begin(), stage.deals.end(), [](auto const& d) {
            return d.phase != "settled" || (d.rated && d.rated_us);
        });
    }

    // ---------------------------------------------------------------- looking back

    /// Visits what was asked for in blocks: a contract's messages, decoded as JSON.
    template <class Visit>
    void each_message(height from, height until, Visit&& visit) const
    {
        constexpr std::uint64_t blocks_max = 50'000;
        auto const last = std::min(until, later(from, blocks_max));
        for (auto at = from; at <= last; ++at) {
            auto const block = node_.call("block", json::array{at.get()});
            if (!block || !block->is_object()) continue;
            auto const* const ids = block->get_object().if_contains("transactions");
            if (ids == nullptr || !ids->is_array()) continue;
            for (auto const& id : ids->get_array()) {
                auto const t = node_.call("transaction", json::array{id});
                if (!t || !t->is_object()) continue;
                auto const* const receipt = t->get_object().if_contains("receipt");
                if (receipt != nullptr && receipt->at("code").to_number<std::uint32_t>() != 0)
                    continue;
                auto const* const tx = t->get_object().if_contains("transaction");
                if (tx == nullptr) continue;
                for (auto const& each : tx->at("messages").as_array())
                    if (each.is_object())
                        for (auto const& m : each.get_object())
                            visit(at, tx->at("sender"), m.key(), m.value());
            }
        }
    }

    std::optional<height> find_submission(height from, height until,
                                          escrow::job_key const& key) const
    {
        std::optional<height> out{};
        auto const me = to_text(key.renter);
        each_message(
            from, std::min(until, later(from, 64)),
            [&](height at, json::value const& sender, auto const& name, json::value const& m) {
                if (std::string_view{name.data(), name.size()} != "escrow.submit") return;
                auto const said = from_json<escrows::submit>(m);
                if (said && said->number == key.number && sender.is_string() &&
                    sender.get_string() == me)
                    out = at;
            });
        return out;
    }

    /// A job that ended while nobody looked: its deliveries stand in blocks.
    void find_deliveries(job_story const& story, stage_story& stage, escrow::job_key const& key,
                         height now)
    {
        if (!searched_.insert(stage.number).second) return;
        auto const by = stage.quorum >= 2 ? escrow::checker::replicas : escrow::checker::renter;
        constexpr std::uint32_t agreements_tried = 32;
        each_message(
            stage.opened, now,
            [&](height, json::value const& sender, auto const& key_name, json::value const& m) {
                std::string_view const name{key_name.data(), key_name.size()};
                if (name == "escrow.deliver") {
                    auto const said = from_json<escrows::deliver>(m);
                    if (!said || said->job != key || said->unit.get() >= stage.units.size() ||
                        !sender.is_string())
                        return;
                    auto const who = crypto::parse_address(
                        std::string_view{sender.get_string().data(), sender.get_string().size()});
                    if (!who) return;
                    auto& seen = stage.units[said->unit.get()];
                    seen.data = said->data;
                    seen.claim = said->claim;
                    seen.provider = to_text(*who);
                    seen.state = "delivered";
                    // which of the provider's agreements it was: the commitment tells
                    for (std::uint32_t i = 0; i < agreements_tried && !seen.fetched; ++i) {
                        seen.with = i;
                        take_in(story, stage, said->unit.get(), key, *who, by, false);
                        if (by == escrow::checker::renter) break;
                    }
                }
            });
        // agreements that were never seen are known by their names
        std::uint32_t most = 0;
        for (auto const& u : stage.units)
            if (u.with != escrow::nobody) most = std::max(most, u.with + 1);
        for (auto i = static_cast<std::uint32_t>(stage.deals.size()); i < most; ++i) {
            deal_story made{};
            made.number = i;
            made.name = escrow::task_of({key, stage.opened, escrow::nobody, i});
            for (auto const& u : stage.units)
                if (u.with == i) {
                    made.provider = u.provider;
                    ++made.units;
                }
            stage.deals.push_back(std::move(made));
        }
    }

    // ---------------------------------------------------------------- on disk

    void add_up(job_story& story) const
    {
        story.units = story.listed = story.assigned = story.delivered = 0;
        story.disputed = story.paid = 0;
        story.cost = {};
        for (auto const& stage : story.stages) {
            for (auto const& u : stage.units) {
                ++story.units;
                story.listed += u.state == "listed";
                story.assigned += u.state == "assigned";
                story.delivered += u.state == "delivered";
                story.disputed += u.state == "disputed";
                story.paid += u.state == "paid";
            }
            for (auto const& d : stage.deals) story.cost += d.paid + d.fees;
        }
    }

    result<nothing, std::string> keep(job_story const& story)
    {
        return impl::write_whole(home_ / std::to_string(story.number) / "story", encode(story),
                                 story.phase == job_phase::submitted);
    }
    result<job_story, std::string> load(std::uint64_t number) const
    {
        auto const raw = impl::read_whole(home_ / std::to_string(number) / "story");
        if (!raw)
            return fail{"there is no job " + std::to_string(number) + " below " + home_.string()};
        auto read = decode<job_story>(*raw);
        if (!read) return fail{"the memory of job " + std::to_string(number) + " is damaged"};
        return *std::move(read);
    }
    result<job_request, std::string> load_request(std::uint64_t number) const
    {
        BLENDR_TRY(auto const raw, impl::read_whole(home_ / std::to_string(number) / "request"));
        auto read = decode<saved_request>(raw);
        if (!read) return fail{"the memory of job " + std::to_string(number) + " is damaged"};
        job_request out{};
        out.app = read->app;
        out.what.options = read->options;
        for (auto& each : read->files)
            out.what.files.push_back({each.name, std::move(each.content)});
        out.units = read->units;
        out.wanted = read->wanted;
        out.of = market::device_class{read->device_class};
        out.each_most = read->each_most;
        out.post = read->post;
        out.quorum = read->quorum;
        out.search_s = read->search_s;
        out.start_s = read->start_s;
        out.run_s = read->run_s;
        out.check_s = read->check_s;
        out.bond = read->bond;
        return out;
    }

    /// One for all jobs: they share the key and its numbers. Names of wishes tell jobs apart.
    struct named_outbox {
        outbox& all;
        std::string prefix;
        void settle(height now) { all.settle(now); }
        bool say(std::string const& name, std::vector<ledger::wire_message> messages)
        {
            return all.say(prefix + name, std::move(messages));
        }
        std::vector<outbox::refusal> refused() { return all.refused(); }
    };
    named_outbox& out_for(std::uint64_t number)
    {
        if (!out_) out_.emplace(node_, me_, fee_max_);
        auto const found = named_.find(number);
        if (found != named_.end()) return found->second;
        return named_.emplace(number, named_outbox{*out_, std::to_string(number) + ' '})
            .first->second;
    }

    crypto::identity me_;
    crypto::address self_;
    client node_;
    std::shared_ptr<shelf> blobs_;
    fs::path home_;
    amount fee_max_;
    crypto::sealing_key seal_;
    std::optional<outbox> out_{};
    std::map<std::uint64_t, named_outbox> named_{};
    std::map<std::uint64_t, height> closed_{};
    std::set<std::uint64_t> searched_{};
    std::unique_ptr<compute::device> device_{};
};

renter::renter(std::string rpc, crypto::identity const& me, std::shared_ptr<shelf> blobs,
               fs::path home, amount fee_max)
    : body_{std::make_unique<body>(std::move(rpc), me, std::move(blobs), std::move(home), fee_max)}
{}
renter::~renter() = default;
result<job_quote, std::string> renter::quote(job_request const& what) { return body_->quote(what); }
result<std::uint64_t, std::string> renter::submit(job_request const& what)
{
    return body_->submit(what);
}
result<job_story, std::string> renter::look(std::uint64_t number) { return body_->look(number); }
result<std::vector<work::file>, std::string> renter::files(std::uint64_t number)
{
    return body_->files(number);
}
result<nothing, std::string> renter::cancel(std::uint64_t number) { return body_->cancel(number); }
std::vector<std::uint64_t> renter::jobs() const { return body_->jobs(); }
void renter::pause() { std::this_thread::sleep_for(std::chrono::milliseconds{100}); }

std::string summary(job_story const& of)
{
    std::string out = "job " + std::to_string(of.number) + " (" + of.app +
                      "): " + name_of(of.phase) + (of.why.empty() ? "" : ", " + of.why) + '\n';
    for (auto const& stage : of.stages) {
        out += "  " + stage.name + ": " + std::to_string(stage.units.size()) + " units, at most " +
               words(stage.each) + " BLND each\n";
        for (std::size_t u = 0; u < stage.units.size(); ++u) {
            auto const& unit = stage.units[u];
            out += "    unit " + std::to_string(u) + "  " + unit.state;
            if (!unit.provider.empty()) out += "  by " + short_name(unit.provider);
            out += unit.checked.empty() ? "  (trusted)" : "  (" + unit.checked + ')';
            out += '\n';
        }
        for (auto const& d : stage.deals) {
            out += "    " + short_name(d.provider) + "  " + d.phase + ": " +
                   std::to_string(d.paid_units) + " of " + std::to_string(d.units) +
                   " units, paid " + words(d.paid) + " + " + words(d.fees) + " burned";
            if (d.slashed != amount{}) out += ", slashed " + words(d.slashed);
            out += "; reputation " + std::to_string(d.score_before) + " → " +
                   std::to_string(d.score_after) + (d.rated ? ", rated" : "") +
                   (d.rated_us ? ", rated us" : "") + '\n';
        }
    }
    out += "  cost " + words(of.cost) + " BLND; our own reputation " +
           std::to_string(of.own_score_before) + " → " + std::to_string(of.own_score_after) + '\n';
    for (auto const& each : of.files) out += "  file " + each + '\n';
    return out;
}

}  // namespace blendr::node
