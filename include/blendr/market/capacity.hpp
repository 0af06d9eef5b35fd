// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <boost/describe.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/market/calendar.hpp>
#include <blendr/market/error.hpp>
#include <blendr/market/pricing.hpp>

namespace blendr::market {

struct device_class_tag {
    static constexpr auto rules = arithmetic::none;
};
/// A kind of device whose hours are worth the same.
using device_class = strong<device_class_tag, std::uint32_t>;

/// What makes a device one of a class: at least this. A device that has more may always stand in.
struct class_spec {
    std::uint64_t vram{};
    std::uint64_t fp32{}, memory{}, integer{};  ///< measured units per second
    friend constexpr bool operator==(class_spec const&, class_spec const&) = default;
};
constexpr bool serves(class_spec const& device, class_spec const& wanted) noexcept
{
    return device.vram >= wanted.vram && device.fp32 >= wanted.fp32 &&
           device.memory >= wanted.memory && device.integer >= wanted.integer;
}

/// One capacity token is one hour of one device of a class. All tokens of a class and hour are alike.
struct series_key {
    device_class what{};
    hour when{};
    friend constexpr auto operator<=>(series_key const&, series_key const&) = default;
};

/// Where the promise behind a token stands. Each token is minted with one promise, of one device.
enum class promise_state : std::uint8_t {
    none,     ///< never made, or over
    open,     ///< some holder of a token may claim it
    claimed,  ///< a token was given for it; the device is due
    running,  ///< the holder's job runs on it
};
inline constexpr std::size_t promise_states = 4;

enum class promise_event : std::uint8_t {
    mint,       ///< issuer: makes it
    buy_back,   ///< issuer: gives a token of its own for it
    claim,      ///< holder: gives a token for it
    start,      ///< the job runs
    finish,     ///< the hour was delivered
    miss,       ///< it was due and did not run, or stopped: the holder is paid
    lapse,      ///< its hour went by unclaimed
    foreclose,  ///< its bond no longer covers the price and was not added to
};
inline constexpr std::size_t promise_events = 8;

/// state × event; none means "not possible" where the comment has a dash.
///
///           mint  buy_back claim    start    finish miss  lapse foreclose
/// none      open  -        -        -        -      -     -     -
/// open      -     none     claimed  -        -      -     none  none
/// claimed   -     -        -        running  -      none  -     -
/// running   -     -        -        -        none   none  -     -
struct promise_step {
    bool possible{};
    promise_state next{};
};
inline constexpr auto promise_table = [] {
    using enum promise_state;
    constexpr promise_step no{};
    constexpr auto to = [](promise_state s) { return promise_step{true, s}; };
    return std::array<std::array<promise_step, promise_events>, promise_states>{{
        {to(open), no, no, no, no, no, no, no},
        {no, to(none), to(claimed), no, no, no, to(none), to(none)},
        {no, no, no, to(running), no, to(none), no, no},
        {no, no, no, no, to(none), to(none), no, no},
    }};
}();

struct capacity_rules {
    std::uint64_t units_per_hour = 3600;     ///< units in a device hour at rating one
    std::uint64_t cover_bps = 15'000;        ///< bond a promise needs at the reference price
    std::uint64_t keep_bps = 12'500;         ///< below this it may be foreclosed
    std::uint64_t damages_bps = 12'500;      ///< what a holder gets for a missed hour
    std::int64_t start_grace_ms = 300'000;   ///< after claim and the hour's begin
    std::int64_t call_grace_ms = 3'600'000;  ///< from the call for more bond to foreclosure
};
/// Damages above what the hour would fetch elsewhere: breaking a promise never pays.
static_assert(capacity_rules{}.damages_bps > bps &&
              capacity_rules{}.keep_bps >= capacity_rules{}.damages_bps);

/// What a device hour of a class costs at a reference price for a unit; nothing when it overflows.
constexpr std::optional<amount> hour_price(price reference, class_spec const& spec,
                                           capacity_rules const& rules) noexcept
{
    auto const rating = spec.fp32 == 0 ? 1 : spec.fp32;
    auto const units = u128{rating} * rules.units_per_hour;
    if (auto const grains = mul_div(reference.get(), units, 1, rounding::up))
        return amount{*grains};
    return std::nullopt;
}
constexpr amount part_of(amount whole, std::uint64_t part_bps) noexcept
{
    auto const out = whole.share(part_bps, bps, rounding::up);
    return out ? *out : amount::max();
}

/// What is left to do for all promises of a series.
struct series {
    std::uint64_t tokens{};    ///< in somebody's hands
    std::uint64_t promises{};  ///< open ones; below `tokens` when promises were foreclosed
    amount pot{};              ///< bonds of foreclosed promises, for the tokens without one
    friend constexpr bool operator==(series const&, series const&) = default;
};

/// A promise of one device hour, and the money that stands behind it.
template <class Owner>
struct promise {
    promise_state state{};
    series_key of{};
    Owner issuer{};
    Owner holder{};  ///< who claimed it
    amount cover{};
    time_ms due{};  ///< claimed: when it must run; called: when it may be foreclosed
    friend constexpr bool operator==(promise const&, promise const&) = default;
};

/// Money and tokens that a step sets free. What is not named stays where it was.
struct settlement {
    amount to_issuer{};
    amount to_holder{};
    friend constexpr bool operator==(settlement const&, settlement const&) = default;
};

/// The steps of a promise. Each checks first and changes nothing when it refuses. The caller moves
/// the money it is told to, and keeps who holds how many tokens (`hand`).
template <class Owner>
class capacity {
public:
    using promise_type = promise<Owner>;
    using outcome = result<settlement, reject>;

