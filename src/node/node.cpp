// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/node.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>

#include <sodium.h>

#include <blendr/app/block_id.hpp>
#include <blendr/core/assert.hpp>
#include <blendr/crypto/strict.hpp>
#include <blendr/crypto/verify_batch.hpp>
#include <blendr/net/gossip.hpp>
#include <blendr/net/tcp.hpp>
#include <blendr/node/judge.hpp>
#include <blendr/node/record_file.hpp>
#include <blendr/node/sync.hpp>
#include <blendr/store/database.hpp>
#include <node/blobs.hpp>
#include <node/history.hpp>
#include <node/joining.hpp>
#include <node/miner.hpp>
#include <node/witness.hpp>

namespace blendr::node {

namespace co = consensus;

namespace {

constexpr crypto::domain genesis_domain{"node.genesis/1"};

/// The first byte of every message between nodes.
enum class topic : std::uint8_t { engine = 0, transactions = 1, sync = 2, blobs = 3, states = 4 };

constexpr std::size_t inbox_bytes_max = std::size_t{96} << 20;
constexpr std::size_t worker_bytes_max = std::size_t{64} << 20;
constexpr std::size_t adopted_together = 16;
static_assert(adopted_together <= sync_headers_more);  // so that any row of headers can end
constexpr std::size_t adopted_unsynced = 512;          // blocks
constexpr std::size_t adopted_bytes = std::size_t{1} << 20;
constexpr std::size_t served_bytes = std::size_t{4} << 20;
constexpr std::size_t blocks_remembered = 512;
constexpr std::size_t transactions_remembered = std::size_t{1} << 18;
constexpr std::int64_t points_malformed = 20;
constexpr std::int64_t points_ban = 100;

time_ms monotonic_ms() noexcept
{
    return time_ms{std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::steady_clock::now().time_since_epoch())
                       .count()};
}
time_ms wall_ms() noexcept
{
    return time_ms{std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count()};
}

bytes wrap(topic about, bytes_view message)
{
    bytes out{};
    out.reserve(message.size() + 1);
    out.push_back(static_cast<std::byte>(about));
    out.insert(out.end(), message.begin(), message.end());
    return out;
}

struct hash_of {
    std::size_t operator()(hash256 const& id) const noexcept { return crypto::table_hash(id); }
};

struct received_message {
    crypto::public_key from{};
    bytes message{};
};
using inbox_item = std::variant<received_message, co::mined>;

struct peer_news {
    crypto::public_key who{};
    bool joined{};
};
struct offered {
    std::vector<bytes> transactions{};
};
struct for_worker {
    crypto::public_key from{};
    topic about{};
    bytes message{};
};
using work_item = std::variant<for_worker, peer_news, offered, committed_ptr>;

}  // namespace

class node::body final : public net::receiver {
public:
    explicit body(node_parts parts)
        : config_{std::move(parts.with)},
          me_{std::move(parts.me)},
          genesis_{std::move(parts.genesis)},
          kind_{std::move(parts.chain)},
          engines_{std::move(parts.engines)},
          transport_{std::move(parts.transport)},
          log_{std::move(parts.log)},
          asked_to_stop_{std::move(parts.stopping)},
          wall_{parts.wall ? std::move(parts.wall) : wall_ms},
          miner_{[this](co::mined const& m) { put(m, 0); }}
    {}

    ~body() override { stop(); }

    // ---- beginning and end

    result<nothing, std::string> start()
    {
        if (!log_) {
            auto const level = parse_log_level(config_.log.level);
            if (!level) return fail{"there is no log level \"" + config_.log.level + "\""};
            log_ = std::make_shared<logger>(*level, config_.log.json);
        }
        engine_kind_ = engines_.find(config_.consensus);
        if (engine_kind_ == nullptr) {
            std::string names{};
            for (auto const& each : engines_.names()) names += ' ' + each;
            return fail{"there is no engine \"" + config_.consensus + "\"; there are" + names};
        }
        BLENDR_CHECK(name_chain());
        bool const joins = config_.snapshots.join && joiner::may_join(config_);
        if (joins) {
            BLENDR_CHECK(join_network());
            BLENDR_CHECK(join_by_state());
        }
        joiner::sweep(config_);
        BLENDR_CHECK(open_chain());
        sync_.emplace(history_->last(), tip_.block, std::max<std::uint64_t>(config_.sync_behind, 4),
                      [this](auto const& block, bytes_view why) { return proves(block, why); });
        BLENDR_CHECK(open_blobs());
        witness_ = std::make_unique<witness>(*chain_, *kind_.forms, genesis_, me_,
                                             config_.consensus, genesis_name_);
        if (!joins) BLENDR_CHECK(join_network());
        std::string listens{};
        {
            std::lock_guard const lock{status_mutex_};
            tip_.state = "running";
            listens = tip_.p2p;
        }
        // Who is met already is nobody's news any more.
        if (joins)
            for (auto const& each : transport_->peers()) give_work(peer_news{each.key, true}, 0);
        running_ = true;
        engine_thread_ = std::thread{[this] { run_engine(); }};
        worker_thread_ = std::thread{[this] { run_worker(); }};
        log_->info("started", {{"self", to_text(me_.self())},
                               {"consensus", config_.consensus},
                               {"height", tip_.last.get()},
                               {"p2p", listens}});
        return nothing{};
    }

    result<nothing, std::string> join_network()
    {
        if (!transport_) {
            auto const& p = config_.p2p;
            net::tcp_options o{me_};
            o.chain = chain_name_;
            o.listen = p.listen;
            o.peers = p.peers;
            o.exchange = p.exchange;
            o.limits.peers_max = p.peers_max;
            o.limits.bytes_per_second = p.bytes_per_second;
            o.limits.bytes_per_second_all = p.bytes_per_second_all;
            o.limits.send_bytes_per_second = p.send_bytes_per_second;
            o.limits.send_bytes_per_second_all = p.send_bytes_per_second_all;
            o.limits.messages_per_second = p.messages_per_second;
            if (!config_.home.empty()) o.book_file = config_.home + "/addresses";
            transport_ = net::make_tcp_transport(std::move(o));
        }
        auto const listens = transport_->start(*this);
        if (!listens)
            return fail{"cannot listen at \"" + config_.p2p.listen +
                        "\": " + std::string{message(listens.error())}};
        std::lock_guard const lock{status_mutex_};
        tip_.p2p = *listens;
        return nothing{};
    }

