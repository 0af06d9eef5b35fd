// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/bond/bond.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/contract.hpp>

namespace blendr::bond {

/// What a bond stands for.
enum class purpose : std::uint8_t {
    validator = 1,  ///< subject: `subject_of` the key that votes
    provider = 2,   ///< subject: the device's id
};
BOOST_DESCRIBE_ENUM(purpose, validator, provider)

/// One validator, one device: one bond, whoever's it is.
struct subject {
    purpose what = purpose::validator;
    hash256 id{};

    friend auto operator<=>(subject const&, subject const&) = default;
};
BOOST_DESCRIBE_STRUCT(subject, (), (what, id))

inline subject subject_of(crypto::public_key const& voter)
{
    return {purpose::validator, crypto::address_of(voter).raw()};
}

/// Bonds on a ledger, and the weights of validators that follow from them.
struct contract {
    static constexpr std::uint16_t id = 2;
    static constexpr std::string_view name = "bond";
    using error = bond::error;

    struct bonds {
        static constexpr std::string_view name = "bonds";
        using key = subject;
        struct row {
            holding held{};
            crypto::public_key voter{};       ///< of a validator
            crypto::vrf_public_key random{};  ///< of a validator

            friend bool operator==(row const&, row const&) = default;
        };
        static amount holds(row const& r) { return r.held.held(); }
        static constexpr bool shared(ledger::mode m) { return m == ledger::mode::read; }
    };
    /// One row, under key 0.
    struct conditions {
        static constexpr std::string_view name = "conditions";
        using key = std::uint8_t;
        struct row {
            terms of{};
            amount per_weight = 1_blnd;  ///< of locked money, for one unit of a validator's weight

            friend bool operator==(row const&, row const&) = default;
        };
        static constexpr bool shared(ledger::mode m) { return m == ledger::mode::read; }
    };
    using tables = ledger::type_list<bonds, conditions>;

    /// A bond changed: its validator's weight follows.
    struct changed {
        subject which{};
    };
    using events = ledger::type_list<changed>;

    struct genesis_document {
        struct bond {
            crypto::address owner{};
            amount value{};
            crypto::public_key voter{};
            crypto::vrf_public_key random{};
        };
        conditions::row by{};
        std::vector<bond> validators{};  ///< part of the premine
    };

    struct lock_validator {
        crypto::public_key voter{};
        crypto::vrf_public_key random{};
        amount value{};
    };
    struct lock_provider {
        hash256 device{};
        amount value{};
    };
    struct unbond {
        subject which{};
        amount value{};
    };
    struct withdraw {
        subject which{};
    };
    using messages = ledger::type_list<lock_validator, lock_provider, unbond, withdraw>;

    struct plan {
        ledger::ref<ledger::purses, ledger::mode::debit> purse{};
        ledger::ref<bonds, ledger::mode::write> bond{};
        ledger::ref<conditions, ledger::mode::read> by{};
    };
    static plan rows_of(subject const& which, ledger::tx_info const& tx, auto& access)
    {
        using ledger::mode;
        return {access.template use<ledger::purses, mode::debit>(tx.sender),
                access.template use<bonds, mode::write>(which),
                access.template use<conditions, mode::read>(0)};
    }
    static plan touches(lock_validator const& m, ledger::tx_info const& tx, auto& access)
    {
        return rows_of(subject_of(m.voter), tx, access);
    }
    static plan touches(lock_provider const& m, ledger::tx_info const& tx, auto& access)
    {
        return rows_of({purpose::provider, m.device}, tx, access);
    }
    static plan touches(unbond const& m, ledger::tx_info const& tx, auto& access)
    {
        return rows_of(m.which, tx, access);
    }
    static plan touches(withdraw const& m, ledger::tx_info const& tx, auto& access)
    {
        return rows_of(m.which, tx, access);
    }

