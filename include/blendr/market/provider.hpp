// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/describe.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/market/error.hpp>

namespace blendr::market {

/// Where a provider's device stands.
enum class device_state : std::uint8_t {
    absent,        ///< not registered
    idle,          ///< may be rented, may mine
    reserved,      ///< promised for later; may mine until then
    sharing,       ///< runs a renter's work
    disconnected,  ///< missed its heartbeats; a lease waits out its grace
    suspended,     ///< slashed; sells nothing until reinstated
};
inline constexpr std::size_t device_states = 6;
inline constexpr std::uint8_t device_tier_max = 4;

enum class device_event : std::uint8_t {
    enrol,      ///< a bonded provider registers it
    retire,     ///< and takes it away
    reserve,    ///< its time is promised
    release,    ///< the promise ended
    start,      ///< work begins
    finish,     ///< work ends
    silence,    ///< heartbeats were missed
    heartbeat,  ///< it is heard of
    give_up,    ///< its grace ended; a lease it had goes elsewhere
    suspend,    ///< slashed
    reinstate,
    attest,   ///< somebody vouched for it: changes its tier, not its state
    measure,  ///< its ratings were measured: changes these, not its state
};
inline constexpr std::size_t device_events = 13;

/// What becomes of a device, state by event; absent in a row of another state means "not possible".
///
///               enrol retire reserve  release start   finish silence heartbeat give_up suspend   reinst. attest, measure
/// absent        idle  -      -        -       -       -      -       -         -       -         -       -
/// idle          -     absent reserved -       sharing -      disc.   idle      -       suspended -       idle
/// reserved      -     -      -        idle    sharing -      disc.   reserved  -       suspended -       reserved
/// sharing       -     -      -        -       -       idle   disc.   sharing   -       suspended -       sharing
/// disconnected  -     -      -        -       -       -      disc.   (before)  disc.   suspended -       disc.
/// suspended     -     absent -        -       -       -      susp.   suspended -       suspended idle    suspended
///
/// (before): what it was when it fell silent, so that a lease survives; after give_up that is idle.
inline constexpr auto device_table = [] {
    using enum device_state;
    constexpr auto no = absent;
    return std::array<std::array<device_state, device_events>, device_states>{{
        {idle, no, no, no, no, no, no, no, no, no, no, no, no},
        {no, absent, reserved, no, sharing, no, disconnected, idle, no, suspended, no, idle, idle},
        {no, no, no, idle, sharing, no, disconnected, reserved, no, suspended, no, reserved,
         reserved},
        {no, no, no, no, no, idle, disconnected, sharing, no, suspended, no, sharing, sharing},
        {no, no, no, no, no, no, disconnected, idle, disconnected, suspended, no, disconnected,
         disconnected},
        {no, absent, no, no, no, no, suspended, suspended, no, suspended, idle, suspended,
         suspended},
    }};
}();

/// How long silence is borne.
struct heartbeat_rules {
    std::uint64_t silent_after = 30;    ///< heights without a heartbeat until it is disconnected
    std::uint64_t give_up_after = 300;  ///< heights disconnected until its lease goes elsewhere
};

/// One device's standing, and the only way to change it.
struct device_status {
    device_state state{device_state::absent};
    device_state before{device_state::idle};  ///< while disconnected: what a heartbeat restores
    height heard{};                           ///< of its last heartbeat
    std::uint8_t tier{};                      ///< attested by others, 0 to 4

    /// Refuses with wrong_state what the table does not have, and then changes nothing.
    constexpr result<nothing, reject> apply(device_event what, height now)
    {
        bool const retiring = what == device_event::retire;
        auto next = device_table[static_cast<std::size_t>(state)][static_cast<std::size_t>(what)];
        if (next == device_state::absent && !(retiring && may_retire()))
            return fail{reject::wrong_state};
        if (state == device_state::disconnected && what == device_event::heartbeat) next = before;
        if (what == device_event::silence && state != device_state::disconnected) before = state;
        if (what == device_event::give_up) before = device_state::idle;
        if (what == device_event::heartbeat || what == device_event::enrol) heard = now;
        state = next;
        if (retiring) *this = {};
        return nothing{};
    }

    /// What the passing of time alone brings about at `now`, if anything. Unreachable is not
    /// failed: `silence` leaves a lease in place and only `give_up` ends it.
    constexpr std::optional<device_event> due(height now, heartbeat_rules const& rules) const
    {
        auto const quiet = now > heard ? now - heard : 0;
        bool const live = state == device_state::idle || state == device_state::reserved ||
                          state == device_state::sharing;
        if (live && quiet > rules.silent_after) return device_event::silence;
        if (state == device_state::disconnected && before != device_state::idle &&
            quiet > rules.silent_after + rules.give_up_after)
            return device_event::give_up;
        return std::nullopt;
    }

    /// When `due` has to be asked again, if it is not heard of before; nothing when time alone brings
    /// about nothing.
    constexpr std::optional<height> next_due(heartbeat_rules const& rules) const
    {
        bool const live = state == device_state::idle || state == device_state::reserved ||
                          state == device_state::sharing;
        if (live) return later(heard, rules.silent_after + 1);
        if (state == device_state::disconnected && before != device_state::idle)
            return later(heard, rules.silent_after + rules.give_up_after + 1);
        return std::nullopt;
    }

    /// May its time be sold now?
    constexpr bool sells() const noexcept
    {
        return state == device_state::idle || state == device_state::reserved;
    }

    friend constexpr bool operator==(device_status const&, device_status const&) = default;

private:
    constexpr bool may_retire() const noexcept
    {
        return state == device_state::idle || state == device_state::suspended;
    }
};

BOOST_DESCRIBE_ENUM(device_state, absent, idle, reserved, sharing, disconnected, suspended)
BOOST_DESCRIBE_ENUM(device_event, enrol, retire, reserve, release, start, finish, silence,
                    heartbeat, give_up, suspend, reinstate, attest, measure)
BOOST_DESCRIBE_STRUCT(device_status, (), (state, before, heard, tier))

}  // namespace blendr::market
