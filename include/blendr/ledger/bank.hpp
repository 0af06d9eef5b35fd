// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/ledger/contract.hpp>
#include <blendr/ledger/purses.hpp>

namespace blendr::ledger {

/// Moves money between purses: the first contract, and the one to copy from.
struct bank {
    static constexpr std::uint16_t id = 1;
    static constexpr std::string_view name = "bank";

    enum class error : std::uint16_t {
        ok = 0,
        poor = 1,     ///< the sender has less than that
        nothing = 2,  ///< no money to move
    };

    /// To one.
    struct transfer {
        address to{};
        amount value{};
    };
    struct share {
        address to{};
        amount value{};
    };
    /// To many, all or none.
    struct multi_send {
        bounded<std::vector<share>, 256> to{};
    };
    using messages = type_list<transfer, multi_send>;

    struct transfer_plan {
        ref<purses, mode::debit> from{};
        ref<purses, mode::credit> to{};
    };
    static transfer_plan touches(transfer const& m, tx_info const& tx, auto& access)
    {
        return {access.template use<purses, mode::debit>(tx.sender),
                access.template use<purses, mode::credit>(m.to)};
    }
    static error apply(auto& ctx, transfer const& m, transfer_plan const& rows)
    {
        if (m.value == amount{}) return error::nothing;
        if (!ctx.take(rows.from, m.value)) return error::poor;
        ctx.give(rows.to, m.value);
        return error::ok;
    }

    struct multi_send_plan {
        ref<purses, mode::debit> from{};
        std::vector<ref<purses, mode::credit>> to{};
    };
    static multi_send_plan touches(multi_send const& m, tx_info const& tx, auto& access)
    {
        multi_send_plan rows{access.template use<purses, mode::debit>(tx.sender), {}};
        rows.to.reserve(m.to.size());
        for (auto const& each : m.to)
            rows.to.push_back(access.template use<purses, mode::credit>(each.to));
        return rows;
    }
    static error apply(auto& ctx, multi_send const& m, multi_send_plan const& rows)
    {
        amount total{};
        for (auto const& each : m.to) {
            auto const sum = add(total, each.value);
            if (!sum) return error::poor;
            total = *sum;
        }
        if (total == amount{}) return error::nothing;
        if (!ctx.take(rows.from, total)) return error::poor;
        for (std::size_t i = 0; i < m.to.size(); ++i) ctx.give(rows.to[i], m.to[i].value);
        return error::ok;
    }
};
BOOST_DESCRIBE_ENUM(bank::error, ok, poor, nothing)
BOOST_DESCRIBE_STRUCT(bank::transfer, (), (to, value))
BOOST_DESCRIBE_STRUCT(bank::share, (), (to, value))
BOOST_DESCRIBE_STRUCT(bank::multi_send, (), (to))

}  // namespace blendr::ledger
