// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <blendr/app/application.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/ledger/beacon.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/branches.hpp>
#include <blendr/ledger/committed.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/ledger/impl/block_preparer.hpp>
#include <blendr/ledger/impl/block_runner.hpp>
#include <blendr/ledger/impl/intake.hpp>
#include <blendr/ledger/impl/state_changes.hpp>
#include <blendr/ledger/impl/state_loader.hpp>
#include <blendr/ledger/index.hpp>
#include <blendr/ledger/mempool.hpp>
#include <blendr/ledger/query.hpp>
#include <blendr/ledger/signatures.hpp>
#include <blendr/state/store.hpp>

namespace blendr::ledger {

struct machine_options {
    unsigned threads = 0;        ///< 0: one for each core
    std::size_t roots_kept = 8;  ///< states that stay provable
    std::uint64_t secret = 0;    ///< 0: from the system; moves slots, never results
    mempool_limits waiting{};
    query_limits queries{};
    signature_checker::options signatures{};
    std::optional<crypto::identity> proposer{};  ///< adds to the beacon when this node proposes
    std::shared_ptr<state::store> store{};       ///< rows of committed blocks go there
};

/// A chain made of contracts: the deterministic state machine that an engine orders blocks for.
///
/// It meets `app::application`, with its promises about threads. Blocks are decoded, verified and
/// executed on all cores; siblings in the block tree share one working state. A block that breaks
/// conservation of money, or that was decided though it is invalid, ends the process: going on would
/// spread the damage.
template <contract... Cs>
class machine {
public:
    using registry = ledger::registry<Cs...>;
    using options = machine_options;

    machine() : machine{options{}} {}
    explicit machine(options chosen)
        : options_{std::move(chosen)},
          pool_{options_.threads},
          blocks_{options_.secret != 0 ? options_.secret : impl::fresh_secret(),
                  state::tree::options{options_.roots_kept}},
          committed_{blocks_},
          runner_{blocks_, pool_},
          signatures_{pool_, options_.signatures},
          waiting_{options_.waiting}
    {}

    // what app::application asks for

    app::info last() const
    {
        std::shared_lock const lock{mutex_};
        if (!blocks_.begun()) return {};
        return {blocks_.committed().head.at, app_hash(blocks_.committed().after)};
    }

    /// The encoding of a `genesis`; `genesis_json.hpp` makes one of JSON text. Refused, with `refused()`
    /// saying why: what does not decode, cannot work, or does not add up.
    std::optional<app::validator_set> init(bytes_view raw)
    {
        std::unique_lock const lock{mutex_};
        if (blocks_.begun()) return std::nullopt;
        auto const begun = begin(raw);
        if (begun) return blocks_.committed().next;
        refused_ = begun.error();
        return std::nullopt;
    }

    app::check_result check(bytes_view raw) const
    {
        std::shared_lock const lock{mutex_};
        auto const judged = judge(raw);
        if (!judged) return {code(judged.error()), std::string{message(judged.error())}, 0};
        return {0, {}, fee_rank(judged->tx.tip, judged->needs)};
    }

    std::optional<bytes> propose(app::proposal_context const& at, std::size_t bytes_max)
    {
        std::unique_lock const lock{mutex_};
        auto const* const parent = blocks_.begun() ? blocks_.parent_of(at) : nullptr;
        if (parent == nullptr) return std::nullopt;
        blocks_.move_to(parent->id);
        auto const next = runner_.next_header(*parent, at, options_.proposer);
        if (!next) return std::nullopt;
        return fill(*next, bytes_max);
    }

    std::optional<app::verdict> verify(app::proposal_context const& at, block_id const& id,
                                       bytes_view payload)
    {
        std::unique_lock const lock{mutex_};
        if (!blocks_.begun()) return std::nullopt;
        if (auto const* known = blocks_.find(id); known != nullptr && known->head.at == at.at)
            return app::verdict::valid;
        auto* const parent = blocks_.parent_of(at);
        if (parent == nullptr) return std::nullopt;
        auto const done = execute(*parent, at, id, payload);
        if (!done) refused_ = done.error();
        return done ? app::verdict::valid : app::verdict::invalid;
    }

    app::finalized finalize(app::proposal_context const& at, block_id const& id, bytes_view payload)
    {
        auto const judged = verify(at, id, payload);
        BLENDR_ASSERT(judged == app::verdict::valid);  // decided though invalid: halt
        std::unique_lock const lock{mutex_};
        blocks_.decide(id);
        auto const& last = blocks_.decided();
        app::finalized out{app_hash(last.after), {}, last.next};
        out.results.reserve(last.receipts.size());
        for (auto const& each : last.receipts)
            out.results.push_back({each.code, each.used.get(), encode(each)});
        return out;
    }

