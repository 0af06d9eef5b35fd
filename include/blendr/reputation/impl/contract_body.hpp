// SPDX-License-Identifier: Apache-2.0
#pragma once

// What messages and blocks do; included by contract.hpp only.

#include <algorithm>
#include <utility>

#include <blendr/reputation/contract.hpp>

namespace blendr::reputation {

contract::error contract::apply(auto& ctx, rate const& m, rate_plan const& rows)
{
    auto of = ctx.read(rows.agreement);
    auto const me = ctx.tx().sender;
    if (of.provider == address{}) return reject::not_settled;
    bool const by_renter = me == of.renter;
    scores::key const due_to{by_renter ? of.provider : of.renter,
                             by_renter ? role::provider : role::renter, of.work};
    if (m.subject != due_to) return reject::not_a_party;
    auto const& by = ctx.read(rows.by);
    auto pair = ctx.read(rows.pair);
    auto subject = ctx.read(rows.subject);
    auto const now = ctx.block().at;
    auto const done = reputation::rate(of, m.agreement, me, m.rating, by.rate_within, pair, subject,
                                       now, by.scores);
    if (!done) return done.error();
    ctx.edit(rows.agreement) = of;
    ctx.edit(rows.pair) = pair;
    ctx.edit(rows.subject) = subject;
    ctx.edit(rows.receipt) = {*done, false, false};
    ctx.emit(rated{*done, score(subject, now, by.scores)});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, appeal const& m, appeal_plan const& rows)
{
    auto const& rating = ctx.read(rows.rating);
    if (rating.what.subject == address{}) return reject::nothing_rated;
    if (rating.appealed) return reject::appeal_over;
    auto const& by = ctx.read(rows.by).appeals;
    auto of = reputation::appeal::open(rating.what, ctx.tx().sender, by, ctx.block().at);
    if (!of) return of.error();
    if (!ctx.take(rows.purse, by.stake)) return reject::poor;
    auto& made = ctx.edit(rows.of);
    made.of = *std::move(of);
    made.stakes = by.stake;
    ctx.edit(rows.rating).appealed = true;
    ctx.post(rows.out, m.about);
    ctx.emit(appealed{m.about});
    return reject::ok;
}

contract::error contract::apply(auto& ctx, defend const& m, appeal_plan const& rows)
{
    auto const& row = ctx.read(rows.of);
    auto const now = ctx.block().at;
    if (row.of.seen == height{}) return reject::nothing_appealed;
    if (row.of.at != appeal_stage::defending || row.draws != height{}) return reject::too_late;
    if (ctx.tx().sender != row.of.about.rater) return reject::not_a_party;
    auto const drawn_at = later(now, bond::blocks_until_unknown);
    if (drawn_at > row.of.due) return reject::too_late;
    if (!ctx.take(rows.purse, row.of.rules.stake)) return reject::poor;
    auto& changed = ctx.edit(rows.of);
    changed.stakes += changed.of.rules.stake;
    changed.draws = drawn_at;
    ctx.post(rows.out, m.about);
    return reject::ok;
}

contract::error contract::apply(auto& ctx, say const& m, appeal_plan const& rows)
{
    auto const& row = ctx.read(rows.of);
    if (row.of.seen == height{}) return reject::nothing_appealed;
    auto of = row.of;
    auto const done = of.say(ctx.tx().sender, m.what, ctx.block().at);
    if (!done) return done.error();
    ctx.edit(rows.of).of = std::move(of);
    ctx.post(rows.out, m.about);
    return reject::ok;
}

namespace impl {

/// Appeals and expiries, on one hook context.
template <class Ctx>
class court {
public:
    explicit court(Ctx const& ctx) : ctx_{ctx}, now_{ctx.block().at} {}

    void take_in()
    {
        for (auto const& post : ctx_.template posted<due>()) look_at(post.value);
    }

    void sweep()
    {
        std::vector<due::key> waiting{};
        ctx_.template each<due>([&](due::key const& key, due::row const&) {
            if (key.at > now_ || waiting.size() == contract::work_per_block) return false;
            waiting.push_back(key);
            return true;
        });
        for (auto const& key : waiting) {
            if (key.about.subject != address{}) {
                look_at(key.about);
            } else {
                ctx_.template edit<due>(key) = {};
                ctx_.template edit<ended>(key.about.agreement) = {};
            }
        }
    }

    void settle(hash256 const& agreement, settled_agreement const& what)
    {
        ctx_.template edit<ended>(agreement) = what;
        auto const within = ctx_.template row<conditions>(0).rate_within;
        ctx_.template edit<due>({later(later(now_, within), 1), {{}, agreement, {}}}) = {true};
        ctx_.emit(settled{agreement, what});
    }

private:
    void queue(feedback::key const& about, height& queued, height to)
    {
        if (queued == to) return;
        if (queued != height{}) ctx_.template edit<due>({queued, about}) = {};
        queued = to;
        if (queued != height{}) ctx_.template edit<due>({queued, about}) = {true};
    }

    void look_at(feedback::key const& about)
    {
        auto& row = ctx_.template edit<appeals>(about);
        if (row.of.seen == height{}) return;
        if (row.draws != height{} && row.draws <= now_) draw_panel(about, row);
        if (row.draws == height{} && !row.of.over() && row.of.due <= now_) (void)row.of.tick(now_);
        if (row.of.over()) return end(about, row);
        queue(about, row.queued, row.draws != height{} ? row.draws : row.of.due);
    }

    void draw_panel(feedback::key const& about, appeals::row& row)
    {
        row.draws = {};
        address const parties[] = {row.of.about.rater, row.of.about.subject};
        auto const seed = bond::seed_of(ctx_.block().beacon, encode(about));
        auto const all = bond::bonded_validators(ctx_);
        std::vector<address> panel{};
        for (auto const i : all.draw(seed, parties, row.of.rules.panel)) {
            panel.push_back(all.owners[i]);
            ctx_.emit(summoned{about, all.owners[i]});
        }
        (void)row.of.defend(row.of.about.rater, panel, now_);
    }

    void end(feedback::key const& about, appeals::row& row)
    {
        for (auto const& each : row.of.payouts()) {
            row.stakes -= each.value;
            ctx_.give(ctx_.template use<ledger::purses, mode::credit>(each.to), each.value);
        }
        BLENDR_ASSERT(row.stakes == amount{});
        auto const how = row.of.at;
        if (how == appeal_stage::overturned) {
            auto const& what = row.of.about;
            auto& known = ctx_.template edit<scores>({what.subject, what.as, what.work});
            known = without(known, what.points, what.rating, what.at, now_,
                            ctx_.template row<conditions>(0).scores);
            ctx_.template edit<feedback>(about).taken_back = true;
        }
        queue(about, row.queued, height{});
        row = {};
        ctx_.emit(judged{about, how});
    }

    Ctx ctx_;
    height now_;
};

}  // namespace impl

void contract::settle(auto& ctx, hash256 const& agreement, settled_agreement const& what)
{
    impl::court{ctx.as(ledger::pass<contract>{})}.settle(agreement, what);
}

void contract::end_block(auto& ctx)
{
    impl::court all{ctx};
    all.take_in();
    all.sweep();
}

}  // namespace blendr::reputation
