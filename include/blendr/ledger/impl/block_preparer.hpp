// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <boost/mp11/algorithm.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/merkle_list.hpp>
#include <blendr/ledger/prepare.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/signatures.hpp>
#include <blendr/ledger/transaction.hpp>

namespace blendr::ledger::impl {

/// Turns a block's bytes into transactions that can run, on all cores: decodes, checks what needs no
/// state, finds slots, verifies signatures in batches. Of several faults it names the same one on
/// every node, wherever the threads were.
template <class Registry>
class block_preparer {
public:
    static constexpr std::size_t part_size = 2048;

    block_preparer(rows<Registry>& state, task_pool& pool, rules::row const& fixed)
        : state_{&state},
          pool_{&pool},
          fixed_{&fixed}
    {}

    /// What a transaction needs; refuses messages that no contract of the chain has.
    static result<gas, reject> needs(rows<Registry> const& state, transaction_view const& tx)
    {
        // hashing keys reads nothing of the state but its secret
        prepared_part<Registry> part{const_cast<rows<Registry>&>(state)};
        part.add_tx(crypto::address_of(tx.sender), tx.sequence.get());
        BLENDR_CHECK(add_messages(part, tx));
        return part.needs(tx.raw.size());
    }

    /// Refuses messages that no contract of the chain has, and bodies that do not decode.
    static result<nothing, reject> add_messages(prepared_part<Registry>& part,
                                                transaction_view const& tx)
    {
        for (auto const each : tx.messages) {
            auto const index = Registry::index_of(frozen_number{each.contract, each.index});
            if (index == Registry::message_count) return fail{reject::unknown_message};
            if (!part.add_message(index, each.body)) return fail{reject::malformed_message};
        }
        return nothing{};
    }

    result<nothing, reject> prepare(block_view const& block, signature_checker& signatures)
    {
        auto const count = block.transactions.size();
        views_.resize(count);
        ids_.resize(count);
        senders_.resize(count);
        for (std::size_t i = 0; i < count; i += part_size)
            parts_.push_back(std::make_unique<prepared_part<Registry>>(*state_));
        BLENDR_CHECK(each_part([&](std::size_t p) { return decode_part(block, p); }));
        identify(*pool_, views_, ids_, senders_);
        if (list_root(ids_) != block.head.transactions)
            return fail{reject::wrong_transactions_root};
        std::vector<gas> needed(parts_.size());
        BLENDR_CHECK(each_part([&](std::size_t p) { return add_part(block.head, p, needed[p]); }));
        BLENDR_CHECK(check_gas(block.head, needed));
        if (!signatures.bad_ones(views_, ids_).empty()) return fail{reject::block_signature};
        reserve();
        BLENDR_CHECK(each_part([&](std::size_t p) -> result<nothing, reject> {
            parts_[p]->resolve();
            return nothing{};
        }));
        for (auto const& each : parts_) txs_.push_back(std::as_const(*each).txs());
        BLENDR_CHECK(check_order());
        return nothing{};
    }

    std::span<std::span<prepared_tx const> const> txs() const noexcept { return txs_; }
    std::span<hash256 const> ids() const noexcept { return ids_; }

private:
    /// Works on all parts; the fault of the first part that has one.
    template <class Body>
    result<nothing, reject> each_part(Body&& body)
    {
        std::vector<std::optional<reject>> faults(parts_.size());
        pool_->parallel_for(parts_.size(), 1, [&](std::size_t begin, std::size_t end) {
            for (auto p = begin; p < end; ++p)
                if (auto const done = body(p); !done) faults[p] = done.error();
        });
        for (auto const& fault : faults)
            if (fault) return fail{*fault};
        return nothing{};
    }

    result<nothing, reject> decode_part(block_view const& block, std::size_t p)
    {
        auto const first = p * part_size;
        for (auto i = first; i < std::min(ids_.size(), first + part_size); ++i) {
            auto const tx = decode_transaction(block.transactions[i]);
            if (!tx) return fail{reject::malformed_transaction};
            if (tx->chain != fixed_->chain || tx->shard != fixed_->shard)
                return fail{reject::block_wrong_chain};
            if (tx->expires < block.head.at) return fail{reject::block_expired};
            views_[i] = *tx;
        }
        return nothing{};
    }

    result<nothing, reject> add_part(header const& head, std::size_t p, gas& sum)
    {
        auto const first = p * part_size;
        for (auto i = first; i < std::min(ids_.size(), first + part_size); ++i) {
            auto const& tx = views_[i];
            parts_[p]->add_tx(senders_[i], tx.sequence.get());
            if (!add_messages(*parts_[p], tx)) return fail{reject::malformed_transaction};
            auto const needed = parts_[p]->needs(tx.raw.size());
            auto const more = add(sum, needed);
            if (!more) return fail{reject::over_gas_limit};
            sum = *more;
            parts_[p]->price(needed, head.base_fee, tx.tip, tx.fee_max);
        }
        return nothing{};
    }

    result<nothing, reject> check_gas(header const& head, std::vector<gas> const& needed) const
    {
        gas sum{};
        for (auto const each : needed) {
            auto const more = add(sum, each);
            if (!more) return fail{reject::over_gas_limit};
            sum = *more;
        }
        if (sum > fixed_->fees.block_limit) return fail{reject::over_gas_limit};
        if (sum != head.gas_used) return fail{reject::wrong_gas};
        return nothing{};
    }

    void reserve()
    {
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<Registry::table_count>>([&](auto t) {
            std::size_t sum = 0;
            for (auto const& each : parts_) sum += each->keys_wanted()[t];
            state_->template table<typename Registry::template table_at<decltype(t)::value>>()
                .reserve(sum);
        });
    }

    /// Nonces of one sender rise within a block; so no transaction stands in it twice.
    result<nothing, reject> check_order() const
    {
        boost::unordered_flat_map<state::slot, std::uint64_t> seen;
        seen.reserve(ids_.size());
        for (auto const& part : txs_)
            for (auto const& tx : part) {
                auto const [at, first] = seen.try_emplace(tx.purse, tx.nonce);
                if (first) continue;
                if (tx.nonce == at->second) return fail{reject::repeated_transaction};
                if (tx.nonce < at->second) return fail{reject::wrong_order};
                at->second = tx.nonce;
            }
        return nothing{};
    }

    rows<Registry>* state_;
    task_pool* pool_;
    rules::row const* fixed_;
    std::vector<transaction_view> views_{};
    std::vector<hash256> ids_{};
    std::vector<address> senders_{};
    std::vector<std::unique_ptr<prepared_part<Registry>>> parts_{};
    std::vector<std::span<prepared_tx const>> txs_{};
};

}  // namespace blendr::ledger::impl