    height commit()
    {
        std::unique_lock const lock{mutex_};
        indices_.follow(blocks_);
        runner_.reuse(blocks_.commit([&](auto& each) { save(each); }));
        after_commit();
        auto const at = blocks_.committed().head.at;
        if (!options_.store) return height{1};
        return std::min(options_.store->durable().value_or(height{}), at) + std::uint64_t{1};
    }

    /// "<contract>/<query>" with the encoded question: the encoded answer, and with `proof_suffix` a proof
    /// of the rows that it was made of. "<contract>/<table>" with an encoded key: the encoded row, empty
    /// where there is none, and a proof either way under the state root that the next header carries.
    /// What is refused has a contract's code or a `query_fault`'s.
    app::query_result query(std::string_view path, bytes_view raw) const
    {
        std::shared_lock const lock{mutex_};
        if (!blocks_.begun()) return {code(query_fault::not_begun), {}, {}};
        impl::query_desk<registry> const desk{committed_, indices_, options_.queries};
        return desk(path, raw, [&](bytes_view key) {
            auto const at = blocks_.committed().version;
            return state::encode_proof(blocks_.tree().prove(at, state::key_hash(key)));
        });
    }

    // and what a node wants besides

    /// Takes up the chain that the store holds, if it holds one, and verifies all of it against its root.
    /// Then the blocks above `last` are to be finalized again, from the log. Once, before `init`.
    result<nothing, state::io_error> load()
    {
        std::unique_lock const lock{mutex_};
        if (!options_.store || blocks_.begun()) return nothing{};
        BLENDR_TRY(auto found, impl::load_state(blocks_, *options_.store, pool_));
        if (!found) return nothing{};
        take_up(*std::move(found));
        return nothing{};
    }

    /// Offers a transaction for a block of this node's.
    result<hash256, reject> submit(bytes_view raw)
    {
        std::shared_lock const lock{mutex_};
        BLENDR_TRY(auto const judged, judge(raw));
        BLENDR_CHECK(waiting_.add(judged));
        return judged.id;
    }

    /// Offers many at once: decoded, hashed and verified in batches on all cores, mostly beside the
    /// execution of a block. One answer each, in order.
    std::vector<result<hash256, reject>> submit(std::span<bytes_view const> raw)
    {
        impl::intake<registry> all{raw, pool_};
        {
            std::shared_lock const lock{mutex_};
            if (!blocks_.begun()) return {raw.size(), fail{reject::wrong_chain}};
            all.judge(blocks_, waiting_);
        }
        all.check_signatures(signatures_);
        return all.add_to(waiting_);
    }

    /// Checks the signatures of a payload before its turn comes, on any thread: then they cost nothing
    /// any more when it is verified.
    void look_ahead(bytes_view payload) { check_ahead(signatures_, pool_, payload); }

    signature_checker::counters signatures() const { return signatures_.count(); }

    /// A row after the last committed block; a default row where there is none.
    template <class T>
    typename T::row row(typename T::key const& key) const
    {
        std::shared_lock const lock{mutex_};
        return blocks_.template committed_row<T>(key);
    }

    /// Asks a contract, in its own types: see query.hpp.
    template <class Query>
    result<answer_of<registry, Query>, std::uint32_t> ask(Query const& asked) const
    {
        std::shared_lock const lock{mutex_};
        if (!blocks_.begun()) return fail{code(query_fault::not_begun)};
        impl::query_work work{options_.queries.rows_max, false, false, false, {}};
        return ledger::ask(committed_, indices_, asked, work);
    }

    /// Keys of a table that this node keeps a place for.
    template <class T>
    std::size_t keys() const
    {
        std::shared_lock const lock{mutex_};
        return blocks_.state().template table<T>().keys();
    }

    /// Why the last refused genesis or block was refused.
    std::optional<reject> refused() const
    {
        std::shared_lock const lock{mutex_};
        return refused_;
    }

    mempool const& waiting() const noexcept { return waiting_; }

private:
    using block_type = block_node<registry>;
    using preparer = impl::block_preparer<registry>;

    result<nothing, reject> begin(bytes_view raw)
    {
        BLENDR_TRY(auto const document, read_genesis(raw));
        BLENDR_CHECK(ledger::check(document));
        BLENDR_TRY(auto first, runner_.begin(document, options_.store != nullptr));
        if (options_.store) save(first);
        take_up(std::move(first));
        return nothing{};
    }

    /// Goes on from a block whose state the rows are.
    void take_up(block_type from)
    {
        blocks_.begin(std::move(from));
        indices_.rebuild(blocks_.state());
        after_commit();
    }

