// SPDX-License-Identifier: Apache-2.0
#include <node/job_plan.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include <blendr/core/json.hpp>
#include <blendr/market/queries.hpp>
#include <blendr/market/requirement.hpp>
#include <blendr/node/programs.hpp>

namespace blendr::node::impl {
namespace {

using escrows = escrow::contract;
using markets = market::contract;

/// What a market unit is reckoned to be, when the work of a job's unit is only estimated.
constexpr double operations_per_unit = 1e9;
constexpr std::uint32_t units_max = escrow::units_per_job;
constexpr std::uint32_t spare_replicas = 2;

/// Whether all who do a unit make the same bytes: exact work, and products of whole numbers.
bool same_everywhere(work::task const& task, std::vector<work::unit> const& units)
{
    if (task.check() == work::check_kind::exact) return true;
    return task.check() == work::check_kind::product &&
           std::all_of(units.begin(), units.end(), [](work::unit const& u) {
               // the first thing a product's unit is told is whether its numbers are floats
               return !u.parameters.empty() && u.parameters.front() == std::byte{0};
           });
}

/// What the book says of the price, and of who there is.
result<nothing, std::string> ask_market(job_request const& what, chain_facts const& chain,
                                        job_quote& q)
{
    market::instrument const spot{what.of, market::hour{0}};
    if (auto const good = market::requirement::parse(what.wanted); !good)
        return fail{"the requirement: " + message(good.error())};
    market::query::explain asked{what.of, {}, price{}};
    static_cast<std::string&>(asked.wanted) = what.wanted;
    auto const found = chain.one<market::query::explained>("market/explain", encode(asked));
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

    auto const known = chain.one<market::query::price_now>("market/reference",
                                                           encode(market::query::reference{spot}));
    auto each = known ? known->reference : price{};
    u128 cost = 0;
    std::uint64_t left = q.demand * q.units, sold = 0;
    for (auto const& raw : chain.ask(questions)) {
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

result<nothing, std::string> order_for(job_request const& what, chain_facts const& chain,
                                       stage_plan& out)
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
    BLENDR_CHECK(ask_market(what, chain, q));

    auto const ms = std::max<std::int64_t>(chain.block_ms, 1);
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
    bool const compared = what.quorum >= 2 && same_everywhere(*out.task, units);
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
    q.total = q.work + amount{o.checks.fee.grains() * (compared ? what.quorum - 1u : 0u) * count};
    if (auto const why = escrow::sound(o); why != escrow::reject::ok)
        return fail{std::string{message(why)}};
    return nothing{};
}

}  // namespace

result<std::unique_ptr<work::task>, std::string> task_of(job_request const& what)
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

result<std::optional<work::stage>, std::string>
next_stage(work::task& of, std::span<std::vector<bytes> const> results)
{
    static std::vector<bytes> const none{};
    std::vector<bytes> const* known = &none;
    for (auto const& each : results) {
        if (auto const old = of.next(*known); !old) return fail{message(old.error())};
        known = &each;
    }
    auto next = of.next(*known);
    if (!next) return fail{message(next.error())};
    return *std::move(next);
}

result<stage_plan, std::string> plan_stage(job_request const& what,
                                           std::span<std::vector<bytes> const> results,
                                           chain_facts const& chain)
{
    stage_plan out{};
    BLENDR_TRY(out.task, task_of(what));
    BLENDR_TRY(auto next, next_stage(*out.task, results));
    if (!next) return fail{std::string{"there is nothing to do"}};
    out.stage = *std::move(next);
    BLENDR_CHECK(order_for(what, chain, out));
    return out;
}

escrow::contract::submit submission_of(job_request const& what, stage_plan const& plan,
                                       std::uint64_t number)
{
    escrows::submit out{number, plan.order, {}, {}};
    if (!what.post) return out;
    out.deposit = plan.work_most();
    out.posted = plan.order.cap;
    return out;
}

market::contract::place bid_of(job_request const& what, stage_plan const& made,
                               std::uint64_t number, height now)
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

std::vector<ledger::wire_message> order_messages(job_request const& what, stage_plan const& plan,
                                                 std::uint64_t number, height now)
{
    std::vector<ledger::wire_message> out{};
    out.push_back(ledger::wrap<escrows>(submission_of(what, plan, number)));
    if (!what.post) out.push_back(ledger::wrap<markets>(bid_of(what, plan, number, now)));
    return out;
}

}  // namespace blendr::node::impl