    /// Before all else: peers are heard, this thread does what the worker's will do.
    result<nothing, std::string> join_by_state()
    {
        joiner by{config_, kind_};
        BLENDR_CHECK(by.begin(genesis_, chain_name_,
                              [this](auto const& voters, auto const& block, bytes_view why) {
                                  return proves(voters, block, why);
                              }));
        auto& sync = by.sync();
        auto heard = sync.steps();
        auto since = monotonic_ms();
        std::deque<work_item> taken{};
        while (!sync.done()) {
            if (asked_to_stop_ && asked_to_stop_()) return fail{"it was asked to stop"};
            {
                std::unique_lock lock{work_mutex_};
                work_wake_.wait_for(lock, std::chrono::milliseconds{20},
                                    [&] { return !work_.empty(); });
                taken.swap(work_);
                work_bytes_ = 0;
            }
            auto const at = monotonic_ms();
            for (auto const& each : taken) join_on(sync, each, at);
            taken.clear();
            snapshot_sync::sends out{};
            sync.tick(at, out);
            send_all(topic::states, net::lane::bulk, out);
            if (sync.steps() != heard) {
                heard = sync.steps();
                since = at;
            } else if (at - since > config_.snapshots.patience_ms) {
                log_->warning("nobody gave a whole state; it is to be blocks, then", {});
                return nothing{};
            }
        }
        auto const all = sync.so_far();
        BLENDR_TRY(auto const at, by.install(crypto::hash(genesis_domain, genesis_), chain_name_));
        log_->info("joined by a snapshot", {{"height", at.get()},
                                            {"pieces", all.pieces},
                                            {"kept", all.kept},
                                            {"headers", all.trail.get()}});
        return nothing{};
    }

    void join_on(snapshot_sync& sync, work_item const& each, time_ms at)
    {
        if (auto const* news = std::get_if<peer_news>(&each)) {
            if (news->joined)
                sync.joined(news->who);
            else
                sync.left(news->who);
        }
        auto const* m = std::get_if<for_worker>(&each);
        if (m == nullptr || m->about != topic::states) return;
        auto const said = decode<state_message>(m->message);
        if (!said) return transport_->penalise(m->from, points_malformed, "a state message");
        auto const wrong = sync.take(m->from, *said, at);
        if (!wrong) return;
        log_->warning("banned", {{"peer", to_text(m->from)}, {"why", *wrong}});
        transport_->penalise(m->from, points_ban, *wrong);
    }

    result<height, std::string>
    import(std::function<std::optional<ledger::logged_block>()> const& next, bool trust)
    {
        if (!log_) log_ = std::make_shared<logger>(log_level::error);
        engine_kind_ = engines_.find(config_.consensus);
        if (engine_kind_ == nullptr)
            return fail{"there is no engine \"" + config_.consensus + "\""};
        BLENDR_CHECK(name_chain());
        BLENDR_CHECK(open_chain());
        co::decide batch{};
        auto parent = tip_.block;
        while (auto block = next()) {
            auto const& at = block->at;
            auto const due = later(tip_last(), 1 + batch.blocks.size());
            if (at.at < due) continue;
            auto const name = "block " + std::to_string(at.at.get());
            if (at.at != due)
                return fail{name + " comes where " + std::to_string(due.get()) + " is due"};
            if ((at.at != height{1} && at.parent != parent) ||
                app::make_block_id(at, app::payload_digest(block->payload)) != block->id)
                return fail{name + " does not follow, or is not named by its content"};
            parent = block->id;
            batch.blocks.push_back({block->id, at, std::move(block->payload)});
            auto const why = history::finality_of(*block);
            if (!why) continue;
            bool const proven = proves(batch.blocks.back(), encode(*why));
            if (!proven && !(trust && std::holds_alternative<co::depth>(*why)))
                return fail{name + " is not proven to be final"};
            // The application has the last word: an invalid block never enters the log.
            for (auto const& b : batch.blocks)
                if (chain_->verify(b.at, b.id, b.payload) != app::verdict::valid)
                    return fail{name + " is not valid on this chain"};
            batch.why = *why;
            if (!decide(batch)) return fail{status().why};
            batch = {};
        }
        if (database_)
            if (auto const done = database_->state().flush(); !done)
                return fail{message(done.error())};
        return tip_last();
    }

    void stop()
    {
        {
            std::lock_guard const lock{inbox_mutex_};
            stopping_ = true;
        }
        inbox_wake_.notify_all();
        {
            std::lock_guard const lock{work_mutex_};
            work_stopping_ = true;
        }
        work_wake_.notify_all();
        if (engine_thread_.joinable()) engine_thread_.join();
        if (worker_thread_.joinable()) worker_thread_.join();
        if (transport_) transport_->stop();
        if (database_ && !failed_) {
            if (auto const done = database_->state().flush(); !done)
                log_->error("the state was not written", {{"why", message(done.error())}});
        }
        std::lock_guard const lock{status_mutex_};
        if (tip_.state != "failed") tip_.state = "stopped";
        running_ = false;
    }

    // ---- what peers say; on the transport's thread

    void on_joined(crypto::public_key const& peer) override
    {
        log_->debug("joined", {{"peer", to_text(peer)}});
        give_work(peer_news{peer, true}, 0);
    }
    void on_left(crypto::public_key const& peer, net::error why) override
    {
        log_->debug("left", {{"peer", to_text(peer)}, {"why", message(why)}});
        give_work(peer_news{peer, false}, 0);
    }
    bool on_message(crypto::public_key const& from, net::lane, bytes_view raw) override
    {
        if (raw.empty()) return false;
        auto const about = static_cast<topic>(raw.front());
        raw = raw.subspan(1);
        switch (about) {
        case topic::engine:
            put(received_message{from, to_bytes(raw)}, raw.size() + 128);
            return true;
        case topic::transactions:
        case topic::sync:
        case topic::blobs:
        case topic::states:
            give_work(for_worker{from, about, to_bytes(raw)}, raw.size() + 128);
            return true;
        }
        return false;
    }

