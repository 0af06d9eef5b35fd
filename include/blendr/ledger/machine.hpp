// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
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
#include <blendr/app/snapshots.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/branches.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/ledger/impl/block_filler.hpp>
#include <blendr/ledger/impl/block_preparer.hpp>
#include <blendr/ledger/impl/ground.hpp>
#include <blendr/ledger/impl/intake.hpp>
#include <blendr/ledger/impl/snapshots.hpp>
#include <blendr/ledger/impl/state_keeper.hpp>
#include <blendr/ledger/machine_options.hpp>
#include <blendr/ledger/mempool.hpp>
#include <blendr/ledger/query.hpp>
#include <blendr/ledger/signatures.hpp>
#include <blendr/state/store.hpp>

namespace blendr::ledger {

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
          ground_{fresh_ground()},
          kept_{options_.store},
          signatures_{pool_, options_.signatures},
          waiting_{options_.waiting}
    {}

    // what app::application asks for

    app::info last() const
    {
        std::shared_lock const lock{mutex_};
        if (!blocks().begun()) return {};
        return {blocks().committed().head.at, app_hash(blocks().committed().after)};
    }

    /// The encoding of a `genesis`; `genesis_json.hpp` makes one of JSON text. Refused, with `refused()`
    /// saying why: what does not decode, cannot work, or does not add up.
    std::optional<app::validator_set> init(bytes_view raw)
    {
        std::unique_lock const lock{mutex_};
        if (blocks().begun()) return std::nullopt;
        auto const begun = begin(raw);
        if (begun && !kept_.failure()) return blocks().committed().next;
        if (!begun) refused_ = begun.error();
        return std::nullopt;
    }

    app::check_result check(bytes_view raw) const
    {
        std::shared_lock const lock{mutex_};
        auto const judged = impl::judge_one(blocks(), waiting_, signatures_, raw);
        if (!judged) return {code(judged.error()), std::string{message(judged.error())}, 0};
        return {0, {}, fee_rank(judged->tx.tip, judged->needs)};
    }

    std::optional<bytes> propose(app::proposal_context const& at, std::size_t bytes_max)
    {
        std::unique_lock const lock{mutex_};
        bool const able = blocks().begun() && !kept_.failure();
        auto const* const parent = able ? blocks().parent_of(at) : nullptr;
        if (parent == nullptr) return std::nullopt;
        blocks().move_to(parent->id);
        auto const next = runner().next_header(*parent, at, options_.proposer);
        if (!next) return std::nullopt;
        return impl::fill_block(runner(), waiting_, *next, bytes_max);
    }

    std::optional<app::verdict> verify(app::proposal_context const& at, block_id const& id,
                                       bytes_view payload)
    {
        std::unique_lock const lock{mutex_};
        if (!blocks().begun() || kept_.failure()) return std::nullopt;
        if (auto const* known = blocks().find(id); known != nullptr && known->head.at == at.at)
            return app::verdict::valid;
        auto* const parent = blocks().parent_of(at);
        if (parent == nullptr) return std::nullopt;
        auto const done = execute(*parent, at, id, payload);
        if (!done) refused_ = done.error();
        return done ? app::verdict::valid : app::verdict::invalid;
    }

    app::finalized finalize(app::proposal_context const& at, block_id const& id, bytes_view payload)
    {
        BLENDR_ASSERT(!failure());  // the store failed, and somebody goes on
        auto const judged = verify(at, id, payload);
        BLENDR_ASSERT(judged == app::verdict::valid);  // decided though invalid: halt
        std::unique_lock const lock{mutex_};
        blocks().decide(id);
        auto const& last = blocks().decided();
        app::finalized out{app_hash(last.after), {}, last.next};
        out.results.reserve(last.receipts.size());
        for (auto const& each : last.receipts)
            out.results.push_back({each.code, each.used.get(), encode(each)});
        return out;
    }

