// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/keys.hpp>

/// Money that stands for good behaviour: locked for a purpose, given back after a delay, lost in part
/// when its owner is shown to have misbehaved.
///
/// | state   | lock    | unbond            | withdraw            | slash            |
/// |---------|---------|-------------------|---------------------|------------------|
/// | free    | bonded  | -                 | -                   | -                |
/// | bonded  | bonded  | bonded or leaving | bonded              | any              |
/// | leaving | bonded  | -                 | leaving or free     | leaving or free  |
///
/// free: nothing is held. bonded: something is locked. leaving: all that is held is on its way out.
namespace blendr::bond {

/// Numbers are frozen: they stand in receipts.
enum class error : std::uint16_t {
    ok = 0,
    nothing = 1,      ///< no money to move
    too_small = 2,    ///< what would be locked is below the least
    not_locked = 3,   ///< more than is locked
    too_many = 4,     ///< as much is on its way out as one bond may have
    not_yours = 5,    ///< somebody else's bond stands for that
    nothing_due = 6,  ///< nothing has waited long enough
    poor = 7,         ///< the purse has less
    wrong_state = 8,  ///< the table above has no such step
};
BOOST_DESCRIBE_ENUM(error, ok, nothing, too_small, not_locked, too_many, not_yours, nothing_due,
                    poor, wrong_state)

/// A sentence for people.
constexpr std::string_view message(error why) noexcept
{
    switch (why) {
    case error::ok:
        return "all is well";
    case error::nothing:
        return "there is no money to move";
    case error::too_small:
        return "what stays locked would be less than the least bond";
    case error::not_locked:
        return "more than what is locked cannot leave";
    case error::too_many:
        return "too many parts of this bond are on their way out already";
    case error::not_yours:
        return "somebody else's bond stands for this";
    case error::nothing_due:
        return "nothing has waited out its delay";
    case error::poor:
        return "the purse holds less than that";
    case error::wrong_state:
        return "the bond is in no state for that";
    }
    return "unknown reason";
}

/// Fixed when the chain begins.
struct terms {
    std::uint64_t delay = 604'800;         ///< blocks from unbonding to withdrawing
    amount least = 100_blnd;               ///< of what is locked, unless nothing is
    std::uint32_t reporter_parts = 2'000;  ///< of what is slashed, in ten-thousandths; at most half

    friend bool operator==(terms const&, terms const&) = default;
};
BOOST_DESCRIBE_STRUCT(terms, (), (delay, least, reporter_parts))

inline constexpr std::uint32_t reporter_parts_max = 5'000;
inline constexpr std::size_t leaving_max = 16;

/// A part on its way out. Until it is withdrawn it can be slashed, also after it is due.
struct parting {
    amount value{};
    height due{};

    friend bool operator==(parting const&, parting const&) = default;
};
BOOST_DESCRIBE_STRUCT(parting, (), (value, due))

enum class state : std::uint8_t { free, bonded, leaving };
enum class step : std::uint8_t { lock, unbond, withdraw, slash };

/// The table above: may this step be taken in this state?
inline constexpr std::array<std::array<bool, 4>, 3> allowed{{
    //  lock  unbond withdraw slash
    {{true, false, false, false}},  // free
    {{true, true, true, true}},     // bonded
    {{true, false, true, true}},    // leaving
}};

/// One bond: whose it is, and what of it is where. A default one is no bond.
struct holding {
    crypto::address owner{};
    amount locked{};
    bounded<std::vector<parting>, leaving_max> leaving{};  ///< by due height

    amount held() const
    {
        auto sum = locked;
        for (auto const& each : leaving) sum += each.value;
        return sum;
    }
    bond::state state() const noexcept
    {
        if (locked != amount{}) return bond::state::bonded;
        return leaving.empty() ? bond::state::free : bond::state::leaving;
    }
    bool may(step what) const noexcept
    {
        return allowed[static_cast<std::size_t>(state())][static_cast<std::size_t>(what)];
    }

    friend bool operator==(holding const&, holding const&) = default;
};
BOOST_DESCRIBE_STRUCT(holding, (), (owner, locked, leaving))

/// Whether `value` more may be locked. The money itself is the caller's to take.
inline error can_lock(holding const& in, terms const& by, crypto::address const& who, amount value)
{
    if (value == amount{}) return error::nothing;
    if (!in.may(step::lock)) return error::wrong_state;
    if (in.state() != state::free && in.owner != who) return error::not_yours;
    auto const sum = add(in.locked, value);
    if (!sum) return error::poor;
    return *sum < by.least ? error::too_small : error::ok;
}

inline void lock(holding& in, crypto::address const& who, amount value)
{
    in.owner = who;
    in.locked += value;
}

/// Sends a part on its way out, or says why not and changes nothing.
inline error unbond(holding& in, terms const& by, crypto::address const& who, amount value,
                    height now)
{
    if (in.owner != who) return error::not_yours;
    if (value == amount{}) return error::nothing;
    if (!in.may(step::unbond)) return error::wrong_state;
    auto const rest = sub(in.locked, value);
    if (!rest) return error::not_locked;
    if (*rest != amount{} && *rest < by.least) return error::too_small;
    auto const due = add(now, by.delay).value_or(height::max());
    if (!in.leaving.empty() && in.leaving.back().due == due) {
        in.leaving.back().value += value;
    } else {
        if (in.leaving.size() == leaving_max) return error::too_many;
        in.leaving.push_back({value, due});
    }
    in.locked = *rest;
    return error::ok;
}

/// Takes out what is due; the money is the caller's to give back. Nothing, and why, when there is none.
inline result<amount, error> withdraw(holding& in, crypto::address const& who, height now)
{
    if (in.owner != who) return fail{error::not_yours};
    if (!in.may(step::withdraw)) return fail{error::wrong_state};
    amount out{};
    auto const waits = std::find_if(in.leaving.begin(), in.leaving.end(),
                                    [&](parting const& each) { return each.due > now; });
    for (auto each = in.leaving.begin(); each != waits; ++each) out += each->value;
    if (out == amount{}) return fail{error::nothing_due};
    in.leaving.erase(in.leaving.begin(), waits);
    if (in.state() == state::free) in = holding{};
    return out;
}

/// Where slashed money goes. At least half burns, so nobody gains by reporting himself.
struct slashed {
    amount burned{};
    amount reporter{};

    friend bool operator==(slashed const&, slashed const&) = default;
};

/// Takes up to `value` away, first from what leaves, the latest first, then from what is locked. What
/// remains locked may be below the least.
inline slashed slash(holding& in, terms const& by, amount value)
{
    if (!in.may(step::slash)) return {};
    amount taken{};
    auto const take = [&](amount& from) {
        auto const part = std::min(from, value - taken);
        from -= part;
        taken += part;
    };
    while (!in.leaving.empty() && taken < value) {
        take(in.leaving.back().value);
        if (in.leaving.back().value == amount{}) in.leaving.pop_back();
    }
    take(in.locked);
    if (in.state() == state::free) in = holding{};
    auto const parts = std::min(by.reporter_parts, reporter_parts_max);
    auto const reward = taken.share(parts, 10'000, rounding::down);
    BLENDR_ASSERT(reward.has_value());
    return {taken - *reward, *reward};
}

}  // namespace blendr::bond
