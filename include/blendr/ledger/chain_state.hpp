// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/ledger/context.hpp>
#include <blendr/ledger/executor.hpp>
#include <blendr/ledger/hooks.hpp>
#include <blendr/ledger/prepare.hpp>
#include <blendr/ledger/rows.hpp>

namespace blendr::ledger {

/// What a block did, and how to undo it.
template <class Registry>
struct applied {
    std::vector<outcome> outcomes{};
    std::vector<delta<Registry>> changes{};  ///< no row in two of them
    amount fees{};                           ///< paid by all senders together
    std::uint64_t gas{};                     ///< that they paid for
    amount minted{};
    amount burned{};

    /// Undoes the block, or does it again.
    void swap(rows<Registry>& state)
    {
        for (auto& each : changes) each.swap(state);
    }
};

/// Money in the rows that a block changed: now, and as kept in the delta.
struct money_moved {
    amount now{};
    amount kept{};
};

template <class Registry>
money_moved money_in(rows<Registry> const& state, std::span<delta<Registry> const> changes)
{
    money_moved sum{};
    for (auto const& part : changes)
        boost::mp11::mp_for_each<
            boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::tables>>(
            [&](auto type) {
                using table = typename decltype(type)::type;
                if constexpr (holds_money<table>)
                    for (auto const& each : part.template of<table>()) {
                        sum.now += table::holds(state.template table<table>().row(each.at));
                        sum.kept += table::holds(each.row);
                    }
            });
    return sum;
}

/// Every grain that the rows hold; none when that is more than any amount.
template <class Registry>
std::optional<amount> checked_money_in(rows<Registry> const& state)
{
    std::optional<amount> sum{amount{}};
    boost::mp11::mp_for_each<
        boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::tables>>(
        [&](auto type) {
            using table = typename decltype(type)::type;
            if constexpr (holds_money<table>) {
                auto const& in = state.template table<table>();
                for (std::size_t i = 0; sum && i < in.size(); ++i)
                    sum = add(*sum, table::holds(in.row(static_cast<state::slot>(i))));
            }
        });
    return sum;
}

/// The same of a chain that adds up.
template <class Registry>
amount money_in(rows<Registry> const& state)
{
    auto const sum = checked_money_in(state);
    BLENDR_ASSERT(sum.has_value());
    return *sum;
}

}  // namespace blendr::ledger
