// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <blendr/core/result.hpp>
#include <blendr/escrow/error.hpp>
#include <blendr/escrow/job_state.hpp>

namespace blendr::escrow {

/// The money of one job and the agreements that spend it: pure, with no chain and no clock.
///
/// A renter and sponsors put money in; providers are matched with some of its units (or rented by
/// time), deliver, and are paid unit by unit. Whatever happens, or does not happen any more, every
/// grain leaves: to providers, as fees, or back to the payers in proportion to what they put in.
///
/// Every call takes the height of now, which never goes back; `tick` at the end of a height does what
/// is due by then. What is due at a height still may be prevented at that height; a call that comes
/// after something was missed is refused until `tick` did it. A refusal changes nothing. Effects are
/// appended in the order in which they happen, and the caller carries them out: it owns bonds
/// and accounts. Who may call what is checked where a `who` is taken; `spend`, `fund`, `accept`,
/// `object`, `acquit`, `convict`, `forgo` and `fail` are for callers with that authority (a contract,
/// a referee).
class job {
public:
    using done = result<nothing, reject>;

    /// `units` may be zero for a job that only rents by time.
    static result<job, reject> open(crypto::address const& renter, std::uint32_t units,
                                    height search_until, std::uint32_t warn_before, height now);

    /// Goes on from a state that a job had.
    explicit job(job_state state);

    job_state const& state() const noexcept { return state_; }
    amount free() const noexcept { return state_.balance - state_.held; }

    /// When `tick` has something to do next; height::max() when never.
    height due() const noexcept;

    /// The last height that the deposit pays for; height::max() when nothing is paid by time.
    height runs_dry_at() const noexcept;

    /// What a provider would be paid for a unit's work: the price less the fee.
    static amount net(amount gross, std::uint16_t fee) noexcept;

    done deposit(crypto::address const& who, amount value, height now, effects& out);

    /// A provider takes `units` of those listed, lowest first; zero when it is paid by time.
    result<agreement_id, reject> match(crypto::address const& provider, std::uint32_t units,
                                       terms const& by, height now, effects& out);

    /// Free money that no agreement, funded or not, counts on: what `spend` may take.
    amount spare() const noexcept;

    /// Takes spare money for what the job needs beside its providers: its checks.
    done spend(amount value, height now, effects& out);

    done fund(agreement_id which, height now, effects& out);
    done start(agreement_id which, crypto::address const& who, height now, effects& out);
    done deliver(unit_id which, crypto::address const& who, height now, effects& out);
    done accept(unit_id which, height now, effects& out);
    done approve(agreement_id which, crypto::address const& who, height now, effects& out);
    done object(unit_id which, height now, effects& out);
    done acquit(unit_id which, height now, effects& out);
    done convict(unit_id which, crypto::address const& reporter, height now, effects& out);
    /// Another's result of the unit was accepted: this one is not paid for, nobody is to blame, and
    /// nobody does the unit again.
    done forgo(unit_id which, height now, effects& out);
    done quit(agreement_id which, crypto::address const& who, height now, effects& out);
    done fail(agreement_id which, height now, effects& out);

    /// By the renter. Delivered units are still paid; units in work go back, and the provider is
    /// paid for `notice` of them, as agreed.
    done cancel(agreement_id which, crypto::address const& who, height now, effects& out);

    /// By the renter: every agreement, and no more are sought.
    done cancel_all(crypto::address const& who, height now, effects& out);

    /// Does what is due up to and at `now`.
    done tick(height now, effects& out);

private:
    struct due_entry {
        height at{};
        bool of_agreement{};
        std::uint32_t index{};
        friend auto operator<=>(due_entry const&, due_entry const&) = default;
    };

    done may_happen(height now) const;
    amount free_at(height now) const noexcept;
    void reach(height now, effects& out);
    done happen(agreement_id which, event on, height now, effects& out);
    done check(agreement_id which, event on, height now) const;
    done check(unit_id which, unit_event on, height now) const;
    done by_provider(agreement_id which, crypto::address const& who) const;
    void raise(std::uint32_t index, event on, height now, effects& out,
               crypto::address const& reporter = {});
    void act(std::uint32_t index, transition const& way, height now, effects& out);
    void enter(std::uint32_t index, height now);
    void move(unit& which, unit_event on);
    void give_back(std::uint32_t index, bool also_delivered, effects& out);
    void pay_unit(std::uint32_t index, unit_event on, height now, effects& out);
    void pay_provider(std::uint32_t index, amount gross, effects& out);
    void settle_units(std::uint32_t index, height now, effects& out);
    void run_meters(height now, effects& out);
    void stop_dry(height now, effects& out);
    void warn(height now, effects& out);
    void go_on_if_funded(height now, effects& out);
    void advance(height now, effects& out);
    void expire(due_entry const& entry, height now, effects& out);
    bool is_stale(due_entry const& entry) const noexcept;
    void remember(due_entry entry);
    void conclude(height now, effects& out);
    void forget_stale();
    void close(effects& out);
    amount meter_rate() const noexcept;

    job_state state_;
    std::vector<due_entry> dues_;  // a heap; entries that no longer hold are skipped
    std::uint32_t live_{};         // agreements that have not ended
    std::uint32_t metered_{};      // of them, running and paid by time
    std::uint32_t listed_{};       // units that wait for a provider
};

}  // namespace blendr::escrow