    static error apply(auto& ctx, lock_validator const& m, plan const& rows)
    {
        auto const why = put_in(ctx, m.value, rows);
        if (why != error::ok) return why;
        auto& bond = ctx.edit(rows.bond);
        bond.voter = m.voter;
        bond.random = m.random;
        ctx.emit(changed{subject_of(m.voter)});
        return error::ok;
    }
    static error apply(auto& ctx, lock_provider const& m, plan const& rows)
    {
        return put_in(ctx, m.value, rows);
    }
    static error apply(auto& ctx, unbond const& m, plan const& rows)
    {
        auto held = ctx.read(rows.bond).held;
        auto const why =
            bond::unbond(held, ctx.read(rows.by).of, ctx.tx().sender, m.value, ctx.block().at);
        if (why != error::ok) return why;
        ctx.edit(rows.bond).held = held;
        ctx.emit(changed{m.which});
        return error::ok;
    }
    static error apply(auto& ctx, withdraw const& m, plan const& rows)
    {
        auto held = ctx.read(rows.bond).held;
        auto const out = bond::withdraw(held, ctx.tx().sender, ctx.block().at);
        if (!out) return out.error();
        ctx.edit(rows.bond).held = held;
        ctx.give(rows.purse, *out);
        ctx.emit(changed{m.which});
        return error::ok;
    }

    /// For other contracts, in a message's plan: the right to slash one bond.
    struct slash_plan {
        ledger::ref<bonds, ledger::mode::write> bond{};
        ledger::ref<conditions, ledger::mode::read> by{};
        ledger::ref<ledger::purses, ledger::mode::credit> reporter{};
        subject which{};
    };
    static slash_plan touches_slash(subject const& which, crypto::address const& reporter,
                                    auto& access)
    {
        using ledger::mode;
        auto own = access.as(ledger::pass<contract>{});
        return {own.template use<bonds, mode::write>(which),
                own.template use<conditions, mode::read>(0),
                own.template use<ledger::purses, mode::credit>(reporter), which};
    }
    /// And in its apply, or in a hook: takes up to `value`, burns at least half of that, pays the
    /// reporter. Whether it was deserved is the caller's to know.
    static slashed slash(auto& ctx, slash_plan const& rows, amount value)
    {
        auto held = ctx.read(rows.bond).held;
        auto const out = bond::slash(held, ctx.read(rows.by).of, value);
        ctx.edit(rows.bond).held = held;
        if (out.burned != amount{}) ctx.burn(out.burned);
        if (out.reporter != amount{}) ctx.give(rows.reporter, out.reporter);
        ctx.emit(changed{rows.which});
        return out;
    }

    /// All that could be taken.
    static amount at_stake(auto& ctx, slash_plan const& rows)
    {
        return ctx.read(rows.bond).held.held();
    }

    /// For other contracts, in a message's plan or a hook: the right to set money of a bond aside for
    /// one promise, and to put back what of it was not needed. Meanwhile it lies in a row of theirs.
    struct pledge_plan {
        ledger::ref<bonds, ledger::mode::write> bond{};
        ledger::ref<conditions, ledger::mode::read> by{};
        ledger::ref<ledger::purses, ledger::mode::credit> owner{};
        subject which{};
    };
    static pledge_plan touches_pledge(subject const& which, crypto::address const& owner,
                                      auto& access)
    {
        using ledger::mode;
        auto own = access.as(ledger::pass<contract>{});
        return {own.template use<bonds, mode::write>(which),
                own.template use<conditions, mode::read>(0),
                own.template use<ledger::purses, mode::credit>(owner), which};
    }
    /// Takes `value` of what `owner` has locked; what stays locked is not below the least. A refusal
    /// changes nothing.
    static error pledge(auto& ctx, pledge_plan const& rows, crypto::address const& owner,
                        amount value)
    {
        auto const& held = ctx.read(rows.bond).held;
        if (!held.may(step::slash) || held.owner != owner) return error::not_yours;
        auto const rest = sub(held.locked, value);
        if (!rest) return error::not_locked;
        if (*rest < ctx.read(rows.by).of.least) return error::too_small;
        ctx.edit(rows.bond).held.locked = *rest;
        ctx.emit(changed{rows.which});
        return error::ok;
    }
    /// Back into `owner`'s bond; into its purse where the bond is another's by now.
    static void restore(auto& ctx, pledge_plan const& rows, crypto::address const& owner,
                        amount value)
    {
        if (value == amount{}) return;
        auto const& held = ctx.read(rows.bond).held;
        if (held.state() != state::free && held.owner != owner) {
            ctx.give(rows.owner, value);
            return;
        }
        lock(ctx.edit(rows.bond).held, owner, value);
        ctx.emit(changed{rows.which});
    }

