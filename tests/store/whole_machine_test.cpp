// SPDX-License-Identifier: Apache-2.0
// A machine on a node's directory, with all that can happen to the disk under it.
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/app/block_id.hpp>
#include <blendr/core/random.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/impl/state_loader.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/store/database.hpp>
#include <support/support.hpp>

#include "mortal_layer.hpp"

namespace {

using namespace blendr;
using namespace blendr::ledger;
using blendr::test::mortal_layer;
using store::memory_files;

using coins = machine<bank>;

crypto::identity person(std::uint64_t n)
{
    std::array<std::byte, 32> seed{};
    rng{0xd15c + n}.fill(seed);
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

/// A chain that was decided elsewhere: what a node must lead to, block by block.
struct history {
    bytes begins{};
    std::vector<logged_block> blocks{};
    std::vector<hash256> hashes{};  // after genesis, after the first block, …
};
history const& the_history()
{
    static history const out = [] {
        constexpr std::uint64_t people = 12, length = 60;
        history h{};
        genesis document{};
        document.chain = chain_id{7};
        document.begins = time_ms{1'000};
        document.money.premine = amount{};
        for (std::uint64_t i = 0; i < people; ++i) {
            document.accounts.push_back({person(i).account(), 1'000_blnd});
            document.money.premine += 1'000_blnd;
        }
        document.validators.push_back({person(0).self(), weight{1}, {}});
        h.begins = encode(document);
        machine_options alone{};
        alone.threads = 1;
        coins chain{alone};
        REQUIRE(chain.init(h.begins));
        h.hashes.push_back(chain.last().app_hash);
        rng random{3};
        std::vector<std::uint64_t> nonces(people);
        block_id parent{};
        for (std::uint64_t at = 1; at <= length; ++at) {
            for (int i = 0; i < 4; ++i) {
                auto const from = random.below(people);
                auto const to = random.below(3 * people);  // some that are new
                transaction tx{};
                tx.chain = chain_id{7};
                tx.sequence = nonce{nonces[from]++};
                tx.fee_max = 1_blnd;
                tx.expires = height{1'000};
                tx.messages.push_back(wrap<bank>(bank::transfer{person(to).account(), 1_blnd}));
                sign(tx, person(from));
                REQUIRE(chain.submit(encode(tx)));
            }
            logged_block next{};
            next.at = {parent, height{at}, time_ms{static_cast<std::int64_t>(2'000 * at)},
                       person(0).self()};
            next.payload = chain.propose(next.at, 1 << 16).value();
            next.id = app::make_block_id(next.at, app::payload_digest(next.payload));
            h.hashes.push_back(chain.finalize(next.at, next.id, next.payload).app_hash);
            chain.commit();
            parent = next.id;
            h.blocks.push_back(std::move(next));
        }
        return h;
    }();
    return out;
}

/// A node without consensus: it takes the blocks of the history as decided.
class node {
public:
    /// Why it cannot start, or what it stopped for.
    std::optional<state::io_error> failed{};
    std::uint64_t synced = 0;  ///< known durable

    node(std::string const& directory, store::file_layer& files)
    {
        store::database::options small{};
        small.log.segment_bytes = 4'000;
        small.behind.checkpoint_rows = 40;
        auto opened = store::database::open(directory, small, files);
        if (!opened) {
            failed = opened.error();
            return;
        }
        on_disk_ = std::shared_ptr<store::database>{*std::move(opened)};
        machine_options how{};
        how.threads = 1;
        how.store = {on_disk_, &on_disk_->state()};
        chain_ = std::make_unique<coins>(how);
        if (auto const loaded = chain_->load(); !loaded) {
            failed = loaded.error();
            return;
        }
        if (chain_->last() == app::info{}) (void)chain_->init(the_history().begins);
        failed = chain_->failure();
        auto const held = on_disk_->log().held();
        while (!failed && held && chain_->last().last < held->last) {
            auto const block = on_disk_->log().read(chain_->last().last + std::uint64_t{1});
            if (!block || !*block) {
                failed =
                    block ? state::io_error{state::io_fault::missing, "a block"} : block.error();
            } else {
                ++replayed;
                execute(**block);
            }
        }
        if (held) synced = held->last.get();
    }

    /// One decided block: first durable, then executed. False: it stopped.
    bool step()
    {
        if (failed) return false;
        auto const next = chain_->last().last.get();
        if (next == the_history().blocks.size()) return false;
        auto const& block = the_history().blocks[next];
        if (auto const done = on_disk_->log().append(block); !done) failed = done.error();
        if (failed) return false;
        if (auto const done = on_disk_->log().sync(); !done) failed = done.error();
        if (failed) return false;
        synced = next + 1;
        execute(block);
        if (next % 5 == 0)
            (void)on_disk_->state().flush();  // what fails there shows at the next commit
        return !failed;
    }

    coins& chain() { return *chain_; }
    store::database& on_disk() { return *on_disk_; }
    std::size_t replayed = 0;

private:
    void execute(logged_block const& block)
    {
        chain_->finalize(block.at, block.id, block.payload);
        chain_->commit();
        failed = chain_->failure();
    }

    std::shared_ptr<store::database> on_disk_{};
    std::unique_ptr<coins> chain_{};
};

/// After whatever happened: nothing durable is lost, and the state is that of the last block.
std::uint64_t check_recovered(node& again, std::uint64_t synced)
{
    REQUIRE_MESSAGE(!again.failed, (again.failed ? message(*again.failed) : ""));
    auto const last = again.chain().last();
    REQUIRE(last.last.get() >= synced);
    REQUIRE(last.app_hash == the_history().hashes[last.last.get()]);
    auto const clean = again.on_disk().check();
    REQUIRE_MESSAGE(clean.has_value(), (clean ? "" : message(clean.error())));
    return last.last.get();
}

}  // namespace

TEST_CASE("whole machine: a full or failing disk is named, and no durable block is lost" *
          doctest::test_suite("property"))
{
    INFO("seed ", blendr::test::seed());
    std::size_t named = 0, stopped_late = 0, replayed = 0;
    for (std::uint64_t round = 0; round < 120; ++round) {
        CAPTURE(round);
        rng random{blendr::test::seed() * 10'000 + round};
        memory_files disk;
        std::uint64_t synced = 0;
        for (int life = 0; life < 3; ++life) {
            auto const after = random.below(life == 0 ? 220 : 120);
            constexpr std::array kinds{memory_files::failure::full, memory_files::failure::io,
                                       memory_files::failure::full_after,
                                       memory_files::failure::power};
            disk.fail_at(disk.operations() + after, kinds[random.below(kinds.size())]);
            {
                node one{"node", disk};
                while (one.step()) {
                }
                synced = std::max(synced, one.synced);
                if (one.failed) {
                    ++named;
                    CHECK_FALSE(message(*one.failed).empty());
                    // it says so, and takes part in nothing more
                    if (one.synced != 0 && one.chain().failure()) {
                        ++stopped_late;
                        auto const& next = the_history().blocks[std::min<std::size_t>(
                            one.chain().last().last.get(), the_history().blocks.size() - 1)];
                        CHECK_FALSE(one.chain().propose(next.at, 4'096).has_value());
                        CHECK_FALSE(one.chain().verify(next.at, next.id, next.payload).has_value());
                    }
                }
            }
            disk.crash(random);
            node again{"node", disk};
            synced = check_recovered(again, synced);
            replayed += again.replayed;
        }
    }
    CHECK(named > 30);
    CHECK(stopped_late > 3);
    CHECK(replayed > 100);
}

TEST_CASE("whole machine: a process killed between commit and checkpoint loses nothing" *
          doctest::test_suite("property"))
{
    INFO("seed ", blendr::test::seed());
    rng random{blendr::test::seed()};
    (void)the_history();
    std::size_t replayed = 0;
    std::string dir;
    std::uint64_t synced = 0;
    for (int death = 0; death < 24; ++death) {
        CAPTURE(death);
        if (synced + 5 > the_history().blocks.size() || death == 0) {
            dir = (blendr::test::scratch("machine") / std::to_string(death)).string();
            synced = 0;
        }
        int tube[2];
        REQUIRE(::pipe(tube) == 0);
        auto const operations = random.below(90);
        pid_t const child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            ::close(tube[0]);
            mortal_layer files{operations};
            node one{dir, files};
            while (one.step())
                if (::write(tube[1], &one.synced, sizeof one.synced) != sizeof one.synced) break;
            mortal_layer::die();
        }
        ::close(tube[1]);
        for (std::uint64_t told = 0; ::read(tube[0], &told, sizeof told) == sizeof told;)
            synced = told;
        ::close(tube[0]);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        REQUIRE(WTERMSIG(status) == SIGKILL);
        node again{dir, store::system_files()};
        synced = check_recovered(again, synced);
        replayed += again.replayed;
    }
    CHECK(replayed > 20);
}

TEST_CASE("whole machine: money that does not add up is refused, whatever the roots say")
{
    auto how = machine_options{};
    how.threads = 1;
    auto const rows = std::make_shared<state::memory_store>();
    how.store = rows;
    {
        coins chain{how};
        REQUIRE(chain.init(the_history().begins));
        auto const& block = the_history().blocks.front();
        chain.finalize(block.at, block.id, block.payload);
        chain.commit();
    }
    // one purse is richer by a grain, and the roots are made to agree
    auto const key = state_key<base, purses>(person(1).account());
    auto purse = decode<purses::row>(**rows->get(key)).value();
    purse.balance += 1_grains;
    auto const richer = encode(purse);
    auto tip = decode<ledger::impl::stored_tip>(**rows->get(ledger::impl::tip_key)).value();
    state::row_change const forged{key, bytes_view{richer}};
    REQUIRE(rows->write({&forged, 1}, height{1}));
    {
        coins wary{how};
        auto const loaded = wary.load();
        REQUIRE_FALSE(loaded.has_value());
        CHECK(loaded.error().what == state::io_fault::corrupt);
    }
    std::vector<state::change> all{};
    REQUIRE(rows->scan({}, ledger::impl::tip_key, [&](bytes_view k, bytes_view v) {
        all.push_back({state::key_hash(k), state::value_hash(v)});
        return true;
    }));
    state::tree tree{};
    tip.after.state = tree.root(tree.apply(tree.decided(), all));
    auto const raw = encode(tip);
    state::row_change const agreed{ledger::impl::tip_key, bytes_view{raw}};
    REQUIRE(rows->write({&agreed, 1}, height{1}));
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        (void)std::freopen("/dev/null", "w", stderr);
        ::signal(SIGABRT, SIG_DFL);
        coins blind{how};
        (void)blind.load();
        ::_exit(0);  // it went on
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
}
