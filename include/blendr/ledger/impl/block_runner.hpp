// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <boost/mp11/algorithm.hpp>

#include <blendr/core/assert.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/beacon.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/branches.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/ledger/hooks.hpp>
#include <blendr/ledger/impl/block_preparer.hpp>
#include <blendr/ledger/impl/state_changes.hpp>
#include <blendr/ledger/parallel.hpp>

namespace blendr::ledger::impl {

/// Who votes two heights after a block that left the rows so.
template <class Registry>
app::validator_set validators_in(rows<Registry>& state)
{
    app::validator_set out{};
    state.template table<validators>().each([&](auto const& key, auto const& row) {
        if (row.power != weight{}) out.push_back({key, row.power});
        return true;
    });
    return out;
}

/// Executes blocks on the working state: hooks, transactions, what the machine itself does at a block's
/// end, and the roots.
template <class Registry>
class block_runner {
public:
    block_runner(branches<Registry>& blocks, task_pool& pool)
        : blocks_{&blocks},
          pool_{&pool},
          execute_{pool}
    {}

    /// The row that the machine keeps under key 0, or an owner's purse, as the working state has it.
    template <class T>
    typename T::row const& now(typename T::key const& key = {}) const
    {
        static typename T::row const absent{};
        auto const& table = std::as_const(*blocks_).state().template table<T>();
        auto const at = table.find(key);
        return at == state::no_slot ? absent : table.row(at);
    }

    /// The state before the first block.
    result<block_node<Registry>, reject> begin(genesis const& document, bool store)
    {
        block_node<Registry> first{};
        first.head.chain = document.chain;
        first.head.block_time = document.begins;
        block_info const block{{}, document.begins, {}, {}};
        lane<Registry> on{blocks_->state(), ++stamp_};
        hooks<Registry> all{on, block, first.did.minted, pool_};
        auto in = all.template context<base>();
        for (auto const& each : document.accounts)
            in.give(in.template use<purses, mode::credit>(each.owner), each.balance);
        in.template edit<rules>(0) = {document.chain, {}, document.fees, document.money};
        in.template edit<facts>(0) = {{},
                                      document.begins,
                                      {},
                                      {},
                                      document.fees.base_fee_first,
                                      {document.money.premine, {}, {}}};
        for (auto const& each : document.validators)
            in.template edit<validators>(each.key) = {each.power, each.random};
        auto const filled = fill_sections(all, document);
        finish(on, first);
        auto const money = checked_money_in(std::as_const(*blocks_).state());
        if (!filled || money != document.money.premine || first.next.empty()) {
            first.did.swap(blocks_->state());
            if (!filled) return fail{filled.error()};
            return fail{first.next.empty() ? reject::no_validators : reject::allocation_mismatch};
        }
        root(first, blocks_->tree().decided(), store);
        blocks_->tree().decide(first.version);
        return first;
    }

    /// The header of a block on `parent`, but for its transactions; none when this node cannot make one.
    std::optional<header> next_header(block_node<Registry> const& parent,
                                      app::proposal_context const& at,
                                      std::optional<crypto::identity> const& by) const
    {
        header head{};
        head.chain = parent.head.chain;
        head.shard = parent.head.shard;
        head.at = at.at;
        head.parent = at.parent;
        head.block_time = at.block_time;
        head.proposer = at.proposer;
        head.after_parent = parent.after;
        head.base_fee = now<facts>().base_fee;
        if (!prove_beacon(head, now<facts>().beacon, now<validators>(at.proposer).random, by))
            return std::nullopt;
        return head;
    }

    result<nothing, reject> check_header(header const& head,
                                         block_node<Registry> const& parent) const
    {
        BLENDR_CHECK(check_follows(head, parent.head));
        if (head.base_fee != now<facts>().base_fee) return fail{reject::wrong_base_fee};
        return check_beacon(head, now<facts>().beacon, now<validators>(head.proposer).random);
    }

    /// Runs a block that was found valid.
    block_node<Registry> run(header const& head, block_id const& id, state::tree_version on_version,
                             block_preparer<Registry> const& ready, bool store)
    {
        block_node<Registry> node{};
        node.id = id;
        node.head = head;
        auto const proposer = crypto::address_of(head.proposer);
        block_info const block{head.at, head.block_time, now<facts>().beacon_before, proposer};
        lane<Registry> on{blocks_->state(), ++stamp_, execute_.spares.take()};
        hooks<Registry> all{on, block, node.did.minted, pool_};
        all.begin_block();
        node.did.outcomes.resize(ready.ids().size());
        execute_(on, stamp_, block, ready.txs(), node.did.outcomes, node.did.changes);
        all.deliver();
        all.end_block();
        settle(all, on, head, proposer, node.did);
        finish(on, node);
        check_money(head.at, node.did);
        write_receipts(node, ready);
        root(node, on_version, store);
        return node;
    }

