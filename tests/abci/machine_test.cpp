// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/machine.hpp>  // first: it stands alone

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <blendr/abci/server.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/message.hpp>
#include <support/support.hpp>
#ifdef BLENDR_HAS_STORE
#include <blendr/store/sqlite_store.hpp>
#endif

#include "fixtures.hpp"

using namespace blendr;
using namespace blendr::abci;
using namespace blendr::abci::test;

namespace {

using coins = ledger::machine<ledger::bank>;
static_assert(has_form<coins>);

std::string genesis_json()
{
    ledger::genesis out{};
    out.chain = ledger::chain_id{7};
    out.begins = time_ms{1'000};
    out.money.premine = amount{};
    for (std::uint64_t i = 0; i < 4; ++i) {
        out.accounts.push_back({person(i).account(), 100_blnd});
        out.money.premine += 100_blnd;
        out.validators.push_back(
            {person(i).self(), weight{10 + i}, crypto::vrf_secret_key::of(person(i).key()).self()});
    }
    return boost::json::serialize(ledger::genesis_forms<coins::registry>::to_json(out));
}

bytes pay(std::uint64_t from, std::uint64_t number, amount tip = 10_grains)
{
    ledger::transaction tx{};
    tx.chain = ledger::chain_id{7};
    tx.sequence = ledger::nonce{number};
    tx.fee_max = 1_blnd;
    tx.tip = tip;
    tx.expires = height{1000};
    tx.messages.push_back(
        ledger::wrap<ledger::bank>(ledger::bank::transfer{person(9).account(), 1_blnd}));
    ledger::sign(tx, person(from));
    return encode(tx);
}

ledger::machine_options alone()
{
    ledger::machine_options out{};
    out.threads = 1;
    out.proposer = person(0);
    return out;
}

service_options options() { return {.name = "coins", .self = person(0).self()}; }

wire_block empty_block(std::uint64_t h)
{
    return {{}, h, static_cast<std::int64_t>(5'000 + 1000 * h), person(0).self()};
}

}  // namespace

TEST_CASE("machine: a ledger lives through CometBFT's calls, and its payloads split and join")
{
    coins chain{alone()};
    server<coins> node{chain, options()};
    direct_client to{node.answers()};
    CHECK(to.call(init_request(as_bytes("{}"))).refused());
    auto const wrong = to.call(init_request(as_bytes(R"({"chain": "x"})"))).sentence();
    CHECK(wrong.size() > 10);
    REQUIRE(to.call(init_request(as_bytes(genesis_json()))).tag == 6);

    // the better paying goes first, whatever the order in which CometBFT offers
    auto const cheap = pay(1, 0, 10_grains);
    auto const dear = pay(2, 0, 1'000'000_grains);
    for (auto const& each : {cheap, dear}) {
        CHECK(to.call(check_request(each)).in.number(1) == 0);
        CHECK(to.call(check_request(each, true)).in.number(1) == 0);  // it waits: still good
    }
    auto damaged = pay(3, 0);
    damaged.back() ^= std::byte{1};
    auto const refused = to.call(check_request(damaged)).in;
    CHECK(refused.number(1) == ledger::code(ledger::reject::wrong_signature));
    CHECK(refused.text(3) == ledger::message(ledger::reject::wrong_signature));

    auto b = empty_block(1);
    b.txs = {cheap, dear, to_bytes("what nobody can use")};
    b.txs = to.call(prepare_request(b)).in.all(1);
    REQUIRE(b.txs.size() == 3);
    CHECK(b.txs[1] == dear);
    CHECK(b.txs[2] == cheap);

    CHECK(to.call(block_request(process, b)).in.number(1) == 1);
    for (std::size_t i = 0; i < b.txs[0].size(); ++i) {  // every byte of the header is checked
        auto spoiled = b;
        spoiled.txs[0][i] ^= std::byte{1};
        CHECK(to.call(block_request(process, spoiled)).in.number(1) == 2);
    }
    auto swapped = b;
    std::swap(swapped.txs[1], swapped.txs[2]);
    CHECK(to.call(block_request(process, swapped)).in.number(1) == 2);

    auto const done = to.call(block_request(finalize, b)).in;
    CHECK(done.all(2).size() == 3);
    CHECK(chain.last().last == height{0});
    CHECK(to.call(request(commit)).tag == 12);
    CHECK(done.data(5) == to_bytes(chain.last().app_hash));
    CHECK(to.call(check_request(cheap)).in.number(1) == ledger::code(ledger::reject::stale_nonce));

    auto const row = to.call(query_request("ledger/purses", encode(person(9).account()), 0, true));
    CHECK(decode<ledger::purses::row>(row.in.data(7))->balance == 2_blnd);
    CHECK(row.in.has(8));

    // and by hand: payloads and entries are two views of one thing
    using shape = form<coins>;
    auto const at =
        app::proposal_context{chain.tip()->id, height{2}, time_ms{9'000}, person(0).self()};
    auto const payload = chain.propose(at, 10'000).value();
    auto const parts = shape::split(payload);
    REQUIRE(parts);
    CHECK(shape::join(parts->head, parts->txs) == payload);
    CHECK(!shape::split(as_bytes("no block")));
    CHECK(!shape::join(as_bytes("no header"), {}));
}

TEST_CASE("machine: a proposal stays within CometBFT's limit, and is as full as it may be")
{
    coins chain{alone()};
    server<coins> node{chain, options()};
    direct_client to{node.answers()};
    REQUIRE(to.call(init_request(as_bytes(genesis_json()))).tag == 6);
    auto b = empty_block(1);
    for (std::uint64_t i = 0; i < 40; ++i) b.txs.push_back(pay(1, i));
    for (std::uint64_t room = 1'000; room < 10'000; room += 977) {
        auto const txs = to.call(prepare_request(b, room)).in.all(1);
        std::size_t size = 0;
        for (auto const& each : txs) size += each.size() + 3;
        CHECK(size <= room + txs.size());
        if (txs.size() < 41) CHECK(size + 2 * pay(1, 0).size() > room);
    }
}

TEST_CASE(
    "machine: a new node takes a state over in pieces and decides the next block like the others")
{
    auto how = alone();
    how.snapshot_every = 2;
    coins from{how};
    server<coins> giving{from, options()};
    direct_client there{giving.answers()};
    REQUIRE(there.call(init_request(as_bytes(genesis_json()))).tag == 6);
    auto const decide = [](direct_client& to, wire_block const& b) {
        auto const done = to.call(block_request(finalize, b));
        INFO(done.sentence());
        REQUIRE(done.tag == 21);
        REQUIRE(to.call(request(commit)).tag == 12);
        return done.in.data(5);
    };
    std::vector<wire_block> blocks{};
    bytes hash{};
    for (std::uint64_t h = 1; h <= 3; ++h) {
        auto b = empty_block(h);
        b.txs = {pay(1, h - 1)};
        b.txs = there.call(prepare_request(b)).in.all(1);
        auto const now = decide(there, b);
        if (h == 2) hash = now;
        blocks.push_back(std::move(b));
    }
    auto const listed = there.call(request(list_snapshots)).in.all(1);
    REQUIRE(listed.size() == 1);
    message_fields const shown{listed[0]};
    CHECK(shown.number(1) == 2);

    coins empty{alone()};
    server<coins> taking{empty, options()};
    direct_client here{taking.answers()};
    auto const offer = request(offer_snapshot, message_writer{}.data(1, listed[0]).data(2, hash));
    REQUIRE(here.call(offer).in.number(1) == 1);
    for (std::uint64_t i = 0; i < shown.number(3); ++i) {
        auto const piece =
            there
                .call(
                    request(load_chunk,
                            message_writer{}.number(1, 2).number(2, shown.number(2)).number(3, i)))
                .in.data(1);
        REQUIRE(!piece.empty());
        auto bad = piece;
        bad[bad.size() / 2] ^= std::byte{1};
        auto const apply = [&](bytes const& raw) {
            return here.call(request(apply_chunk, message_writer{}.number(1, i).data(2, raw)))
                .in.number(1);
        };
        CHECK(apply(bad) == 3);
        CHECK(apply(piece) == 1);
    }
    auto const now = here.call(request(info)).in;
    CHECK(now.number(4) == 2);
    CHECK(now.data(5) == hash);
    CHECK(decide(here, blocks[2]) == to_bytes(from.last().app_hash));
}

#ifdef BLENDR_HAS_STORE

namespace {

/// The node in a process of its own, with its state on disk.
class separate_node {
public:
    explicit separate_node(std::filesystem::path directory) : directory_{std::move(directory)} {}
    ~separate_node() { kill(); }
    separate_node(separate_node const&) = delete;
    separate_node& operator=(separate_node const&) = delete;

    void start()
    {
        auto const parent = ::getpid();
        pid_ = ::fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent) ::_exit(1);
            serve();
            ::_exit(1);
        }
        for (int i = 0; i < 1000 && !to_; ++i) {
            try {
                to_ = std::make_unique<socket_client>(address());
            } catch (std::exception const&) {
                std::this_thread::sleep_for(std::chrono::milliseconds{5});
            }
        }
        REQUIRE(to_ != nullptr);
    }
    void kill()
    {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
        to_.reset();
    }
    socket_client& to() { return *to_; }

private:
    std::string address() const { return "unix://" + (directory_ / "socket").string(); }
    std::shared_ptr<state::store> open() const
    {
        auto opened = store::open_sqlite(store::system_files(), (directory_ / "state.db").string());
        if (!opened) ::_exit(2);
        return std::shared_ptr<state::store>{std::move(*opened)};
    }
    void serve()
    {
        auto how = alone();
        how.store = open();
        coins chain{how};
        if (!chain.load()) ::_exit(3);
        server<coins> node{chain, options()};
        if (!node.listen(address())) ::_exit(4);
        for (;;) ::pause();
    }

    std::filesystem::path directory_;
    pid_t pid_ = 0;
    std::unique_ptr<socket_client> to_{};
};

/// CometBFT as its handshake goes: it keeps decided blocks and hashes, replays what the application lacks.
class engine_side {
public:
    /// `calls_until_kill`: the node dies around that call, before or after its answer.
    engine_side(separate_node& node, int calls_until_kill, bool before_answer)
        : node_{node},
          left_{calls_until_kill},
          before_{before_answer}
    {}

    /// Whether the run came to the call at which the node dies.
    bool run(std::uint64_t heights)
    {
        node_.start();
        handshake();
        while (decided_.size() < heights) one_height();
        return killed_;
    }
    std::vector<bytes> hashes{};

private:
    /// None: the node died; it is up again, and what it lacked was replayed.
    std::optional<reply> call(bytes const& message)
    {
        if (left_-- != 0) return node_.to().call(message);
        killed_ = true;
        node_.to().send_message(message);
        if (!before_) node_.to().receive();
        node_.kill();
        node_.start();
        handshake();
        return std::nullopt;
    }
    void handshake()
    {
        for (;;) {
            auto const told = call(request(info));
            if (!told) return;  // a handshake of its own went on
            auto const at = told->in.number(4);
            CHECK(at <= decided_.size());
            if (at > 0) CHECK(told->in.data(5) == hashes.at(at - 1));
            if (at == 0) {
                auto const begun = call(init_request(as_bytes(genesis_json())));
                if (!begun) return;
                REQUIRE(!begun->refused());
            }
            for (auto h = at; h < decided_.size(); ++h)
                if (!decide(decided_[h])) return;
            return;
        }
    }
    bool decide(wire_block const& b)
    {
        auto const done = call(block_request(finalize, b));
        if (!done) return false;
        REQUIRE(!done->refused());
        if (hashes.size() < b.height) hashes.push_back(done->in.data(5));
        CHECK(done->in.data(5) == hashes.at(b.height - 1));
        auto const kept = call(request(commit));
        if (!kept) return false;
        REQUIRE(!kept->refused());
        return true;
    }
    void one_height()
    {
        auto const h = decided_.size() + 1;
        auto b = empty_block(h);
        b.txs = {pay(1, h - 1)};
        if (!call(check_request(b.txs[0]))) return;
        auto const made = call(prepare_request(b));
        if (!made) return;
        REQUIRE(!made->refused());
        b.txs = made->in.all(1);
        CHECK(b.txs.size() == 2);
        auto const judged = call(block_request(process, b));
        if (!judged) return;
        CHECK(judged->in.number(1) == 1);
        if (!call(request(extend_vote))) return;
        decided_.push_back(b);  // from here on CometBFT has it on disk
        decide(b);
    }

    separate_node& node_;
    int left_;
    bool before_;
    bool killed_ = false;
    std::vector<wire_block> decided_{};
};

}  // namespace

TEST_CASE("machine: killed at any call, a node replays to the same application hashes" *
          doctest::test_suite("e2e"))
{
    constexpr std::uint64_t heights = 3;
    std::vector<bytes> wanted{};
    int kills = 0;
    for (int at = -1;; ++at) {
        bool reached = false;
        for (bool const before : {false, true}) {
            separate_node node{blendr::test::scratch("node")};
            engine_side engine{node, at, before};
            reached = engine.run(heights);
            kills += reached ? 1 : 0;
            if (wanted.empty()) wanted = engine.hashes;
            REQUIRE(wanted.size() == heights);
            CHECK(engine.hashes == wanted);
        }
        if (at >= 0 && !reached) break;
    }
    CHECK(kills >= 2 * (2 + 6 * static_cast<int>(heights)));
}

#endif
