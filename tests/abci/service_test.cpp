// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/service.hpp>  // first: it stands alone

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/abci/server.hpp>
#include <blendr/app/block_id.hpp>
#include <blendr/app/snapshots.hpp>
#include <blendr/core/random.hpp>
#include <support/support.hpp>

#include "fixtures.hpp"

using namespace blendr;
using namespace blendr::abci;
using namespace blendr::abci::test;

namespace {

service_options options()
{
    service_options out{};
    out.name = "tally";
    out.self = person(0).self();
    return out;
}

/// An application, its server and a connection.
struct world {
    moving_tally app{people(4)};
    server<moving_tally> node{app, options()};
    direct_client to{node.answers()};

    world() = default;
    explicit world(service_options chosen) : node{app, std::move(chosen)} {}

    void begin() { REQUIRE(to.call(init_request(as_bytes("genesis"))).tag == 6); }

    wire_block block(std::uint64_t h, std::vector<bytes> txs, std::uint64_t by = 0)
    {
        wire_block out{{lead_of(person(by).self())},
                       h,
                       static_cast<std::int64_t>(5'000 + 1000 * h),
                       person(by).self()};
        for (auto& each : txs) out.txs.push_back(std::move(each));
        return out;
    }
    void decide(wire_block const& b)
    {
        auto const done = to.call(block_request(finalize, b));
        INFO(done.sentence());
        REQUIRE(done.tag == 21);
        REQUIRE(to.call(request(commit)).tag == 12);
    }
};

std::uint32_t status(reply const& r)
{
    REQUIRE(!r.refused());
    return static_cast<std::uint32_t>(r.in.number(1));
}

/// power by key, as CometBFT would keep it
using powers = std::map<bytes, std::uint64_t>;
void follow(powers& set, std::vector<bytes> const& updates)
{
    for (auto const& each : updates) {
        message_fields const update{each};
        auto const key = message_fields{update.data(1)}.data(1);
        if (update.number(2) == 0)
            CHECK(set.erase(key) == 1);  // else CometBFT would halt
        else
            set[key] = update.number(2);
    }
}
powers powers_of(app::validator_set const& set)
{
    powers out{};
    for (auto const& each : set) out[to_bytes(each.key.raw())] = each.power.get();
    return out;
}

}  // namespace

TEST_CASE("service: the bytes of requests and answers are the protocol's")
{
    world w{};
    auto const raw = [&](std::string_view hex) {
        bytes out{};
        session s{w.node.answers()};
        s.receive(*from_hex(hex), out);
        return to_hex(out);
    };
    CHECK(raw("060a040a026869") == "0612040a026869");  // echo "hi"
    CHECK(raw("021200") == "021a00");                  // flush
    CHECK(raw("060a040a026869021200") == "0612040a026869021a00");
    CHECK(raw("03920100") == "039a0100");      // extend_vote: empty extension
    CHECK(raw("039a0100") == "05a201020801");  // verify_vote_extension: accept
}

TEST_CASE("service: info, init_chain and what stands in them")
{
    world w{};
    auto const before = w.to.call(request(info, message_writer{}.data(1, "0.38.26")));
    CHECK(before.tag == 4);
    CHECK(before.in.text(1) == "tally");
    CHECK(before.in.number(3) == 1);
    CHECK(before.in.number(4) == 0);

    auto const begun = w.to.call(init_request(as_bytes("genesis")));
    REQUIRE(begun.tag == 6);
    CHECK(begun.in.data(3) == to_bytes(w.app.last().app_hash));
    powers set{};
    follow(set, begun.in.all(2));
    CHECK(set == powers_of(people(4)));

    // CometBFT asks again after it was restarted before the first block
    CHECK(w.to.call(init_request(as_bytes("genesis"))).in.data(3) == begun.in.data(3));
    CHECK(w.to.call(init_request(as_bytes("another"))).refused());

    w.decide(w.block(1, {number(5)}));
    auto const after = w.to.call(request(info));
    CHECK(after.in.number(4) == 1);
    CHECK(after.in.data(5) == to_bytes(w.app.last().app_hash));
    CHECK(w.to.call(init_request(as_bytes("genesis"))).refused());

    world late{};
    CHECK(late.to.call(init_request(as_bytes("genesis"), 5)).refused());
    CHECK(late.to.call(init_request(as_bytes("refuse me"))).sentence() ==
          "the application refuses this app_state");
    late.begin();
}

TEST_CASE("service: a block's place is this library's, whatever CometBFT calls it")
{
    world w{};
    w.begin();
    w.decide(w.block(1, {number(5), number(6)}));
    auto twice = w.block(2, {number(7)});
    twice.ms = 3'000;  // CometBFT's own rule forbids it; ours mends it
    w.decide(twice);

    // the same blocks, decided by hand
    moving_tally plain{people(4)};
    plain.init(as_bytes("genesis"));
    auto const decide = [&](app::proposal_context const& at, bytes const& payload) {
        auto const id = app::make_block_id(at, app::payload_digest(payload));
        plain.finalize(at, id, payload);
        plain.commit();
        return id;
    };
    auto first = number(5);
    auto const six = number(6);
    first.insert(first.end(), six.begin(), six.end());
    auto const id = decide({{}, height{1}, time_ms{6'000}, person(0).self()}, first);
    decide({id, height{2}, time_ms{6'001}, person(0).self()}, number(7));
    CHECK(w.app.last() == plain.last());
    CHECK(w.app.tip() == plain.tip());
}

TEST_CASE("service: validator updates lead from each whole set to the next")
{
    world w{};
    powers set{};
    follow(set, w.to.call(init_request(as_bytes("genesis"))).in.all(2));
    for (std::uint64_t h = 1; h <= 12; ++h) {
        auto const done = w.to.call(block_request(finalize, w.block(h, {})));
        REQUIRE(!done.refused());
        follow(set, done.in.all(3));
        REQUIRE(!w.to.call(request(commit)).refused());
        CHECK(set == powers_of(w.app.tip()->next));
    }
    // an application that was restarted goes on from what it has
    server<moving_tally> again{w.app, options()};
    direct_client to{again.answers()};
    auto const next = to.call(block_request(finalize, w.block(13, {})));
    REQUIRE(!next.refused());
    follow(set, next.in.all(3));
    REQUIRE(!to.call(request(commit)).refused());
    CHECK(set == powers_of(w.app.tip()->next));
}

TEST_CASE("service: a proposal fits CometBFT's limit and leads with what its blocks do not carry")
{
    world w{};
    w.begin();
    std::vector<bytes> offered{};
    for (std::uint64_t i = 1; i <= 100; ++i) offered.push_back(number(i));
    auto const propose = [&](std::uint64_t limit, std::vector<bytes> txs) {
        auto b = w.block(1, {});
        b.txs = std::move(txs);
        return w.to.call(prepare_request(b, limit));
    };
    auto const lead_size = 2 + lead_of(person(0).self()).size();
    auto const all = propose(1 << 20, offered).in.all(1);
    REQUIRE(all.size() == 101);
    CHECK(decode<lead>(all[0])->proposer == person(0).self());
    for (std::uint64_t room = 0; room < 300; room += 7) {
        auto const limited = propose(lead_size + room, {}).in.all(1);
        REQUIRE(!limited.empty());
        CHECK(limited.size() <= 1 + room / 10);
        CHECK(limited.size() >= room / 12);  // and little room is left over
    }
    CHECK(propose(lead_size - 1, {}).sentence() == "the smallest block does not fit max_tx_bytes");

    auto own = w.block(1, {});
    own.txs = all;
    CHECK(status(w.to.call(block_request(process, own))) == 1);
    w.decide(own);

    w.app.mute = true;
    CHECK(w.to.call(prepare_request(w.block(2, {}))).sentence() ==
          "the application cannot propose now");
    w.app.mute = false;
    auto stranger = w.block(2, {});
    stranger.proposer = person(9).self();
    CHECK(w.to.call(prepare_request(stranger)).refused());
}

TEST_CASE("service: a proposal that does not hold together is rejected, never unknown")
{
    world w{};
    w.begin();
    auto const judged = [&](auto&& spoil) {
        auto b = w.block(1, {number(5)});
        spoil(b);
        return status(w.to.call(block_request(process, b)));
    };
    CHECK(judged([](auto&) {}) == 1);
    CHECK(judged([](auto& b) { b.txs.clear(); }) == 2);
    CHECK(judged([](auto& b) { b.txs.erase(b.txs.begin()); }) == 2);
    CHECK(judged([](auto& b) { b.txs[0] = lead_of(person(1).self()); }) == 2);
    CHECK(judged([](auto& b) { b.proposer = person(1).self(); }) == 2);
    CHECK(judged([](auto& b) { b.txs[0].push_back(std::byte{}); }) == 2);
    CHECK(judged([](auto& b) { b.txs[1].push_back(std::byte{}); }) == 2);
    CHECK(judged([](auto& b) { b.txs[1] = number(0); }) == 2);
    CHECK(judged([](auto& b) { b.txs[0] = encode(lead{b.proposer, to_bytes("head")}); }) == 2);
    CHECK(judged([](auto& b) { b.txs[0] = encode(lead{}); }) == 2);
    CHECK(judged([](auto&) {}) == 1);

    // decided all the same, it is an exception, and nothing has happened
    auto bad = w.block(1, {number(0)});
    CHECK(w.to.call(block_request(finalize, bad)).sentence() ==
          "the decided block is not valid here");
    CHECK(w.app.last().last == height{});
    w.decide(w.block(1, {number(5)}));
}

TEST_CASE("service: vote extensions are empty, and only empty ones are taken")
{
    world w{};
    auto const extended = w.to.call(request(extend_vote, message_writer{}.number(2, 1)));
    CHECK(extended.tag == 19);
    CHECK(extended.in.data(1).empty());
    CHECK(status(w.to.call(request(verify_extension, message_writer{}.number(3, 1)))) == 1);
    CHECK(status(w.to.call(request(verify_extension, message_writer{}.data(4, "x")))) == 2);
}

TEST_CASE("service: queries name the height they are about, with a proof when asked")
{
    world w{};
    w.begin();
    w.decide(w.block(1, {number(5), number(37)}));
    auto const sum = w.to.call(query_request("sum", as_bytes("key"), 0, true)).in;
    CHECK(sum.number(1) == 0);
    CHECK(sum.data(7) == number(42));
    CHECK(sum.data(6) == to_bytes("key"));
    CHECK(sum.number(9) == 1);
    message_fields const op{message_fields{sum.data(8)}.data(1)};
    CHECK(op.text(1) == "blendr:state/1");
    CHECK(op.text(3) == "a proof");
    CHECK(!w.to.call(query_request("sum", {})).in.has(8));
    CHECK(w.to.call(query_request("sum", {}, 1)).in.number(1) == 0);
    CHECK(w.to.call(query_request("sum", {}, 2)).in.number(1) != 0);
    CHECK(w.to.call(query_request("nothing", {})).in.number(1) == app::tally::unknown_path);
    CHECK(w.to.call(query_request("/p2p/filter/id/abc", {})).in.number(1) == 0);
}

TEST_CASE("service: transactions are checked in order, in batches, beside other requests")
{
    world w{};
    bytes stream{};
    std::vector<std::uint32_t> wanted{};
    for (std::uint64_t i = 0; i < 1000; ++i) {
        if (i % 97 == 0) {
            append_frame(stream, request(echo, message_writer{}.data(1, std::to_string(i))));
            wanted.push_back(2);
        }
        append_frame(stream, check_request(number(i % 3), i % 10 == 0));
        wanted.push_back(9);
    }
    auto const all = w.to.send(stream);
    REQUIRE(all.size() == wanted.size());
    std::uint64_t i = 0;
    for (std::size_t k = 0; k < all.size(); ++k) {
        REQUIRE(all[k].tag == wanted[k]);
        if (all[k].tag != 9) {
            CHECK(all[k].in.text(1) == std::to_string(i));
        } else {
            CHECK(all[k].in.number(1) == (i % 3 == 0 ? app::tally::malformed : 0));
            CHECK(all[k].in.text(3).empty() == (i % 3 != 0));
            ++i;
        }
    }
}

TEST_CASE("service: a state is handed out and taken over in pieces")
{
    world from{};
    from.begin();
    for (std::uint64_t h = 1; h <= 3; ++h) from.decide(from.block(h, {number(h)}));
    auto const listed = from.to.call(request(list_snapshots)).in.all(1);
    REQUIRE(listed.size() == 1);
    message_fields const shown{listed[0]};
    CHECK(shown.number(1) == 3);
    CHECK(shown.number(3) == moving_tally::pieces);
    CHECK(shown.data(4).size() == 32);
    auto const piece = [&](std::uint64_t index) {
        return from.to
            .call(request(load_chunk, message_writer{}.number(1, 3).number(2, 7).number(3, index)))
            .in.data(1);
    };
    CHECK(piece(99).empty());

    auto const offer_it = [&](world& w, bytes_view hash, bytes const& snapshot) {
        return status(
            w.to.call(request(offer_snapshot, message_writer{}.data(1, snapshot).data(2, hash))));
    };
    auto const apply = [](world& w, std::uint64_t index, bytes_view raw) {
        return w.to.call(request(
            apply_chunk, message_writer{}.number(1, index).data(2, raw).data(3, "somebody")));
    };
    auto const trusted = from.app.last().app_hash;
    world w{};
    CHECK(apply(w, 0, piece(0)).refused());  // nothing was offered
    auto wrong_name = message_writer{}.number(1, 3).number(2, 7).number(3, 3).data(4, trusted);
    CHECK(offer_it(w, trusted, wrong_name.raw()) == 3);
    CHECK(offer_it(w, as_bytes("short"), listed[0]) == 3);
    CHECK(offer_it(w, trusted, listed[0]) == 1);
    CHECK(status(apply(w, 1, piece(1))) == 1);
    auto const bad = apply(w, 0, as_bytes("rubbish"));
    CHECK(status(bad) == 3);
    CHECK(bad.in.text(3) == "somebody");
    CHECK(w.app.last().last == height{});
    CHECK(status(apply(w, 2, as_bytes("give up"))) == 5);
    CHECK(apply(w, 2, piece(2)).refused());

    CHECK(offer_it(w, trusted, listed[0]) == 1);
    for (auto const i : {2U, 0U, 1U}) CHECK(status(apply(w, i, piece(i))) == 1);
    auto const now = w.to.call(request(info)).in;
    CHECK(now.number(4) == 3);
    CHECK(now.data(5) == to_bytes(trusted));
    CHECK(w.to.call(request(offer_snapshot, message_writer{}.data(1, listed[0]).data(2, trusted)))
              .refused());
}

TEST_CASE("service: an application that throws stops deciding, with its words, and still answers")
{
    world w{};
    w.begin();
    w.decide(w.block(1, {number(5)}));
    w.app.throws = true;
    auto const said = w.to.call(block_request(finalize, w.block(2, {}))).sentence();
    CHECK(said == "the application failed: the disk is on fire");
    w.app.throws = false;
    CHECK(w.to.call(block_request(finalize, w.block(2, {}))).sentence() == said);
    CHECK(w.to.call(request(commit)).sentence() == said);
    CHECK(w.to.call(query_request("sum", {})).in.data(7) == number(5));
    CHECK(w.to.call(request(info)).in.number(4) == 1);
}

TEST_CASE("service: what is not durable is not committed, and nothing follows it")
{
    world w{};
    w.begin();
    w.decide(w.block(1, {number(5)}));
    REQUIRE(!w.to.call(block_request(finalize, w.block(2, {}))).refused());
    w.app.disk_says = "no space is left";
    CHECK(w.to.call(request(commit)).sentence() == "the block is not durable: no space is left");
    w.app.disk_says.reset();
    CHECK(w.to.call(request(commit)).refused());
    CHECK(w.to.call(block_request(finalize, w.block(3, {}))).refused());
}

TEST_CASE("service: CometBFT may forget only what the application does not need")
{
    auto chosen = options();
    chosen.blocks_kept = 3;
    world w{chosen};
    w.begin();
    for (std::uint64_t h = 1; h <= 6; ++h) {
        REQUIRE(!w.to.call(block_request(finalize, w.block(h, {}))).refused());
        auto const kept = w.to.call(request(commit)).in.number(3);
        CHECK(kept == (h > 3 ? h - 2 : 0));
    }
}

namespace {

/// Walks call sequences of the published grammar and knows what each answer must be.
class walker {
public:
    explicit walker(std::uint64_t seed) : random_{seed} {}

    /// A node's life until a height, with illegal calls in between when asked to.
    app::info live(world& w, std::uint64_t heights, bool rudely)
    {
        rude_ = rudely;
        if (random_.chance(1, 2)) legal(w, request(info));
        legal(w, init_request(as_bytes("genesis")));
        for (std::uint64_t h = 1; h <= heights; ++h) {
            rudeness(w, h, false);
            auto const b = decided(w, h);
            auto const rounds = random_.below(4);
            for (std::uint64_t i = 0; i < rounds; ++i) round(w, h, b);
            if (random_.chance(1, 2)) legal(w, request(info));
            auto const done = legal(w, block_request(finalize, b));
            CHECK(done.in.all(2).size() == b.txs.size());
            CHECK(w.app.last().last == height{h - 1});  // not before commit
            rudeness(w, h, true);
            if (random_.chance(1, 4))  // CometBFT was restarted in between
                CHECK(legal(w, block_request(finalize, b)).in.data(5) == done.in.data(5));
            legal(w, request(commit));
            CHECK(to_bytes(w.app.last().app_hash) == done.in.data(5));
            CHECK(w.app.last().last == height{h});
        }
        return w.app.last();
    }

private:
    reply legal(world& w, bytes const& message)
    {
        auto out = w.to.call(message);
        INFO("seed ", blendr::test::seed(), ": ", out.sentence());
        REQUIRE(!out.refused());
        return out;
    }
    void votes(world& w)
    {
        for (auto i = random_.below(3); i > 0; --i)
            CHECK(status(legal(w, request(verify_extension))) == 1);
    }
    void round(world& w, std::uint64_t h, wire_block const& good)
    {
        votes(w);
        auto shown = good;
        if (random_.chance(1, 3)) {  // proposer
            auto asked = good;
            asked.txs.assign(1, number(1 + random_.below(9)));
            asked.proposer = person(0).self();
            shown.txs = legal(w, prepare_request(asked)).in.all(1);
            shown.proposer = person(0).self();
            if (random_.chance(2, 3)) CHECK(status(legal(w, block_request(process, shown))) == 1);
        } else if (random_.chance(3, 4)) {
            auto const way = random_.below(3);
            if (way == 1) shown.txs.push_back(number(0));
            if (way == 2) shown = w.block(h, {number(1 + random_.below(99))}, 1);
            CHECK(status(legal(w, block_request(process, shown))) == (way == 1 ? 2 : 1));
        }
        if (random_.chance(1, 2)) {
            votes(w);
            legal(w, request(extend_vote, message_writer{}.number(2, h)));
            votes(w);
        }
    }
    /// Depends on the height alone, so that every walk decides the same.
    wire_block decided(world& w, std::uint64_t h)
    {
        rng its{h};
        std::vector<bytes> txs{};
        for (auto i = its.below(5); i > 0; --i) txs.push_back(number(1 + its.below(1000)));
        return w.block(h, std::move(txs), its.below(4));
    }
    void rudeness(world& w, std::uint64_t h, bool finalized)
    {
        if (!rude_) return;
        auto const before = w.app.last();
        auto const refused = [&](bytes const& message) {
            auto const out = w.to.call(message);
            CHECK(out.refused());
            CHECK(out.sentence().size() > 10);
            CHECK(w.app.last() == before);
        };
        refused(block_request(finalize, w.block(h + 1 + random_.below(3), {})));
        refused(block_request(process, w.block(h + 1, {})));
        if (h > 1) refused(block_request(finalize, w.block(h - 1, {})));
        if (h > 1) refused(init_request(as_bytes("genesis")));
        refused(request(apply_chunk));
        refused({});
        refused(to_bytes("rubbish"));
        refused(request(static_cast<tag>(4)));
        refused(request(static_cast<tag>(7)));
        refused(request(static_cast<tag>(21)));
        refused(prepare_request(w.block(h + 1, {})));
        auto late = w.block(h, {});
        late.ms = -2'000'000'000'000'000'000;
        if (!finalized) {
            refused(request(commit));
            refused(block_request(finalize, late));
        } else {
            refused(prepare_request(w.block(h, {})));
            refused(block_request(process, w.block(h, {})));
            refused(block_request(finalize, w.block(h, {number(4711)})));
        }
    }

    rng random_;
    bool rude_ = false;
};

}  // namespace

TEST_CASE("service: every legal sequence of calls is answered, illegal ones change nothing" *
          doctest::test_suite("property"))
{
    std::optional<app::info> reached{};
    for (std::uint64_t i = 0; i < 60; ++i) {
        world w{};
        auto const last = walker{blendr::test::seed() * 1000 + i}.live(w, 12, i % 2 == 1);
        if (!reached) reached = last;
        CHECK(last == *reached);
    }
}

TEST_CASE("service: nothing is decided before a chain is begun")
{
    world w{};
    for (auto const& each :
         {block_request(finalize, w.block(1, {})), block_request(process, w.block(1, {})),
          prepare_request(w.block(1, {})), request(commit)})
        CHECK(w.to.call(each).refused());
    w.begin();
    w.decide(w.block(1, {}));
}

TEST_CASE("service: after broken frames the stream is at its end, and others are not")
{
    world w{};
    direct_client other{w.node.answers()};
    bytes const endless(11, std::byte{0xff});
    auto const said = w.to.send(endless);
    REQUIRE(said.size() == 1);
    CHECK(said[0].sentence() == "the length before a message is no varint");
    CHECK(w.to.how == session::state_of::broken);
    CHECK(w.to.send(endless).empty());
    CHECK(other.call(init_request(as_bytes("genesis"))).tag == 6);

    direct_client third{w.node.answers()};
    bytes great{};
    append_length(great, frame_bytes_max_default + 1);
    CHECK(third.send(great).at(0).sentence() == "a message is longer than this node takes");
}

TEST_CASE("service: answers that pile up are handed over before more are made")
{
    world w{};
    std::string const long_word(100'000, 'x');
    bytes stream{};
    for (int i = 0; i < 50; ++i)
        append_frame(stream, request(echo, message_writer{}.data(1, long_word)));
    session s{w.node.answers()};
    bytes out{};
    std::size_t total = 0;
    int rounds = 0;
    for (auto how = s.receive(stream, out);; how = s.receive({}, out)) {
        CHECK(out.size() < session::out_bytes_max + 200'000);
        total += out.size();
        out.clear();
        ++rounds;
        if (how == session::state_of::hungry) break;
    }
    CHECK(rounds > 4);
    CHECK(total > 50 * long_word.size());
}
