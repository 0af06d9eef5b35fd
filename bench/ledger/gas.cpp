// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <blendr/app/block_id.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/gas.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/ledger/signatures.hpp>

// What the weights of gas.hpp stand for, on one core: each figure is nanoseconds, and its ratio is to the weight.
// Above 1 work is too cheap, below it pays for more than it costs.

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::ledger;

using coins = machine<bank>;
constexpr std::size_t senders = 2'000;
constexpr std::size_t owners = 500'000;

crypto::identity person(std::uint64_t n)
{
    std::array<std::byte, 32> seed{};
    rng{n}.fill(seed);
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

struct world {
    std::vector<crypto::identity> who{};
    std::vector<crypto::address> all{};
    bytes document{};

    world()
    {
        rng random{3};
        genesis first{};
        first.chain = chain_id{7};
        first.money.premine = amount{};
        first.fees.block_target = gas{1'000'000'000'000};
        first.fees.block_limit = gas{2'000'000'000'000};
        first.fees.base_fee_first = gas_price{1};
        for (std::size_t i = 0; i < owners; ++i) {
            hash256 any{};
            random.fill(any);
            if (i < senders) who.push_back(person(i));
            all.push_back(i < senders ? who.back().account() : crypto::address{any});
            first.accounts.push_back({all.back(), 10_blnd});
            first.money.premine += 10_blnd;
        }
        first.validators.push_back({person(0).self(), weight{1}, {}});
        document = encode(first);
    }

    /// One transaction of each sender, of so many transfers, to one owner or to any.
    std::vector<bytes> transfers(std::size_t messages, bool to_any) const
    {
        rng random{9};
        std::vector<bytes> out{};
        for (std::size_t i = 0; i < senders; ++i) {
            transaction tx{};
            tx.chain = chain_id{7};
            tx.fee_max = 1_blnd;
            tx.expires = height{1000};
            auto const same = random.below(owners);
            for (std::size_t m = 0; m < messages; ++m) {
                auto const to = to_any ? random.below(owners) : same;
                tx.messages.push_back(wrap<bank>(bank::transfer{all[to], 1_grains}));
            }
            sign(tx, who[i]);
            out.push_back(encode(tx));
        }
        return out;
    }
};

/// Seconds a transaction takes from bytes to a committed block, on one thread.
double cost(world const& in, std::vector<bytes> const& raw)
{
    double best = 1;
    for (int round = 0; round < 3; ++round) {
        machine_options alone{};
        alone.threads = 1;
        alone.secret = 5;
        coins chain{alone};
        BLENDR_ASSERT(chain.init(in.document).has_value());
        std::vector<bytes_view> const views{raw.begin(), raw.end()};
        // the first block lets go of what genesis changed
        app::proposal_context const first{{}, height{1}, time_ms{1}, person(0).self()};
        chain.finalize(first, hash256{std::byte{1}}, *chain.propose(first, block_bytes_max));
        chain.commit();
        app::proposal_context const at{{std::byte{1}}, height{2}, time_ms{2}, person(0).self()};
        stopwatch const watch{};
        for (auto const& each : chain.submit(views)) BLENDR_ASSERT(each.has_value());
        auto const payload = *chain.propose(at, block_bytes_max);
        auto const id = app::make_block_id(at, app::payload_digest(payload));
        BLENDR_ASSERT(chain.finalize(at, id, payload).results.size() == raw.size());
        chain.commit();
        best = std::min(best, watch.seconds());
    }
    return best / static_cast<double>(raw.size());
}

/// Seconds a byte takes: decoded, hashed with its transaction and with its block, copied twice.
double cost_of_byte()
{
    constexpr std::size_t size = 4096;
    transaction tx{};
    tx.messages.push_back({1, 0, bytes(size)});
    sign(tx, person(1));
    std::vector<bytes> const raw(64, encode(tx));
    std::vector<transaction_view> views(raw.size());
    std::vector<hash256> ids(raw.size());
    std::vector<crypto::address> from(raw.size());
    stopwatch const watch{};
    constexpr int rounds = 50;
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < raw.size(); ++i) views[i] = *decode_transaction(raw[i]);
        identify(views, ids, from);
        std::vector<bytes_view> const kept{raw.begin(), raw.end()};
        auto const payload = encode_block(header{}, kept);
        keep(app::payload_digest(payload));
        auto const copy = payload;
        keep(copy);
    }
    return watch.seconds() / static_cast<double>(rounds * raw.size() * size);
}

suite const weights{
    "ledger/gas", [](run& out) {
        if (!out.wants("ledger/gas/transaction") && !out.wants("ledger/gas/row")) return;
        world const in{};
        constexpr double more = 15;
        auto const one = cost(in, in.transfers(1, true));
        auto const same = cost(in, in.transfers(16, false));
        auto const any = cost(in, in.transfers(16, true));
        auto const byte = cost_of_byte();
        auto const w = default_weights;
        auto const report = [&](std::string const& name, double seconds, std::uint64_t weight) {
            out.report("ledger/gas/" + name, 1e9 * seconds, "ns",
                       1e9 * seconds / static_cast<double>(weight));
        };
        // a transfer's message has 53 bytes and two rows, one of them the sender's, which is hot
        auto const row = (any - same) / more;
        auto const message = (same - one) / more - 53 * byte;
        report("byte", byte, w.byte);
        report("row", row, w.row);
        report("message", message, w.message + w.row);
        report("transaction", one - row - message - 160 * byte, w.transaction);
        report("transfer", one, w.transaction + 213 * w.byte + w.message + 3 * w.row);
    }};

}  // namespace
