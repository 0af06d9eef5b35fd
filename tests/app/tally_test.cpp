// SPDX-License-Identifier: Apache-2.0
#include <blendr/app/tally.hpp>  // first: it stands alone

#include <vector>

#include <blendr/app/block_id.hpp>

#include <doctest/doctest.h>

using namespace blendr;

namespace {

struct block {
    app::proposal_context at{};
    bytes payload{};
    block_id id{};
};

bytes number(std::uint64_t n) { return encode(n); }

block child(block const* parent, std::uint64_t n, std::int64_t later = 10)
{
    block out{};
    out.at.at = height{parent == nullptr ? 1 : parent->at.at.get() + 1};
    out.at.parent = parent == nullptr ? block_id{} : parent->id;
    out.at.block_time = time_ms{parent == nullptr ? later : parent->at.block_time.get() + later};
    out.payload = number(n);
    out.id = app::make_block_id(out.at, app::payload_digest(out.payload));
    return out;
}

app::tally fresh()
{
    app::tally out{{{crypto::public_key::ed25519({std::byte{1}}), weight{1}}}};
    REQUIRE(out.init(as_bytes("genesis")));
    return out;
}

std::optional<app::verdict> verify(app::tally& to, block const& b)
{
    return to.verify(b.at, b.id, b.payload);
}

std::uint64_t sum(app::tally const& of)
{
    return *decode<std::uint64_t>(of.query("sum", {}).value);
}

}  // namespace

TEST_CASE("tally: a decision keeps its own branch and drops the siblings")
{
    auto t = fresh();
    auto const a = child(nullptr, 1), b = child(nullptr, 2), aa = child(&a, 4), ba = child(&b, 8);
    for (auto const& each : {a, b, aa, ba}) CHECK(verify(t, each) == app::verdict::valid);
    t.finalize(a.at, a.id, a.payload);
    CHECK(sum(t) == 0);
    CHECK(t.commit() == height{1});
    CHECK(sum(t) == 1);
    auto const baa = child(&ba, 1), aaa = child(&aa, 16);
    CHECK(verify(t, baa) == std::nullopt);
    CHECK(verify(t, aaa) == app::verdict::valid);
    t.finalize(aa.at, aa.id, aa.payload);
    t.commit();
    t.finalize(aaa.at, aaa.id, aaa.payload);
    t.commit();
    CHECK(sum(t) == 21);
}

TEST_CASE("tally: an unknown parent means abstain, a wrong payload is invalid for ever")
{
    auto t = fresh();
    auto const a = child(nullptr, 1), aa = child(&a, 2);
    CHECK(verify(t, aa) == std::nullopt);
    auto zero = child(nullptr, 0);
    CHECK(verify(t, zero) == app::verdict::invalid);
    auto odd = a;
    odd.payload.pop_back();
    CHECK(verify(t, odd) == app::verdict::invalid);
    CHECK(verify(t, a) == app::verdict::valid);
    auto const early = child(&a, 3, 0);
    CHECK(verify(t, early) == app::verdict::invalid);
    auto high = aa;
    high.at.at = height{3};
    CHECK(verify(t, high) == app::verdict::invalid);
    CHECK(verify(t, aa) == app::verdict::valid);
}

TEST_CASE("tally: replaying decided blocks gives the same hashes")
{
    auto live = fresh(), replayed = fresh();
    block tip{};
    for (std::uint64_t n = 1; n <= 20; ++n) {
        auto const wrong = child(n == 1 ? nullptr : &tip, 1000 + n);
        tip = child(n == 1 ? nullptr : &tip, n);
        CHECK(verify(live, wrong) == app::verdict::valid);
        CHECK(verify(live, tip) == app::verdict::valid);
        auto const first = live.finalize(tip.at, tip.id, tip.payload);
        CHECK(first == replayed.finalize(tip.at, tip.id, tip.payload));
        live.commit();
        replayed.commit();
        CHECK(live.last() == replayed.last());
        CHECK(live.last().app_hash == first.app_hash);
    }
    CHECK(sum(replayed) == 210);
}

TEST_CASE("tally: submitted numbers are proposed until a decided block has them")
{
    auto t = fresh();
    CHECK_FALSE(t.submit(number(0)));
    CHECK(t.check(number(0)).code == app::tally::malformed);
    CHECK(t.submit(number(5)));
    CHECK(t.submit(number(6)));
    auto first = child(nullptr, 1);
    CHECK(t.propose(first.at, 15)->size() == 8);
    auto const all = *t.propose(first.at, 1024);
    CHECK(all.size() == 16);
    first.payload = number(5);
    t.finalize(first.at, first.id, first.payload);
    t.commit();
    CHECK(*t.propose(child(&first, 1).at, 1024) == number(6));
}

TEST_CASE("tally: genesis is part of every hash and comes once")
{
    auto a = fresh();
    app::tally b{{{crypto::public_key::ed25519({std::byte{1}}), weight{1}}}};
    REQUIRE(b.init(as_bytes("another")));
    CHECK(a.last().app_hash != b.last().app_hash);
    auto const one = child(nullptr, 1);
    CHECK(a.finalize(one.at, one.id, one.payload).app_hash !=
          b.finalize(one.at, one.id, one.payload).app_hash);
    a.commit();
    CHECK(a.init(as_bytes("genesis")) == std::nullopt);
}