    // ---- what anybody asks

    node_status status() const
    {
        std::lock_guard const lock{status_mutex_};
        auto out = tip_;
        out.peers = peers_;
        out.waiting = chain_->waiting_count();
        return out;
    }

    bool wait(std::int64_t ms) const
    {
        std::unique_lock lock{status_mutex_};
        ended_.wait_for(lock, std::chrono::milliseconds{ms}, [&] { return over_; });
        return !over_;
    }

    std::vector<submission> submit(std::span<bytes_view const> raw)
    {
        auto out = chain_->submit(raw);
        offered good{};
        std::size_t size = 0;
        for (std::size_t i = 0; i < out.size(); ++i)
            if (out[i]) {
                size += raw[i].size();
                good.transactions.push_back(to_bytes(raw[i]));
            }
        if (!good.transactions.empty()) give_work(std::move(good), size);
        return out;
    }

    std::optional<block_info> block(height at) const
    {
        auto const found = history_->block(at);
        if (!found || !*found) return std::nullopt;
        block_info out{**found, {}, false};
        std::lock_guard const lock{status_mutex_};
        auto const kept = recent_.find(at);
        if (kept != recent_.end()) {
            out.results = kept->second->done.results;
            out.executed = true;
        }
        return out;
    }

    std::optional<place> find(hash256 const& transaction) const
    {
        std::lock_guard const lock{status_mutex_};
        auto const found = places_.find(transaction);
        if (found == places_.end()) return std::nullopt;
        return found->second;
    }

    std::uint64_t on_block(std::function<void(committed_ptr const&)> tell)
    {
        std::lock_guard const lock{listeners_mutex_};
        listeners_.emplace(++listener_, std::move(tell));
        return listener_;
    }
    void forget(std::uint64_t subscription)
    {
        std::lock_guard const lock{listeners_mutex_};
        listeners_.erase(subscription);
    }

    std::map<std::string, std::int64_t> metrics() const
    {
        std::lock_guard const lock{status_mutex_};
        return metrics_;
    }
    void note_rpc(std::string where)
    {
        std::lock_guard const lock{status_mutex_};
        tip_.rpc = std::move(where);
    }

    config config_;
    crypto::identity me_;
    bytes genesis_;
    chain_kind kind_;
    engine_registry engines_;
    engine_kind const* engine_kind_ = nullptr;
    std::unique_ptr<store::database> database_{};
    std::unique_ptr<ledger::memory_block_log> memory_log_{};
    std::unique_ptr<store::memory_files> memory_files_{};
    std::shared_ptr<chain> chain_{};
    std::unique_ptr<history> history_{};
    std::unique_ptr<blob_service> blobs_{};
    std::unique_ptr<witness> witness_{};
    std::unique_ptr<net::transport> transport_;
    std::shared_ptr<logger> log_;
    std::function<bool()> asked_to_stop_;
    std::function<time_ms()> wall_;

    time_ms now_ms() const { return monotonic_ms(); }

private:
    store::file_layer& files()
    {
        return memory_files_ ? static_cast<store::file_layer&>(*memory_files_)
                             : store::system_files();
    }
    std::string directory() const { return config_.home.empty() ? "node" : config_.home; }

    result<nothing, std::string> open_blobs()
    {
        if (!memory_files_ && config_.home.empty())
            memory_files_ = std::make_unique<store::memory_files>();
        BLENDR_TRY(auto kept,
                   blob_store::open(files(), directory() + "/blobs", config_.blobs.quota_bytes));
        blobs_ = std::make_unique<blob_service>(
            std::move(kept), config_.blobs.bytes_max,
            blob_service::outside{
                [this](crypto::public_key const& to, bytes message) {
                    transport_->send(to, net::lane::bulk, net::share(wrap(topic::blobs, message)));
                },
                [this](crypto::public_key const& who, std::int64_t points, char const* why) {
                    transport_->penalise(who, points, why);
                },
                [this](std::string const& why) { log_->warning(why, {}); }});
        return nothing{};
    }

    // ---- taking up the chain

    /// A document that says the chain's name must say the one which follows from it and the engine.
    result<nothing, std::string> name_chain()
    {
        auto const begun = kind_.beginnings ? kind_.beginnings->naming(genesis_)
                                            : genesis_forms::named{genesis_, std::nullopt};
        genesis_name_ = genesis_name(begun.bare);
        chain_name_ = chain_name(genesis_name_, config_.consensus);
        if (begun.name && *begun.name != chain_name_)
            return fail{
                "the genesis document names another chain: it was written for another engine "
                "than \"" +
                config_.consensus + "\", or was changed since"};
        return nothing{};
    }

    result<nothing, std::string> open_chain()
    {
        auto const genesis_id = crypto::hash(genesis_domain, genesis_);
        chain_setup setup{{},
                          me_,
                          config_.threads,
                          config_.mempool_bytes,
                          config_.snapshots.every,
                          config_.snapshots.kept};
        ledger::block_log* log = nullptr;
        if (config_.home.empty()) {
            memory_files_ = std::make_unique<store::memory_files>();
            memory_log_ = std::make_unique<ledger::memory_block_log>();
            log = memory_log_.get();
        } else {
            auto opened = store::database::open(config_.home + "/data", database_options(config_));
            if (!opened) return fail{message(opened.error())};
            database_ = *std::move(opened);
            log = &database_->log();
            setup.store =
                std::shared_ptr<state::store>(std::shared_ptr<void>{}, &database_->state());
        }
        auto made = history::open(*log, files(), directory() + "/sets", genesis_id, chain_name_);
        if (!made) return fail{message(made.error())};
        history_ = *std::move(made);

        chain_ = kind_.make(setup);
        BLENDR_TRY(auto const opened, chain_->open(genesis_));
        tip_.last = opened.last.last;
        if (auto const first = opened.begun) {
            BLENDR_CHECK(learn(height{1}, *first));
        } else if (!history_->has_sets()) {
            // The genesis was durable before the first set was: it follows from the document.
            auto const again = kind_.make({{}, me_, 1, std::size_t{1} << 20});
            BLENDR_TRY(auto const anew, again->open(genesis_));
            BLENDR_CHECK(learn(height{1}, *anew.begun));
        }
        if (opened.last.last > history_->last())
            return fail{"the state is that of block " + std::to_string(opened.last.last.get()) +
                        ", the log ends at " + std::to_string(history_->last().get())};
        return replay(genesis_id, opened.last);
    }