    height commit()
    {
        std::unique_lock const lock{mutex_};
        ground_->indices.follow(blocks());
        runner().reuse(blocks().commit([&](auto& each) { kept_.save(each); }));
        after_commit();
        auto const at = blocks().committed().head.at;
        if (options_.snapshot_every != 0 && at.get() % options_.snapshot_every == 0)
            take_snapshot();
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
        if (!blocks().begun()) return {code(query_fault::not_begun), {}, {}};
        impl::query_desk<registry> const desk{ground_->seen, ground_->indices, options_.queries};
        return desk(path, raw, [&](bytes_view key) {
            auto const at = blocks().committed().version;
            return state::encode_proof(blocks().tree().prove(at, state::key_hash(key)));
        });
    }

    // what app::snapshot_application asks for

    std::vector<app::snapshot> snapshots() const
    {
        std::shared_lock const lock{mutex_};
        std::vector<app::snapshot> out{};
        for (auto const& each : snapshots_) out.push_back(each.what);
        return out;
    }

    std::optional<bytes> chunk(height at, std::uint32_t index) const
    {
        std::shared_lock const lock{mutex_};
        for (auto const& each : snapshots_)
            if (each.what.at == at && index < each.chunks.size()) return each.chunks[index];
        return std::nullopt;
    }

    bool offer(app::snapshot const& which, hash256 const& trusted)
    {
        std::unique_lock const lock{mutex_};
        if (blocks().begun() && blocks().committed().head.at != height{}) return false;
        restoring_ = impl::snapshot_restorer<registry>::begin(which, trusted, fresh_ground());
        return restoring_ != nullptr;
    }

    /// With `refused_chunk()` saying what is wrong with one that is corrupt. A whole snapshot takes the
    /// place of genesis, in the store too.
    app::chunk_verdict restore(std::uint32_t index, bytes_view raw)
    {
        std::unique_lock const lock{mutex_};
        if (restoring_ == nullptr) return app::chunk_verdict::abandoned;
        auto const how = restoring_->take(index, raw, pool_);
        refused_chunk_ = restoring_->fault();
        if (how == app::chunk_verdict::abandoned) restoring_.reset();
        if (how != app::chunk_verdict::complete) return how;
        ground_ = std::exchange(restoring_, nullptr)->result();
        kept_.whole(blocks().state(), blocks().committed());
        after_commit();
        return how;
    }

    // and what a node wants besides

    /// Takes up the chain that the store holds, if it holds one, and verifies all of it against its root.
    /// Then the blocks above `last` are to be finalized again, from the log. Once, before `init`.
    result<nothing, state::io_error> load()
    {
        std::unique_lock const lock{mutex_};
        if (!options_.store || blocks().begun()) return nothing{};
        auto next = fresh_ground();
        BLENDR_TRY(auto found, impl::load_state(next->blocks, *options_.store, pool_));
        if (!found) return nothing{};
        ground_ = std::move(next);
        take_up(*std::move(found));
        return nothing{};
    }

    /// Offers a transaction for a block of this node's.
    result<hash256, reject> submit(bytes_view raw)
    {
        std::shared_lock const lock{mutex_};
        BLENDR_TRY(auto const judged, impl::judge_one(blocks(), waiting_, signatures_, raw));
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
            if (!blocks().begun()) return {raw.size(), fail{reject::wrong_chain}};
            all.judge(blocks(), waiting_);
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
        return blocks().template committed_row<T>(key);
    }

    /// Asks a contract, in its own types: see query.hpp.
    template <class Query>
    result<answer_of<registry, Query>, std::uint32_t> ask(Query const& asked) const
    {
        std::shared_lock const lock{mutex_};
        if (!blocks().begun()) return fail{code(query_fault::not_begun)};
        impl::query_work work{options_.queries.rows_max, false, false, false, {}};
        return ledger::ask(ground_->seen, ground_->indices, asked, work);
    }

    /// Keys of a table that this node keeps a place for.
    template <class T>
    std::size_t keys() const
    {
        std::shared_lock const lock{mutex_};
        return blocks().state().template table<T>().keys();
    }

    /// The last committed block: its name, header and roots, and the set that it left. None before a
    /// chain was begun. For hosts that keep no log of their own.
    std::optional<impl::stored_tip> tip() const
    {
        std::shared_lock const lock{mutex_};
        if (!blocks().begun()) return std::nullopt;
        return impl::tip_of(blocks().committed());
    }

