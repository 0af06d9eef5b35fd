// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <cstdlib>
#include <string>
#include <vector>

#include <blendr/core/task_pool.hpp>

#include "../../tests/escrow/town.hpp"

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::escrow;
using namespace blendr::escrow::testing;

constexpr std::uint32_t jobs_at_once = 2'000;
constexpr std::uint32_t units = 4;
constexpr std::uint32_t providers = 500;
/// Each job is submitted, taken, and for each unit delivered and accepted; and a heartbeat of each device.
constexpr double messages = jobs_at_once * (2.0 + 2 * units) + providers;

address renter_no(std::uint64_t i) { return account(10'000 + i); }

order bench_order()
{
    auto out = plain_order(units);
    out.bond = 1_blnd;
    return out;
}

/// Everybody's messages, block by block: a job's whole life takes four of them.
class life {
public:
    life()
    {
        std::vector<tx> all{};
        for (std::uint32_t i = 0; i < providers; ++i) {
            auto const who = provider(i);
            t_.fund(who, 1'000_blnd);
            all.push_back({who,
                           {markets::enrol{0, rtx,
                                           std::string{"vendor=nvidia, vram=24_GiB, fp32=80, "
                                                       "memory=60, integer=50"}},
                            bonds::lock_provider{device_bond({who, 0}).id, 400_blnd}}});
        }
        for (auto const& done : t_.run_in_order(all))
            if (done.code != fine) std::abort();
        for (std::uint32_t i = 0; i < jobs_at_once; ++i) t_.fund(renter_no(i), 1'000'000_blnd);
    }

    template <class Run>
    void go(Run&& run)
    {
        blocks_.resize(4);
        for (auto& each : blocks_) each.clear();
        for (std::uint32_t i = 0; i < providers; ++i)
            blocks_[0].push_back({provider(i), {markets::heartbeat{0}}});
        for (std::uint32_t i = 0; i < jobs_at_once; ++i) {
            job_key const key{renter_no(i), 1};
            auto const who = provider(i % providers);
            auto const send = [&](std::size_t block, address const& from, any_message message) {
                tx made{from, {}};
                made.messages.push_back(std::move(message));
                blocks_[block].push_back(std::move(made));
            };
            send(0, key.renter, escrows::submit{1, bench_order(), 5_blnd, one_blnd});
            send(1, who, escrows::take{key, units, 0, reputation::family::fp32});
            for (std::uint32_t n = 0; n < units; ++n) {
                send(2, who, escrows::deliver{key, unit_no(n), {}, 0, {}});
                send(3, key.renter, escrows::accept{key, unit_no(n)});
            }
        }
        for (auto const& each : blocks_)
            for (auto const& done : run(t_, each))
                if (done.code != fine) std::abort();
    }

private:
    town t_{};
    std::vector<std::vector<tx>> blocks_{};
};

/// The same jobs without a ledger.
void bare()
{
    auto const what = bench_order();
    for (std::uint32_t i = 0; i < jobs_at_once; ++i) {
        effects out;
        auto const who = provider(i % providers);
        auto of = job::open(renter, units, height{61}, 3, height{1}).value();
        (void)of.deposit(renter, 5_blnd, height{1}, out);
        auto const by = terms_of(what, one_blnd, 1_blnd, 250);
        auto const id = of.match(who, units, by, height{2}, out).value();
        (void)of.fund(id, height{2}, out);
        (void)of.start(id, who, height{2}, out);
        for (std::uint32_t n = 0; n < units; ++n) (void)of.deliver(unit_no(n), who, height{3}, out);
        for (std::uint32_t n = 0; n < units; ++n) (void)of.accept(unit_no(n), height{4}, out);
        if (!of.state().over) std::abort();
        keep(out.size());
    }
}

/// Jobs on a ledger, from messages to the end of their block: rows resolved, executed, hooks run.
/// Signatures and the state's root are measured elsewhere; the yardstick is the pure machine.
suite const contract_suite{"escrow/contract", [](run& out) {
                               if (!out.wants("escrow/contract/messages")) return;
                               auto const work = rate("messages/s", messages);
                               life ordered{}, spread{};
                               auto const in_order = [](town& t, auto const& txs) {
                                   return t.run_in_order(txs);
                               };
                               out.compare(
                                   "escrow/contract/messages/1core", work,
                                   [&] { ordered.go(in_order); }, [] { bare(); }, {.rounds = 5});
                               task_pool pool{2};
                               ledger::parallel_executor<chain> execute{pool};
                               out.compare(
                                   "escrow/contract/messages/2core", work,
                                   [&] {
                                       spread.go([&](town& t, auto const& txs) {
                                           return t.run_in_parallel(txs, 512, execute);
                                       });
                                   },
                                   [&] { ordered.go(in_order); }, {.by = clock::wall, .rounds = 5});
                           }};

}  // namespace