    /// Takes back the memory of changes that are history.
    void reuse(std::vector<delta<Registry>> old)
    {
        for (auto& each : old) execute_.spares.give(std::move(each));
    }

private:
    /// Fees are burned and paid out, new money comes, and the facts of the next block are set.
    void settle(hooks<Registry>& all, lane<Registry>& on, header const& head,
                address const& proposer, applied<Registry>& did)
    {
        auto in = all.template context<base>();
        auto const fixed = now<rules>();
        auto const base_part = gas{on.gas} * head.base_fee;
        auto const split = split_fee(fixed.fees, base_part, on.fees - base_part);
        auto const fresh = emission(fixed.money, head.at);
        auto const parts = split_emission(fixed.money.split, fresh);
        in.burn(split.burned);
        in.mint(fresh);
        auto const pay = [&](address const& to, amount value) {
            if (value != amount{}) in.give(in.template use<purses, mode::credit>(to), value);
        };
        pay(proposer, split.proposer + parts.validators);
        pay(providers_pot(), parts.providers);
        pay(treasury_pot(), parts.treasury);
        auto& next = in.template edit<facts>(0);
        next.at = head.at;
        next.block_time = head.block_time;
        next.beacon_before = std::exchange(next.beacon, head.beacon);
        next.base_fee = next_base_fee(fixed.fees, head.base_fee, head.gas_used);
        next.money.emitted += fresh;
        next.money.burned += on.burned;
        did.fees = on.fees;
        did.gas = on.gas;
        did.burned = on.burned;
    }

    /// Takes the hooks' changes out of the lane, and the set of validators out of the rows.
    void finish(lane<Registry>& on, block_node<Registry>& node)
    {
        on.flush_marks();
        node.did.changes.push_back(std::move(on.before));
        node.next = validators_in(blocks_->state());
    }

    /// Every grain is accounted for, in every block of every build.
    void check_money(height at, applied<Registry> const& did) const
    {
        // fees left their purses before; what of them is neither burned nor paid out would be lost
        auto const money = money_in(blocks_->state(), std::span{did.changes});
        BLENDR_ASSERT(money.now + did.burned == money.kept + did.minted);
        BLENDR_ASSERT(allowed(now<rules>().money, now<facts>().money, at));
    }

    void write_receipts(block_node<Registry>& node, block_preparer<Registry> const& ready)
    {
        node.receipts.resize(ready.ids().size());
        std::size_t i = 0;
        for (auto const& part : ready.txs())
            for (auto const& tx : part) {
                auto const& how = node.did.outcomes[i];
                node.receipts[i] = {ready.ids()[i],
                                    how.code,
                                    gas{how.charged ? tx.gas : 0},
                                    how.charged ? tx.fee : amount{},
                                    {}};
                ++i;
            }
        std::vector<hash256> leaves(node.receipts.size());
        pool_->parallel_for(leaves.size(), 256, [&](std::size_t begin, std::size_t end) {
            for (auto r = begin; r < end; ++r) leaves[r] = leaf_of(node.receipts[r]);
        });
        node.after.receipts = list_root(std::move(leaves));
    }

    void root(block_node<Registry>& node, state::tree_version on, bool store)
    {
        if (node.after.receipts == hash256{})
            node.after.receipts = list_root(std::vector<hash256>{});
        auto const changes = state_changes(blocks_->state(), node.did, *pool_);
        node.version = blocks_->tree().apply(on, changes, pool_);
        node.after.state = blocks_->tree().root(node.version);
        node.after.validators = validators_root(node.next);
        if (store) node.stored = stored_changes(blocks_->state(), node.did);
    }

    template <class Hooks>
    static result<nothing, reject> fill_sections(Hooks& all, genesis const& document)
    {
        for (auto const& each : document.sections) {
            bool known = false;
            auto fault = reject::malformed_genesis;
            bool good = false;
            boost::mp11::mp_for_each<
                boost::mp11::mp_transform<boost::mp11::mp_identity, typename Registry::contracts>>(
                [&](auto type) {
                    using contract_type = typename decltype(type)::type;
                    if constexpr (requires { typename contract_type::genesis_document; }) {
                        if (each.contract != contract_type::name) return;
                        known = true;
                        auto const read =
                            decode<typename contract_type::genesis_document>(each.document);
                        if (!read) return;
                        good = all.template genesis<contract_type>(*read);
                        fault = reject::section_refused;
                    }
                });
            if (!known) return fail{reject::unknown_section};
            if (!good) return fail{fault};
        }
        return nothing{};
    }

    branches<Registry>* blocks_;
    task_pool* pool_;
    parallel_executor<Registry> execute_;
    std::uint32_t stamp_{};
};

}  // namespace blendr::ledger::impl