    /// Refuses bonds that nobody could lock so.
    static bool genesis(auto& ctx, genesis_document const& document)
    {
        ctx.template edit<conditions>(0) = document.by;
        for (auto const& each : document.validators) {
            auto const which = subject_of(each.voter);
            auto const& old = ctx.template row<bonds>(which).held;
            if (each.voter.empty() ||
                can_lock(old, document.by.of, each.owner, each.value) != error::ok)
                return false;
            auto& bond = ctx.template edit<bonds>(which);
            bond::lock(bond.held, each.owner, each.value);
            bond.voter = each.voter;
            bond.random = each.random;
            ctx.emit(changed{which});
        }
        return true;
    }

    /// A validator weighs what is locked for it; the last one that weighs anything keeps a weight of
    /// one, since a chain without validators stands still for ever.
    static void on(auto& ctx, changed const& event)
    {
        if (event.which.what != purpose::validator) return;
        auto const bond = ctx.template row<bonds>(event.which);
        if (bond.voter.empty()) return;
        auto const per = ctx.template row<conditions>(0).per_weight.grains();
        auto const units = bond.held.locked.grains() / (per == 0 ? u128{1} : per);
        auto const most = std::numeric_limits<std::uint64_t>::max() >> 16;
        auto power = weight{static_cast<std::uint64_t>(units < most ? units : most)};
        if (power == weight{}) {
            bool others = false;
            ctx.template each<ledger::validators>([&](auto const& key, auto const& row) {
                others = others || (key != bond.voter && row.power != weight{});
                return !others;
            });
            if (!others) power = weight{1};
        }
        auto& row = ctx.template edit<ledger::validators>(bond.voter);
        row.power = power;
        row.random = power == weight{} ? crypto::vrf_public_key{} : bond.random;
        // a bond that is no more leaves no row
        if (bond.held == holding{}) ctx.template edit<bonds>(event.which) = {};
    }

private:
    static error put_in(auto& ctx, amount value, plan const& rows)
    {
        auto const why =
            can_lock(ctx.read(rows.bond).held, ctx.read(rows.by).of, ctx.tx().sender, value);
        if (why != error::ok) return why;
        if (!ctx.take(rows.purse, value)) return error::poor;
        lock(ctx.edit(rows.bond).held, ctx.tx().sender, value);
        return error::ok;
    }
};
BOOST_DESCRIBE_STRUCT(contract::bonds::row, (), (held, voter, random))
BOOST_DESCRIBE_STRUCT(contract::conditions::row, (), (of, per_weight))
BOOST_DESCRIBE_STRUCT(contract::changed, (), (which))
BOOST_DESCRIBE_STRUCT(contract::genesis_document::bond, (), (owner, value, voter, random))
BOOST_DESCRIBE_STRUCT(contract::genesis_document, (), (by, validators))
BOOST_DESCRIBE_STRUCT(contract::lock_validator, (), (voter, random, value))
BOOST_DESCRIBE_STRUCT(contract::lock_provider, (), (device, value))
BOOST_DESCRIBE_STRUCT(contract::unbond, (), (which, value))
BOOST_DESCRIBE_STRUCT(contract::withdraw, (), (which))

}  // namespace blendr::bond