    result<nothing, std::string> learn(height from, app::validator_set const& set)
    {
        // At genesis the set is that of the first two heights.
        if (auto const done = history_->learn_set(from, set); !done)
            return fail{message(done.error())};
        if (from == height{1}) return learn(height{2}, set);
        return nothing{};
    }

    result<nothing, std::string> replay(block_id const& genesis_id, app::info const& state)
    {
        tip_.block = genesis_id;
        tip_.app_hash = state.app_hash;
        tip_.consensus = config_.consensus;
        tip_.self = me_.self();
        tip_.chain = chain_name_;
        auto const end = history_->last();
        if (state.last > height{}) {
            auto const at = history_->block(state.last);
            if (!at) return fail{message(at.error())};
            if (!*at)
                return fail{"block " + std::to_string(state.last.get()) +
                            ", which the state is that of, is not in the log"};
            note(**at, state.app_hash, committed_ptr{});
        }
        for (auto at = later(state.last, 1); at <= end; at = later(at, 1)) {
            auto const block = history_->block(at);
            if (!block) return fail{message(block.error())};
            if (!*block)
                return fail{"block " + std::to_string(at.get()) + " is missing from the log"};
            auto const& b = **block;
            auto const done = chain_->finalize(b.at, b.id, b.payload);
            BLENDR_CHECK(learn(later(at, 2), done.next));
            chain_->commit();
            note(b, done.app_hash, done);
        }
        return nothing{};
    }

    // ---- the engine's thread

    void put(inbox_item item, std::size_t size)
    {
        std::lock_guard const lock{inbox_mutex_};
        if (inbox_bytes_ + size > inbox_bytes_max) {
            ++inbox_dropped_;
            return;
        }
        inbox_bytes_ += size;
        inbox_.push_back(std::move(item));
        inbox_wake_.notify_one();
    }

    co::clock now() const { return {monotonic_ms(), wall_()}; }

    void run_engine()
    {
        if (!boot()) return;
        std::deque<inbox_item> taken{};
        while (!over()) {
            {
                std::unique_lock lock{inbox_mutex_};
                auto const due = next_timer();
                inbox_wake_.wait_for(lock, std::chrono::milliseconds{due},
                                     [&] { return stopping_ || !inbox_.empty() || catch_up_; });
                if (stopping_) break;
                taken.swap(inbox_);
                inbox_bytes_ = 0;
            }
            fire_timers();
            pump();
            for (auto const& each : witness_->reports(tip_last()))
                if (auto const sent = submit(std::array{bytes_view{each}}).front(); !sent)
                    log_->warning("a report was not taken", {{"why", sent.error().reason}});
                else
                    log_->info("reported", {{"transaction", to_hex(*sent)}});
            take(taken);
            taken.clear();
            pump();
            if (catch_up_.exchange(false)) adopt();
            if (config_.stop_after != 0 && tip_last() >= height{config_.stop_after})
                end("stopped", "height " + std::to_string(config_.stop_after) +
                                   " is reached, at which it was asked to stop");
        }
        engine_.reset();
        if (auto const synced = history_->sync(); !synced) fatal(message(synced.error()));
    }

    bool over() const
    {
        std::lock_guard const lock{status_mutex_};
        return over_;
    }
    height tip_last() const
    {
        std::lock_guard const lock{status_mutex_};
        return tip_.last;
    }

    void end(std::string state, std::string why)
    {
        {
            std::lock_guard const lock{status_mutex_};
            if (over_) return;
            over_ = true;
            tip_.state = std::move(state);
            tip_.why = why;
        }
        ended_.notify_all();
        todo_.clear();
    }
    void fatal(std::string const& why)
    {
        log_->error("stopping", {{"why", why}});
        failed_ = true;
        end("failed", why);
    }

    /// A new incarnation of the engine, from the journal and the log.
    bool boot()
    {
        todo_.clear();
        timers_.clear();
        journal_.reset();
        co::started in{};
        auto journal =
            record_file::open(files(), directory(), "journal", [&](height, bytes_view record) {
                in.journal.push_back(to_bytes(record));
            });
        if (!journal) return fatal(message(journal.error())), false;
        journal_ = *std::move(journal);
        auto from = history_->checkpoint();
        if (!from) return fatal(message(from.error())), false;
        in.from = *std::move(from);
        std::uint64_t seed{};
        randombytes_buf(&seed, sizeof seed);
        engine_ = engine_kind_->make(config_.engine, co::identity{me_}, seed);
        step(std::move(in));
        pump();
        return true;
    }

    void step(co::event const& in)
    {
        if (!engine_) return;
        scratch_.clear();
        engine_->step(in, now(), scratch_);
        for (auto& each : scratch_) todo_.push_back(std::move(each));
    }

    std::int64_t next_timer() const
    {
        std::int64_t out = 1000;
        auto const at = monotonic_ms();
        for (auto const& [id, due] : timers_) out = std::min(out, due - at);
        return std::max<std::int64_t>(out, 0);
    }

    void fire_timers()
    {
        auto const at = monotonic_ms();
        std::vector<std::uint64_t> due{};
        for (auto const& [id, when] : timers_)
            if (when <= at) due.push_back(id);
        for (auto const id : due) {
            auto const found = timers_.find(id);
            if (found == timers_.end() || found->second > at) continue;
            timers_.erase(found);
            step(co::timer_fired{id});
            pump();
        }
    }