    /// One token into `hand`, against `cover` that the caller has locked, for one hour that it has
    /// booked. `mark` is what the hour costs now.
    static outcome mint(series& s, promise_type& p, std::uint64_t& hand, series_key of,
                        Owner const& issuer, amount cover, amount mark, hour now,
                        capacity_rules const& rules)
    {
        if (!can(p, promise_event::mint)) return fail{reject::hour_taken};
        if (of.when <= now) return fail{reject::too_late};
        if (cover == amount{} || cover < part_of(mark, rules.cover_bps))
            return fail{reject::bond_too_small};
        p = {promise_state::open, of, issuer, {}, cover, {}};
        ++s.tokens;
        ++s.promises;
        ++hand;
        return settlement{};
    }

    static outcome buy_back(series& s, promise_type& p, std::uint64_t& hand, Owner const& who)
    {
        if (!can(p, promise_event::buy_back)) return fail{reject::wrong_state};
        if (p.issuer != who) return fail{reject::not_owner};
        if (hand == 0) return fail{reject::no_tokens};
        settlement const out{p.cover, {}};
        --hand;
        --s.tokens;
        --s.promises;
        p = {};
        return out;
    }

    /// A token for the promise: from now on this holder is owed this device.
    static outcome claim(series& s, promise_type& p, std::uint64_t& hand, Owner const& who,
                         time_ms now, capacity_rules const& rules)
    {
        if (!can(p, promise_event::claim)) return fail{reject::wrong_state};
        if (hand == 0) return fail{reject::no_tokens};
        auto const begins = start_of(p.of.when);
        if (now.get() + rules.start_grace_ms >= begins.get() + ms_per_hour)
            return fail{reject::too_late};
        --hand;
        --s.tokens;
        --s.promises;
        p.state = promise_state::claimed;
        p.holder = who;
        p.due = time_ms{(now > begins ? now : begins).get() + rules.start_grace_ms};
        return settlement{};
    }

    /// The device is at the holder's service. Not before its hour, not after it is overdue.
    static outcome start(promise_type& p, Owner const& issuer, time_ms now)
    {
        if (!can(p, promise_event::start)) return fail{reject::wrong_state};
        if (p.issuer != issuer) return fail{reject::not_owner};
        if (now < start_of(p.of.when)) return fail{reject::too_early};
        if (now > p.due) return fail{reject::too_late};
        p.state = promise_state::running;
        return settlement{};
    }

