// SPDX-License-Identifier: Apache-2.0
// Four simplex validators over loopback TCP with their files, in one process: signed transfers a second, time to
// finality, memory; and how fast a follower fetches what took long to make.
#include <harness.hpp>
#include <scratch.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <blendr/crypto/vrf.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/node/node.hpp>
#include <blendr/node/standard_chain.hpp>

namespace {

using namespace blendr;
using bench::run;
namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

constexpr std::uint32_t senders = 2'000;
constexpr std::size_t rounds = 30;
constexpr std::size_t batch = 500;
constexpr amount one_transfer{1'000'000};

crypto::identity person(std::uint32_t n)
{
    std::array<std::byte, 32> seed{};
    for (std::size_t i = 0; i < 4; ++i) seed[i] = static_cast<std::byte>(n >> (8 * i));
    seed[31] = std::byte{0x62};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

bytes genesis_of(std::uint32_t validators)
{
    ledger::genesis out{};
    out.chain = ledger::chain_id{7};
    amount left = out.money.premine;
    for (std::uint32_t i = 0; i < senders; ++i) {
        out.accounts.push_back({person(1000 + i).account(), 1'000_blnd});
        left -= 1'000_blnd;
    }
    out.accounts.push_back({person(999).account(), left});
    for (std::uint32_t i = 0; i < validators; ++i)
        out.validators.push_back(
            {person(i).self(), weight{1}, crypto::vrf_secret_key::of(person(i).key()).self()});
    return encode(out);
}

std::unique_ptr<node::node> begin(std::uint32_t who, bytes const& genesis, fs::path const& home,
                                  std::vector<std::string> peers, std::int64_t interval_ms,
                                  std::uint64_t stop_after = 0)
{
    node::node_parts parts{{},
                           person(who),
                           genesis,
                           node::standard_chain(),
                           node::engine_registry::standard(),
                           {},
                           std::make_shared<node::logger>(node::log_level::error)};
    parts.with.home = home.string();
    parts.with.p2p.peers = std::move(peers);
    parts.with.engine.interval_ms = interval_ms;
    parts.with.engine.view_ms = 4000;
    parts.with.stop_after = stop_after;
    parts.with.threads = 1;
    parts.with.mempool_bytes = std::uint64_t{48} << 20;
    parts.with.block_bytes_max = std::uint64_t{2} << 20;
    auto made = node::node::start(std::move(parts));
    if (!made) std::abort();
    return *std::move(made);
}

/// Validators 0 to count - 1, each told of those before it.
std::vector<std::unique_ptr<node::node>> validators_of(bytes const& genesis, std::uint32_t count,
                                                       fs::path const& home,
                                                       std::int64_t interval_ms,
                                                       std::uint64_t stop_after = 0)
{
    std::vector<std::unique_ptr<node::node>> out{};
    std::vector<std::string> where{};
    for (std::uint32_t i = 0; i < count; ++i) {
        out.push_back(begin(i, genesis, home / ("validator" + std::to_string(i)), where,
                            interval_ms, stop_after));
        where.push_back(out.back()->status().p2p);
    }
    return out;
}

std::uint64_t resident()
{
    std::ifstream in{"/proc/self/statm"};
    std::uint64_t all = 0, here = 0;
    in >> all >> here;
    return here * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double seconds_since(steady::time_point t)
{
    return std::chrono::duration<double>(steady::now() - t).count();
}

void transfers(run& r)
{
    if (!r.wants("node/simplex4/transfers")) return;
    bench::directory const files{};
    auto const before = resident();
    auto const nodes = validators_of(genesis_of(4), 4, files.path, 100);
    // Signed beforehand: the senders' work is not the network's.
    std::vector<bytes> all{};
    std::vector<hash256> ids{};
    for (std::size_t round = 0; round < rounds; ++round)
        for (std::uint32_t i = 0; i < senders; ++i) {
            ledger::transaction tx{};
            tx.chain = ledger::chain_id{7};
            tx.sequence = ledger::nonce{round};
            tx.fee_max = 10_blnd;
            tx.expires = height{10'000};
            tx.messages.push_back(ledger::wrap<ledger::bank>(
                ledger::bank::transfer{person(1000 + (i * 7 + 1) % senders).account(), 1_blnd}));
            ledger::sign(tx, person(1000 + i));
            ids.push_back(ledger::id_of(tx));
            all.push_back(encode(tx));
        }
    std::mutex mutex{};
    std::unordered_map<std::uint64_t, steady::time_point> offered{};
    std::vector<double> latencies{};
    std::uint64_t committed = 0;
    auto const short_id = [](hash256 const& id) {
        std::uint64_t out = 0;
        std::memcpy(&out, id.data(), 8);
        return out;
    };
    nodes[0]->on_block([&](node::committed_ptr const& b) {
        auto const parts = nodes[0]->forms().block(b->block.payload);
        auto const now = steady::now();
        std::lock_guard const lock{mutex};
        for (auto const& id : parts->ids) {
            auto const found = offered.find(short_id(id));
            if (found != offered.end())
                latencies.push_back(std::chrono::duration<double>(now - found->second).count());
        }
        committed += parts->ids.size();
    });
    while (nodes[0]->status().last < height{3})
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    auto const begun = steady::now();
    for (std::size_t at = 0; at < all.size(); at += batch) {
        std::vector<bytes_view> views{};
        {
            std::lock_guard const lock{mutex};
            for (std::size_t i = at; i < std::min(at + batch, all.size()); ++i) {
                views.emplace_back(all[i]);
                offered.emplace(short_id(ids[i]), steady::now());
            }
        }
        nodes[at / batch % 4]->submit(views);
        // A pool holds so many; a client that is told so waits.
        for (;;) {
            std::uint64_t done = 0;
            {
                std::lock_guard const lock{mutex};
                done = committed;
            }
            if (at < done + 8'000 || seconds_since(begun) > 120) break;
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
    }
    while (seconds_since(begun) < 120) {
        {
            std::lock_guard const lock{mutex};
            if (committed >= all.size()) break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    auto const took = seconds_since(begun);
    std::lock_guard const lock{mutex};
    std::sort(latencies.begin(), latencies.end());
    r.report("node/simplex4/transfers", static_cast<double>(committed) / took, "tx/s",
             static_cast<double>(committed) / took / 15'000);
    r.report("node/simplex4/committed", static_cast<double>(committed), "of 60000 tx");
    if (!latencies.empty())
        r.report("node/simplex4/finality_p95", 1e3 * latencies[latencies.size() * 95 / 100], "ms");
    auto const mine = static_cast<double>(all.size()) * 300;  // the load itself
    r.report("node/simplex4/memory", (static_cast<double>(resident() - before) - mine) / 4 / 1e6,
             "MB a validator");
    for (auto const& each : nodes) each->stop();
}

/// Validators make blocks as fast as they can, alone on the machine, and stop making; another node then fetches, proves
/// and executes all of them. One that makes them alone has no network to wait for: the hardest to keep up with.
void sync(run& r, std::string const& name, std::uint32_t validators, std::uint64_t wanted)
{
    if (!r.wants(name)) return;
    bench::directory const files{};
    auto const genesis = genesis_of(validators);
    auto const begun = steady::now();
    auto const makers = validators_of(genesis, validators, files.path, 0, wanted);
    auto const highest = [&] {
        height out{};
        for (auto const& each : makers) out = std::max(out, each->status().last);
        return out;
    };
    while (highest() < height{wanted} && seconds_since(begun) < 90)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    auto const made = highest();
    auto const making = static_cast<double>(made.get()) / seconds_since(begun);
    std::vector<std::string> where{};
    for (auto const& each : makers) where.push_back(each->status().p2p);
    auto follower = begin(50, genesis, files.path / "follower", where, 0, 0);
    auto const joined = steady::now();
    // What is left when it is nearly there is the engine's own business.
    while (later(follower->status().last, 64) < made && seconds_since(joined) < 60)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    auto const rate = static_cast<double>(follower->status().last.get()) / seconds_since(joined);
    r.report(name + "/made", making, "blocks/s");
    r.report(name, rate, "blocks/s", rate / making);
}

/// Four validators under a steady load for a minute, or for BLENDR_SOAK_SECONDS: what they hold after a third of the time
/// and at the end.
void soak(run& r)
{
    if (!r.wants("node/soak/memory")) return;
    auto const* const told = std::getenv("BLENDR_SOAK_SECONDS");
    auto const seconds = told != nullptr ? std::atof(told) : 60.0;
    bench::directory const files{};
    auto const before = resident();
    auto const nodes = validators_of(genesis_of(4), 4, files.path, 100);
    auto const begun = steady::now();
    std::uint64_t sent = 0, early = 0, most = 0;
    while (seconds_since(begun) < seconds) {
        std::vector<bytes> batch_of{};
        auto const last = nodes[0]->status().last;
        for (std::size_t i = 0; i < 50; ++i, ++sent) {
            auto const who = static_cast<std::uint32_t>(sent % senders);
            ledger::transaction tx{};
            tx.chain = ledger::chain_id{7};
            tx.sequence = ledger::nonce{sent / senders};
            tx.fee_max = 1_blnd;
            tx.expires = last + std::uint64_t{1'000};
            tx.messages.push_back(ledger::wrap<ledger::bank>(ledger::bank::transfer{
                person(1000 + (who * 7 + 1) % senders).account(), one_transfer}));
            ledger::sign(tx, person(1000 + who));
            batch_of.push_back(encode(tx));
        }
        std::vector<bytes_view> const views(batch_of.begin(), batch_of.end());
        for (auto const& each : nodes[sent / 50 % 4]->submit(views))
            if (!each) {
                std::fprintf(stderr, "soak: %s\n", each.error().reason.c_str());
                std::abort();
            }
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
        most = std::max(most, resident() - before);
        if (seconds_since(begun) < seconds / 3) early = most;
    }
    r.report("node/soak/seconds", seconds, "s");
    r.report("node/soak/transfers", static_cast<double>(nodes[0]->status().transactions), "tx",
             static_cast<double>(nodes[0]->status().transactions) / static_cast<double>(sent));
    r.report("node/soak/memory", static_cast<double>(most) / 4 / 1e6, "MB a validator",
             static_cast<double>(most) / static_cast<double>(early));
    for (auto const& each : nodes) each->stop();
}

bench::suite const all{"node", [](run& r) {
                           transfers(r);
                           soak(r);
                           sync(r, "node/sync/simplex4", 4, 10'000);
                           sync(r, "node/sync/alone", 1, 10'000);
                       }};

}  // namespace