    /// Signatures of all messages at once, then each message.
    void take(std::deque<inbox_item>& items)
    {
        struct letter {
            received_message* what{};
            std::optional<bool> known{};
            std::size_t first{}, count{};
        };
        std::vector<letter> letters{};
        std::vector<co::claim> claims{};
        if (!engine_) return;
        for (auto& item : items) {
            auto* const m = std::get_if<received_message>(&item);
            if (m == nullptr) continue;
            letter l{m, {}, claims.size(), 0};
            l.known = engine_->claims(m->from, m->message, claims);
            l.count = claims.size() - l.first;
            letters.push_back(l);
        }
        auto const good = check(claims);
        std::size_t next = 0;
        for (auto& item : items) {
            if (auto const* mined = std::get_if<co::mined>(&item)) {
                step(*mined);
                pump();
                continue;
            }
            auto const& l = letters[next++];
            bool holds = l.known != false;
            if (l.known == true)
                for (std::size_t i = 0; i < l.count; ++i) holds = holds && good[l.first + i];
            if (!holds) {
                count("engine_refused", 1);
                transport_->penalise(l.what->from, points_malformed, "a consensus message");
                continue;
            }
            step(co::received{l.what->from, l.what->message, l.known.has_value()});
            pump();
            if (!engine_ || over()) return;
        }
    }

    std::vector<bool> check(std::vector<co::claim> const& claims)
    {
        std::vector<crypto::signed_bytes> asked{};
        for (auto const& c : claims) asked.push_back({c.key.raw(), c.digest, c.signature.raw()});
        std::vector<crypto::verdict> said(claims.size());
        verifier_.verify(asked, said);
        std::vector<bool> out(claims.size());
        for (std::size_t i = 0; i < claims.size(); ++i)
            out[i] = said[i] == crypto::verdict::valid && !claims[i].key.empty() &&
                     !claims[i].signature.empty();
        return out;
    }

    void pump()
    {
        if (pumping_) return;
        pumping_ = true;
        while (!todo_.empty()) {
            auto each = std::move(todo_.front());
            todo_.pop_front();
            std::visit([&](auto& e) { carry_out(e); }, each);
            while (!returned_.empty()) {
                std::deque<inbox_item> again{};
                again.swap(returned_);
                pumping_ = false;
                take(again);
                pumping_ = true;
            }
        }
        pumping_ = false;
    }

    void carry_out(co::persist& e)
    {
        if (auto const done = journal_->append(e.tag, e.record); !done)
            return fatal(message(done.error()));
        if (!e.barrier) return;
        if (auto const done = history_->sync(); !done) return fatal(message(done.error()));
        if (auto const done = journal_->sync(); !done) return fatal(message(done.error()));
    }
    void carry_out(co::trim& e)
    {
        if (auto const done = history_->sync(); !done) return fatal(message(done.error()));
        if (auto const done = journal_->trim(e.below); !done) return fatal(message(done.error()));
    }
    void carry_out(co::send& e)
    {
        transport_->send(e.to, e.on, net::share(wrap(topic::engine, e.message)));
    }
    void carry_out(co::broadcast& e)
    {
        transport_->broadcast(e.on, net::share(wrap(topic::engine, e.message)));
    }
    void carry_out(co::set_timer& e)
    {
        timers_[e.timer] = monotonic_ms() + std::max<std::int64_t>(e.after_ms, 0);
    }
    void carry_out(co::build& e)
    {
        step(co::built{e.request, chain_->propose(e.at, config_.block_bytes_max)});
    }
    void carry_out(co::verify& e)
    {
        if (auto const said = chain_->verify(e.at, e.id, e.payload)) step(co::judged{e.id, *said});
    }
    void carry_out(co::load& e)
    {
        auto found = history_->load(e.from, e.bytes_max, 64);
        if (!found) return fatal(message(found.error()));
        step(co::loaded{e.request, *std::move(found)});
    }
    void carry_out(co::mine& e) { miner_.look(e); }
    void carry_out(co::reorg&) { count("reorgs", 1); }
    void carry_out(co::halted& e) { fatal("consensus has halted: " + std::string{e.why}); }
    void carry_out(co::evidence& e)
    {
        count("evidence", 1);
        log_->warning("evidence", {{"culprit", to_text(e.culprit)}, {"proof", to_hex(e.proof)}});
        witness_->saw(e.culprit, e.proof);
    }
    void carry_out(co::metric& e) { count(e.name, e.value); }
    void carry_out(co::again& e) { returned_.push_back(received_message{e.from, e.message}); }

    void carry_out(co::decide& e)
    {
        auto const last = tip_last();
        if (e.blocks.back().at.at <= last) return;
        if (decide(e))
            for (auto const& b : e.blocks)
                if (b.at.at > last) step(history_->set_at(later(b.at.at, 2)));
    }

    /// Log first, durably; then the state.
    bool decide(co::decide const& what)
    {
        auto const last = tip_last();
        auto expected = later(last, 1);
        for (auto const& b : what.blocks) {
            if (b.at.at <= last) continue;
            if (b.at.at != expected) return fatal("a decision leaves out a block"), false;
            expected = later(expected, 1);
        }
        if (auto const done = history_->append(what); !done)
            return fatal(message(done.error())), false;
        if (auto const done = history_->sync(); !done) return fatal(message(done.error())), false;
        return execute(what);
    }

    bool execute(co::decide const& what)
    {
        auto const last = tip_last();
        for (auto const& b : what.blocks) {
            if (b.at.at <= last) continue;
            auto done = chain_->finalize(b.at, b.id, b.payload);
            if (auto const kept = learn(later(b.at.at, 2), done.next); !kept)
                return fatal(kept.error()), false;
            auto const oldest = chain_->commit();
            if (auto const why = chain_->failure()) return fatal(*why), false;
            if (config_.keep_blocks != 0 && database_ && b.at.at.get() > config_.keep_blocks) {
                auto const below = std::min(oldest, height{b.at.at.get() - config_.keep_blocks});
                if (auto const gone = database_->prune(below); !gone)
                    return fatal(message(gone.error())), false;
            }
            auto const told =
                std::make_shared<committed_block const>(committed_block{b, std::move(done)});
            note({b.id, b.at, b.payload, {}}, told->done.app_hash, told);
        }
        return true;
    }

    void note(ledger::logged_block const& b, hash256 const& app_hash, app::finalized const& done)
    {
        committed_block made{{b.id, b.at, b.payload}, done};
        note(b, app_hash,
             done.results.empty() && done.next.empty()
                 ? committed_ptr{}
                 : std::make_shared<committed_block const>(std::move(made)));
    }

