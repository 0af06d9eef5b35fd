// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/parallel.hpp>
#include <blendr/ledger/transaction.hpp>
#include <blendr/state/tree.hpp>

// Transfers without signatures: validation, fee, nonce and undo included. The yardstick is what one
// would write first: one std::unordered_map from address to purse, one thread, nothing to undo.

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::ledger;

using chain = registry<bank>;
using parts = std::vector<std::unique_ptr<prepared_part<chain>>>;

constexpr std::size_t block_size = 200'000;
constexpr std::size_t part_size = 4'096;
constexpr amount fee{3};

address account(std::uint64_t i)
{
    crypto::hasher out{ledger::transaction_domain};
    out.update(std::as_bytes(std::span{&i, 1}));
    return address{out.finish()};
}

struct payment {
    std::uint32_t from{};
    std::uint32_t to{};
    std::uint64_t sequence{};
    amount value{};
};

/// Who pays whom: everybody alike, a few very often, or one with everybody.
std::vector<payment> payments(std::string_view how, std::uint32_t accounts)
{
    rng random{7};
    std::vector<std::uint64_t> next(accounts);
    std::vector<double> zipf;
    if (how == "zipf") {
        double sum = 0;
        for (std::uint32_t i = 0; i < accounts; ++i)
            zipf.push_back(sum += 1.0 / std::pow(i + 1.0, 0.99));
    }
    auto const some = [&]() -> std::uint32_t {
        if (zipf.empty()) return static_cast<std::uint32_t>(random.below(accounts));
        auto const at = static_cast<double>(random() >> 11) * 0x1p-53 * zipf.back();
        auto const rank = std::lower_bound(zipf.begin(), zipf.end(), at) - zipf.begin();
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(rank) * 0x9e3779b1 % accounts);
    };
    std::vector<payment> out(block_size);
    for (auto& each : out) {
        each.from = some();
        each.to = some();
        if (how == "hot") (random.chance(1, 2) ? each.from : each.to) = 0;
        each.value = amount{1 + random.below(100)};
        each.sequence = next[each.from]++;
    }
    return out;
}

/// Stands in for a pool of two threads on a machine that is not quiet: runs every part here, and keeps what
/// two threads would have needed that take the parts in turn. What it cannot show is waiting for
/// memory together; the wall clock beside it can.
class two_in_turn {
public:
    unsigned threads() const { return 2; }

    template <class Body>
    void parallel_for(std::size_t count, std::size_t grain, Body&& body)
    {
        double busy[2]{};
        stopwatch const all{clock::thread_cpu};
        for (std::size_t begin = 0; begin < count; begin += grain) {
            stopwatch const watch{clock::thread_cpu};
            body(begin, std::min(count, begin + grain));
            (busy[0] <= busy[1] ? busy[0] : busy[1]) += watch.seconds();
        }
        saved_ += all.seconds() - std::max(busy[0], busy[1]);
    }
    /// What is to be taken from the CPU time since the last call.
    double saved() { return std::exchange(saved_, 0); }

private:
    double saved_{};
};

