// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/base.hpp>
#include <blendr/ledger/branches.hpp>
#include <blendr/ledger/fees.hpp>
#include <blendr/ledger/impl/block_preparer.hpp>
#include <blendr/ledger/mempool.hpp>
#include <blendr/ledger/prepare.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/signatures.hpp>
#include <blendr/ledger/transaction.hpp>

namespace blendr::ledger::impl {

/// Takes many transactions from bytes to the pool, step by step, on all cores. What is cheap to find
/// wrong is found before a signature is paid for. Only `judge` looks at the state.
template <class Registry>
class intake {
public:
    /// Decodes and hashes; the bytes must outlive this.
    intake(std::span<bytes_view const> raw, task_pool& pool) : pool_{&pool}, faults_(raw.size())
    {
        std::vector<transaction_view> decoded(raw.size());
        pool.parallel_for(raw.size(), part_size, [&](std::size_t begin, std::size_t end) {
            for (auto i = begin; i < end; ++i) {
                if (auto const tx = decode_transaction(raw[i]))
                    decoded[i] = *tx;
                else
                    faults_[i] = tx.error();
            }
        });
        keep_good(decoded);
        ids_.resize(views_.size());
        senders_.resize(views_.size());
        identify(pool, views_, ids_, senders_);
    }

    /// Refuses what the chain as it stands would not take, and finds what each needs.
    void judge(branches<Registry> const& blocks, mempool const& waiting)
    {
        candidates_.resize(views_.size());
        auto const fixed = blocks.template committed_row<rules>(0);
        auto const now = blocks.template committed_row<facts>(0);
        pool_->parallel_for(views_.size(), part_size, [&](std::size_t begin, std::size_t end) {
            // hashing keys reads nothing of the state but its secret
            prepared_part<Registry> part{const_cast<rows<Registry>&>(blocks.state())};
            for (auto i = begin; i < end; ++i) {
                candidates_[i] = {views_[i], ids_[i], senders_[i], {}, {}};
                fault(i) = weigh(part, fixed, now, candidates_[i]);
            }
        });
        auto next = candidates_.begin();
        blocks.template committed_rows<purses>(senders_, [&](purses::row const& purse) {
            (next++)->account = {nonce{purse.nonce}, purse.balance};
        });
        for (std::size_t i = 0; i < views_.size(); ++i)
            if (!fault(i)) fault(i) = afford(candidates_[i], waiting);
    }

    void check_signatures(signature_checker& signatures)
    {
        std::vector<transaction_view> txs{};
        std::vector<hash256> ids{};
        std::vector<std::size_t> of{};
        for (std::size_t i = 0; i < views_.size(); ++i) {
            if (fault(i)) continue;
            txs.push_back(views_[i]);
            ids.push_back(ids_[i]);
            of.push_back(i);
        }
        for (auto const bad : signatures.bad_ones(txs, ids))
            fault(of[bad]) = reject::wrong_signature;
    }

    /// One answer for each transaction that came, in order.
    std::vector<result<hash256, reject>> add_to(mempool& waiting)
    {
        std::vector<candidate> good{};
        std::vector<std::size_t> of{};
        good.reserve(candidates_.size());
        for (std::size_t i = 0; i < candidates_.size(); ++i) {
            if (fault(i)) continue;
            good.push_back(candidates_[i]);
            of.push_back(i);
        }
        auto const added = waiting.add(good);
        for (std::size_t i = 0; i < added.size(); ++i) fault(of[i]) = added[i];

        std::vector<result<hash256, reject>> out{};
        out.reserve(faults_.size());
        for (std::size_t i = 0, k = 0; i < faults_.size(); ++i) {
            bool const decoded = k < places_.size() && places_[k] == i;
            if (faults_[i])
                out.push_back(fail{*faults_[i]});
            else
                out.push_back(ids_[k]);
            k += decoded ? 1 : 0;
        }
        return out;
    }

private:
    static constexpr std::size_t part_size = 512;

    void keep_good(std::vector<transaction_view>& decoded)
    {
        for (std::size_t i = 0; i < decoded.size(); ++i)
            if (!faults_[i]) places_.push_back(i);
        if (places_.size() == decoded.size()) {
            views_ = std::move(decoded);
        } else {
            for (auto const i : places_) views_.push_back(decoded[i]);
        }
    }

    std::optional<reject>& fault(std::size_t i) { return faults_[places_[i]]; }

    static std::optional<reject> weigh(prepared_part<Registry>& part, rules::row const& fixed,
                                       facts::row const& now, candidate& in)
    {
        auto const& tx = in.tx;
        if (tx.chain != fixed.chain) return reject::wrong_chain;
        if (tx.shard != fixed.shard) return reject::wrong_shard;
        part.add_tx(in.sender, tx.sequence.get());
        if (auto const done = block_preparer<Registry>::add_messages(part, tx); !done)
            return done.error();
        in.needs = part.needs(tx.raw.size());
        if (in.needs > fixed.fees.block_limit) return reject::gas_above_block;
        if (tx.expires <= now.at) return reject::expired;
        auto const fee = fee_of(in.needs, now.base_fee, tx.tip);
        if (!fee || *fee > tx.fee_max) return reject::fee_below_base;
        return std::nullopt;
    }

    static std::optional<reject> afford(candidate const& in, mempool const& waiting)
    {
        if (in.tx.sequence < in.account.next) return reject::stale_nonce;
        if (in.account.balance < in.tx.fee_max) return reject::underfunded;
        if (waiting.contains(in.id)) return reject::duplicate;
        return std::nullopt;
    }

    task_pool* pool_;
    std::vector<std::optional<reject>> faults_;  // of each that came
    std::vector<std::size_t> places_{};          // where those that decode came
    std::vector<transaction_view> views_{};
    std::vector<hash256> ids_{};
    std::vector<crypto::address> senders_{};
    std::vector<candidate> candidates_{};
};

/// Judges one transaction as the chain stands, its signature last.
template <class Registry>
result<candidate, reject> judge_one(branches<Registry> const& blocks, mempool const& waiting,
                                    signature_checker& signatures, bytes_view raw)
{
    BLENDR_TRY(auto const tx, decode_transaction(raw));
    if (!blocks.begun()) return fail{reject::wrong_chain};
    auto const& fixed = blocks.template committed_row<rules>(0);
    if (tx.chain != fixed.chain) return fail{reject::wrong_chain};
    if (tx.shard != fixed.shard) return fail{reject::wrong_shard};
    BLENDR_TRY(auto const needs, block_preparer<Registry>::needs(blocks.state(), tx));
    if (needs > fixed.fees.block_limit) return fail{reject::gas_above_block};
    auto const now = blocks.template committed_row<facts>(0);
    if (tx.expires <= now.at) return fail{reject::expired};
    auto const fee = fee_of(needs, now.base_fee, tx.tip);
    if (!fee || *fee > tx.fee_max) return fail{reject::fee_below_base};
    auto const sender = crypto::address_of(tx.sender);
    auto const purse = blocks.template committed_row<purses>(sender);
    if (tx.sequence.get() < purse.nonce) return fail{reject::stale_nonce};
    if (purse.balance < tx.fee_max) return fail{reject::underfunded};
    auto const id = tx.id();
    if (waiting.contains(id)) return fail{reject::duplicate};
    if (!signatures.bad_ones(std::span{&tx, 1}, std::span{&id, 1}).empty())
        return fail{reject::wrong_signature};
    return candidate{tx, id, sender, needs, {nonce{purse.nonce}, purse.balance}};
}

}  // namespace blendr::ledger::impl