    void note(ledger::logged_block const& b, hash256 const& app_hash, committed_ptr const& told)
    {
        std::vector<hash256> ids{};
        if (told && !told->done.results.empty())
            if (auto parts = kind_.forms->block(b.payload)) ids = std::move(parts->ids);
        {
            std::lock_guard const lock{status_mutex_};
            tip_.last = b.at.at;
            tip_.block = b.id;
            tip_.app_hash = app_hash;
            tip_.block_time = b.at.block_time;
            auto const set = history_->set_at(later(b.at.at, 1));
            tip_.validators = set.set.size();
            tip_.validator = std::any_of(set.set.begin(), set.set.end(),
                                         [&](auto const& v) { return v.key == me_.self(); });
            if (running_) tip_.transactions += ids.size();
            for (std::uint32_t i = 0; i < ids.size(); ++i) {
                if (places_.emplace(ids[i], place{b.at.at, i}).second)
                    places_order_.push_back(ids[i]);
            }
            while (places_order_.size() > transactions_remembered) {
                places_.erase(places_order_.front());
                places_order_.pop_front();
            }
            if (told) recent_.emplace(b.at.at, told);
            while (recent_.size() > blocks_remembered) recent_.erase(recent_.begin());
        }
        if (!running_ || !told) return;
        give_work(told, 0);
        std::lock_guard const lock{listeners_mutex_};
        for (auto const& [number, tell] : listeners_) tell(told);
    }

    void count(std::string_view name, std::int64_t value)
    {
        std::lock_guard const lock{status_mutex_};
        metrics_[std::string{name}] += value;
    }

    // ---- blocks that others have decided

    bool proves(co::decide::entry const& block, bytes_view raw)
    {
        return proves(history_->set_at(block.at.at), block, raw);
    }
    bool proves(co::membership const& voters, co::decide::entry const& block, bytes_view raw) const
    {
        auto const why = decode<co::finality>(raw);
        if (!why || !std::holds_alternative<bytes>(*why)) return false;
        std::vector<co::claim> claims{};
        if (!engine_kind_->check(voters, block, std::get<bytes>(*why), claims)) return false;
        for (auto const& c : claims)
            if (!crypto::verify_strict(c.key, c.digest, c.signature)) return false;
        return true;
    }

    /// Takes over what was fetched, without the engine, which then begins anew where that ends.
    void adopt()
    {
        bool any = false;
        for (;;) {
            std::vector<block_sync::ready_block> row{};
            {
                std::lock_guard const lock{sync_mutex_};
                row = sync_->ready(64);
            }
            if (row.empty() || over()) break;
            if (!any) {
                log_->info("catching up", {{"from", tip_last().get()}});
                engine_.reset();
                timers_.clear();
                todo_.clear();
                std::lock_guard const lock{status_mutex_};
                tip_.state = "syncing";
            }
            any = true;
            if (!adopt(row)) break;
            bool stop = false;
            {
                std::lock_guard const lock{inbox_mutex_};
                stop = stopping_;
                inbox_.clear();  // messages for an engine that is not there
                inbox_bytes_ = 0;
            }
            if (stop) break;
        }
        if (!any || over()) return;
        bool more = false;
        {
            std::lock_guard const lock{sync_mutex_};
            more = sync_->certain() > tip_last();
        }
        if (more || !sync_adopted()) return;  // else the rest is on its way
        {
            std::lock_guard const lock{status_mutex_};
            tip_.state = "running";
        }
        log_->info("caught up", {{"height", tip_last().get()}});
        boot();
    }

    /// Proven in groups, one certificate each, then executed. A follower's log has fewer certificates than its
    /// source, never none for longer than a header row may be. One sync makes many blocks durable: the
    /// store below writes no state before it has synced the log, and what is lost before that is fetched again.
    bool adopt(std::vector<block_sync::ready_block> const& row)
    {
        std::vector<co::decide> groups{};
        auto next = row.begin();
        while (next != row.end() && next->block.at.at <= tip_last()) ++next;
        while (next != row.end()) {
            auto end = group_end(next, row.end(), adopted_together);
            if (end != row.end() && !proves(end->block, end->finality))
                end = group_end(next, row.end(), 1);
            if (end == row.end()) break;
            if (!proves(end->block, end->finality)) {
                // Whose votes count there is known once what is proven has been executed.
                if (!groups.empty()) break;
                transport_->penalise(end->from, 50, "a block without a proof");
                std::lock_guard const lock{sync_mutex_};
                sync_->refuse(next->block.at.at, end->from, monotonic_ms());
                return false;
            }
            co::decide group{{}, *decode<co::finality>(end->finality)};
            for (++end; next != end; ++next) group.blocks.push_back(next->block);
            groups.push_back(std::move(group));
        }
        for (auto const& each : groups) {
            if (auto const done = history_->append(each); !done)
                return fatal(message(done.error())), false;
            unsynced_ += each.blocks.size();
        }
        if (unsynced_ >= adopted_unsynced && !sync_adopted()) return false;
        for (auto const& each : groups)
            if (!execute(each)) return false;
        auto const now_at = status();
        std::lock_guard const lock{sync_mutex_};
        sync_->advance(now_at.last, now_at.block);
        return true;
    }

    bool sync_adopted()
    {
        unsynced_ = 0;
        auto const done = history_->sync();
        if (!done) fatal(message(done.error()));
        return done.has_value();
    }

    using ready_row = std::vector<block_sync::ready_block>;
    /// The last of the next `most` blocks that brings a finality, or the first behind them.
    static ready_row::const_iterator group_end(ready_row::const_iterator from,
                                               ready_row::const_iterator end, std::size_t most)
    {
        auto out = end;
        std::size_t count = 0, size = 0;
        for (; from != end; ++from) {
            size += from->block.payload.size();
            if (out != end && (++count > most || size > adopted_bytes)) break;
            if (!from->finality.empty()) out = from;
        }
        return out;
    }

    // ---- the worker's thread: transactions of others, and who is behind

    void give_work(work_item item, std::size_t size)
    {
        std::lock_guard const lock{work_mutex_};
        if (work_bytes_ + size > worker_bytes_max) {
            ++work_dropped_;
            return;
        }
        work_bytes_ += size;
        work_.push_back(std::move(item));
        work_wake_.notify_one();
    }

