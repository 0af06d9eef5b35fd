// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <boost/describe/enum.hpp>

namespace blendr::escrow {

/// Where an agreement between a renter's job and one provider stands.
///
///             fund        start         finish        approve, deadline      pay
///     open ─────────▶ funded ─────▶ running ─────▶ delivered ─────────▶ accepted ─────▶ settled
///      │                 │         │   ▲  │            ▲ │                   ▲
///      │                 │  run_dry▼   │  │      acquit│ ▼object             │ approve, deadline
///      │                 │        paused  │          disputed ───────────────┘
///      ▼                 ▼                ▼              │ convict
///   refunded         refunded         slashed ◀──────────┘
///
/// What is drawn is the way of the good; `transitions` below holds every way there is, and the code
/// runs from it. Each phase that is not an end has a deadline, so an agreement that nobody touches
/// any more still ends.
enum class phase : std::uint8_t {
    open = 1,       ///< matched; the money is not held yet
    funded = 2,     ///< the renter's money and the provider's bond are held
    running = 3,    ///< the provider works
    paused = 4,     ///< paid by time, and the deposit ran dry: a grace to top it up
    delivered = 5,  ///< nothing more will come; the renter may still object
    disputed = 6,   ///< somebody objected; a referee is awaited
    accepted = 7,   ///< what was delivered is to be paid
    settled = 8,    ///< an end: paid for what was delivered
    refunded = 9,   ///< an end: nothing was delivered, nothing is paid
    slashed = 10,   ///< an end: the provider was proven wrong
};
BOOST_DESCRIBE_ENUM(phase, open, funded, running, paused, delivered, disputed, accepted, settled,
                    refunded, slashed)

/// What can happen to an agreement.
enum class event : std::uint8_t {
    fund = 1,       ///< money and bond are there
    start = 2,      ///< the provider begins
    deliver = 3,    ///< a unit, others are still to come
    finish = 4,     ///< the last unit
    run_dry = 5,    ///< the deposit cannot pay for another height
    top_up = 6,     ///< it can again
    object = 7,     ///< a unit is said to be wrong
    acquit = 8,     ///< a referee found the last disputed unit right
    convict = 9,    ///< a referee's proof shows a unit to be wrong
    approve = 10,   ///< the renter accepts what was delivered
    clear = 11,     ///< every delivered unit has been paid already
    cancel = 12,    ///< by the renter
    quit = 13,      ///< by the provider
    fail = 14,      ///< the provider is gone, as the registry says
    deadline = 15,  ///< of the phase
    pay = 16,       ///< the money leaves
    empty = 17,     ///< nothing was delivered at all
    expire = 18,    ///< the time that was rented is over
};
BOOST_DESCRIBE_ENUM(event, fund, start, deliver, finish, run_dry, top_up, object, acquit, convict,
                    approve, clear, cancel, quit, fail, deadline, pay, empty, expire)

/// What a transition does to money and units; carried out by job.hpp.
enum class action : std::uint8_t {
    none = 0,
    hold = 1,        ///< the price of the units is reserved
    begin = 2,       ///< the meter starts
    take = 3,        ///< the unit counts as delivered
    stop_meter = 4,  ///< pays what the meter shows
    go_on = 5,       ///< the meter starts again from here
    let_go = 6,      ///< nothing was begun: units and money go back to the job
    drop_rest = 7,   ///< undelivered units and their money go back to the job
    compensate = 8,  ///< as drop_rest, and the provider is paid the notice
    accept_all = 9,  ///< every delivered unit is accepted
    drop_all = 10,   ///< also delivered units that are not paid yet go back to the job
    pay_out = 11,    ///< accepted units are paid
};
BOOST_DESCRIBE_ENUM(action, none, hold, begin, take, stop_meter, go_on, let_go, drop_rest,
                    compensate, accept_all, drop_all, pay_out)

/// What the provider answers for with its bond, if anything.
enum class fault : std::uint8_t {
    none = 0,
    no_show = 1,  ///< funded, and never started
    late = 2,     ///< started, and not done by the deadline
    quit = 3,     ///< left before the end
    gone = 4,     ///< failed while running
    wrong = 5,    ///< a result that a referee's proof shows to be wrong
};
BOOST_DESCRIBE_ENUM(fault, none, no_show, late, quit, gone, wrong)

struct transition {
    phase from;
    event on;
    phase to;
    action does = action::none;
    fault blame = fault::none;
};

/// Every way that an agreement can go. Any other event is refused and changes nothing.
inline constexpr std::array transitions{
    transition{phase::open, event::fund, phase::funded, action::hold},
    transition{phase::open, event::cancel, phase::refunded, action::let_go},
    transition{phase::open, event::quit, phase::refunded, action::let_go},
    transition{phase::open, event::fail, phase::refunded, action::let_go},
    transition{phase::open, event::deadline, phase::refunded, action::let_go},

    transition{phase::funded, event::start, phase::running, action::begin},
    transition{phase::funded, event::cancel, phase::refunded, action::let_go},
    transition{phase::funded, event::quit, phase::refunded, action::let_go, fault::quit},
    transition{phase::funded, event::fail, phase::refunded, action::let_go, fault::no_show},
    transition{phase::funded, event::deadline, phase::refunded, action::let_go, fault::no_show},

    transition{phase::running, event::deliver, phase::running, action::take},
    transition{phase::running, event::finish, phase::delivered, action::take},
    transition{phase::running, event::object, phase::running},
    transition{phase::running, event::convict, phase::slashed, action::drop_all, fault::wrong},
    transition{phase::running, event::run_dry, phase::paused, action::stop_meter},
    transition{phase::running, event::cancel, phase::delivered, action::compensate},
    transition{phase::running, event::quit, phase::delivered, action::drop_rest, fault::quit},
    transition{phase::running, event::fail, phase::delivered, action::drop_rest, fault::gone},
    transition{phase::running, event::deadline, phase::delivered, action::drop_rest, fault::late},
    transition{phase::running, event::expire, phase::delivered},

    transition{phase::paused, event::top_up, phase::running, action::go_on},
    transition{phase::paused, event::cancel, phase::delivered},
    transition{phase::paused, event::quit, phase::delivered},
    transition{phase::paused, event::fail, phase::delivered},
    transition{phase::paused, event::deadline, phase::delivered},

    transition{phase::delivered, event::object, phase::disputed},
    transition{phase::delivered, event::approve, phase::accepted, action::accept_all},
    transition{phase::delivered, event::deadline, phase::accepted, action::accept_all},
    transition{phase::delivered, event::clear, phase::accepted},
    transition{phase::delivered, event::empty, phase::refunded},

    transition{phase::disputed, event::object, phase::disputed},
    transition{phase::disputed, event::acquit, phase::delivered},
    transition{phase::disputed, event::convict, phase::slashed, action::drop_all, fault::wrong},
    transition{phase::disputed, event::approve, phase::accepted, action::accept_all},
    transition{phase::disputed, event::deadline, phase::accepted, action::accept_all},

    transition{phase::accepted, event::pay, phase::settled, action::pay_out},
    transition{phase::accepted, event::deadline, phase::settled, action::pay_out},
};

constexpr bool is_end(phase at) noexcept
{
    return at == phase::settled || at == phase::refunded || at == phase::slashed;
}

/// The way from here on that event; nothing when the table allows none.
constexpr std::optional<transition> next(phase from, event on) noexcept
{
    for (auto const& each : transitions)
        if (each.from == from && each.on == on) return each;
    return std::nullopt;
}

namespace impl {

constexpr bool table_is_sound() noexcept
{
    for (std::size_t i = 0; i < transitions.size(); ++i) {
        if (is_end(transitions[i].from)) return false;  // an end is an end
        for (std::size_t k = 0; k < i; ++k)             // one way for one event
            if (transitions[k].from == transitions[i].from &&
                transitions[k].on == transitions[i].on)
                return false;
    }
    // Left alone, every phase comes to an end by its deadlines, in fewer steps than there are phases.
    for (int p = static_cast<int>(phase::open); p <= static_cast<int>(phase::slashed); ++p) {
        auto at = static_cast<phase>(p);
        for (int step = 0; !is_end(at); ++step) {
            auto const way = next(at, event::deadline);
            if (!way || step == static_cast<int>(phase::slashed)) return false;
            at = way->to;
        }
    }
    return true;
}
static_assert(table_is_sound());

}  // namespace impl

/// Where a unit of the job stands. Its price is held from the agreement's funding on and leaves
/// once, when the unit becomes `paid`; on the way back to `listed` it returns to the job.
enum class unit_state : std::uint8_t {
    listed = 1,     ///< waits for a provider
    assigned = 2,   ///< a provider has it
    delivered = 3,  ///< a result is there; the renter may object until the window ends
    disputed = 4,   ///< an objection stands
    paid = 5,       ///< an end
    dropped = 6,    ///< an end: the job closed before, or somebody else's result was accepted
};
BOOST_DESCRIBE_ENUM(unit_state, listed, assigned, delivered, disputed, paid, dropped)

enum class unit_event : std::uint8_t {
    assign = 1,
    deliver = 2,
    accept = 3,  ///< by the renter, a verifier, or the end of the window
    object = 4,
    acquit = 5,
    give_back = 6,  ///< the agreement lets go of it
    close = 7,      ///< the job ends
};
BOOST_DESCRIBE_ENUM(unit_event, assign, deliver, accept, object, acquit, give_back, close)

struct unit_transition {
    unit_state from;
    unit_event on;
    unit_state to;
};

/// Every way that a unit can go.
inline constexpr std::array unit_transitions{
    unit_transition{unit_state::listed, unit_event::assign, unit_state::assigned},
    unit_transition{unit_state::listed, unit_event::close, unit_state::dropped},
    unit_transition{unit_state::assigned, unit_event::deliver, unit_state::delivered},
    unit_transition{unit_state::assigned, unit_event::give_back, unit_state::listed},
    unit_transition{unit_state::delivered, unit_event::accept, unit_state::paid},
    unit_transition{unit_state::delivered, unit_event::object, unit_state::disputed},
    unit_transition{unit_state::delivered, unit_event::give_back, unit_state::listed},
    unit_transition{unit_state::disputed, unit_event::accept, unit_state::paid},
    unit_transition{unit_state::disputed, unit_event::acquit, unit_state::paid},
    unit_transition{unit_state::disputed, unit_event::give_back, unit_state::listed},
};

constexpr std::optional<unit_state> next(unit_state from, unit_event on) noexcept
{
    for (auto const& each : unit_transitions)
        if (each.from == from && each.on == on) return each.to;
    return std::nullopt;
}

}  // namespace blendr::escrow