    /// Why the last refused genesis or block was refused.
    std::optional<reject> refused() const
    {
        std::shared_lock const lock{mutex_};
        return refused_;
    }

    /// What the last chunk that `restore` called corrupt has, and which one it is.
    std::optional<state::chunk_error> refused_chunk() const
    {
        std::shared_lock const lock{mutex_};
        return refused_chunk_;
    }

    /// Why the store failed, if it did. Whatever was committed is in the log, so nothing is lost; but the
    /// machine takes part in nothing any more, and whoever still finalizes a block ends the process.
    /// Mend the disk, start again, replay.
    std::optional<state::io_error> failure() const
    {
        std::shared_lock const lock{mutex_};
        return kept_.failure();
    }

    mempool const& waiting() const noexcept { return waiting_; }

private:
    using block_type = block_node<registry>;
    using preparer = impl::block_preparer<registry>;

    branches<registry>& blocks() noexcept { return ground_->blocks; }
    branches<registry> const& blocks() const noexcept { return ground_->blocks; }
    impl::block_runner<registry>& runner() noexcept { return ground_->runner; }

    std::unique_ptr<impl::ground<registry>> fresh_ground()
    {
        return std::make_unique<impl::ground<registry>>(
            options_.secret != 0 ? options_.secret : impl::fresh_secret(),
            state::tree::options{options_.roots_kept}, pool_);
    }

    result<nothing, reject> begin(bytes_view raw)
    {
        BLENDR_TRY(auto const document, read_genesis(raw));
        if (auto const good = ledger::check(document); !good) return fail{good.error().why};
        BLENDR_TRY(auto first, runner().begin(document, options_.store != nullptr));
        kept_.first(first);
        take_up(std::move(first));
        return nothing{};
    }

    /// Goes on from a block whose state the rows are.
    void take_up(block_type from)
    {
        ground_->take_up(std::move(from));
        after_commit();
    }

    result<nothing, reject> execute(block_type& parent, app::proposal_context const& at,
                                    block_id const& id, bytes_view payload)
    {
        BLENDR_TRY(auto const block, decode_block(payload));
        BLENDR_CHECK(check_place(block.head, at));
        BLENDR_CHECK(check_roots(block.head, parent.after));
        blocks().move_to(parent.id);
        BLENDR_CHECK(runner().check_header(block.head, parent));
        preparer ready{blocks().state(), pool_, runner().template now<rules>()};
        BLENDR_CHECK(ready.prepare(block, signatures_));
        auto executed =
            runner().run(block.head, id, parent.version, ready, options_.store != nullptr);
        blocks().add(std::move(executed));
        return nothing{};
    }

    void take_snapshot()
    {
        auto made = impl::snapshot_maker<registry>{*ground_, pool_}();
        if (!made) return;
        snapshots_.push_back(*std::move(made));
        while (snapshots_.size() > options_.snapshots_kept) snapshots_.pop_front();
    }

    void after_commit()
    {
        auto const now = blocks().template committed_row<facts>(0);
        waiting_.after_block(now.at + std::uint64_t{1}, now.base_fee,
                             [&](std::span<address const> who, std::span<account_state> out) {
                                 auto next = out.begin();
                                 blocks().template committed_rows<purses>(
                                     who, [&](purses::row const& purse) {
                                         *next++ = {nonce{purse.nonce}, purse.balance};
                                     });
                             });
    }

    options options_;
    task_pool pool_;
    mutable std::shared_mutex mutex_;
    std::unique_ptr<impl::ground<registry>> ground_;
    impl::state_keeper<registry> kept_;
    std::unique_ptr<impl::snapshot_restorer<registry>> restoring_{};
    std::deque<impl::made_snapshot> snapshots_{};  // oldest first
    mutable signature_checker signatures_;         // any thread
    mempool waiting_;
    std::optional<reject> refused_{};
    std::optional<state::chunk_error> refused_chunk_{};
};

}  // namespace blendr::ledger
