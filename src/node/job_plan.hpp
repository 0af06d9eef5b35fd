// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/node/client.hpp>
#include <blendr/node/renter.hpp>
#include <blendr/work/app.hpp>

/// From what somebody wants to what the chain is told: units, price, terms. Needs no key, so that a node may
/// plan for a renter who signs elsewhere.
namespace blendr::node::impl {

/// Whoever knows the chain: a node over its RPC, or the node itself.
struct chain_facts {
    std::function<std::vector<result<bytes, std::string>>(std::span<client::question const>)> ask{};
    std::int64_t block_ms = 500;  ///< how long a block takes lately

    template <class Answer>
    result<Answer, std::string> one(std::string_view path, bytes what) const
    {
        client::question const question{path, std::move(what)};
        auto const all = ask(std::span{&question, 1});
        if (!all.front()) return fail{all.front().error()};
        return client::read<Answer>(path, *all.front());
    }
};

struct stage_plan {
    std::unique_ptr<work::task> task{};
    work::stage stage{};
    escrow::order order{};
    job_quote quote{};

    amount work_most() const { return amount{quote.each_most.grains() * quote.units}; }
};

/// The app's task, cut into about as many units as the request says.
result<std::unique_ptr<work::task>, std::string> task_of(job_request const& what);
/// Lets a task go on from the results of the stages that are done: its next stage, or none.
result<std::optional<work::stage>, std::string>
next_stage(work::task& of, std::span<std::vector<bytes> const> results);
/// The stage that comes after those: its order (all but `data`) and what it would cost.
result<stage_plan, std::string> plan_stage(job_request const& what,
                                           std::span<std::vector<bytes> const> results,
                                           chain_facts const& chain);

/// What tells the chain, in one transaction: the order, and a bid unless the price is posted. What
/// the order's `data` names is the caller's to put somewhere before.
std::vector<ledger::wire_message> order_messages(job_request const& what, stage_plan const& plan,
                                                 std::uint64_t number, height now);
market::contract::place bid_of(job_request const& what, stage_plan const& plan,
                               std::uint64_t number, height now);
escrow::contract::submit submission_of(job_request const& what, stage_plan const& plan,
                                       std::uint64_t number);

}  // namespace blendr::node::impl
