// SPDX-License-Identifier: Apache-2.0
#include <blendr/escrow/job.hpp>

#include <algorithm>
#include <functional>
#include <utility>

#include <blendr/core/assert.hpp>

namespace blendr::escrow {

namespace {

/// Far above all money there is, far below where sums of it could wrap.
constexpr amount deposit_max{u128{1} << 100};

bool sound(terms const& by) noexcept
{
    bool const by_units = by.each.get() != 0;
    bool const by_time = by.per_height.get() != 0;
    return by_units != by_time && by.fee <= basis_points && by.fund_within != 0 &&
           by.start_within != 0 && by.run_within != 0 && by.window != 0 && by.verdict_within != 0 &&
           by.grace != 0 && by.bond <= deposit_max;
}

amount part(amount of, std::uint32_t points) noexcept
{
    auto const share = of.share(points, basis_points, rounding::down);
    BLENDR_ASSERT(share.has_value());
    return *share;
}

}  // namespace

result<job, reject> job::open(crypto::address const& renter, std::uint32_t units,
                              height search_until, std::uint32_t warn_before, height now)
{
    if (units > units_max) return blendr::fail{reject::value_too_large};
    if (search_until < now) return blendr::fail{reject::bad_terms};
    job_state state{};
    state.renter = renter;
    state.seen = now;
    state.search_until = search_until;
    state.warn_before = warn_before;
    state.units.resize(units);
    return job{std::move(state)};
}

job::job(job_state state) : state_{std::move(state)}
{
    for (std::uint32_t i = 0; i < state_.units.size(); ++i) {
        auto const& each = state_.units[i];
        if (each.at == unit_state::listed) ++listed_;
        if (each.at == unit_state::delivered || each.at == unit_state::disputed)
            remember({each.due, false, i});
    }
    for (std::uint32_t i = 0; i < state_.agreements.size(); ++i) {
        auto const& each = state_.agreements[i];
        if (is_end(each.at)) continue;
        ++live_;
        if (each.at == phase::running && !each.by.by_units()) ++metered_;
        remember({each.due, true, i});
    }
}

// ---------------------------------------------------------------- what is due when

void job::remember(due_entry entry)
{
    dues_.push_back(entry);
    std::push_heap(dues_.begin(), dues_.end(), std::greater<>{});
}

bool job::is_stale(due_entry const& entry) const noexcept
{
    if (entry.of_agreement) {
        auto const& a = state_.agreements[entry.index];
        return is_end(a.at) || a.due != entry.at;
    }
    auto const& u = state_.units[entry.index];
    return (u.at != unit_state::delivered && u.at != unit_state::disputed) || u.due != entry.at;
}

amount job::meter_rate() const noexcept
{
    amount sum{};
    if (metered_ == 0) return sum;
    for (auto const& each : state_.agreements)
        if (each.at == phase::running && !each.by.by_units())
            sum += each.by.per_height * quantity{1};
    return sum;
}

height job::runs_dry_at() const noexcept
{
    auto const rate = meter_rate();
    if (rate == amount{}) return height::max();
    auto const heights = free().grains() / rate.grains();
    auto const room = u128{height::max() - state_.seen};
    return heights >= room ? height::max() : state_.seen + static_cast<std::uint64_t>(heights);
}

height job::due() const noexcept
{
    if (state_.over) return height::max();
    height first = dues_.empty() ? height::max() : dues_.front().at;
    if (live_ == 0) first = std::min(first, state_.search_until);
    if (metered_ != 0) {
        auto const dry = runs_dry_at();
        first = std::min(first, dry);
        if (!state_.warned && dry != height::max())
            first = std::min(
                first, height{dry.get() - std::min<std::uint64_t>(dry.get(), state_.warn_before)});
    }
    return std::max(first, state_.seen);
}

// ---------------------------------------------------------------- money

amount job::net(amount gross, std::uint16_t fee) noexcept { return gross - part(gross, fee); }

void job::pay_provider(std::uint32_t index, amount gross, effects& out)
{
    if (gross == amount{}) return;
    auto& a = state_.agreements[index];
    auto const fee = part(gross, a.by.fee);
    state_.balance -= gross;
    a.earned += gross;
    a.fees += fee;
    out.push_back(pay{agreement_id{index}, a.provider, gross - fee, fee});
}

/// Pays every meter up to now. When the money does not reach, because nobody looked in time, each
/// gets its share of what there is, and grains that cannot be shared go to the earliest.
void job::run_meters(height now, effects& out)
{
    if (metered_ == 0) return;
    std::vector<std::pair<std::uint32_t, amount>> owed;
    amount total{};
    for (std::uint32_t i = 0; i < state_.agreements.size(); ++i) {
        auto& a = state_.agreements[i];
        if (a.at != phase::running || a.by.by_units()) continue;
        auto const until = std::min(now, a.due);  // the rented time may be over already
        if (until <= a.metered_to) continue;
        owed.emplace_back(i, a.by.per_height * quantity{until - a.metered_to});
        total += owed.back().second;
        a.metered_to = until;
    }
    amount const there = free();
    if (total > there) {
        amount rest = there;
        for (auto& [index, value] : owed) {
            value = there.share(value.grains(), total.grains(), rounding::down).value();
            rest -= value;
        }
        for (auto& [index, value] : owed) {
            if (rest == amount{}) break;
            value += 1_grains;
            rest -= 1_grains;
        }
    }
    for (auto const& [index, value] : owed) pay_provider(index, value, out);
}

void job::stop_dry(height now, effects& out)
{
    if (metered_ == 0 || free() >= meter_rate()) return;
    for (std::uint32_t i = 0; i < state_.agreements.size(); ++i) {
        auto const& a = state_.agreements[i];
        if (a.at == phase::running && !a.by.by_units()) raise(i, event::run_dry, now, out);
    }
}

void job::warn(height now, effects& out)
{
    if (metered_ == 0 || state_.warned) return;
    auto const dry = runs_dry_at();
    if (dry == height::max() || later(now, state_.warn_before) < dry) return;
    state_.warned = true;
    out.push_back(runs_dry{dry});
}

void job::go_on_if_funded(height now, effects& out)
{
    for (std::uint32_t i = 0; i < state_.agreements.size(); ++i) {
        auto const& a = state_.agreements[i];
        if (a.at != phase::paused) continue;
        if (free() < meter_rate() + a.by.per_height * quantity{1}) break;
        raise(i, event::top_up, now, out);
    }
}

// ---------------------------------------------------------------- units

void job::move(unit& which, unit_event on)
{
    auto const to = next(which.at, on);
    BLENDR_ASSERT(to.has_value());
    std::uint32_t uncounted = 0;
    auto const counter = [&](unit_state at) -> std::uint32_t& {
        if (at == unit_state::listed) return listed_;
        if (which.with == nobody) return uncounted;
        auto& a = state_.agreements[which.with];
        switch (at) {
        case unit_state::assigned:
            return a.assigned;
        case unit_state::delivered:
            return a.delivered;
        case unit_state::disputed:
            return a.disputed;
        case unit_state::paid:
            return a.paid;
        default:
            return uncounted;
        }
    };
    --counter(which.at);
    ++counter(*to);
    which.at = *to;
}

/// Units that the agreement does not finish wait for another provider; their money is free again.
void job::give_back(std::uint32_t index, bool also_delivered, effects& out)
{
    auto& a = state_.agreements[index];
    bool const held = a.at != phase::open;
    std::uint32_t back = 0;
    if (a.assigned + (also_delivered ? a.delivered + a.disputed : 0) == 0) return;
    for (auto& each : state_.units) {
        if (each.with != index) continue;
        if (each.at != unit_state::assigned &&
            !(also_delivered &&
              (each.at == unit_state::delivered || each.at == unit_state::disputed)))
            continue;
        move(each, unit_event::give_back);
        each.with = nobody;
        each.due = height{};
        ++back;
        if (!held) continue;
        a.held -= a.by.each * quantity{1};
        state_.held -= a.by.each * quantity{1};
    }
    if (back != 0) out.push_back(relist{back});
}

void job::pay_unit(std::uint32_t index, unit_event on, height now, effects& out)
{
    auto& u = state_.units[index];
    auto const with = u.with;
    auto& a = state_.agreements[with];
    auto const gross = a.by.each * quantity{1};
    move(u, on);
    u.due = height{};
    a.held -= gross;
    state_.held -= gross;
    pay_provider(with, gross, out);
    settle_units(with, now, out);
}

/// After a unit was decided: whether that was the last thing the agreement waited for.
void job::settle_units(std::uint32_t index, height now, effects& out)
{
    auto const& a = state_.agreements[index];
    if (a.at == phase::disputed && a.disputed == 0) return raise(index, event::acquit, now, out);
    if (a.at != phase::delivered) return;
    if (a.disputed != 0) return raise(index, event::object, now, out);
    if (a.delivered != 0) return;
    raise(index, a.earned == amount{} ? event::empty : event::clear, now, out);
}

// ---------------------------------------------------------------- the table at work

void job::act(std::uint32_t index, transition const& way, height now, effects& out)
{
    auto& a = state_.agreements[index];
    switch (way.does) {
    case action::none:
    case action::take:
    case action::pay_out:
    case action::stop_meter:
        break;
    case action::hold:
        a.held = a.by.each * quantity{a.assigned};
        state_.held += a.held;
        a.bond = a.by.bond;
        if (a.bond != amount{}) out.push_back(lock_bond{agreement_id{index}, a.provider, a.bond});
        break;
    case action::begin:
        a.begun = now;
        a.metered_to = now;
        break;
    case action::go_on:
        a.metered_to = now;
        break;
    case action::let_go:
    case action::drop_rest:
        give_back(index, false, out);
        break;
    case action::drop_all:
        give_back(index, true, out);
        break;
    case action::compensate: {
        if (a.by.by_units()) {
            auto const count = std::min(a.by.notice, a.assigned);
            give_back(index, false, out);
            pay_provider(index, a.by.each * quantity{count}, out);
        } else {
            pay_provider(index, std::min(free(), a.by.per_height * quantity{a.by.notice}), out);
        }
        break;
    }
    case action::accept_all:
        for (std::uint32_t i = 0; i < state_.units.size() && a.delivered + a.disputed != 0; ++i) {
            auto& u = state_.units[i];
            if (u.with != index) continue;
            if (u.at != unit_state::delivered && u.at != unit_state::disputed) continue;
            auto const gross = a.by.each * quantity{1};
            move(u, unit_event::accept);
            u.due = height{};
            a.held -= gross;
            state_.held -= gross;
            pay_provider(index, gross, out);
        }
        break;
    }
}

/// Sets the deadline of the phase that the agreement is in now.
void job::enter(std::uint32_t index, height now)
{
    auto& a = state_.agreements[index];
    switch (a.at) {
    case phase::open:
        a.due = later(now, a.by.fund_within);
        break;
    case phase::funded:
        a.due = later(now, a.by.start_within);
        break;
    case phase::running:
        a.due = later(now, a.by.run_within);
        break;
    case phase::paused:
        a.due = later(now, a.by.grace);
        break;
    case phase::delivered:
        a.due = later(now, a.by.window);
        break;
    case phase::disputed:
        a.due = later(now, a.by.verdict_within);
        break;
    default:
        a.due = now;
        break;
    }
    if (!is_end(a.at)) remember({a.due, true, index});
}

void job::raise(std::uint32_t index, event on, height now, effects& out,
                crypto::address const& reporter)
{
    auto const way = next(state_.agreements[index].at, on);
    BLENDR_ASSERT(way.has_value());
    act(index, *way, now, out);

    auto& a = state_.agreements[index];
    auto const was_metered = a.at == phase::running && !a.by.by_units();
    auto const moved_on = a.at != way->to;
    a.at = way->to;
    if (was_metered) --metered_;
    if (a.at == phase::running && !a.by.by_units()) ++metered_;
    if (moved_on || on == event::object) enter(index, now);
    if (moved_on) out.push_back(moved{agreement_id{index}, a.at});

    if (way->blame != fault::none) a.why = way->blame;
    if (auto const lost = part(a.bond, bond_lost_for(way->blame)); lost != amount{}) {
        a.bond -= lost;
        out.push_back(slash_bond{agreement_id{index}, a.provider, way->blame, lost, reporter});
    }
    if (is_end(a.at)) {
        --live_;
        if (auto const rest = std::exchange(a.bond, amount{}); rest != amount{})
            out.push_back(free_bond{agreement_id{index}, a.provider, rest});
    } else if (a.at == phase::accepted) {
        raise(index, event::pay, now, out);
    } else if (moved_on) {
        settle_units(index, now, out);
    }
}

// ---------------------------------------------------------------- time

void job::expire(due_entry const& entry, height now, effects& out)
{
    if (entry.of_agreement) {
        auto const& a = state_.agreements[entry.index];
        bool const rented = a.at == phase::running && !a.by.by_units();
        raise(entry.index, rented ? event::expire : event::deadline, now, out);
    } else {
        pay_unit(entry.index, unit_event::accept, now, out);
    }
}

/// Does what is due up to `now`, in order of height; units before agreements, then by number.
void job::advance(height now, effects& out)
{
    while (!dues_.empty() && (dues_.front().at <= now || is_stale(dues_.front()))) {
        std::pop_heap(dues_.begin(), dues_.end(), std::greater<>{});
        auto const entry = dues_.back();
        dues_.pop_back();
        if (is_stale(entry)) continue;
        run_meters(entry.at, out);
        stop_dry(std::max(entry.at, state_.seen), out);
        if (!is_stale(entry)) expire(entry, now, out);
    }
    run_meters(now, out);
    state_.seen = now;
    stop_dry(now, out);
    warn(now, out);
}

void job::forget_stale()
{
    while (!dues_.empty() && is_stale(dues_.front())) {
        std::pop_heap(dues_.begin(), dues_.end(), std::greater<>{});
        dues_.pop_back();
    }
}

/// After an event or a tick.
void job::conclude(height now, effects& out)
{
    warn(now, out);
    forget_stale();
    if (live_ == 0 && listed_ == 0 && !state_.units.empty()) close(out);
}

/// The rest goes back to the payers in proportion to what they put in; grains that cannot be
/// shared go to the earliest.
void job::close(effects& out)
{
    BLENDR_ASSERT(state_.held == amount{});
    for (auto& each : state_.units)
        if (each.at == unit_state::listed) move(each, unit_event::close);
    amount total{};
    for (auto const& each : state_.payers) total += each.put_in;
    amount const there = state_.balance;
    std::vector<amount> shares;
    for (auto const& each : state_.payers) {
        shares.push_back(there.share(each.put_in.grains(), total.grains(), rounding::down).value());
        state_.balance -= shares.back();
    }
    for (std::size_t i = 0; state_.balance != amount{}; ++i) {
        shares[i] += 1_grains;
        state_.balance -= 1_grains;
    }
    for (std::size_t i = 0; i < shares.size(); ++i)
        if (shares[i] != amount{}) out.push_back(refund{state_.payers[i].who, shares[i]});
    state_.over = true;
    dues_.clear();
    out.push_back(closed{});
}

job::done job::tick(height now, effects& out)
{
    if (state_.over) return blendr::fail{reject::job_closed};
    if (now < state_.seen) return blendr::fail{reject::height_went_back};
    advance(now, out);
    conclude(now, out);
    if (!state_.over && live_ == 0 && now >= state_.search_until) close(out);
    return nothing{};
}

// ---------------------------------------------------------------- what people do

job::done job::may_happen(height now) const
{
    if (state_.over) return blendr::fail{reject::job_closed};
    if (now < state_.seen) return blendr::fail{reject::height_went_back};
    if (due() < now) return blendr::fail{reject::tick_first};
    return nothing{};
}

/// What will be free once the meters have run until now, which is not past the end of the money.
amount job::free_at(height now) const noexcept
{
    return free() - amount{meter_rate().grains() * (now - state_.seen)};
}

/// An event of the whole agreement that was found allowed.
job::done job::happen(agreement_id which, event on, height now, effects& out)
{
    reach(now, out);
    raise(which.get(), on, now, out);
    conclude(now, out);
    return nothing{};
}

/// Brings the meters to now; every event starts with it, after it was found allowed.
void job::reach(height now, effects& out)
{
    run_meters(now, out);
    state_.seen = now;
}

job::done job::check(agreement_id which, event on, height now) const
{
    BLENDR_CHECK(may_happen(now));
    if (which.get() >= state_.agreements.size()) return blendr::fail{reject::unknown_agreement};
    if (!next(state_.agreements[which.get()].at, on)) return blendr::fail{reject::wrong_phase};
    return nothing{};
}

job::done job::check(unit_id which, unit_event on, height now) const
{
    BLENDR_CHECK(may_happen(now));
    if (which.get() >= state_.units.size()) return blendr::fail{reject::unknown_unit};
    if (!next(state_.units[which.get()].at, on)) return blendr::fail{reject::wrong_unit_state};
    return nothing{};
}

job::done job::by_provider(agreement_id which, crypto::address const& who) const
{
    if (state_.agreements[which.get()].provider != who) return blendr::fail{reject::not_provider};
    return nothing{};
}

job::done job::deposit(crypto::address const& who, amount value, height now, effects& out)
{
    BLENDR_CHECK(may_happen(now));
    if (value == amount{}) return blendr::fail{reject::zero_amount};
    auto& payers = state_.payers;
    amount total{};
    for (auto const& each : payers) total += each.put_in;
    if (value > deposit_max - std::min(total, deposit_max))
        return blendr::fail{reject::value_too_large};
    auto const known =
        std::find_if(payers.begin(), payers.end(), [&](auto const& p) { return p.who == who; });
    if (known == payers.end() && payers.size() == payers_max)
        return blendr::fail{reject::too_many_payers};

    reach(now, out);
    if (known == payers.end())
        payers.push_back({who, value});
    else
        known->put_in += value;
    state_.balance += value;
    state_.warned = false;
    go_on_if_funded(now, out);
    conclude(now, out);
    return nothing{};
}

amount job::spare() const noexcept
{
    auto left = free();
    for (auto const& a : state_.agreements)
        if (a.at == phase::open && a.by.by_units())
            left -= std::min(left, a.by.each * quantity{a.assigned});
    return left;
}

job::done job::spend(amount value, height now, effects& out)
{
    BLENDR_CHECK(may_happen(now));
    if (value == amount{}) return blendr::fail{reject::zero_amount};
    auto const metered = free() - free_at(now);
    if (value > spare() - std::min(spare(), metered)) return blendr::fail{reject::underfunded};

    reach(now, out);
    state_.balance -= value;
    out.push_back(spent{value});
    conclude(now, out);
    return nothing{};
}

result<agreement_id, reject> job::match(crypto::address const& provider, std::uint32_t units,
                                        terms const& by, height now, effects& out)
{
    BLENDR_CHECK(may_happen(now));
    if (!sound(by)) return blendr::fail{reject::bad_terms};
    if (by.by_units() && units == 0) return blendr::fail{reject::zero_units};
    if (!by.by_units() && units != 0) return blendr::fail{reject::has_no_units};
    if (now > state_.search_until) return blendr::fail{reject::search_over};
    if (units > listed_) return blendr::fail{reject::no_units_left};
    if (state_.agreements.size() == agreements_max)
        return blendr::fail{reject::too_many_agreements};

    reach(now, out);
    auto const index = static_cast<std::uint32_t>(state_.agreements.size());
    auto& made = state_.agreements.emplace_back();
    made.provider = provider;
    made.by = by;
    made.made = now;
    for (std::uint32_t i = 0; made.assigned < units; ++i) {
        auto& each = state_.units[i];
        if (each.at != unit_state::listed) continue;
        each.with = index;
        move(each, unit_event::assign);
    }
    ++live_;
    enter(index, now);
    out.push_back(moved{agreement_id{index}, phase::open});
    return agreement_id{index};
}

job::done job::fund(agreement_id which, height now, effects& out)
{
    BLENDR_CHECK(check(which, event::fund, now));
    auto const& a = state_.agreements[which.get()];
    auto const needed = a.by.by_units() ? a.by.each * quantity{a.assigned}
                                        : a.by.per_height * quantity{std::max(1u, a.by.notice)};
    if (needed > free_at(now)) return blendr::fail{reject::underfunded};

    return happen(which, event::fund, now, out);
}

job::done job::start(agreement_id which, crypto::address const& who, height now, effects& out)
{
    BLENDR_CHECK(check(which, event::start, now));
    BLENDR_CHECK(by_provider(which, who));
    return happen(which, event::start, now, out);
}

job::done job::deliver(unit_id which, crypto::address const& who, height now, effects& out)
{
    BLENDR_CHECK(check(which, unit_event::deliver, now));
    auto const with = state_.units[which.get()].with;
    BLENDR_CHECK(check(agreement_id{with}, event::deliver, now));
    BLENDR_CHECK(by_provider(agreement_id{with}, who));

    reach(now, out);
    auto& u = state_.units[which.get()];
    auto const& a = state_.agreements[with];
    move(u, unit_event::deliver);
    u.due = later(now, a.by.window);
    remember({u.due, false, which.get()});
    raise(with, a.assigned == 0 ? event::finish : event::deliver, now, out);
    conclude(now, out);
    return nothing{};
}

job::done job::accept(unit_id which, height now, effects& out)
{
    BLENDR_CHECK(check(which, unit_event::accept, now));
    reach(now, out);
    pay_unit(which.get(), unit_event::accept, now, out);
    conclude(now, out);
    return nothing{};
}

job::done job::approve(agreement_id which, crypto::address const& who, height now, effects& out)
{
    BLENDR_CHECK(check(which, event::approve, now));
    if (who != state_.renter) return blendr::fail{reject::not_renter};
    return happen(which, event::approve, now, out);
}

job::done job::object(unit_id which, height now, effects& out)
{
    BLENDR_CHECK(check(which, unit_event::object, now));
    auto const with = state_.units[which.get()].with;
    BLENDR_CHECK(check(agreement_id{with}, event::object, now));

    reach(now, out);
    auto& u = state_.units[which.get()];
    move(u, unit_event::object);
    u.due = later(now, state_.agreements[with].by.verdict_within);
    remember({u.due, false, which.get()});
    raise(with, event::object, now, out);
    conclude(now, out);
    return nothing{};
}

job::done job::acquit(unit_id which, height now, effects& out)
{
    BLENDR_CHECK(check(which, unit_event::acquit, now));
    reach(now, out);
    pay_unit(which.get(), unit_event::acquit, now, out);
    conclude(now, out);
    return nothing{};
}

job::done job::convict(unit_id which, crypto::address const& reporter, height now, effects& out)
{
    BLENDR_CHECK(check(which, unit_event::acquit, now));  // a disputed unit goes either way
    auto const with = state_.units[which.get()].with;
    reach(now, out);
    raise(with, event::convict, now, out, reporter);
    conclude(now, out);
    return nothing{};
}

job::done job::forgo(unit_id which, height now, effects& out)
{
    BLENDR_CHECK(check(which, unit_event::give_back, now));
    auto& u = state_.units[which.get()];
    if (u.at == unit_state::assigned) return blendr::fail{reject::wrong_unit_state};
    auto const with = u.with;
    auto& a = state_.agreements[with];
    reach(now, out);
    move(u, unit_event::give_back);
    u.with = nobody;
    u.due = height{};
    move(u, unit_event::close);
    a.held -= a.by.each * quantity{1};
    state_.held -= a.by.each * quantity{1};
    settle_units(with, now, out);
    conclude(now, out);
    return nothing{};
}

job::done job::quit(agreement_id which, crypto::address const& who, height now, effects& out)
{
    BLENDR_CHECK(check(which, event::quit, now));
    BLENDR_CHECK(by_provider(which, who));
    return happen(which, event::quit, now, out);
}

job::done job::fail(agreement_id which, height now, effects& out)
{
    BLENDR_CHECK(check(which, event::fail, now));
    return happen(which, event::fail, now, out);
}

job::done job::cancel(agreement_id which, crypto::address const& who, height now, effects& out)
{
    BLENDR_CHECK(check(which, event::cancel, now));
    if (who != state_.renter) return blendr::fail{reject::not_renter};
    return happen(which, event::cancel, now, out);
}

job::done job::cancel_all(crypto::address const& who, height now, effects& out)
{
    BLENDR_CHECK(may_happen(now));
    if (who != state_.renter) return blendr::fail{reject::not_renter};
    reach(now, out);
    for (std::uint32_t i = 0; i < state_.agreements.size(); ++i)
        if (next(state_.agreements[i].at, event::cancel)) raise(i, event::cancel, now, out);
    state_.search_until = now;
    conclude(now, out);
    return nothing{};
}

}  // namespace blendr::escrow
