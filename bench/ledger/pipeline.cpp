// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>
#include <scratch.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <blendr/app/block_id.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/crypto/cpu.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/block_log.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/ledger/pipeline.hpp>
#ifdef BLENDR_BENCH_STORE
#include <blendr/store/database.hpp>
#endif

// Signed transfers from bytes to a durable block, one node: decode, signature, pool, propose, execute, root,
// log with a real fsync, the state store behind it. A million accounts, senders and receivers uniform, each sender once.

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::ledger;

using coins = machine<bank>;
constexpr std::size_t accounts = 1'000'000;
constexpr std::size_t block_size = 20'000;
constexpr std::size_t blocks = 32;
constexpr std::size_t txs = block_size * blocks;
constexpr std::size_t batch = 4'096;

crypto::identity person(std::uint64_t n)
{
    std::array<std::byte, 32> seed{};
    rng{n}.fill(seed);
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

/// Everything that comes from outside, made before the clock starts.
struct load {
    bytes genesis_document{};
    std::vector<bytes> raw{};
    std::vector<bytes_view> views{};
};

load prepare()
{
    load out{};
    task_pool pool{};
    std::vector<crypto::address> owners(accounts);
    rng random{11};
    for (std::size_t i = txs; i < accounts; ++i) {
        hash256 any{};
        random.fill(any);
        owners[i] = crypto::address{any};
    }
    std::vector<std::uint32_t> to(txs);
    for (auto& each : to) each = static_cast<std::uint32_t>(random.below(accounts));
    out.raw.resize(txs);
    pool.parallel_for(txs, 64, [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) owners[i] = person(i).account();
    });
    pool.parallel_for(txs, 64, [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) {
            transaction tx{};
            tx.chain = chain_id{7};
            tx.fee_max = 1_blnd;
            tx.tip = amount{i % 1000};
            tx.expires = height{1000};
            tx.messages.push_back(wrap<bank>(bank::transfer{owners[to[i]], 1_grains}));
            sign(tx, person(i));
            out.raw[i] = encode(tx);
        }
    });
    out.views.assign(out.raw.begin(), out.raw.end());

    genesis document{};
    document.chain = chain_id{7};
    document.money.premine = amount{};
    document.fees.block_target = gas{1'000'000'000'000};
    document.fees.block_limit = gas{2'000'000'000'000};
    document.fees.base_fee_first = gas_price{1};
    for (auto const& each : owners) {
        document.accounts.push_back({each, 10_blnd});
        document.money.premine += 10_blnd;
    }
    document.validators.push_back({person(0).self(), weight{1}, {}});
    out.genesis_document = encode(document);
    return out;
}

/// What a node keeps on disk, log and state, in a directory that goes when this does.
class node_on_disk {
public:
    node_on_disk()
    {
#ifdef BLENDR_BENCH_STORE
        store::database::options chosen{};
        chosen.behind.checkpoint_rows = 400'000;  // two or three within a run; a node's are rarer
        auto opened = store::database::open((at_.path / "node").string(), chosen);
        BLENDR_ASSERT(opened.has_value());
        all_ = *std::move(opened);
#endif
    }
#ifdef BLENDR_BENCH_STORE
    block_log& log() const { return all_->log(); }
    std::shared_ptr<state::store> state() const { return {all_, &all_->state()}; }
    void flush() const { BLENDR_ASSERT(all_->state().flush().has_value()); }

private:
    directory at_{};
    std::shared_ptr<store::database> all_{};
#else
    block_log& log() { return log_; }
    std::shared_ptr<state::store> state() const { return rows_; }
    void flush() const {}

private:
    memory_block_log log_{};
    std::shared_ptr<state::store> rows_ = std::make_shared<state::memory_store>();
#endif
};

/// What one node's consensus does, with nobody to ask: a block after the other.
class producer {
public:
    producer(coins& on, load const& in)
        : on_{&on},
          bytes_max{block_size * (in.raw.front().size() + 3) + 2048}
    {}

    /// Before the clock starts: it lets go of what genesis changed.
    void first_block(node_on_disk& disk)
    {
        auto const block = propose();
        BLENDR_ASSERT(disk.log().append(block).has_value());
        BLENDR_ASSERT(disk.log().sync().has_value());
        finish(block);
    }

    logged_block propose()
    {
        logged_block out{};
        out.at = {tip_, height{at_ + 1}, time_ms{static_cast<std::int64_t>(at_ + 1)},
                  person(0).self()};
        out.payload = *on_->propose(out.at, bytes_max);
        out.id = app::make_block_id(out.at, app::payload_digest(out.payload));
        tip_ = out.id;
        ++at_;
        return out;
    }
    void verify(logged_block const& b)
    {
        BLENDR_ASSERT(on_->verify(b.at, b.id, b.payload) == app::verdict::valid);
    }
    std::size_t finish(logged_block const& b)
    {
        auto const done = on_->finalize(b.at, b.id, b.payload);
        on_->commit();
        return done.results.size();
    }

private:
    coins* on_;
    std::size_t bytes_max;
    block_id tip_{};
    std::uint64_t at_ = 0;
};

machine_options with(unsigned threads, crypto::cpu path = crypto::default_cpu())
{
    machine_options out{};
    out.threads = threads;
    out.signatures.path = path;
    out.secret = 5;
    out.waiting.bytes_max = std::size_t{1} << 30;
    return out;
}

struct timed {
    double wall{}, cpu{};
};

