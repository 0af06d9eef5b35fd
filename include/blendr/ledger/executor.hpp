// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/ledger/context.hpp>
#include <blendr/ledger/prepare.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/rows.hpp>

namespace blendr::ledger {

/// How one transaction of a block ended.
struct outcome {
    std::uint32_t code{};  ///< 0, or contract id << 16 | error
    bool charged = true;   ///< fee paid and nonce used: always, unless the code is contract 0's

    friend bool operator==(outcome const&, outcome const&) = default;
};

namespace impl {

/// The memory of a transaction's rows, on its way while others run.
template <class Registry>
[[gnu::always_inline]] inline void fetch_rows(rows<Registry> const& state, prepared_tx const& tx)
{
    for (std::uint32_t i = 0; i < tx.touch_count; ++i) {
        auto const& at = tx.touches[i];
        boost::mp11::mp_with_index<Registry::table_count>(at.table, [&](auto t) {
            using table = typename Registry::template table_at<decltype(t)::value>;
            state.template table<table>().prefetch(at.at);
        });
    }
}

/// Runs the messages of a transaction up to the first that fails.
template <class Registry, class Context>
[[gnu::always_inline]] inline std::uint32_t run_messages(Context& context, prepared_tx const& tx)
{
    std::uint32_t result = 0;
    for (auto* each = tx.calls; each != nullptr && result == 0; each = each->next) {
        visit_call<Registry>(*each, [&](auto& call) {
            using owner = typename std::remove_cvref_t<decltype(call)>::kind::owner;
            result = code<owner>(owner::apply(context, call.message, call.plan));
        });
        context.next_message();
    }
    return result;
}

/// Charges a transaction and runs it. One that fails keeps fee and nonce and changes nothing else.
template <class Registry, class Lane, class Context>
[[gnu::always_inline]] inline outcome run_one(Lane& on, Context& context, prepared_tx const& tx,
                                              std::uint32_t number)
{
    auto const& purse = on.state().template table<purses>().row(tx.purse);
    if (tx.refused != 0) return {tx.refused, false};
    if (purse.nonce != tx.nonce) return {code(reject::nonce_not_next), false};
    if (purse.balance < tx.fee) return {code(reject::underfunded), false};
    auto& charged = on.template touch<purses>(tx.purse);
    charged.balance -= tx.fee;
    ++charged.nonce;
    on.fees += tx.fee;
    on.gas += tx.gas;
    on.begin(number);
    context.enter({tx.sender, tx.nonce});
    auto const result = run_messages<Registry>(context, tx);
    result == 0 ? on.keep() : on.rollback();
    return {result, true};
}

}  // namespace impl

/// Transactions ahead whose rows are being fetched.
inline constexpr std::size_t rows_ahead = 6;

/// Runs transactions one after the other: what every other way must equal.
template <class Registry>
void execute_in_order(lane<Registry>& on, block_info const& block, std::span<prepared_tx const> txs,
                      std::uint32_t first, std::span<outcome> results)
{
    tx_context context{on, block};
    for (std::size_t i = 0; i < txs.size(); ++i) {
        if (i + rows_ahead < txs.size()) impl::fetch_rows(on.state(), txs[i + rows_ahead]);
        results[i] =
            impl::run_one<Registry>(on, context, txs[i], first + static_cast<std::uint32_t>(i));
    }
}

}  // namespace blendr::ledger
