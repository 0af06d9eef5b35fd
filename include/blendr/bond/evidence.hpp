// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/bond/bond.hpp>
#include <blendr/bond/contract.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/gas.hpp>

namespace blendr::bond {

/// Whoever knows what an engine's evidence looks like; this module does not.
///
/// `fault_in` names what a proof is about, cheaply and before anything is checked: the same name for all
/// proofs of one fault, whoever gives them and however they are arranged, so that nobody is punished
/// twice for it. `shows` checks all of it, signatures too, for the chain of that name; it must never be
/// true of an honest validator. Both depend on their arguments alone.
template <class J>
concept judge =
    requires(crypto::public_key const& culprit, bytes_view proof, hash256 const& chain) {
        { J::fault_in(culprit, proof) } -> std::same_as<std::optional<hash256>>;
        { J::shows(culprit, proof, chain) } -> std::same_as<bool>;
    };

/// Faults that were punished, by culprit and name.
struct faults {
    static constexpr std::string_view name = "faults";
    struct key {
        crypto::address culprit{};
        hash256 what{};

        friend bool operator==(key const&, key const&) = default;
    };
    struct row {
        height at{};
        amount burned{};
        amount rewarded{};
        crypto::address reporter{};

        friend bool operator==(row const&, row const&) = default;
    };
};
BOOST_DESCRIBE_STRUCT(faults::key, (), (culprit, what))
BOOST_DESCRIBE_STRUCT(faults::row, (), (at, burned, rewarded, reporter))

/// How a chain punishes. One row, under key 0, from genesis.
struct practice {
    static constexpr std::string_view name = "practice";
    using key = std::uint8_t;
    struct row {
        hash256 chain{};              ///< how the engine names this chain under its signatures
        std::uint32_t parts = 1'000;  ///< of all that the culprit has at stake, in ten-thousandths

        friend bool operator==(row const&, row const&) = default;
    };
};
BOOST_DESCRIBE_STRUCT(practice::row, (), (chain, parts))

/// Numbers are frozen: they stand in receipts.
enum class evidence_error : std::uint16_t {
    ok = 0,
    malformed_proof = 1,
    not_shown = 2,
    punished_before = 3,
    nothing_at_stake = 4,
};
BOOST_DESCRIBE_ENUM(evidence_error, ok, malformed_proof, not_shown, punished_before,
                    nothing_at_stake)

/// A sentence for people.
constexpr std::string_view message(evidence_error why) noexcept
{
    switch (why) {
    case evidence_error::ok:
        return "all is well";
    case evidence_error::malformed_proof:
        return "the bytes are no proof of anything";
    case evidence_error::not_shown:
        return "the proof does not show that the accused did it";
    case evidence_error::punished_before:
        return "this fault was punished before";
    case evidence_error::nothing_at_stake:
        return "the accused has no bond to lose";
    }
    return "unknown reason";
}

/// A message: here is what a validator did. Whoever sends it is rewarded if it is so and new.
struct report {
    crypto::public_key culprit{};
    bounded<bytes, 4096> proof{};
};
BOOST_DESCRIBE_STRUCT(report, (), (culprit, proof))

/// A query, "evidence/fault": what became of one.
struct fault {
    crypto::public_key culprit{};
    hash256 what{};
};
BOOST_DESCRIBE_STRUCT(fault, (), (culprit, what))

/// Evidence against validators on a ledger. A node sends what its engine noticed in a transaction of its
/// own; the first report of a fault that holds takes part of the culprit's bond, burns at least half of
/// that and pays the reporter. To be listed beside `contract`.
template <judge Judge>
struct evidence {
    static constexpr std::uint16_t id = 3;
    static constexpr std::string_view name = "evidence";
    using error = evidence_error;
    using tables = ledger::type_list<faults, practice>;
    using messages = ledger::type_list<report>;
    using queries = ledger::type_list<fault>;
    using genesis_document = practice::row;

    static void genesis(auto& ctx, genesis_document const& document)
    {
        ctx.template edit<practice>(0) = document;
    }
    static faults::row query(auto const& view, fault const& asked)
    {
        return view.template row<faults>({crypto::address_of(asked.culprit), asked.what});
    }

    /// Two signatures to check, beside its rows and bytes.
    static std::uint64_t gas(report const&) { return 2 * ledger::default_weights.transaction; }

    struct plan {
        contract::slash_plan bond{};
        ledger::ref<faults, ledger::mode::write> fault{};
        ledger::ref<practice, ledger::mode::read> by{};
    };
    static plan touches(report const& m, ledger::tx_info const& tx, auto& access)
    {
        using ledger::mode;
        auto const what = Judge::fault_in(m.culprit, m.proof).value_or(hash256{});
        return {contract::touches_slash(subject_of(m.culprit), tx.sender, access),
                access.template use<faults, mode::write>({crypto::address_of(m.culprit), what}),
                access.template use<practice, mode::read>(0)};
    }
    static error apply(auto& ctx, report const& m, plan const& rows)
    {
        if (!Judge::fault_in(m.culprit, m.proof)) return error::malformed_proof;
        if (ctx.read(rows.fault) != faults::row{}) return error::punished_before;
        auto const stake = contract::at_stake(ctx, rows.bond);
        if (stake == amount{}) return error::nothing_at_stake;
        auto const& by = ctx.read(rows.by);
        if (!Judge::shows(m.culprit, m.proof, by.chain)) return error::not_shown;
        auto const value = stake.share(std::min(by.parts, 10'000U), 10'000, rounding::up);
        BLENDR_ASSERT(value.has_value());
        auto const lost = contract::slash(ctx, rows.bond, *value);
        ctx.edit(rows.fault) = {ctx.block().at, lost.burned, lost.reporter, ctx.tx().sender};
        return error::ok;
    }
};

}  // namespace blendr::bond
