// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/renter.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>
#include <blendr/crypto/bech32.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/crypto/seal.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/node/client.hpp>
#include <blendr/node/programs.hpp>
#include <node/job_book.hpp>
#include <node/job_letters.hpp>
#include <node/job_past.hpp>
#include <node/job_plan.hpp>
#include <node/job_words.hpp>

namespace blendr::node {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using escrows = escrow::contract;
using markets = market::contract;
using ratings = reputation::contract;

}  // namespace

class renter::body {
public:
    body(std::string rpc, crypto::identity const& me, std::shared_ptr<shelf> blobs, fs::path home,
         amount fee_max)
        : me_{me},
          self_{me.account()},
          node_{std::move(rpc)},
          blobs_{std::move(blobs)},
          book_{std::move(home)},
          fee_max_{fee_max},
          seal_{crypto::sealing_key::of(me.key())},
          letters_{node_, me, blobs_, book_}
    {}

    // ---------------------------------------------------------------- before anything is paid

    result<job_quote, std::string> quote(job_request const& what)
    {
        BLENDR_TRY(auto made, impl::plan_stage(what, {}, facts()));
        return std::move(made.quote);
    }

    result<std::uint64_t, std::string> submit(job_request const& what)
    {
        auto const number =
            static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                           std::chrono::system_clock::now().time_since_epoch())
                                           .count());
        BLENDR_CHECK(book_.begin(number, what));
        job_story story{};
        story.number = number;
        story.app = what.app;
        BLENDR_TRY(story.own_score_before,
                   score(self_, reputation::role::renter, reputation::family::fp32));
        auto const sent = send_stage(what, story);
        if (!sent) {
            book_.drop(number);
            return fail{sent.error()};
        }
        BLENDR_CHECK(book_.keep(story));
        return number;
    }

    // ---------------------------------------------------------------- looking

    result<job_story, std::string> look(std::uint64_t number)
    {
        BLENDR_TRY(auto story, book_.story(number));
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
        if (encode(story) != before) BLENDR_CHECK(book_.keep(story));
        return story;
    }

    result<std::vector<work::file>, std::string> files(std::uint64_t number)
    {
        BLENDR_TRY(auto const story, book_.story(number));
        if (story.phase != job_phase::done)
            return fail{"job " + std::to_string(number) + " is " + impl::name_of(story.phase) +
                        (story.why.empty() ? "" : ": " + story.why)};
        return book_.files(story);
    }

    result<nothing, std::string> cancel(std::uint64_t number)
    {
        BLENDR_TRY(auto const story, book_.story(number));
        BLENDR_TRY(auto const at, node_.where());
        auto& out = out_for(number);
        out.settle(at.last);
        auto const& stage = story.stages.back();
        escrow::job_key const key{self_, stage.number};
        std::vector<ledger::wire_message> both{};
        BLENDR_TRY(auto const request, book_.request(number));
        market::order_key const bid{
            {request.of, market::hour{0}}, market::side::buy, self_, stage.number};
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

    std::vector<std::uint64_t> jobs() const { return book_.numbers(); }

private:
    // ---------------------------------------------------------------- planning

    impl::chain_facts facts() const
    {
        return {[this](std::span<client::question const> all) { return node_.ask(all); },
                block_ms()};
    }

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

    // ---------------------------------------------------------------- submitting

    result<nothing, std::string> send_stage(job_request const& what, job_story& story)
    {
        BLENDR_TRY(auto const before, book_.results(story));
        BLENDR_TRY(auto made, impl::plan_stage(what, before, facts()));
        if (made.quote.providers == 0 && !what.post && story.stages.empty())
            story.explained = made.quote.explained;
        job_sheet sheet{};
        sheet.app = what.app;
        sheet.renter = seal_.self();
        sheet.sealed = true;
        stage_story stage{};
        stage.name = made.stage.name;
        stage.number = story.number + story.stages.size();
        BLENDR_CHECK(letters_.begin(story.number, stage.number, made.order.checks.quorum >= 2));
        for (auto const& each : made.stage.units) {
            BLENDR_TRY(auto const name, letters_.put(story.number, stage.number, work::pack(each)));
            sheet.units.push_back(name);
            unit_story unit{};
            unit.state = "listed";
            unit.input = name;
            unit.with = escrow::nobody;
            stage.units.push_back(std::move(unit));
        }
        BLENDR_TRY(made.order.data, blobs_->put(encode(sheet)));
        BLENDR_TRY(auto const at, node_.where());
        stage.submitted = at.last;
        stage.steps = made.order.checks.steps;
        stage.quorum = made.order.checks.quorum;
        stage.each = made.quote.each_most;
        stage.held = made.quote.checks;

        auto const work = made.work_most();
        auto both = impl::order_messages(what, made, stage.number, at.last);
        if (auto letter = letters_.tell(story.number, stage.number, {}))
            both.push_back(*std::move(letter));
        BLENDR_TRY(auto const purse, node_.purse_of(self_));
        auto const needs = work + made.quote.checks + fee_max_;
        if (purse.balance < needs)
            return fail{"insufficient funds: have " + to_string(purse.balance) +
                        ", need at the most " + to_string(work) + " for work, " +
                        to_string(made.quote.checks) + " for checks and " + to_string(fee_max_) +
                        " fee"};
        story.stages.push_back(std::move(stage));
        story.phase = job_phase::submitted;
        BLENDR_CHECK(book_.keep(story));
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

    // ---------------------------------------------------------------- while it runs

    result<nothing, std::string> wait_for_block(job_story& story, escrow::job_key const& key,
                                                height now)
    {
        constexpr std::uint64_t patience = outbox::give_up_after + 10;
        auto& stage = story.stages.back();
        if (now <= later(stage.submitted, patience)) return nothing{};
        // it never came, or it came and went while nobody looked
        if (auto const opened = impl::find_submission(node_, stage.submitted, now, key)) {
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
            seen.state = impl::name_of(unit.at);
            if (unit.with == escrow::nobody) {
                bool const judged = unit.at == escrow::unit_state::dropped && !seen.checked.empty();
                if (judged) seen.state = "outvoted";  // others agree on another result
                seen.fetched = false;
                continue;
            }
            if (seen.with != unit.with) {  // somebody else does it now
                if (seen.with != escrow::nobody) seen.taken_from = seen.provider;
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
        auto readers = see_checks(stage, key, row, disputed);
        for (auto const& a : row.money.agreements)
            if (!escrow::is_end(a.at)) readers.push_back(a.provider);
        if (auto letter = letters_.tell(story.number, stage.number, readers))
            out_for(story.number)
                .say("letter " + std::to_string(stage.number), {*std::move(letter)});
        bool const anybody = !row.money.agreements.empty();
        story.phase = !anybody    ? job_phase::searching
                      : open != 0 ? job_phase::running
                                  : job_phase::checking;
        story.explained.clear();
        if (listed != 0 && !anybody && now > later(stage.opened, 3)) explain(story);
        for (auto const& each : escrow::query::chores_of(key, row))
            if (each.what == escrow::query::need::cover)
                story.explained = std::to_string(each.number) + " units wait for " +
                                  to_string(each.value) +
                                  " BLND more, to be paid and checked: escrow.top_up";
        return nothing{};
    }

    void explain(job_story& story)
    {
        auto const request = book_.request(story.number);
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
            d.phase = impl::name_of(a.at);
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
    std::vector<crypto::address> see_checks(stage_story& stage, escrow::job_key const& key,
                                            escrow::jobs::row const& row,
                                            std::vector<std::uint32_t> const& disputed)
    {
        std::vector<crypto::address> drawn{};
        if (disputed.empty()) return drawn;
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
                seen.checked = "disputed by " + impl::short_name(to_text(dispute->of.challenger)) +
                               ", step " + std::to_string(dispute->of.low) + " to " +
                               std::to_string(dispute->of.high);
            } else if (round && round->until != height{}) {
                seen.checked = "done again by";
                for (std::size_t k = 1; k < round->of.replicas.size(); ++k) {
                    auto const& worker = round->of.replicas[k].worker;
                    seen.checked += (k == 1 ? " " : ", ") + impl::short_name(to_text(worker));
                    drawn.push_back(worker);
                }
                if (round->of.replicas.size() == 1) seen.checked = "drawing who does it again";
            }
        }
        return drawn;
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
        auto const packed = letters_.get(story.number, stage.number, seen.input);
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
        seen.fetched = book_.put(story.number, stage.number, u, read->result);
    }

    // ---------------------------------------------------------------- when it is over

    result<nothing, std::string> conclude(job_story& story, escrow::job_key const& key, height now)
    {
        auto& stage = story.stages.back();
        stage.over = true;
        story.phase = job_phase::settling;
        if (auto done = letters_.withdraw(stage.number))
            out_for(story.number)
                .say("withdraw " + std::to_string(stage.number), {*std::move(done)});
        bool const missing = std::any_of(stage.units.begin(), stage.units.end(),
                                         [](auto const& u) { return !u.fetched; });
        if (missing) find_deliveries(story, stage, key, now);
        settle_deals(story, stage);
        if (missing && !fetch_late(story, stage, key, now)) return nothing{};
        distrust(stage);
        for (std::uint32_t u = 0; u < stage.units.size(); ++u) {
            if (stage.units[u].fetched) continue;
            // it was done and judged; only its bytes are lost
            bool const judged = was_judged(stage.units[u]);
            auto const made = judged ? do_here(story, stage, u) : nothing{};
            if (judged && made) continue;
            story.phase = job_phase::failed;
            story.why = "unit " + std::to_string(u) +
                        (judged ? " was done and judged, but nobody gives its bytes and they could "
                                  "not be made again here: " +
                                      made.error()
                                : " was not done; what was not paid came back");
            return nothing{};
        }
        story.why.clear();
        for (auto& u : stage.units)
            if (u.state == "delivered" || u.state == "disputed")
                for (auto const& d : stage.deals)
                    if (d.number == u.with && d.phase == "settled") u.state = "paid";
        if (!all_rated(stage, now)) return nothing{};
        BLENDR_TRY(auto const request, book_.request(story.number));
        BLENDR_TRY(auto const task, impl::task_of(request));
        BLENDR_TRY(auto const results, book_.results(story));
        BLENDR_TRY(auto const next, impl::next_stage(*task, results));
        if (next) return send_stage(request, story);
        auto const made = task->files(results.back());
        if (!made) return fail{message(made.error())};
        for (auto const& each : *made) {
            BLENDR_TRY(auto name, book_.put(story.number, each));
            story.files.push_back(std::move(name));
        }
        story.own_score_after =
            score(self_, reputation::role::renter, reputation::family::fp32).value_or(0);
        story.phase = job_phase::done;
        return nothing{};
    }

    static bool was_judged(unit_story const& u)
    {
        return u.state == "delivered" || u.state == "disputed" || u.state == "paid" ||
               u.state == "outvoted";
    }

    /// What was paid for may come late: its giver is away, peers look for it. False while it is waited
    /// for; whatever is still missing then is made again here.
    bool fetch_late(job_story& story, stage_story& stage, escrow::job_key const& key, height now)
    {
        constexpr std::uint64_t patience = 40;
        auto const since = closed_.try_emplace(stage.number, now).first->second;
        auto const by = stage.quorum >= 2 ? escrow::checker::replicas : escrow::checker::renter;
        std::uint32_t away = 0;
        std::string why{};
        for (std::uint32_t u = 0; u < stage.units.size(); ++u) {
            auto& seen = stage.units[u];
            if (seen.fetched || seen.remade || !was_judged(seen) || seen.data == hash256{})
                continue;
            auto const who = crypto::parse_address(seen.provider);
            if (!who) continue;
            auto const there = blobs_->get(seen.data);
            if (there) {
                take_in(story, stage, u, key, *who, by, false);
                continue;  // what is there and wrong stays wrong
            }
            ++away;
            why = "the result of unit " + std::to_string(u) +
                  " is paid for and cannot be fetched yet: " + there.error();
        }
        if (away == 0 || now > later(since, patience)) return true;
        story.why = std::move(why);
        return false;
    }

    /// Results that are not to be believed although they are here: of who was proven wrong elsewhere in
    /// the job or went without pay, and of units that were judged in the last block and not paid.
    static void distrust(stage_story& stage)
    {
        for (auto const& d : stage.deals) {
            auto const mine = [&](unit_story const& u) {
                return u.with == d.number && u.provider == d.provider && !u.remade;
            };
            if (d.phase == "slashed" || d.phase == "refunded") {
                for (auto& u : stage.units)
                    if (mine(u) && (d.phase == "slashed" || u.state != "paid")) u.fetched = false;
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
    result<nothing, std::string> do_here(job_story const& story, stage_story& stage,
                                         std::uint32_t u)
    {
        BLENDR_TRY(auto const packed, input_of(story, stage, u));
        if (!device_) device_ = work::make_native_device(1);
        auto const done = work::run_packed(story.app, packed, {*device_});
        if (!done) return fail{message(done.error())};
        if (!book_.put(story.number, stage.number, u, *done))
            return fail{std::string{"the job's directory takes no files"}};
        stage.units[u].fetched = stage.units[u].remade = true;
        stage.units[u].checked += (stage.units[u].checked.empty() ? "" : "; ") +
                                  std::string{"its bytes were made again here"};
        return nothing{};
    }

    /// A unit's input: from where it was put, or cut again from what was asked for.
    result<bytes, std::string> input_of(job_story const& story, stage_story const& stage,
                                        std::uint32_t u)
    {
        if (auto found = letters_.get(story.number, stage.number, stage.units[u].input))
            return *std::move(found);
        BLENDR_TRY(auto const request, book_.request(story.number));
        BLENDR_TRY(auto const task, impl::task_of(request));
        std::vector<std::vector<bytes>> before{};
        for (auto const& each : story.stages) {
            if (each.number == stage.number) break;
            BLENDR_TRY(auto made, book_.results(story.number, each));
            before.push_back(std::move(made));
        }
        BLENDR_TRY(auto const again, impl::next_stage(*task, before));
        if (!again || u >= again->units.size())
            return fail{std::string{"its input cannot be cut again"}};
        return work::pack(again->units[u]);
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

    /// A job that ended while nobody looked: its deliveries stand in blocks.
    void find_deliveries(job_story const& story, stage_story& stage, escrow::job_key const& key,
                         height now)
    {
        if (!searched_.insert(stage.number).second) return;
        auto const by = stage.quorum >= 2 ? escrow::checker::replicas : escrow::checker::renter;
        constexpr std::uint32_t agreements_tried = 32;
        impl::each_message(
            node_, stage.opened, now,
            [&](height, json::value const& sender, std::string_view name, json::value const& m) {
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
    impl::job_book book_;
    amount fee_max_;
    crypto::sealing_key seal_;
    impl::job_letters letters_;
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

}  // namespace blendr::node
