// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>
#include <scratch.hpp>

#ifdef BLENDR_BENCH_STORE

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <blendr/app/block_id.hpp>
#include <blendr/core/random.hpp>
#include <blendr/core/task_pool.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/store/database.hpp>

// A node with a million accounts dies with a thousand blocks in its log that its state on disk does not
// have: how long until it stands where it stood, signatures checked and roots compared.

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::ledger;

using coins = machine<bank>;
constexpr std::size_t accounts = 1'000'000;
constexpr std::size_t blocks = 1'000;
constexpr std::size_t block_size = 100;

crypto::identity person(std::uint64_t n)
{
    std::array<std::byte, 32> seed{};
    rng{n}.fill(seed);
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

struct node {
    std::shared_ptr<store::database> disk{};
    std::unique_ptr<coins> chain{};

    explicit node(std::string const& path)
    {
        store::database::options chosen{};
        chosen.behind.checkpoint_rows = std::size_t{1} << 24;  // none but when told to
        chosen.behind.backlog_bytes = std::size_t{4} << 30;
        disk = *store::database::open(path, chosen);
        machine_options how{};
        how.store = {disk, &disk->state()};
        chain = std::make_unique<coins>(how);
        BLENDR_ASSERT(chain->load().has_value());
    }
};

/// A life up to its end, which comes without warning.
[[noreturn]] void live(std::string const& path, int tell)
{
    node one{path};
    task_pool pool{};
    std::vector<address> owners(accounts);
    rng random{11};
    for (auto& each : owners) {
        hash256 any{};
        random.fill(any);
        each = address{any};
    }
    constexpr std::size_t senders = 10'000;
    pool.parallel_for(senders, 64, [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) owners[i] = person(i).account();
    });
    genesis document{};
    document.chain = chain_id{7};
    document.money.premine = amount{};
    for (auto const& each : owners) {
        document.accounts.push_back({each, 10_blnd});
        document.money.premine += 10_blnd;
    }
    document.validators.push_back({person(0).self(), weight{1}, {}});
    BLENDR_ASSERT(one.chain->init(encode(document)).has_value());
    BLENDR_ASSERT(one.disk->state().flush().has_value());

    block_id parent{};
    std::vector<address> to(block_size);
    for (std::size_t at = 1; at <= blocks; ++at) {
        std::vector<bytes> raw(block_size);
        for (auto& each : to) each = owners[random.below(accounts)];
        pool.parallel_for(block_size, 8, [&](std::size_t begin, std::size_t end) {
            for (auto i = begin; i < end; ++i) {
                auto const n = ((at - 1) * block_size + i);
                transaction tx{};
                tx.chain = chain_id{7};
                tx.sequence = nonce{n / senders};
                tx.fee_max = 1_blnd;
                tx.expires = height{blocks + 1};
                tx.messages.push_back(wrap<bank>(bank::transfer{to[i], 1_grains}));
                sign(tx, person(n % senders));
                raw[i] = encode(tx);
            }
        });
        std::vector<bytes_view> const views(raw.begin(), raw.end());
        for (auto const& each : one.chain->submit(views)) BLENDR_ASSERT(each.has_value());
        logged_block next{};
        next.at = {parent, height{at}, time_ms{static_cast<std::int64_t>(at)}, person(0).self()};
        next.payload = *one.chain->propose(next.at, block_bytes_max);
        next.id = app::make_block_id(next.at, app::payload_digest(next.payload));
        parent = next.id;
        BLENDR_ASSERT(one.disk->log().append(next).has_value());
        auto const done = one.chain->finalize(next.at, next.id, next.payload);
        BLENDR_ASSERT(done.results.size() == block_size);
        one.chain->commit();
    }
    BLENDR_ASSERT(one.disk->log().sync().has_value());
    auto const last = one.chain->last();
    BLENDR_ASSERT(::write(tell, last.app_hash.data(), last.app_hash.size()) == 32);
    ::_exit(0);
}

suite const recovery{
    "ledger/recovery", [](run& out) {
        if (!out.wants("ledger/recovery/1M")) return;
        directory here{};
        auto const path = (here.path / "node").string();
        int tube[2];
        BLENDR_ASSERT(::pipe(tube) == 0);
        auto const child = ::fork();
        if (child == 0) live(path, tube[1]);
        ::close(tube[1]);
        hash256 wanted{};
        BLENDR_ASSERT(::read(tube[0], wanted.data(), wanted.size()) == 32);
        ::close(tube[0]);
        int status = 0;
        ::waitpid(child, &status, 0);

        stopwatch const wall{clock::wall};
        node again{path};
        auto const loaded = wall.seconds();
        BLENDR_ASSERT(again.chain->last().last == height{0});
        for (std::size_t at = 1; at <= blocks; ++at) {
            auto const block = **again.disk->log().read(height{at});
            again.chain->finalize(block.at, block.id, block.payload);
            again.chain->commit();
        }
        auto const all = wall.seconds();
        BLENDR_ASSERT(again.chain->last().app_hash == wanted);
        out.report("ledger/recovery/1M", all, "s", 10 / all);  // the aim is ten seconds
        out.report("ledger/recovery/1M/load", loaded, "s");
        out.report("ledger/recovery/1M/replay", 1e6 * (all - loaded) / blocks, "us/block");
    }};

}  // namespace

#endif
