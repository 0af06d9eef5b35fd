// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/blob_store.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>

#include <blendr/core/random.hpp>

using namespace blendr;
using node::blob_store;

namespace {

bytes some(std::size_t size, std::uint64_t seed)
{
    rng random{seed};
    bytes out(size);
    for (auto& each : out) each = static_cast<std::byte>(random());
    return out;
}

std::unique_ptr<blob_store> open(store::file_layer& files, std::uint64_t quota = 10'000'000)
{
    auto out = blob_store::open(files, "d/blobs", quota);
    REQUIRE(out);
    return *std::move(out);
}

/// As a fetch does it.
bool bring(blob_store& to, crypto::cid const& name, bytes_view whole)
{
    auto const list = *net::list_of(whole);
    auto const have = to.begin(name, list);
    if (!have) return false;
    for (std::uint32_t i = 0; i < list.chunks.size(); ++i) {
        auto const piece = whole.subspan(i * net::blob_chunk_bytes, chunk_size(list, i));
        if (!(*have)[i]) REQUIRE(to.add(name, i, piece));
    }
    auto const done = to.finish(name);
    return done && *done;
}

}  // namespace

TEST_CASE("blob_store: what was put is read in parts, again after a restart")
{
    store::memory_files files{};
    auto const whole = some(net::blob_chunk_bytes * 2 + 99, 1);
    crypto::cid name{};
    {
        auto const s = open(files);
        auto const put = s->put(whole);
        REQUIRE(put);
        name = *put;
        CHECK(name == crypto::cid::of(whole));
        CHECK(s->put(whole) == put);
        CHECK(s->used() == whole.size());
    }
    rng random{7};
    files.crash(random);
    auto const s = open(files);
    CHECK(s->holds(name));
    CHECK(s->read(name, 0, whole.size()) == whole);
    auto const at = net::blob_chunk_bytes - 3;
    CHECK(s->read(name, at, 10) == to_bytes(bytes_view{whole}.subspan(at, 10)));
    CHECK(s->read(name, whole.size() - 1, 1'000)->size() == 1);
    CHECK(s->read(name, whole.size(), 1)->empty());
    CHECK_FALSE(s->read(crypto::cid::of(as_bytes("none")), 0, 1));
    CHECK(s->put({}));
    CHECK(s->remove(name));
    CHECK_FALSE(s->holds(name));
    CHECK(s->used() == 0);
}

TEST_CASE("blob_store: a quota holds, and what was fetched makes room, the oldest first")
{
    store::memory_files files{};
    auto const s = open(files, 1'000'000);
    auto const a = some(300'000, 1), b = some(300'000, 2), c = some(300'000, 3),
               d = some(500'000, 4);
    auto const name = [](bytes const& of) { return crypto::cid::of(of); };
    CHECK(bring(*s, name(a), a));
    CHECK(bring(*s, name(b), b));
    REQUIRE(s->put(c));
    REQUIRE(s->read(name(a), 0, 1));  // b is the one least lately read
    REQUIRE(s->put(some(100'000, 5)));
    CHECK(s->holds(name(a)));
    CHECK(s->holds(name(b)));
    REQUIRE(s->put(some(200'000, 6)));
    CHECK_FALSE(s->holds(name(b)));
    CHECK(s->holds(name(a)));
    auto const refused = s->put(d);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().find("no room") != std::string::npos);
    CHECK(s->holds(name(c)));  // what was put stays
    CHECK(s->used() <= 1'000'000);
}

TEST_CASE(
    "blob_store: a fetch that was broken off goes on where it was, and checks what lies there")
{
    store::memory_files files{};
    auto const whole = some(net::blob_chunk_bytes * 4, 9);
    auto const name = crypto::cid::of(whole);
    auto const list = *net::list_of(whole);
    auto const piece = [&](std::uint32_t i) {
        return bytes_view{whole}.subspan(i * net::blob_chunk_bytes, net::blob_chunk_bytes);
    };
    {
        auto const s = open(files);
        REQUIRE(s->begin(name, list));
        for (std::uint32_t i : {0U, 1U, 3U}) REQUIRE(s->add(name, i, piece(i)));
        CHECK_FALSE(s->holds(name));
        CHECK_FALSE(s->read(name, 0, 1));
    }
    REQUIRE(files.flip("d/blobs/" + to_text(name) + ".part", net::blob_chunk_bytes + 5, 2));
    auto const s = open(files);
    REQUIRE(s->begun(name) == list);
    auto const have = s->begin(name, list);
    REQUIRE(have);
    CHECK(*have == std::vector<bool>{true, false, false, true});
    REQUIRE(s->add(name, 1, piece(1)));
    CHECK_FALSE(s->finish(name));  // chunk 2 is missing
    REQUIRE(s->add(name, 2, piece(2)));
    CHECK(s->finish(name) == true);
    CHECK(s->read(name, 0, whole.size()) == whole);
}

TEST_CASE("blob_store: chunks of another blob do not become this one")
{
    store::memory_files files{};
    auto const s = open(files);
    auto const name = crypto::cid::of(as_bytes("what was asked for"));
    CHECK_FALSE(bring(*s, name, as_bytes("what was given")));
    CHECK_FALSE(s->holds(name));
    CHECK(s->used() == 0);
}

TEST_CASE("blob_store: damage on disk is named, not given out")
{
    store::memory_files files{};
    auto const s = open(files);
    auto const whole = some(net::blob_chunk_bytes * 2, 11);
    auto const name = *s->put(whole);
    REQUIRE(files.flip("d/blobs/" + to_text(name) + ".own", net::blob_chunk_bytes + 1, 0));
    CHECK(s->read(name, 0, 100));  // the first chunk is good
    auto const got = s->read(name, 0, whole.size());
    REQUIRE_FALSE(got);
    CHECK(got.error().find("damaged") != std::string::npos);
}

TEST_CASE(
    "blob_store: a power cut at any moment leaves a store that opens, and what was put before" *
    doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    rng random{test::seed()};
    for (int round = 0; round < 40; ++round) {
        store::memory_files files{};
        auto const first = some(5'000, random());
        auto const second = some(net::blob_chunk_bytes + 10, random());
        auto s = open(files);
        REQUIRE(s->put(first));
        files.fail_at(files.operations() + random.below(14), store::memory_files::failure::power);
        auto const put = s->put(second);
        s.reset();
        files.crash(random);
        s = open(files);
        CHECK(s->read(crypto::cid::of(first), 0, first.size()) == first);
        if (put || s->holds(crypto::cid::of(second)))
            CHECK(s->read(crypto::cid::of(second), 0, second.size()) == second);
    }
}

TEST_CASE("blob_store: a full disk is a sentence, and takes nothing with it")
{
    store::memory_files files{};
    auto const s = open(files);
    auto const first = *s->put(as_bytes("before"));
    files.fail_at(files.operations() + 2, store::memory_files::failure::full_after);
    CHECK_FALSE(s->put(some(10'000, 3)));
    CHECK(s->read(first, 0, 100) == to_bytes(as_bytes("before")));
    CHECK(s->used() == 6);
}
