// SPDX-License-Identifier: Apache-2.0
#include <blendr/state/proof.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <blendr/state/tree.hpp>

#include <support/support.hpp>
#include <support/vectors.hpp>

namespace {

using namespace blendr;
using namespace blendr::state;

bytes key_of(unsigned i) { return to_bytes("account " + std::to_string(i)); }
bytes value_of(unsigned i) { return to_bytes(std::to_string(i * i) + " grains"); }

struct sample {
    tree t;
    tree_version at{};

    explicit sample(unsigned count)
    {
        std::vector<change> all;
        for (unsigned i = 0; i < count; ++i)
            all.push_back({key_hash(key_of(i)), value_hash(value_of(i))});
        at = t.apply(t.decided(), all);
    }
    hash256 root() const { return t.root(at); }
    bytes prove(bytes_view key) const { return encode_proof(t.prove(at, key_hash(key))); }
};

TEST_CASE("proof: raw key, raw value, root and encoded proof are all that a check needs")
{
    sample const s{1000};
    CHECK(verify(s.root(), key_of(7), value_of(7), s.prove(key_of(7))));
    CHECK(verify(s.root(), key_of(1000), std::nullopt, s.prove(key_of(1000))));
    CHECK(verify(s.root(), key_of(7), value_of(8), s.prove(key_of(7))).error() ==
          proof_error::wrong_root);
    CHECK(verify(s.root(), key_of(7), std::nullopt, s.prove(key_of(7))).error() ==
          proof_error::wrong_kind);
    CHECK(verify(s.root(), key_of(1000), value_of(7), s.prove(key_of(1000))).error() ==
          proof_error::wrong_kind);
    CHECK_FALSE(verify(s.root(), key_of(8), value_of(7), s.prove(key_of(7))));
}

TEST_CASE("proof: with no rows nothing is there, with one row only that one")
{
    sample const none{0}, one{1};
    CHECK(none.root() == empty_root);
    CHECK(verify(none.root(), key_of(0), std::nullopt, none.prove(key_of(0))));
    CHECK_FALSE(verify(one.root(), key_of(0), std::nullopt, none.prove(key_of(0))));
    CHECK(verify(one.root(), key_of(0), value_of(0), one.prove(key_of(0))));
    CHECK(verify(one.root(), key_of(1), std::nullopt, one.prove(key_of(1))));
}

TEST_CASE("proof: every flipped bit is refused, of presence and of absence" *
          doctest::test_suite("property"))
{
    sample const s{300};
    for (unsigned i = 290; i < 310; ++i) {
        auto const key = key_of(i);
        auto const value = value_of(i);
        std::optional<bytes_view> claim;
        if (i < 300) claim = value;
        auto raw = s.prove(key);
        REQUIRE(verify(s.root(), key, claim, raw));
        for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
            auto const mask = static_cast<std::byte>(1u << bit % 8);
            raw[bit / 8] ^= mask;
            CHECK_FALSE(verify(s.root(), key, claim, raw));
            raw[bit / 8] ^= mask;
        }
        for (std::size_t size = 0; size < raw.size(); ++size)
            CHECK_FALSE(verify(s.root(), key, claim, bytes_view{raw}.first(size)));
        raw.push_back({});
        CHECK(verify(s.root(), key, claim, raw).error() == proof_error::trailing_bytes);
    }
}

TEST_CASE("proof: a row cannot be shown absent by the walk of another" *
          doctest::test_suite("property"))
{
    // Every proof of every key, tried for every other claim.
    sample const s{40};
    for (unsigned shown = 0; shown < 60; ++shown) {
        auto const raw = s.prove(key_of(shown));
        for (unsigned i = 0; i < 40; ++i) {
            CHECK_FALSE(verify(s.root(), key_of(i), std::nullopt, raw));
            CHECK(verify(s.root(), key_of(i), value_of(i), raw).has_value() == (i == shown));
        }
        auto presented = s.t.prove(s.at, key_hash(key_of(shown)));
        if (presented.what == proof::kind::present) {  // turned into an absence proof of others
            presented.what = proof::kind::absent;
            presented.other = {key_hash(key_of(shown)), value_hash(value_of(shown))};
            for (unsigned i = 0; i < 40; ++i)
                CHECK_FALSE(verify(s.root(), key_hash(key_of(i)), std::nullopt, presented));
        }
    }
}

TEST_CASE("proof: branching bits are part of the hash, so a walk cannot be bent")
{
    sample const s{64};
    auto shown = s.t.prove(s.at, key_hash(key_of(1000)));
    REQUIRE(shown.what == proof::kind::absent);
    for (unsigned i = 0; i < 64; ++i) {
        // The same siblings, said to lie where the victim's key agrees with the other leaf.
        auto const victim = key_hash(key_of(i));
        proof bent = shown;
        bent.branches = {};
        unsigned bits = 0;
        for (unsigned b = 0; b < 256 && bits < shown.siblings.size(); ++b)
            if (bit_at(victim, b) == bit_at(shown.other.key, b)) {
                bent.branches.set(b);
                ++bits;
            }
        CHECK_FALSE(verify(s.root(), victim, std::nullopt, bent));
    }
}

TEST_CASE("proof: at a hundred thousand rows it takes less than a kilobyte")
{
    std::vector<change> all(100'000);
    rng random{test::seed()};
    for (auto& c : all) {
        random.fill(c.key);
        c.value = c.key;
    }
    tree t;
    auto const v = t.apply(t.decided(), all);
    std::size_t largest = 0;
    for (std::size_t i = 0; i < 2000; ++i) {
        hash256 key = all[i * 50].key;
        if (i % 2 == 1) random.fill(key);
        largest = std::max(largest, encode_proof(t.prove(v, key)).size());
    }
    CHECK(largest <= 1000);
}

TEST_CASE("proof: roots and proofs are encoded as they were frozen")
{
    test::vector_list now;
    auto const add = [&now](std::string name, bytes_view raw) {
        now.emplace_back(std::move(name), to_bytes(raw));
    };
    add("key_hash", key_hash(key_of(0)));
    add("value_hash", value_hash(value_of(0)));
    add("leaf_hash", leaf_hash({key_hash(key_of(0)), value_hash(value_of(0))}));
    add("inner_hash", inner_hash(3, key_hash(key_of(0)), key_hash(key_of(1))));
    for (unsigned const count : {0u, 1u, 2u, 3u, 100u}) {
        sample const s{count};
        auto const name = std::to_string(count);
        add("root/" + name, s.root());
        add("present/" + name, s.prove(key_of(count / 2)));
        add("absent/" + name, s.prove(key_of(count)));
    }
    CHECK(test::differs_from_frozen("state/proof.txt", now) == "");
}

}  // namespace
