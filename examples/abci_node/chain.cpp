// SPDX-License-Identifier: Apache-2.0
#include "chain.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <blendr/abci.hpp>
#include <blendr/app/block_id.hpp>
#include <blendr/app/snapshots.hpp>
#include <blendr/bond/contract.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/consensus/solo.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/genesis_json.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/reputation/contract.hpp>
#include <blendr/store/sqlite_store.hpp>
#include <blendr/verify/contract.hpp>

#include "cometbft.hpp"
#include "replay.hpp"

namespace example {

using namespace blendr;

namespace {

using chain = ledger::machine<ledger::bank, bond::contract, reputation::contract, verify::contract,
                              market::contract, escrow::contract>;

constexpr market::class_spec card_spec{std::uint64_t{16} << 30, 40, 10, 10};
ledger::machine_options options_for(identity const* self)
{
    ledger::machine_options out{};
    out.threads = 1;  // several nodes share this machine
    if (self != nullptr) out.proposer = *self;
    return out;
}

identity read_key(std::filesystem::path const& file)
{
    std::ifstream in{file};
    std::stringstream text{};
    text << in.rdbuf();
    auto const json = boost::json::parse(text.str());
    auto const raw =
        cometbft::from_base64(std::string_view{json.at("priv_key").at("value").as_string()});
    if (raw.size() < 32) throw std::runtime_error{file.string() + " holds no Ed25519 key"};
    return identity{crypto::secret_key::from_seed(std::span<std::byte const, 32>{raw.data(), 32})};
}

std::shared_ptr<state::store> open_state(std::filesystem::path const& directory)
{
    std::filesystem::create_directories(directory);
    auto const file = (directory / "state.db").string();
    auto opened = store::open_sqlite(store::system_files(), file);
    if (!opened) throw std::runtime_error{message(opened.error())};
    return std::shared_ptr<state::store>{std::move(*opened)};
}

}  // namespace

identity person(std::uint64_t n)
{
    std::array<std::byte, 32> seed{};
    for (std::size_t i = 0; i < 8; ++i) seed[i] = static_cast<std::byte>(n >> (8 * i));
    seed[31] = std::byte{0x5a};
    return identity{crypto::secret_key::from_seed(seed)};
}

std::string genesis_text(beginning const& from)
{
    ledger::genesis out{};
    out.chain = chain_number;
    out.begins = time_ms{1};
    out.money.premine = amount{};
    bond::contract::genesis_document bonds{};
    for (auto const& each : from.validators) {
        auto const random = crypto::vrf_secret_key::of(each.key()).self();
        bonds.validators.push_back({each.account(), 100_blnd, each.self(), random});
        out.validators.push_back({each.self(), weight{100}, random});
        out.accounts.push_back({each.account(), 1000_blnd});
        out.money.premine += 1100_blnd;
    }
    for (auto const& each : from.people) {
        out.accounts.push_back({each.account(), 1000_blnd});
        out.money.premine += 1000_blnd;
    }
    out.sections.push_back(ledger::section<bond::contract>(bonds));
    out.sections.push_back(ledger::section<market::contract>({{{card, card_spec, price{10'000}}}}));
    return boost::json::serialize(ledger::genesis_forms<chain::registry>::to_json(out));
}

bytes purse_key(identity const& of) { return encode(of.account()); }

std::string balance_in(bytes const& row)
{
    auto const purse = decode<ledger::purses::row>(row);
    return purse ? to_string(purse->balance) : "0";
}

bool gives_snapshots() { return app::snapshot_application<chain>; }

int serve(node_options const& chosen)
{
    sigset_t ends{};
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);

    auto const self = read_key(chosen.key);
    auto how = options_for(&self);
    how.store = open_state(chosen.home);
    if (how.store->durable() == height{}) {
        // a chain that was begun and has no block is begun again: CometBFT will send the genesis
        how.store.reset();
        for (auto const* each : {"state.db", "state.db-wal", "state.db-shm"})
            std::filesystem::remove(chosen.home / each);
        how.store = open_state(chosen.home);
    }
    how.snapshot_every = chosen.snapshot_every;
    how.snapshots_kept = chosen.snapshots_kept;
    chain machine{std::move(how)};
    if (auto const loaded = machine.load(); !loaded)
        throw std::runtime_error{message(loaded.error())};

    abci::server node{machine, {.name = "abci_node", .self = self.self()}};
    auto const where = node.listen(chosen.listen);
    if (!where) throw std::runtime_error{where.error()};
    std::printf("height %llu, listening on %s\n",
                static_cast<unsigned long long>(machine.last().last.get()), where->c_str());
    std::fflush(stdout);
    int got = 0;
    sigwait(&ends, &got);
    node.stop();
    return 0;
}

std::vector<hash256> replay(std::string const& genesis, std::vector<decided_block> const& blocks,
                            engine under)
{
    using shape = abci::form<chain>;
    auto const document = shape::genesis(as_bytes(genesis));
    if (!document) throw std::runtime_error{document.error()};

    // from CometBFT's words back to blocks of this library
    std::vector<placed_block> placed{};
    block_id parent{};
    time_ms before{};
    for (auto const& each : blocks) {
        auto const first = decode<abci::lead>(each.entries.at(0));
        if (!first) throw std::runtime_error{"a block without its lead"};
        std::vector<bytes_view> const txs{each.entries.begin() + 1, each.entries.end()};
        auto payload = shape::join(first->head, txs);
        if (!payload) throw std::runtime_error{"a block that does not join"};
        app::proposal_context const at{parent, height{each.height},
                                       std::max(time_ms{each.time_ms}, before + std::int64_t{1}),
                                       first->proposer};
        auto const id = app::make_block_id(at, app::payload_digest(*payload));
        placed.push_back({at, id, *std::move(payload)});
        parent = id;
        before = at.block_time;
    }

    std::vector<std::unique_ptr<chain>> machines{};
    std::vector<chain*> apps{};
    std::optional<app::validator_set> first{};
    auto const begin = [&] {
        machines.push_back(std::make_unique<chain>(options_for(nullptr)));
        apps.push_back(machines.back().get());
        first = apps.back()->init(*document);
        if (!first) throw std::runtime_error{"the genesis is refused"};
    };
    std::vector<std::vector<hash256>> all{};
    if (under == engine::none) {
        begin();
        all.emplace_back();
        for (auto const& each : placed) {
            all[0].push_back(apps[0]->finalize(each.at, each.id, each.payload).app_hash);
            apps[0]->commit();
        }
    } else if (under == engine::solo) {
        begin();
        all = hosts<consensus::solo, chain>{{person(1)}, apps, placed, *first, {}}.run();
    } else {
        std::vector<identity> who{};
        for (std::uint64_t i = 0; i < 4; ++i) {
            begin();
            who.push_back(person(100 + i));
        }
        all = hosts<consensus::simplex, chain>{who, apps, placed, *first, {}}.run();
    }
    for (auto const& each : all)
        if (each != all[0]) throw std::runtime_error{"two replicas of one replay disagree"};
    return all[0];
}

}  // namespace example