    result<candidate, reject> judge(bytes_view raw) const
    {
        BLENDR_TRY(auto const tx, decode_transaction(raw));
        if (!blocks_.begun()) return fail{reject::wrong_chain};
        auto const& fixed = blocks_.template committed_row<rules>(0);
        if (tx.chain != fixed.chain) return fail{reject::wrong_chain};
        if (tx.shard != fixed.shard) return fail{reject::wrong_shard};
        BLENDR_TRY(auto const needs, preparer::needs(blocks_.state(), tx));
        if (needs > fixed.fees.block_limit) return fail{reject::gas_above_block};
        auto const now = blocks_.template committed_row<facts>(0);
        if (tx.expires <= now.at) return fail{reject::expired};
        auto const fee = fee_of(needs, now.base_fee, tx.tip);
        if (!fee || *fee > tx.fee_max) return fail{reject::fee_below_base};
        auto const sender = crypto::address_of(tx.sender);
        auto const purse = blocks_.template committed_row<purses>(sender);
        if (tx.sequence.get() < purse.nonce) return fail{reject::stale_nonce};
        if (purse.balance < tx.fee_max) return fail{reject::underfunded};
        auto const id = tx.id();
        if (waiting_.contains(id)) return fail{reject::duplicate};
        if (!signatures_.bad_ones(std::span{&tx, 1}, std::span{&id, 1}).empty())
            return fail{reject::wrong_signature};
        return candidate{tx, id, sender, needs, {nonce{purse.nonce}, purse.balance}};
    }

    bytes fill(header head, std::size_t bytes_max)
    {
        auto const& fixed = runner_.template now<rules>();
        bytes_max = std::min(bytes_max, block_bytes_max);
        auto const overhead = encoded_size(head) + 64;
        auto const room = bytes_max > overhead ? bytes_max - overhead : 0;
        auto const chosen = waiting_.pick(head.at, head.base_fee, room, fixed.fees.block_limit);
        std::vector<bytes_view> txs;
        std::vector<hash256> ids;
        for (std::size_t i = 0; i < chosen.transactions.size(); ++i) {
            // a block above the last committed one may have used it
            if (chosen.sequences[i].get() < runner_.template now<purses>(chosen.senders[i]).nonce)
                continue;
            head.gas_used += chosen.needs_each[i];
            txs.push_back(chosen.transactions[i]);
            ids.push_back(chosen.ids[i]);
        }
        head.transactions = list_root(std::move(ids));
        return encode_block(head, txs);
    }

    result<nothing, reject> execute(block_type& parent, app::proposal_context const& at,
                                    block_id const& id, bytes_view payload)
    {
        BLENDR_TRY(auto const block, decode_block(payload));
        BLENDR_CHECK(check_place(block.head, at));
        BLENDR_CHECK(check_roots(block.head, parent.after));
        blocks_.move_to(parent.id);
        BLENDR_CHECK(runner_.check_header(block.head, parent));
        preparer ready{blocks_.state(), pool_, runner_.template now<rules>()};
        BLENDR_CHECK(ready.prepare(block, signatures_));
        auto executed =
            runner_.run(block.head, id, parent.version, ready, options_.store != nullptr);
        blocks_.add(std::move(executed));
        return nothing{};
    }

    void save(block_type& from)
    {
        if (!options_.store) return;
        std::vector<state::row_change> batch;
        for (auto const& [key, value] : from.stored) {
            batch.emplace_back(key, std::nullopt);
            if (value) batch.back().second = *value;
        }
        auto const tip = encode(impl::tip_of(from));
        batch.emplace_back(impl::tip_key, tip);
        auto const written = options_.store->write(batch, from.head.at);
        BLENDR_ASSERT(written.has_value());  // the log has the block: stop, and replay it later
        from.stored.clear();
    }

    void after_commit()
    {
        auto const now = blocks_.template committed_row<facts>(0);
        waiting_.after_block(now.at + std::uint64_t{1}, now.base_fee,
                             [&](std::span<address const> who, std::span<account_state> out) {
                                 auto next = out.begin();
                                 blocks_.template committed_rows<purses>(
                                     who, [&](purses::row const& purse) {
                                         *next++ = {nonce{purse.nonce}, purse.balance};
                                     });
                             });
    }

    options options_;
    task_pool pool_;
    mutable std::shared_mutex mutex_;
    branches<registry> blocks_;
    committed_rows<registry> committed_;
    indexes<registry> indices_{};
    impl::block_runner<registry> runner_;
    mutable signature_checker signatures_;  // any thread
    mempool waiting_;
    std::optional<reject> refused_{};
};

}  // namespace blendr::ledger
