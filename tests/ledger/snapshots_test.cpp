// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/machine.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <blendr/app/snapshots.hpp>
#include <blendr/core/random.hpp>
#include <ledger/library.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::ledger;
using namespace blendr::ledger::test;

static_assert(app::snapshot_application<library>);

namespace {

/// Everything there is to offer about one snapshot, as a peer has it.
struct parcel {
    app::snapshot what{};
    hash256 trusted{};
    std::vector<bytes> chunks{};
};
parcel pack(library const& from, height at)
{
    parcel out{};
    for (auto const& each : from.snapshots())
        if (each.at == at) out.what = each;
    for (std::uint32_t i = 0; i < out.what.chunks; ++i)
        out.chunks.push_back(from.chunk(at, i).value());
    return out;
}

machine_options keeping(std::uint64_t every)
{
    auto out = small();
    out.snapshot_every = every;
    return out;
}

std::vector<shelf::put> some_puts(rng& random, std::uint64_t books)
{
    std::vector<shelf::put> out{};
    auto const count = random.below(10);
    for (std::uint64_t n = 0; n < count; ++n) {
        auto const book = static_cast<std::uint32_t>(random.below(books));
        auto const pages = random.below(6);
        out.push_back({book, pages, random.chance(1, 8)});
    }
    return out;
}

void follow(std::map<std::uint32_t, std::uint64_t>& books, std::vector<shelf::put> const& puts)
{
    for (auto const& each : puts) {
        if (each.fails) continue;
        books[each.book] = each.pages;
        if (each.pages == 0) books.erase(each.book);
    }
}

}  // namespace

TEST_CASE("snapshots: a restored machine goes on block by block as the one that gave the pieces" *
          doctest::test_suite("property"))
{
    INFO("seed ", blendr::test::seed());
    for (std::uint64_t round = 0; round < 12; ++round) {
        CAPTURE(round);
        rng random{blendr::test::seed() * 1'000 + round};
        library giver{keeping(3)};
        REQUIRE(giver.init(encode(readers(3 + random.below(60)))));
        std::map<std::uint32_t, std::uint64_t> books{};
        written tip{};
        hash256 trusted{};
        auto const goal = 3 * (1 + random.below(3));
        while (tip.at.at.get() < goal) {
            auto const puts = some_puts(random, 24);
            auto const next = write(giver, tip, puts);
            // something undecided stands above while the snapshot is made
            if (random.chance(1, 2)) write(giver, next, some_puts(random, 24), 1);
            trusted = decide(giver, next).app_hash;
            follow(books, puts);
            tip = next;
        }
        REQUIRE(giver.snapshots().back().at == height{goal});
        auto parcel = pack(giver, height{goal});

        auto how = small();
        if (random.chance(1, 2)) how.store = std::make_shared<state::memory_store>();
        auto taker = std::make_unique<library>(how);
        bool const has_genesis = random.chance(1, 2);
        if (has_genesis) REQUIRE(taker->init(encode(readers(2))));
        auto const before = taker->last();
        REQUIRE(taker->offer(parcel.what, trusted));
        std::vector<std::uint32_t> order(parcel.chunks.size());
        std::iota(order.begin(), order.end(), 0);
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[random.below(i)]);
        for (std::size_t i = 0; i < order.size(); ++i) {
            auto bent = parcel.chunks[order[i]];
            bent[random.below(bent.size())] ^= static_cast<std::byte>(1U << random.below(8));
            REQUIRE(taker->restore(order[i], bent) == app::chunk_verdict::corrupt);
            REQUIRE(taker->refused_chunk()->chunk == order[i]);
            REQUIRE(taker->last() == before);
            REQUIRE(
                taker->restore(order[i], parcel.chunks[order[i]]) ==
                (i + 1 == order.size() ? app::chunk_verdict::complete : app::chunk_verdict::taken));
        }
        REQUIRE(taker->last() == giver.last());
        REQUIRE_FALSE(taker->failure().has_value());
        check_shelf(*taker, books);
        for (int more = 0; more < 5; ++more) {
            if (how.store && random.chance(1, 2)) {  // also after a start from its own disk
                taker.reset();
                taker = std::make_unique<library>(how);
                REQUIRE(taker->load());
            }
            auto const puts = some_puts(random, 24);
            auto const next = write(giver, tip, puts);
            REQUIRE(decide(giver, next) == decide(*taker, next));
            follow(books, puts);
            check_shelf(*taker, books);
            tip = next;
        }
        REQUIRE(taker->last() == giver.last());
    }
}