    void run_worker()
    {
        constexpr std::int64_t tick = 20;
        constexpr std::int64_t status_every = 1000;
        time_ms ticked{};
        time_ms told{};
        std::deque<work_item> taken{};
        for (;;) {
            {
                std::unique_lock lock{work_mutex_};
                work_wake_.wait_for(lock, std::chrono::milliseconds{tick},
                                    [&] { return work_stopping_ || !work_.empty(); });
                if (work_stopping_) return;
                taken.swap(work_);
                work_bytes_ = 0;
            }
            fresh_.clear();
            fresh_from_.clear();
            for (auto& each : taken) std::visit([&](auto& e) { work_on(e); }, each);
            taken.clear();
            take_in();
            auto const at = monotonic_ms();
            if (at - ticked < tick) continue;
            ticked = at;
            net::gossip::sends out{};
            gossip_.tick(at, out);
            send_all(topic::transactions, net::lane::gossip, out);
            sync_tick(at);
            blobs_->tick(at);
            if (at - told < status_every) continue;
            told = at;
            transport_->broadcast(net::lane::gossip, net::share(wrap(topic::sync, encode(here()))));
        }
    }

    void send_all(topic about, net::lane on,
                  std::vector<std::pair<crypto::public_key, bytes>> const& out)
    {
        for (auto const& [to, message] : out)
            transport_->send(to, on, net::share(wrap(about, message)));
    }

    sync_message here() const
    {
        auto const held = history_->held();
        return sync_status{held ? held->first : height{}, history_->last()};
    }

    void sync_tick(time_ms at)
    {
        block_sync::sends out{};
        bool ready = false;
        {
            auto const now_at = status();
            std::lock_guard const lock{sync_mutex_};
            sync_->advance(now_at.last, now_at.block);
            sync_->tick(at, out);
            ready = sync_->any_ready();
            std::lock_guard const status_lock{status_mutex_};
            tip_.best_peer = sync_->claimed(at);
        }
        send_all(topic::sync, net::lane::bulk, out);
        if (!ready) return;
        catch_up_ = true;
        inbox_wake_.notify_one();
    }

    void work_on(peer_news const& news)
    {
        peers_ = transport_->peers().size();
        if (news.joined)
            blobs_->joined(news.who);
        else
            blobs_->left(news.who);
        std::lock_guard const lock{sync_mutex_};
        if (news.joined) {
            gossip_.joined(news.who);
            sync_->joined(news.who);
            transport_->send(news.who, net::lane::gossip,
                             net::share(wrap(topic::sync, encode(here()))));
        } else {
            gossip_.left(news.who);
            sync_->left(news.who);
        }
    }

    void work_on(offered const& what)
    {
        for (auto const& each : what.transactions) gossip_.offer(each);
    }

    void work_on(committed_ptr const& what)
    {
        if (what->done.results.empty()) return;
        auto const parts = kind_.forms->block(what->block.payload);
        if (!parts) return;
        for (auto const& each : parts->transactions) gossip_.forget(each);
    }

    void work_on(for_worker const& what)
    {
        if (what.about == topic::sync) return serve(what);
        if (what.about == topic::blobs)
            return blobs_->take(what.from, what.message, monotonic_ms());
        if (what.about == topic::states) return serve_states(what);
        net::gossip::sends out{};
        if (!gossip_.take(what.from, what.message, monotonic_ms(), out, fresh_))
            transport_->penalise(what.from, points_malformed, "gossip");
        fresh_from_.resize(fresh_.size(), what.from);
        send_all(topic::transactions, net::lane::gossip, out);
    }

    /// All that came from peers since the last round, in one batch.
    void take_in()
    {
        if (fresh_.empty()) return;
        std::vector<bytes_view> const views(fresh_.begin(), fresh_.end());
        auto const said = chain_->submit(views);
        std::map<crypto::public_key, std::int64_t> points{};
        for (std::size_t i = 0; i < said.size(); ++i) {
            if (said[i]) {
                gossip_.offer(fresh_[i]);
                continue;
            }
            // What no honest node takes: malformed, or wrongly signed.
            auto const group = said[i].error().code / 100;
            if (said[i].error().code >> 16 == 0 && (group == 1 || said[i].error().code == 202))
                points[fresh_from_[i]] += 10;
        }
        for (auto const& [who, sum] : points)
            transport_->penalise(who, std::min<std::int64_t>(sum, 100), "bad transactions");
    }

    void serve(for_worker const& what)
    {
        auto const said = decode<sync_message>(what.message);
        if (!said) return transport_->penalise(what.from, points_malformed, "sync");
        if (auto const* a = std::get_if<ask_headers>(&*said)) return give_headers(what.from, *a);
        if (auto const* a = std::get_if<ask_bodies>(&*said)) return give_bodies(what.from, *a);
        block_sync::sends out{};
        bool good = true;
        bool fresh = false;
        {
            std::lock_guard const lock{sync_mutex_};
            good = sync_->take(what.from, *said, monotonic_ms(), out);
            fresh = std::exchange(sync_->fresh_bodies, false);
        }
        if (!good) transport_->penalise(what.from, 50, "sync");
        sync_tick(monotonic_ms());
        // Named by a certificate: their signatures are checked here while the engine's thread executes.
        if (auto const* b = std::get_if<sync_bodies>(&*said); b != nullptr && fresh)
            for (auto const& each : b->row) chain_->look_ahead(each.payload);
    }

    void serve_states(for_worker const& what)
    {
        auto const said = decode<state_message>(what.message);
        if (!said) return transport_->penalise(what.from, points_malformed, "a state message");
        if (auto const back = answer(*said, *history_, chain_->pieces()))
            transport_->send(what.from, net::lane::bulk,
                             net::share(wrap(topic::states, encode(*back))));
    }

