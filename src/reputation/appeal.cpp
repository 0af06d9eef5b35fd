// SPDX-License-Identifier: Apache-2.0
#include <blendr/reputation/appeal.hpp>

#include <algorithm>

#include <blendr/core/assert.hpp>

namespace blendr::reputation {

namespace {

constexpr std::uint32_t all_of_it = 10'000;

}  // namespace

bool sound(appeal_rules const& by) noexcept
{
    return by.panel % 2 != 0 && by.panel <= panel_max && by.vote_within != 0 &&
           by.defend_within != 0 && by.panel_share <= all_of_it && by.stake.grains() >> 120 == 0;
}

result<appeal, reject> appeal::open(receipt const& about, crypto::address const& by,
                                    appeal_rules const& rules, height now)
{
    if (!sound(rules)) return fail{reject::bad_rules};
    if (by != about.subject) return fail{reject::not_a_party};
    if (now < about.at) return fail{reject::height_went_back};
    if (now - about.at > rules.open_within) return fail{reject::too_late};
    appeal made{};
    made.about = about;
    made.rules = rules;
    made.seen = now;
    made.due = later(now, rules.defend_within);
    return made;
}

result<nothing, reject> appeal::may_happen(height now) const
{
    if (over()) return fail{reject::appeal_over};
    if (now < seen) return fail{reject::height_went_back};
    if (due < now) return fail{reject::tick_first};
    return nothing{};
}

std::uint32_t appeal::count(vote what) const noexcept
{
    return static_cast<std::uint32_t>(
        std::count_if(panel.begin(), panel.end(), [&](auto const& j) { return j.said == what; }));
}

result<nothing, reject> appeal::defend(crypto::address const& by,
                                       std::vector<crypto::address> const& drawn, height now)
{
    BLENDR_CHECK(may_happen(now));
    if (at != appeal_stage::defending) return fail{reject::too_late};
    if (by != about.rater) return fail{reject::not_a_party};
    if (drawn.size() > rules.panel) return fail{reject::bad_rules};
    for (auto const& each : drawn)
        if (each == about.rater || each == about.subject) return fail{reject::bad_rules};
    seen = now;
    defended = true;
    for (auto const& each : drawn) panel.push_back({each, vote::none});
    at = appeal_stage::voting;
    due = later(now, rules.vote_within);
    return nothing{};
}

result<nothing, reject> appeal::say(crypto::address const& who, vote what, height now)
{
    BLENDR_CHECK(may_happen(now));
    if (at != appeal_stage::voting) return fail{reject::too_late};
    auto const found =
        std::find_if(panel.begin(), panel.end(), [&](auto const& j) { return j.who == who; });
    if (found == panel.end()) return fail{reject::not_on_panel};
    if (found->said != vote::none) return fail{reject::voted_already};
    if (what == vote::none) return fail{reject::bad_rating};
    seen = now;
    found->said = what;
    if (count(vote::none) == 0) decide();
    return nothing{};
}

result<nothing, reject> appeal::tick(height now)
{
    if (over()) return fail{reject::appeal_over};
    if (now < seen) return fail{reject::height_went_back};
    seen = now;
    if (due > now) return nothing{};
    if (at == appeal_stage::defending) {
        at = appeal_stage::overturned;
        due = height::max();
    } else {
        decide();
    }
    return nothing{};
}

void appeal::decide()
{
    at = count(vote::overturn) > count(vote::uphold) ? appeal_stage::overturned
                                                     : appeal_stage::upheld;
    due = height::max();
}

std::vector<payout> appeal::payouts() const
{
    BLENDR_ASSERT(over());
    if (rules.stake == amount{}) return {};
    if (!defended) return {{about.subject, rules.stake}};
    auto const uphold = count(vote::uphold), overturn = count(vote::overturn);
    if (uphold == overturn) return {{about.subject, rules.stake}, {about.rater, rules.stake}};
    auto const winner = at == appeal_stage::overturned ? about.subject : about.rater;
    auto const majority = at == appeal_stage::overturned ? vote::overturn : vote::uphold;
    auto const share = rules.stake.share(rules.panel_share, all_of_it, rounding::down);
    BLENDR_ASSERT(share.has_value());
    amount const each{share->grains() / std::max(uphold, overturn)};
    amount to_winner = rules.stake + rules.stake;
    std::vector<payout> out;
    for (auto const& member : panel) {
        if (member.said != majority || each == amount{}) continue;
        out.push_back({member.who, each});
        to_winner -= each;
    }
    out.insert(out.begin(), payout{winner, to_winner});
    return out;
}

}  // namespace blendr::reputation