    /// Another device stands in for the promised one. `there` is its promise for that hour, which
    /// must be free; `device` what it can do.
    static outcome substitute(promise_type& here, promise_type& there, Owner const& who,
                              class_spec const& device, class_spec const& wanted)
    {
        if (here.state == promise_state::none) return fail{reject::wrong_state};
        if (here.issuer != who) return fail{reject::not_owner};
        if (there.state != promise_state::none) return fail{reject::hour_taken};
        if (!serves(device, wanted)) return fail{reject::wrong_device};
        there = here;
        here = {};
        return settlement{};
    }

    /// The hour is over, or the holder says that it has what it wants.
    static outcome finish(promise_type& p, Owner const& who, time_ms now)
    {
        if (!can(p, promise_event::finish)) return fail{reject::wrong_state};
        bool const over = now.get() >= start_of(p.of.when).get() + ms_per_hour;
        if (who != p.holder && !(over && who == p.issuer)) return fail{reject::not_owner};
        settlement const out{p.cover, {}};
        p = {};
        return out;
    }

    /// It was due and does not run, or `stopped` while it ran: the holder gets damages at the
    /// present price, as far as the bond goes.
    static outcome miss(promise_type& p, time_ms now, bool stopped, amount mark,
                        capacity_rules const& rules)
    {
        if (!can(p, promise_event::miss)) return fail{reject::wrong_state};
        if (p.state == promise_state::claimed && now <= p.due) return fail{reject::too_early};
        if (p.state == promise_state::running && !stopped) return fail{reject::wrong_state};
        auto const damages = part_of(mark, rules.damages_bps);
        auto const paid = damages < p.cover ? damages : p.cover;
        settlement const out{p.cover - paid, paid};
        p = {};
        return out;
    }

    /// Nobody claimed it in time.
    static outcome lapse(series& s, promise_type& p, hour now)
    {
        if (!can(p, promise_event::lapse)) return fail{reject::wrong_state};
        if (now <= p.of.when) return fail{reject::too_early};
        settlement const out{p.cover, {}};
        --s.promises;
        p = {};
        return out;
    }

    /// More bond; ends a call that it satisfies.
    static outcome top_up(promise_type& p, amount more, amount mark, capacity_rules const& rules)
    {
        if (p.state != promise_state::open) return fail{reject::wrong_state};
        auto const cover = add(p.cover, more);
        if (more == amount{} || !cover) return fail{reject::bond_too_small};
        p.cover = *cover;
        if (p.cover >= part_of(mark, rules.keep_bps)) p.due = {};
        return settlement{};
    }

    /// The price rose and the bond no longer covers it. The first time the issuer is called upon;
    /// when its grace is over the promise ends and its bond goes to the tokens left without one.
    static result<bool, reject> foreclose(series& s, promise_type& p, amount mark, time_ms now,
                                          capacity_rules const& rules)
    {
        if (!can(p, promise_event::foreclose)) return fail{reject::wrong_state};
        if (p.cover >= part_of(mark, rules.keep_bps)) {
            p.due = {};
            return fail{reject::wrong_state};
        }
        if (p.due == time_ms{}) {
            p.due = time_ms{now.get() + rules.call_grace_ms};
            return false;
        }
        if (now <= p.due) return fail{reject::too_early};
        s.pot += p.cover;
        --s.promises;
        p = {};
        return true;
    }

    /// Pays a token that no promise stands behind: an equal share of the pot. Its rounding stays
    /// for the next.
    static outcome redeem_foreclosed(series& s, std::uint64_t& hand)
    {
        if (hand == 0) return fail{reject::no_tokens};
        if (s.tokens <= s.promises) return fail{reject::wrong_state};
        auto const share = s.pot.share(1, s.tokens - s.promises, rounding::down);
        settlement const out{{}, *share};
        s.pot -= *share;
        --hand;
        --s.tokens;
        return out;
    }

private:
    static constexpr bool can(promise_type const& p, promise_event what) noexcept
    {
        return promise_table[static_cast<std::size_t>(p.state)][static_cast<std::size_t>(what)]
            .possible;
    }
};

BOOST_DESCRIBE_ENUM(promise_state, none, open, claimed, running)
BOOST_DESCRIBE_STRUCT(class_spec, (), (vram, fp32, memory, integer))
BOOST_DESCRIBE_STRUCT(series_key, (), (what, when))
BOOST_DESCRIBE_STRUCT(series, (), (tokens, promises, pot))

}  // namespace blendr::market