template <class Pool>
class ours {
public:
    ours(std::uint32_t accounts, std::vector<payment> const& block, Pool& pool)
        : rows_{0x5eed},
          pool_{&pool},
          execute_{pool, {}},
          block_{&block}
    {
        auto& table = rows_.table<purses>();
        table.reserve(accounts);
        for (std::uint32_t i = 0; i < accounts; ++i) {
            names_.push_back(account(i));
            table.row(table.intern(names_.back())).balance = amount{1'000'000'000};
        }
    }

    void intern()
    {
        parts_.clear();
        for (std::size_t i = 0; i < block_->size(); i += part_size)
            parts_.push_back(std::make_unique<prepared_part<chain>>(rows_));
        each_part([&](std::size_t p) {
            for (auto i = p * part_size; i < std::min(block_->size(), (p + 1) * part_size); ++i) {
                auto const& each = (*block_)[i];
                parts_[p]->add_tx(names_[each.from], each.sequence, 1, fee);
                parts_[p]->add_message<0>({names_[each.to], each.value});
            }
        });
        rows_.table<purses>().reserve(2 * block_->size());
        each_part([&](std::size_t p) { parts_[p]->resolve(); });
        spans_.clear();
        for (auto const& each : parts_) spans_.push_back(std::as_const(*each).txs());
    }

    void in_order()
    {
        lane<chain> on{rows_, ++stamp_, execute_.spares.take()};
        results_.assign(block_->size(), {});
        std::size_t first = 0;
        for (auto const& each : spans_) {
            execute_in_order(on, where_, each, static_cast<std::uint32_t>(first),
                             std::span{results_}.subspan(first, each.size()));
            first += each.size();
        }
        undo_.push_back(std::move(on.before));
    }
    void in_parallel()
    {
        lane<chain> on{rows_, ++stamp_, execute_.spares.take()};
        results_.assign(block_->size(), {});
        execute_(on, stamp_, where_, spans_, results_, undo_);
        undo_.push_back(std::move(on.before));
    }
    /// So that the same block can run again.
    void undo()
    {
        for (auto const& each : results_) BLENDR_ASSERT(each.code == 0);
        for (auto& each : undo_) {
            each.swap(rows_);
            execute_.spares.give(std::move(each));
        }
        undo_.clear();
    }

    rows<chain> const& state() const { return rows_; }

private:
    template <class Body>
    void each_part(Body&& body)
    {
        pool_->parallel_for(parts_.size(), 1, [&](std::size_t begin, std::size_t end) {
            for (auto p = begin; p < end; ++p) body(p);
        });
    }

    rows<chain> rows_;
    Pool* pool_;
    parallel_executor<chain, defect::none, Pool> execute_;
    std::vector<payment> const* block_;
    std::vector<address> names_{};
    parts parts_{};
    std::vector<std::span<prepared_tx const>> spans_{};
    std::vector<outcome> results_{};
    std::vector<delta<chain>> undo_{};
    std::uint32_t stamp_{};
    block_info where_{};
};

class yardstick {
public:
    yardstick(std::uint32_t accounts, std::vector<payment> const& block)
    {
        for (std::uint32_t i = 0; i < accounts; ++i) {
            names_.push_back(account(i));
            map_[names_.back()].balance = amount{1'000'000'000};
        }
        // the transactions as they come out of a decoder
        for (auto const& each : block)
            txs_.push_back({names_[each.from], names_[each.to], each.sequence, each.value});
    }
    void run()
    {
        for (auto const& each : txs_) {
            auto const from = map_.find(each.from);
            BLENDR_ASSERT(from != map_.end());
            auto& payer = from->second;
            if (payer.nonce != each.sequence || payer.balance < each.value + fee) continue;
            ++payer.nonce;
            payer.balance -= each.value + fee;
            map_[each.to].balance += each.value;
            burned_ += fee;
        }
    }
    void again()
    {
        for (auto& each : map_) each.second.nonce = 0;
    }

private:
    struct tx {
        address from{}, to{};
        std::uint64_t sequence{};
        amount value{};
    };
    std::vector<address> names_{};
    std::vector<tx> txs_{};
    std::unordered_map<address, purses::row> map_{};
    amount burned_{};
};

struct times {
    double slowest{};  // CPU time of the busiest thread
    double wall{};
};

/// With a pool of two, whatever the process used beyond this thread the other one used.
template <class Body>
times timed(Body&& body)
{
    stopwatch const mine{clock::thread_cpu};
    stopwatch const all{clock::process_cpu};
    stopwatch const wall{clock::wall};
    body();
    auto const here = mine.seconds();
    return {std::max(here, all.seconds() - here), wall.seconds()};
}

void curve(run& out, std::string const& how, std::uint32_t accounts, std::string const& size)
{
    auto const name = "ledger/execute/" + how + "/" + size;
    if (!out.wants(name)) return;
    auto const block = payments(how, accounts);
    task_pool alone{1};
    task_pool two{2};
    yardstick map{accounts, block};
    two_in_turn turns;
    ours one{accounts, block, alone};
    ours both{accounts, block, two};
    ours cpu{accounts, block, turns};
    std::vector<double> map_s, order_s, one_s, two_s, two_wall, order_wall, intern_s;
    for (int round = 0; round < 9; ++round) {
        map_s.push_back(timed([&] { map.run(); }).slowest);
        map.again();
        auto const interning = timed([&] { one.intern(); }).slowest;
        auto const order = timed([&] { one.in_order(); });
        order_s.push_back(order.slowest);
        order_wall.push_back(order.wall);
        intern_s.push_back(interning + order.slowest);
        one.undo();
        one_s.push_back(timed([&] { one.in_parallel(); }).slowest);
        one.undo();
        both.intern();
        two_wall.push_back(timed([&] { both.in_parallel(); }).wall);
        both.undo();
        cpu.intern();
        turns.saved();
        auto const both_cores = timed([&] { cpu.in_parallel(); }).slowest;
        two_s.push_back(both_cores - turns.saved());
        cpu.undo();
    }
    auto const rate_of = [](double seconds) { return 1e-6 * block_size / seconds; };
    auto const say = [&](std::string const& what, std::vector<double> const& ours_s,
                         std::vector<double> const& than) {
        out.report(name + "/" + what, rate_of(median(ours_s)), "Mtx/s",
                   median(than) / median(ours_s));
    };
    out.report(name + "/unordered_map", rate_of(median(map_s)), "Mtx/s");
    say("sequential", order_s, map_s);
    say("sequential_interned", intern_s, map_s);
    say("1core", one_s, order_s);
    say("2core", two_s, order_s);
    say("2core_wall", two_wall, order_wall);
}

suite const execute{"ledger/execute", [](run& out) {
                        for (std::string const how : {"uniform", "zipf", "hot"}) {
                            curve(out, how, 1'000, "1k");
                            curve(out, how, 100'000, "100k");
                            curve(out, how, 1'000'000, "1M");
                        }
                    }};

suite const memory{"ledger/memory", [](run& out) {
                       if (!out.wants("ledger/memory/account")) return;
                       constexpr std::uint32_t accounts = 1'000'000;
                       rows<chain> state{1};
                       state::tree tree{};
                       std::vector<state::change> changes(accounts);
                       auto& table = state.table<purses>();
                       for (std::uint32_t i = 0; i < accounts; ++i) {
                           auto const who = account(i);
                           table.row(table.intern(who)).balance = amount{i + 1};
                           changes[i] = {state::key_hash(state_key<base, purses>(who)),
                                         state::value_hash(encode(purses::row{amount{i + 1}, 0}))};
                       }
                       tree.decide(tree.apply(tree.decided(), changes));
                       out.report("ledger/memory/account/rows",
                                  static_cast<double>(state.memory_bytes()) / accounts, "bytes");
                       out.report("ledger/memory/account/tree",
                                  static_cast<double>(tree.memory()) / accounts, "bytes");
                   }};

}  // namespace
