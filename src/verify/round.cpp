// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/round.hpp>

#include <algorithm>
#include <limits>

#include <blendr/core/wide.hpp>

namespace blendr::verify {

namespace {

/// Products of credibility saturate: beyond 2^60 nothing is surer.
std::uint64_t times(std::uint64_t a, std::uint64_t b) noexcept
{
    constexpr std::uint64_t most = std::uint64_t{1} << 60;
    u128 const product = u128{a} * b;
    return product > most ? most : static_cast<std::uint64_t>(product);
}

bool same(replica const& a, replica const& b, tolerance const& within) noexcept
{
    if (a.digest == b.digest) return true;
    return within != tolerance{} && agree(a.values, b.values, within);
}

}  // namespace

hash256 digest_of(hash256 const& result, summary const& values)
{
    return crypto::hasher{result_domain}.update(result).update(encode(values)).finish();
}

result<round, reject> round::open(hash256 const& task, round_rules const& rules, height now)
{
    if (rules.quorum == 0 || rules.most < rules.quorum || rules.most > replicas_max ||
        rules.commit_within == 0 || rules.reveal_within == 0)
        return fail{reject::bad_rules};
    round made{};
    made.task = task;
    made.rules = rules;
    made.at = round_stage::wanting;
    made.seen = now;
    made.due = height::max();
    return made;
}

result<nothing, reject> round::may_happen(height now) const
{
    if (at == round_stage::agreed) return fail{reject::round_over};
    if (now < seen) return fail{reject::height_went_back};
    if (due < now) return fail{reject::tick_first};
    return nothing{};
}

replica* round::find(crypto::address const& worker) noexcept
{
    auto const found = std::find_if(replicas.begin(), replicas.end(),
                                    [&](auto const& r) { return r.worker == worker; });
    return found == replicas.end() ? nullptr : &*found;
}

std::uint32_t round::count(replica_state state) const noexcept
{
    return static_cast<std::uint32_t>(std::count_if(replicas.begin(), replicas.end(),
                                                    [&](auto const& r) { return r.at == state; }));
}

std::uint32_t round::wanted() const noexcept
{
    auto const room =
        static_cast<std::uint32_t>(rules.most - std::min<std::size_t>(rules.most, replicas.size()));
    auto const alive = count(replica_state::drawn) + count(replica_state::committed) +
                       count(replica_state::revealed);
    if (at == round_stage::wanting)
        return std::min(room, alive < rules.quorum ? rules.quorum - alive : 1);
    if (at == round_stage::hung) return std::min(room, 1u);
    return 0;
}

result<nothing, reject> round::add(crypto::address const& worker, std::uint64_t credibility,
                                   height now)
{
    BLENDR_CHECK(may_happen(now));
    if (at == round_stage::revealing) return fail{reject::not_committing};
    if (find(worker) != nullptr) return fail{reject::already_drawn};
    if (replicas.size() >= rules.most) return fail{reject::round_over};
    seen = now;
    replicas.push_back(
        {worker, std::max<std::uint64_t>(credibility, 1), replica_state::drawn, {}, {}, {}});
    at = round_stage::committing;
    due = later(now, rules.commit_within);
    return nothing{};
}

result<nothing, reject> round::commit(crypto::address const& worker, hash256 const& to, height now)
{
    BLENDR_CHECK(may_happen(now));
    auto* const who = find(worker);
    if (who == nullptr) return fail{reject::not_drawn};
    if (who->at == replica_state::committed || who->at == replica_state::revealed)
        return fail{reject::already_committed};
    if (at != round_stage::committing || who->at != replica_state::drawn)
        return fail{reject::not_committing};
    for (auto const& each : replicas)
        if (each.at != replica_state::drawn && each.at != replica_state::missed &&
            each.commitment == to)
            return fail{reject::copied};
    seen = now;
    who->commitment = to;
    who->at = replica_state::committed;
    go_on(now);
    return nothing{};
}

result<nothing, reject> round::reveal(crypto::address const& worker, hash256 const& nonce,
                                      hash256 const& result, summary const& values, height now)
{
    BLENDR_CHECK(may_happen(now));
    auto* const who = find(worker);
    if (who == nullptr) return fail{reject::not_drawn};
    if (who->at == replica_state::revealed) return fail{reject::already_revealed};
    if (at != round_stage::revealing) return fail{reject::not_revealing};
    if (who->at != replica_state::committed) return fail{reject::no_commitment};
    if (values.size() > summary_max) return fail{reject::summary_too_long};
    auto const digest = digest_of(result, values);
    if (verify::commit({worker, task, nonce, digest}) != who->commitment)
        return fail{reject::commitment_broken};
    seen = now;
    who->digest = digest;
    who->values = values;
    who->at = replica_state::revealed;
    if (count(replica_state::committed) == 0) decide();
    return nothing{};
}

/// When nobody is left who could still commit.
void round::go_on(height now)
{
    if (count(replica_state::drawn) == 0) end_committing(now);
}

void round::end_committing(height now)
{
    for (auto& each : replicas)
        if (each.at == replica_state::drawn) each.at = replica_state::missed;
    auto const committed = count(replica_state::committed);
    bool const enough = committed + count(replica_state::revealed) >= rules.quorum;
    bool const more = replicas.size() < rules.most;
    if (committed == 0 || (!enough && more)) {
        at = more ? round_stage::wanting : round_stage::hung;
        due = height::max();
        if (committed == 0 && count(replica_state::revealed) != 0 && !more) decide();
        return;
    }
    at = round_stage::revealing;
    due = later(now, rules.reveal_within);
}

result<nothing, reject> round::tick(height now)
{
    if (at == round_stage::agreed) return fail{reject::round_over};
    if (now < seen) return fail{reject::height_went_back};
    seen = now;
    if (due > now) return nothing{};
    if (at == round_stage::committing) {
        end_committing(now);
    } else if (at == round_stage::revealing) {
        for (auto& each : replicas)
            if (each.at == replica_state::committed) each.at = replica_state::missed;
        decide();
    }
    return nothing{};
}

/// The result that most of the revealed agree with; by number of replicas, then by credibility, then
/// the earliest drawn. Tolerance is not transitive, so the group is that of one replica: those who
/// agree with it.
void round::decide()
{
    due = height::max();
    struct group {
        std::uint32_t members{};
        std::uint64_t sure{1};
        std::uint64_t against{1};
        bool anyone_against{};
    };
    group best{};
    replica const* winner = nullptr;
    std::uint32_t revealed = 0;
    for (auto const& each : replicas) {
        if (each.at != replica_state::revealed) continue;
        ++revealed;
        group g{};
        for (auto const& other : replicas) {
            if (other.at != replica_state::revealed) continue;
            if (same(each, other, rules.within)) {
                ++g.members;
                g.sure = times(g.sure, other.credibility);
            } else {
                g.against = times(g.against, other.credibility);
                g.anyone_against = true;
            }
        }
        if (winner == nullptr || g.members > best.members ||
            (g.members == best.members && g.sure > best.sure)) {
            best = g;
            winner = &each;
        }
    }
    // sure : (1 + sure + against), where all who differ are taken to say the same, and 1 stands for
    // the chance that the winners are wrong together.
    auto const confident = [&] {
        if (rules.trust <= 1) return true;
        u128 const all = u128{1} + best.sure + (best.anyone_against ? best.against : 0);
        return u128{best.sure} * rules.trust > all * (rules.trust - 1);
    };
    if (winner == nullptr || best.members < rules.quorum || 2 * best.members <= revealed ||
        !confident()) {
        bool const more = replicas.size() < rules.most;
        at = best.anyone_against || !more ? round_stage::hung : round_stage::wanting;
        return;
    }
    at = round_stage::agreed;
    accepted = winner->digest;
    replica const chosen = *winner;
    for (auto& each : replicas)
        if (each.at == replica_state::revealed)
            each.at =
                same(chosen, each, rules.within) ? replica_state::agreed : replica_state::differed;
}

}  // namespace blendr::verify
