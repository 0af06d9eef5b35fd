// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/snapshot.hpp>  // first: it stands alone

#include <map>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>

#include <support/support.hpp>
#include <support/vectors.hpp>

namespace {

using namespace blendr;
using namespace blendr::state;

struct sample {
    tree t;
    tree_version at{};
    std::map<hash256, snapshot_row> rows;

    explicit sample(unsigned count)
    {
        std::vector<change> all;
        for (unsigned i = 0; i < count; ++i) {
            snapshot_row r{to_bytes("key " + std::to_string(i)), to_bytes("v" + std::to_string(i))};
            all.push_back({key_hash(r.key), value_hash(r.value)});
            rows.emplace(key_hash(r.key), std::move(r));
        }
        at = t.apply(t.decided(), all);
    }
    hash256 root() const { return t.root(at); }
    row_source source() const
    {
        return [this](leaf const& l) -> std::optional<snapshot_row> {
            auto const found = rows.find(l.key);
            if (found == rows.end()) return std::nullopt;
            return found->second;
        };
    }
    bytes chunk(std::uint8_t bits, std::uint32_t i) const
    {
        return make_chunk(t, at, bits, i, source()).value();
    }
};

TEST_CASE("snapshot: chunks in any order give back every row, and the root")
{
    rng random{test::seed()};
    for (unsigned const count : {0u, 1u, 2u, 3u, 17u, 500u}) {
        for (std::uint8_t bits = 0; bits <= 6; ++bits) {
            sample const s{count};
            auto in = snapshot_intake::begin({height{9}, s.root(), bits}).value();
            std::vector<std::uint32_t> order = in.missing();
            CHECK(order.size() == std::size_t{1} << bits);
            random.shuffle(std::span{order});
            std::vector<change> all;
            for (auto const i : order) {
                CHECK_FALSE(in.complete());
                auto const rows = in.take(i, s.chunk(bits, i));
                REQUIRE(rows);
                for (auto const& r : *rows) all.push_back({key_hash(r.key), value_hash(r.value)});
            }
            CHECK(in.complete());
            CHECK(all.size() == count);
            tree t;
            CHECK(t.root(t.apply(t.decided(), all)) == s.root());
        }
    }
}

TEST_CASE("snapshot: a wrong or cut chunk is named and loses nothing")
{
    sample const s{200};
    auto in = snapshot_intake::begin({height{9}, s.root(), 3}).value();
    REQUIRE(in.take(2, s.chunk(3, 2)));
    auto const good = s.chunk(3, 5);
    auto const cut = in.take(5, bytes_view{good}.first(good.size() / 2));
    CHECK(cut.error() == chunk_error{chunk_fault::malformed, 5});
    CHECK(message(cut.error()) == "snapshot chunk 5 is damaged or cut short");
    CHECK(in.take(5, s.chunk(3, 4)).error() == chunk_error{chunk_fault::another, 5});
    CHECK(in.take(8, good).error().what == chunk_fault::bad_manifest);
    CHECK(in.take(5, bytes(chunk_bytes_max + 1)).error().what == chunk_fault::too_large);
    CHECK(in.missing() == std::vector<std::uint32_t>{0, 1, 3, 4, 5, 6, 7});
    CHECK(in.take(2, s.chunk(3, 2))->empty());  // twice is no error, and no second time
    REQUIRE(in.take(5, good));
    CHECK(in.missing() == std::vector<std::uint32_t>{0, 1, 3, 4, 6, 7});
    CHECK(snapshot_intake::begin({height{1}, s.root(), 21}).error().what ==
          chunk_fault::bad_manifest);
}

TEST_CASE("snapshot: no flipped bit, dropped, added or moved row passes" *
          doctest::test_suite("property"))
{
    sample const s{24};
    for (std::uint32_t i = 0; i < 4; ++i) {
        auto raw = s.chunk(2, i);
        for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
            raw[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            CHECK_FALSE(open_chunk(s.root(), 2, i, raw));
            raw[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        }
        auto const whole = decode<snapshot_chunk>(raw).value();
        for (std::size_t r = 0; r < whole.rows.size(); ++r) {
            auto dropped = whole;
            dropped.rows.erase(dropped.rows.begin() + static_cast<std::ptrdiff_t>(r));
            CHECK_FALSE(open_chunk(s.root(), 2, i, encode(dropped)));
            auto doubled = whole;
            doubled.rows.push_back(doubled.rows[r]);
            CHECK_FALSE(open_chunk(s.root(), 2, i, encode(doubled)));
            auto changed = whole;
            changed.rows[r].value.push_back({});
            CHECK(open_chunk(s.root(), 2, i, encode(changed)).error().what ==
                  chunk_fault::wrong_root);
        }
    }
}

TEST_CASE("snapshot: a chunk with rows cannot be passed off as empty")
{
    // Every absence proof there is, offered for every part.
    sample const s{6};
    for (std::uint8_t bits = 1; bits <= 5; bits += 2) {
        std::vector<bytes> offers{bytes{std::byte{0}}};
        for (unsigned i = 0; i < 200; ++i)
            offers.push_back(
                encode_proof(s.t.prove(s.at, key_hash(to_bytes("absent " + std::to_string(i))))));
        for (std::uint32_t i = 0; i < (1u << bits); ++i) {
            bool const has = !s.t.part_of(s.at, bits, i).rows.empty();
            std::size_t accepted = 0;
            for (auto const& offer : offers) {
                snapshot_chunk c;
                c.bits = bits;
                c.index = i;
                c.none = bounded<bytes, 8321>{offer};
                accepted += open_chunk(s.root(), bits, i, encode(c)).has_value();
            }
            if (has) CHECK(accepted == 0);
        }
    }
}

TEST_CASE("snapshot: rows that changed meanwhile are noticed when the chunk is made")
{
    sample s{50};
    s.rows.begin()->second.value = to_bytes("another");
    auto const made = make_chunk(s.t, s.at, 0, 0, s.source());
    CHECK(made.error() == chunk_error{chunk_fault::row_changed, 0});
}

TEST_CASE("snapshot: chunks hold some thousand rows")
{
    CHECK(snapshot_bits(0) == 0);
    CHECK(snapshot_bits(4095) == 0);
    CHECK(snapshot_bits(1'000'000) == 8);
    CHECK(snapshot_bits(std::size_t{1} << 40) == snapshot_manifest::bits_max);
}

TEST_CASE("snapshot: chunks and manifests are encoded as they were frozen")
{
    sample const s{5};
    test::vector_list now;
    now.emplace_back("manifest", encode(snapshot_manifest{height{7}, s.root(), 3}));
    for (std::uint32_t i = 0; i < 8; ++i)
        now.emplace_back("chunk/" + std::to_string(i), s.chunk(3, i));
    CHECK(test::differs_from_frozen("state/snapshot.txt", now) == "");
}

}  // namespace
