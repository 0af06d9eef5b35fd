// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/snapshot_sync.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <blendr/ledger/block_log.hpp>
#include <blendr/node/standard_chain.hpp>
#include <blendr/store/files.hpp>
#include <node/history.hpp>
#include <node/joining.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::test;
using node::snapshot_sync;

namespace {

constexpr std::size_t accounts = 20'000;

crypto::address account(std::size_t n)
{
    std::array<std::byte, 32> raw{std::byte{9}, static_cast<std::byte>(n),
                                  static_cast<std::byte>(n >> 8)};
    return crypto::address_of(crypto::public_key::ed25519(raw));
}

bytes many_accounts()
{
    auto out = *decode<ledger::genesis>(small_genesis(1));
    for (std::size_t i = 0; i < accounts; ++i) {
        out.accounts.push_back({account(i), 1_blnd});
        out.accounts[0].balance -= 1_blnd;
    }
    return encode(out);
}

bytes const& certificate()
{
    static bytes const out = encode(consensus::finality{to_bytes(std::string_view{"certain"})});
    return out;
}
bool proves(consensus::membership const& voters, consensus::decide::entry const&, bytes_view why)
{
    return voters.set.size() == 1 && equal(why, certificate());
}

/// A node that has made blocks, every other one final by itself, and two states.
struct source {
    explicit source(std::uint64_t blocks)
    {
        auto const kind = node::standard_chain();
        node::chain_setup setup{};
        setup.me = person(1);
        setup.threads = 1;
        setup.snapshot_every = 5;
        chain = kind.make(std::move(setup));
        auto const genesis = many_accounts();
        auto const begun = chain->open(genesis);
        REQUIRE(begun);
        past = *node::history::open(log, files, "home", block_id{}, hash256{});
        REQUIRE(past->learn_set(height{1}, *begun->begun));
        consensus::decide batch{{}, *decode<consensus::finality>(certificate())};
        block_id parent{};
        for (std::uint64_t h = 1; h <= blocks; ++h) {
            app::proposal_context const at{
                parent, height{h}, time_ms{static_cast<std::int64_t>(1000 * h)}, person(1).self()};
            auto const payload = chain->propose(at, 1 << 20);
            REQUIRE(payload);
            parent = app::make_block_id(at, app::payload_digest(*payload));
            REQUIRE(chain->verify(at, parent, *payload) == app::verdict::valid);
            hashes[height{h}] = chain->finalize(at, parent, *payload).app_hash;
            chain->commit();
            batch.blocks.push_back({parent, at, *payload});
            if (h % 2 == 0 || h == blocks) {
                REQUIRE(past->append(batch));
                batch.blocks.clear();
            }
        }
    }
    ledger::memory_block_log log{};
    store::memory_files files{};
    std::unique_ptr<node::chain> chain{};
    std::unique_ptr<node::history> past{};
    std::map<height, hash256> hashes{};
};

source& honest()
{
    static source out{23};
    return out;
}

using lie = std::function<void(node::state_message&)>;

/// Who fetches, and those who answer: honest, or with what `lies` makes of it.
struct world {
    std::unique_ptr<node::chain> fresh = [] {
        node::chain_setup setup{};
        setup.threads = 1;
        return node::standard_chain().make(std::move(setup));
    }();
    std::map<std::pair<height, std::uint32_t>, bytes> kept{};
    std::unique_ptr<snapshot_sync> sync = begin();
    std::map<crypto::public_key, lie> peers{};
    std::map<crypto::public_key, std::string> culprits{};
    std::map<crypto::public_key, unsigned> pieces{};
    time_ms now{1'000};

    std::unique_ptr<snapshot_sync> begin()
    {
        auto const begun = fresh->open(many_accounts());
        REQUIRE(begun);
        return std::make_unique<snapshot_sync>(
            *begun->begun, hash256{}, proves, *fresh->pieces(),
            snapshot_sync::keeper{[this](height at, std::uint32_t i, bytes_view raw) {
                                      kept[{at, i}] = to_bytes(raw);
                                  },
                                  [this](height at, std::uint32_t i) -> std::optional<bytes> {
                                      auto const found = kept.find({at, i});
                                      if (found == kept.end()) return std::nullopt;
                                      return found->second;
                                  }});
    }
    void meet(std::uint8_t who, lie how = {})
    {
        peers[person(who).self()] = std::move(how);
        sync->joined(person(who).self());
    }
    /// True: it got there. `pieces_max`: no more are given than that.
    bool run(unsigned pieces_max = 1'000'000)
    {
        unsigned given = 0;
        for (int round = 0; round < 2'000 && !sync->done(); ++round) {
            now = now + std::int64_t{20};
            snapshot_sync::sends out{};
            sync->tick(now, out);
            for (auto const& [to, raw] : out) {
                if (!peers.contains(to)) continue;
                auto const asked = *decode<node::state_message>(raw);
                auto said = node::answer(asked, *honest().past, honest().chain->pieces());
                REQUIRE(said);
                if (std::holds_alternative<node::piece>(*said)) {
                    if (given++ >= pieces_max) return false;
                    ++pieces[to];
                }
                if (peers[to]) peers[to](*said);
                auto const over_wire = decode<node::state_message>(encode(*said));
                REQUIRE(over_wire);
                if (auto const why = sync->take(to, *over_wire, now)) {
                    culprits[to] = *why;
                    peers.erase(to);
                }
            }
        }
        return sync->done();
    }
    void holds() const
    {
        auto const& begins = sync->begins();
        CHECK(begins.state.at == height{20});
        CHECK(fresh->last().last == height{20});
        CHECK(fresh->last().app_hash == honest().hashes.at(height{20}));
        REQUIRE(!begins.blocks.blocks.empty());
        CHECK(begins.blocks.blocks.front().at.at == height{20});
        CHECK(begins.voters.size() == 1);
    }
};

void bend(bytes& what)
{
    if (!what.empty()) what[what.size() / 2] ^= std::byte{1};
}

}  // namespace

TEST_CASE("snapshot_sync: a state is fetched from everybody who has it, under a certificate")
{
    world w{};
    for (std::uint8_t i = 1; i <= 3; ++i) w.meet(i);
    REQUIRE(w.run());
    w.holds();
    CHECK(w.sync->so_far().pieces >= 4);
    CHECK(w.pieces.size() == 3);
    CHECK(w.culprits.empty());
    // and goes on where the log does
    auto const found = honest().past->block(height{21});
    REQUIRE((found && *found));
    auto const& next = **found;
    CHECK(w.fresh->finalize(next.at, next.id, next.payload).app_hash ==
          honest().hashes.at(height{21}));
}

TEST_CASE("snapshot_sync: a wrong piece names its giver, and others finish")
{
    world w{};
    w.meet(1);
    w.meet(2, [](node::state_message& m) {
        if (auto* p = std::get_if<node::piece>(&m)) bend(p->raw);
    });
    REQUIRE(w.run());
    w.holds();
    REQUIRE(w.culprits.size() == 1);
    CHECK(w.culprits.begin()->first == person(2).self());
    CHECK(w.culprits.begin()->second.find("piece") == 0);
    CHECK(w.culprits.begin()->second.find("block 20") != std::string::npos);
}

TEST_CASE("snapshot_sync: another's headers, certificates, voters and blocks are not believed")
{
    std::vector<lie> const lies{
        [](auto& m) {
            if (auto* t = std::get_if<node::trail>(&m)) bend(t->finality);
        },
        [](auto& m) {
            if (auto* t = std::get_if<node::trail>(&m); t && !t->row.empty())
                t->row.back().body[0] ^= std::byte{1}, t->finality = {};
        },
        [](auto& m) {
            if (auto* t = std::get_if<node::trail>(&m); t && t->row.size() > 3)
                bend(t->row[2].head);
        },
        [](auto& m) {
            if (auto* t = std::get_if<node::trail>(&m); t && t->row.size() > 3)
                t->row.erase(t->row.begin() + 1);
        },
        [](auto& m) {
            if (auto* e = std::get_if<node::tail>(&m); e && !e->row.empty())
                bend(e->row[0].payload);
        },
        [](auto& m) {
            if (auto* e = std::get_if<node::tail>(&m); e && !e->row.empty())
                bend(e->row.back().finality);
        }};
    for (std::size_t i = 0; i < lies.size(); ++i) {
        CAPTURE(i);
        world w{};
        w.meet(2, lies[i]);
        CHECK(!w.run());
        CHECK(w.culprits.contains(person(2).self()));
        w.meet(1);
        REQUIRE(w.run());
        w.holds();
    }
}

TEST_CASE("snapshot_sync: offers of what no header names lead nowhere, and cost nothing")
{
    world w{};
    w.meet(1);
    w.meet(2, [](auto& m) {
        auto* s = std::get_if<node::states>(&m);
        if (s == nullptr || s->row.empty()) return;
        for (auto& each : s->row) {
            bend(each.metadata);
            each.chunks = node::snapshot_sync::pieces_max;
        }
        s->row.front().at = height{1'000'000};
    });
    w.meet(3, [](auto& m) {  // says nothing but that it has it
        if (auto* p = std::get_if<node::piece>(&m)) p->raw.clear();
    });
    REQUIRE(w.run());
    w.holds();
    CHECK(w.culprits.empty());
}

TEST_CASE("snapshot_sync: a giver that stalls for ever delays others' states, no more")
{
    world w{};
    w.meet(1);
    auto const silent = [&](bool cut_otherwise, bool empty_pieces) {
        return [=](node::state_message& m) {
            if (auto* s = std::get_if<node::states>(&m); s != nullptr && cut_otherwise)
                for (auto& each : s->row) each.chunks *= 2;  // a proven state, in pieces of its own
            if (auto* p = std::get_if<node::piece>(&m)) {
                if (empty_pieces)
                    p->raw.clear();
                else
                    m = node::ask_states{};  // nothing that answers
            }
        };
    };
    // more of them than of the honest, before and behind them in any order
    for (std::uint8_t who = 2; who < 8; ++who) w.meet(who, silent(true, who % 2 == 0));
    REQUIRE(w.run());
    w.holds();
    CHECK(w.culprits.empty());

    world alone{};
    alone.meet(2, silent(true, false));
    CHECK(!alone.run());
    CHECK(alone.sync->steps() <= 1);  // for who waits for progress: there is none
    alone.meet(1);
    REQUIRE(alone.run());
    alone.holds();
}

TEST_CASE("snapshot_sync: what was taken before a kill is not fetched again, but checked again")
{
    world w{};
    w.meet(1);
    CHECK(!w.run(2));
    REQUIRE(w.kept.size() == 2);
    bend(w.kept.begin()->second);  // the disk forgot
    world again{};
    again.kept = w.kept;
    again.meet(1);
    REQUIRE(again.run());
    again.holds();
    CHECK(again.sync->so_far().kept == 1);
    CHECK(again.pieces[person(1).self()] == again.sync->so_far().pieces - 1);
}

TEST_CASE("joiner: what an attempt left is swept, but not from under who joins now")
{
    namespace fs = std::filesystem;
    node::config with{};
    with.home = scratch("joining").string();
    auto const here = [&](char const* what) { return fs::exists(fs::path{with.home} / what); };
    auto const kind = node::standard_chain();
    {
        node::joiner first{with, kind};
        REQUIRE(first.begin(many_accounts(), {}, proves));
        node::joiner second{with, kind};
        CHECK(!second.begin(many_accounts(), {}, proves));
        node::joiner::sweep(with);
        CHECK(here("data.new"));
        CHECK(here("joining"));
    }
    CHECK(node::joiner::may_join(with));
    node::joiner::sweep(with);
    CHECK(!here("data.new"));
    CHECK(!here("joining"));

    fs::create_directories(fs::path{with.home} / "data");  // killed after the change-over
    fs::create_directories(fs::path{with.home} / "joining");
    CHECK(!node::joiner::may_join(with));
    node::joiner::sweep(with);
    CHECK(!here("joining"));
    CHECK(here("data"));

    // a home where nothing can be written says so
    auto const file = fs::path{with.home} / "file";
    std::ofstream{file} << "no directory";
    with.home = file.string();
    CHECK(!node::joiner(with, kind).begin(many_accounts(), {}, proves));
}

TEST_CASE("snapshot_sync: noise is no state, and never does harm" * doctest::test_suite("property"))
{
    world w{};
    w.meet(1);
    INFO("seed " << seed());
    rng random{seed()};
    w.meet(2, [&](node::state_message& m) {
        auto raw = encode(m);
        for (int i = 0; i < 3; ++i) raw[random.below(raw.size())] ^= std::byte{1};
        if (auto bent = decode<node::state_message>(raw)) m = *bent;
    });
    REQUIRE(w.run());
    w.holds();
}