    void give_headers(crypto::public_key const& to, ask_headers const& asked)
    {
        sync_headers out{};
        sync_headers whole{};
        auto const most = std::min<std::size_t>(asked.count, sync_headers_max);
        auto const end = history_->last();
        for (auto at = asked.from; at > height{} && at <= end; at = later(at, 1)) {
            if (out.row.size() >= most + sync_headers_more ||
                (out.row.size() >= most && !whole.row.empty()))
                break;
            auto const block = history_->block(at);
            if (!block || !*block) break;
            out.row.push_back({(*block)->at, app::payload_digest((*block)->payload)});
            if (auto const why = history::finality_of(**block)) {
                out.finality = encode(*why);
                whole = out;
            }
        }
        transport_->send(to, net::lane::bulk,
                         net::share(wrap(topic::sync, encode(sync_message{whole}))));
    }

    void give_bodies(crypto::public_key const& to, ask_bodies const& asked)
    {
        sync_bodies out{asked.from, {}};
        std::size_t size = 0;
        auto const most = std::min<std::size_t>(asked.count, sync_bodies_max);
        auto const end = history_->last();
        for (auto at = asked.from; out.row.size() < most && at <= end; at = later(at, 1)) {
            auto block = history_->block(at);
            if (!block || !*block) break;
            size += (*block)->payload.size();
            if (size > served_bytes && !out.row.empty()) break;
            auto const why = history::finality_of(**block);
            out.row.push_back({std::move((*block)->payload), why ? encode(*why) : bytes{}});
        }
        transport_->send(to, net::lane::bulk,
                         net::share(wrap(topic::sync, encode(sync_message{out}))));
    }

    hash256 genesis_name_{};
    hash256 chain_name_{};
    std::atomic<bool> running_{false};
    std::atomic<bool> failed_{false};

    // the engine's thread
    std::unique_ptr<record_file> journal_{};
    std::unique_ptr<any_engine> engine_{};
    std::map<std::uint64_t, time_ms> timers_{};
    std::deque<co::effect> todo_{};
    std::deque<inbox_item> returned_{};
    co::effects scratch_{};
    bool pumping_ = false;
    std::size_t unsynced_ = 0;
    crypto::batch_verifier verifier_{};
    std::atomic<bool> catch_up_{false};
    std::thread engine_thread_{};

    mutable std::mutex inbox_mutex_{};
    std::condition_variable inbox_wake_{};
    std::deque<inbox_item> inbox_{};
    std::size_t inbox_bytes_ = 0;
    std::uint64_t inbox_dropped_ = 0;
    bool stopping_ = false;

    // the worker's thread
    net::gossip gossip_{};
    std::vector<bytes> fresh_{};
    std::vector<crypto::public_key> fresh_from_{};
    std::thread worker_thread_{};

    std::mutex work_mutex_{};
    std::condition_variable work_wake_{};
    std::deque<work_item> work_{};
    std::size_t work_bytes_ = 0;
    std::uint64_t work_dropped_ = 0;
    bool work_stopping_ = false;

    std::mutex sync_mutex_{};
    std::optional<block_sync> sync_{};
    std::atomic<std::uint64_t> peers_{0};

    mutable std::mutex status_mutex_{};
    mutable std::condition_variable ended_{};
    node_status tip_{"starting", {}, {}, {}, {}, {}, {}, {}, {}, 0, false, 0, 0, 0, {}, {}, {}};
    bool over_ = false;
    std::map<height, committed_ptr> recent_{};
    std::unordered_map<hash256, place, hash_of> places_{};
    std::deque<hash256> places_order_{};
    std::map<std::string, std::int64_t> metrics_{};

    std::mutex listeners_mutex_{};
    std::map<std::uint64_t, std::function<void(committed_ptr const&)>> listeners_{};
    std::uint64_t listener_ = 0;

    miner miner_;  // last: it tells the inbox
};

result<std::unique_ptr<node>, std::string> node::start(node_parts parts)
{
    auto made = std::make_unique<body>(std::move(parts));
    BLENDR_CHECK(made->start());
    return std::unique_ptr<node>{new node{std::move(made)}};
}

result<height, std::string>
node::import(node_parts parts, std::function<std::optional<ledger::logged_block>()> const& next,
             bool trust)
{
    return body{std::move(parts)}.import(next, trust);
}

node::node(std::unique_ptr<body> made) : body_{std::move(made)} {}
node::~node() = default;
void node::stop() { body_->stop(); }
node_status node::status() const { return body_->status(); }
bool node::wait(std::int64_t ms) const { return body_->wait(ms); }
std::vector<submission> node::submit(std::span<bytes_view const> raw) { return body_->submit(raw); }
chain_view const& node::view() const { return *body_->chain_; }
chain_forms const& node::forms() const { return *body_->kind_.forms; }
call_forms const* node::calls() const { return body_->kind_.calls.get(); }
engine_kind const& node::engine() const { return *body_->engine_kind_; }
std::vector<net::peer_info> node::peers() const { return body_->transport_->peers(); }
std::map<std::string, std::int64_t> node::metrics() const { return body_->metrics(); }
config const& node::settings() const { return body_->config_; }
logger& node::log() const { return *body_->log_; }
result<nothing, net::error> node::dial(std::string const& address)
{
    return body_->transport_->dial(address);
}
std::optional<node::block_info> node::block(height at) const { return body_->block(at); }
std::optional<node::place> node::find(hash256 const& transaction) const
{
    return body_->find(transaction);
}
consensus::membership node::validators(height at) const { return body_->history_->set_at(at); }
std::uint64_t node::on_block(std::function<void(committed_ptr const&)> tell)
{
    return body_->on_block(std::move(tell));
}
void node::forget(std::uint64_t subscription) { body_->forget(subscription); }
result<crypto::cid, std::string> node::put_blob(bytes_view whole)
{
    auto const most = body_->config_.blobs.bytes_max;
    if (whole.size() > most)
        return fail{"a blob has at most " + std::to_string(most) + " bytes here"};
    return body_->blobs_->store().put(whole);
}
node::blob_state node::blob(crypto::cid const& what)
{
    return body_->blobs_->want(what, body_->now_ms());
}
result<bytes, std::string> node::read_blob(crypto::cid const& what, std::uint64_t from,
                                           std::uint64_t count) const
{
    return body_->blobs_->store().read(what, from, count);
}
void node::note_rpc(std::string where) { body_->note_rpc(std::move(where)); }

}  // namespace blendr::node
