// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/dispute.hpp>

#include <algorithm>

namespace blendr::verify {

namespace {

auto place_of(auto& entries, hash256 const& program)
{
    return std::lower_bound(entries.begin(), entries.end(), program,
                            [](auto const& e, hash256 const& p) { return e.program < p; });
}

}  // namespace

bool step_registry::add(entry const& made)
{
    auto const at = place_of(entries_, made.program);
    if (at != entries_.end() && at->program == made.program) return false;
    entries_.insert(at, made);
    return true;
}

step_registry::entry const* step_registry::find(hash256 const& program) const noexcept
{
    auto const at = place_of(entries_, program);
    return at != entries_.end() && at->program == program ? &*at : nullptr;
}

result<dispute, reject> dispute::open(about const& what, crypto::address const& asserter,
                                      crypto::address const& challenger, std::uint32_t move_within,
                                      height now)
{
    if (what.steps == 0 || what.steps > steps_max) return fail{reject::too_many_steps};
    if (move_within == 0) return fail{reject::bad_rules};
    if (asserter == challenger) return fail{reject::not_a_party};
    if (what.asserted == what.challenged) return fail{reject::nothing_disputed};
    dispute made{};
    made.program = what.program;
    made.asserter = asserter;
    made.challenger = challenger;
    made.move_within = move_within;
    made.seen = now;
    made.high = what.steps;
    made.agreed = what.before;
    made.asserted = what.asserted;
    made.challenged = what.challenged;
    made.next_round(now);
    return made;
}

void dispute::next_round(height now)
{
    at = high - low == 1 ? dispute_stage::proving : dispute_stage::narrowing;
    due = later(now, move_within);
    asserter_move.reset();
    challenger_move.reset();
}

void dispute::finish(ruling how)
{
    at = dispute_stage::over;
    end = how;
    due = height::max();
}

result<nothing, reject> dispute::may_happen(height now) const
{
    if (at == dispute_stage::over) return fail{reject::round_over};
    if (now < seen) return fail{reject::height_went_back};
    if (due < now) return fail{reject::tick_first};
    return nothing{};
}

result<nothing, reject> dispute::move(crypto::address const& who, hash256 const& state, height now)
{
    BLENDR_CHECK(may_happen(now));
    if (who != asserter && who != challenger) return fail{reject::not_a_party};
    if (at != dispute_stage::narrowing) return fail{reject::already_moved};
    auto& mine = who == asserter ? asserter_move : challenger_move;
    if (mine) return fail{reject::already_moved};
    seen = now;
    mine = state;
    if (!asserter_move || !challenger_move) return nothing{};
    auto const middle = asked();
    if (*asserter_move == *challenger_move) {
        low = middle;
        agreed = *asserter_move;
    } else {
        high = middle;
        asserted = *asserter_move;
        challenged = *challenger_move;
    }
    next_round(now);
    return nothing{};
}

result<nothing, reject> dispute::prove(bytes_view state, step_registry const& steps, height now)
{
    BLENDR_CHECK(may_happen(now));
    if (at != dispute_stage::proving) return fail{reject::not_revealing};
    auto const* const known = steps.find(program);
    if (known == nullptr) return fail{reject::unknown_program};
    if (state.size() > known->state_max) return fail{reject::wrong_size};
    if (hash_of_state(state) != agreed) return fail{reject::wrong_state};
    seen = now;
    auto const after = hash_of_state(known->run(low, state));
    finish(after == asserted     ? ruling::challenger_wrong
           : after == challenged ? ruling::asserter_wrong
                                 : ruling::both_wrong);
    return nothing{};
}

result<nothing, reject> dispute::tick(height now)
{
    if (at == dispute_stage::over) return fail{reject::round_over};
    if (now < seen) return fail{reject::height_went_back};
    seen = now;
    if (due > now) return nothing{};
    bool const asserter_moved = asserter_move.has_value();
    bool const challenger_moved = challenger_move.has_value();
    finish(asserter_moved     ? ruling::challenger_silent
           : challenger_moved ? ruling::asserter_silent
                              : ruling::both_silent);
    return nothing{};
}

}  // namespace blendr::verify