TEST_CASE("snapshots: many chunks, and each wrong one is named and loses nothing")
{
    library giver{keeping(1)};
    REQUIRE(giver.init(encode(readers(3))));
    written tip{};
    std::map<std::uint32_t, std::uint64_t> books{};
    for (std::uint32_t part = 0; part < 10; ++part) {  // enough rows for several chunks
        std::vector<shelf::put> puts{};
        for (std::uint32_t i = 0; i < 900; ++i) puts.push_back({part * 900 + i, 1 + i % 5, false});
        tip = write(giver, tip, puts);
        decide(giver, tip);
    }
    CHECK(giver.snapshots().size() == 2);  // the last two
    auto const parcel = pack(giver, tip.at.at);
    REQUIRE(parcel.chunks.size() >= 4);
    library taker{small()};
    CHECK(taker.restore(0, parcel.chunks[0]) == app::chunk_verdict::abandoned);
    auto wrong = parcel.what;
    CHECK_FALSE(taker.offer(parcel.what, some_hash(1)));
    wrong.format = 2;
    CHECK_FALSE(taker.offer(wrong, giver.last().app_hash));
    wrong = parcel.what;
    wrong.chunks = 3;
    CHECK_FALSE(taker.offer(wrong, giver.last().app_hash));
    wrong = parcel.what;
    wrong.metadata.pop_back();
    CHECK_FALSE(taker.offer(wrong, giver.last().app_hash));
    CHECK(taker.last() == app::info{});

    // the right pieces under a wrong height: proven, and yet not what was offered
    wrong = parcel.what;
    wrong.at = height{9'999};
    REQUIRE(taker.offer(wrong, giver.last().app_hash));
    for (std::uint32_t i = 0; i < parcel.chunks.size(); ++i)
        CHECK(taker.restore(i, parcel.chunks[i]) == (i + 1 == parcel.chunks.size()
                                                         ? app::chunk_verdict::abandoned
                                                         : app::chunk_verdict::taken));
    CHECK(taker.last() == app::info{});

    REQUIRE(taker.offer(parcel.what, giver.last().app_hash));
    auto const refused = [&](std::uint32_t index, bytes const& raw) {
        CHECK(taker.restore(index, raw) == app::chunk_verdict::corrupt);
        CHECK(taker.refused_chunk()->chunk == index);
        return taker.refused_chunk()->what;
    };
    CHECK(refused(1, {}) == state::chunk_fault::malformed);
    CHECK(refused(1, parcel.chunks[2]) == state::chunk_fault::another);
    CHECK(refused(999, parcel.chunks[2]) == state::chunk_fault::bad_manifest);
    for (std::uint32_t i = 0; i < parcel.chunks.size(); ++i) {
        auto cut = parcel.chunks[i];
        cut.pop_back();
        CHECK(refused(i, cut) == state::chunk_fault::malformed);
        CHECK(state::message(*taker.refused_chunk()).find(std::to_string(i)) != std::string::npos);
        if (i + 1 < parcel.chunks.size()) {
            CHECK(taker.restore(i, parcel.chunks[i]) == app::chunk_verdict::taken);
            CHECK(taker.restore(i, parcel.chunks[i]) == app::chunk_verdict::taken);  // again
        }
    }
    auto const final_one = static_cast<std::uint32_t>(parcel.chunks.size() - 1);
    CHECK(taker.restore(final_one, parcel.chunks.back()) == app::chunk_verdict::complete);
    CHECK(taker.last() == giver.last());
    CHECK_FALSE(taker.offer(parcel.what, giver.last().app_hash));  // it has a state now
    CHECK_FALSE(giver.chunk(height{1}, 0).has_value());            // not held any more
    CHECK_FALSE(giver.chunk(tip.at.at, 999).has_value());
}

TEST_CASE("snapshots: what an interrupted restore left in a store is no chain")
{
    library giver{keeping(2)};
    REQUIRE(giver.init(encode(readers(3))));
    auto const first = write(giver, {}, {{1, 1, false}});
    decide(giver, first);
    auto const second = write(giver, first, {{2, 2, false}});
    decide(giver, second);
    auto const parcel = pack(giver, height{2});

    auto how = small();
    how.store = std::make_shared<state::memory_store>();
    bytes const key = state_key<base, purses>(person(77).account());
    auto const money = encode(purses::row{1'000_blnd, 0});
    state::row_change const stray{key, bytes_view{money}};
    REQUIRE(how.store->write({&stray, 1}, height{0}));
    library taker{how};
    REQUIRE(taker.load());  // nothing with a tip
    CHECK(taker.last() == app::info{});
    REQUIRE(taker.offer(parcel.what, giver.last().app_hash));
    for (std::uint32_t i = 0; i < parcel.chunks.size(); ++i) taker.restore(i, parcel.chunks[i]);
    CHECK(taker.last() == giver.last());
    library again{how};
    REQUIRE(again.load());
    CHECK(again.last() == giver.last());
    CHECK(again.row<purses>(person(77).account()).balance == amount{});

    // a chain that was not loaded is not thrown away
    library hasty{how};
    CHECK_FALSE(hasty.init(encode(readers(3))).has_value());
    CHECK(hasty.failure()->what == state::io_fault::misplaced);
    library still{how};
    REQUIRE(still.load());
    CHECK(still.last() == giver.last());
}