/// All stages at once: a thread takes transactions in, one makes blocks, one makes them durable, and the
/// state is written behind. Without `state` the log is all that is kept.
timed all_at_once(load const& in, crypto::cpu path, bool state = true)
{
    node_on_disk disk{};
    auto how = with(2, path);
    if (state) how.store = disk.state();
    coins chain{how};
    BLENDR_ASSERT(chain.init(in.genesis_document).has_value());
    disk.flush();
    producer makes{chain, in};
    makes.first_block(disk);
    bounded_queue<logged_block> to_log{2};
    bounded_queue<height> durable{2};
    stopwatch const wall{clock::wall}, cpu{clock::process_cpu};
    std::thread taker{[&] {
        for (std::size_t at = 0; at < txs; at += batch) {
            while (chain.waiting().size() > 2 * block_size)  // back-pressure
                std::this_thread::sleep_for(std::chrono::microseconds{200});
            auto const part = std::span{in.views}.subspan(at, std::min(batch, txs - at));
            for (auto const& each : chain.submit(part)) BLENDR_ASSERT(each.has_value());
        }
    }};
    std::thread syncer{[&] {
        while (auto const block = to_log.pop()) {
            BLENDR_ASSERT(disk.log().append(*block).has_value());
            BLENDR_ASSERT(disk.log().sync().has_value());
            durable.push(block->at.at);
        }
    }};
    for (std::size_t done = 0; done < txs;) {
        if (chain.waiting().size() < std::min(block_size, txs - done)) {
            std::this_thread::sleep_for(std::chrono::microseconds{200});
            continue;
        }
        auto block = makes.propose();
        to_log.push(block);
        makes.verify(block);
        BLENDR_ASSERT(durable.pop() == block.at.at);  // nothing is committed that could be lost
        done += makes.finish(block);
    }
    taker.join();
    to_log.close();
    syncer.join();
    BLENDR_ASSERT(!chain.failure());
    // each signature once, but for the few that a bounded memory forgot
    auto const checked = chain.signatures().checked;
    BLENDR_ASSERT(txs <= checked && checked <= txs + txs / 1000);
    return {wall.seconds(), cpu.seconds()};
}

/// One stage after the other on one thread: where each microsecond goes.
void stage_by_stage(run& out, load const& in)
{
    auto const report = [&](std::string const& stage, double seconds) {
        out.report("ledger/pipeline/stage/" + stage, 1e6 * seconds / txs, "us/tx");
    };
    coins chain{with(1)};
    BLENDR_ASSERT(chain.init(in.genesis_document).has_value());
    producer makes{chain, in};
    node_on_disk disk{};
    makes.first_block(disk);
    task_pool alone{1};
    stopwatch watch{};
    std::vector<transaction_view> views(txs);
    for (std::size_t i = 0; i < txs; ++i) views[i] = *decode_transaction(in.raw[i]);
    report("decode", watch.seconds());
    watch.restart();
    std::vector<hash256> ids(txs);
    std::vector<crypto::address> senders(txs);
    identify(alone, views, ids, senders);
    report("hash", watch.seconds());
    watch.restart();
    signature_checker checker{alone};
    BLENDR_ASSERT(checker.bad_ones(views, ids).empty());
    auto const signatures = watch.seconds();
    report("signature", signatures);

    double intake = 0, propose = 0, execute = 0, commit = 0, sync = 0;
    for (std::size_t done = 0; done < txs;) {
        watch.restart();
        for (std::size_t at = 0; at < block_size; at += batch)
            chain.submit(std::span{in.views}.subspan(done + at, std::min(batch, block_size - at)));
        intake += watch.seconds();
        watch.restart();
        auto const block = makes.propose();
        propose += watch.seconds();
        watch.restart();
        makes.verify(block);
        execute += watch.seconds();
        watch.restart();
        done += makes.finish(block);
        commit += watch.seconds();
        stopwatch const waits{clock::wall};
        BLENDR_ASSERT(disk.log().append(block).has_value());
        BLENDR_ASSERT(disk.log().sync().has_value());
        sync += waits.seconds();
    }
    report("intake", intake);  // the three above, judging, the pool
    report("propose", propose);
    report("execute_and_root", execute);
    report("finalize_and_commit", commit);
    report("log_and_fsync_wall", sync);
}

suite const pipeline{
    "ledger/pipeline", [](run& out) {
        if (!out.wants("ledger/pipeline/2core") && !out.wants("ledger/pipeline/stage/decode"))
            return;
        auto const in = prepare();
        stage_by_stage(out, in);
        auto const lanes = all_at_once(in, crypto::default_cpu());
        rusage used{};
        getrusage(RUSAGE_SELF, &used);
        auto const log_only = all_at_once(in, crypto::default_cpu(), false);
        auto const portable = all_at_once(in, crypto::cpu::portable);  // signatures one by one
        out.report("ledger/pipeline/2core", txs / lanes.wall, "tx/s", portable.wall / lanes.wall);
        // what it costs to keep the state on disk too
        out.report("ledger/pipeline/log_only", txs / log_only.wall, "tx/s",
                   lanes.wall / log_only.wall);
        out.report("ledger/pipeline/portable", txs / portable.wall, "tx/s");
        // on a busy machine the wall clock tells of others; the two cores' own time does not
        out.report("ledger/pipeline/2core_by_cpu", 2 * txs / lanes.cpu, "tx/s",
                   portable.cpu / lanes.cpu);
        out.report("ledger/pipeline/peak", static_cast<double>(used.ru_maxrss) / 1024, "MiB");
    }};

}  // namespace
