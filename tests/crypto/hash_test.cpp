// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/hash.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sodium.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::crypto;

namespace {

constexpr domain one{"test.one"};
constexpr domain two{"test.two"};
constexpr domain longest{"sixteen.letters!"};

static_assert(one.name() == "test.one" && longest.name() == "sixteen.letters!");
static_assert(!(one == two));

bytes counting(std::size_t size)
{
    bytes out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i);
    return out;
}

unsigned char const* raw(bytes_view in)
{
    return reinterpret_cast<unsigned char const*>(in.data());
}

/// The library's word for the same hash.
hash256 by_library(domain const& about, bytes_view in)
{
    hash256 out;
    REQUIRE(crypto_generichash_blake2b_salt_personal(
                reinterpret_cast<unsigned char*>(out.data()), out.size(), raw(in), in.size(),
                nullptr, 0, nullptr,
                reinterpret_cast<unsigned char const*>(about.personal().data())) == 0);
    return out;
}

}  // namespace

TEST_CASE("hash: BLAKE2b-256 of the empty message and of abc are the published ones")
{
    CHECK(to_hex(foreign::blake2b_256({})) ==
          "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    CHECK(to_hex(foreign::blake2b_256(as_bytes("abc"))) ==
          "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST_CASE("hash: the self-test of RFC 7693, appendix E, comes out")
{
    // It grinds digests of four lengths, plain and keyed, into one. The 32-byte plain ones and the
    // grinding are ours, the others the library's: only together do they make the RFC's answer.
    auto const sequence = [](std::size_t size) {
        bytes out(size);
        auto const seed = static_cast<std::uint32_t>(size);
        std::uint32_t a = 0xdead4bad * seed;
        std::uint32_t b = 1;
        for (auto& each : out) {
            std::uint32_t const t = a + b;
            a = b;
            b = t;
            each = static_cast<std::byte>(t >> 24);
        }
        return out;
    };
    bytes ground;
    for (std::size_t const digest_size : {20u, 32u, 48u, 64u}) {
        for (std::size_t const size : {0u, 3u, 128u, 129u, 255u, 1024u}) {
            auto const in = sequence(size);
            auto const key = sequence(digest_size);
            for (bool const keyed : {false, true}) {
                bytes digest(digest_size);
                if (digest_size == 32 && !keyed) {
                    digest = to_bytes(foreign::blake2b_256(in));
                } else {
                    REQUIRE(crypto_generichash_blake2b(
                                reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                                raw(in), in.size(), keyed ? raw(key) : nullptr,
                                keyed ? key.size() : 0) == 0);
                }
                ground.insert(ground.end(), digest.begin(), digest.end());
            }
        }
    }
    CHECK(to_hex(foreign::blake2b_256(ground)) ==
          "c23a7800d98123bd10f506c61e29da5603d763b8bbad2e737f5e765a7bccd475");
}

TEST_CASE("hash: equals libsodium's personalised hash at every length around a block")
{
    REQUIRE(sodium_init() >= 0);
    for (std::size_t size = 0; size <= 400; ++size) {
        auto const in = counting(size);
        INFO("size ", size);
        CHECK(hash(one, in) == by_library(one, in));
        CHECK(hash(longest, in) == by_library(longest, in));
    }
}

TEST_CASE("hash: the same bytes hash differently in every domain, and without one")
{
    auto const in = as_bytes("the same bytes");
    CHECK(hash(one, in) != hash(two, in));
    CHECK(hash(one, in) != foreign::blake2b_256(in));
}

TEST_CASE("hash: two hashes side by side hash as their 64 bytes")
{
    auto const left = hash(one, as_bytes("left"));
    auto const right = hash(one, as_bytes("right"));
    bytes both = to_bytes(left);
    both.insert(both.end(), right.begin(), right.end());
    CHECK(hash(one, left, right) == hash(one, both));
    CHECK(hash(one, left, right) != hash(one, right, left));
}

TEST_CASE("hash: pieces do not matter, and finishing does not end the hasher" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed ", seed);
    rng random{seed};
    for (int run = 0; run < 300; ++run) {
        bytes in(random.below(700));
        random.fill(in);
        hasher pieces{one};
        bytes_view rest = in;
        while (!rest.empty()) {
            auto const size = std::min<std::size_t>(rest.size(), random.below(200));
            pieces.update(rest.first(size));
            rest = rest.subspan(size);
            auto const so_far = bytes_view{in}.first(in.size() - rest.size());
            REQUIRE(pieces.finish() == hash(one, so_far));
        }
        REQUIRE(pieces.finish() == hash(one, in));
    }
}

TEST_CASE("hash: our own hashes are frozen")
{
    test::vector_list frozen;
    for (std::size_t const size : {0u, 1u, 32u, 64u, 127u, 128u, 129u, 256u, 1000u})
        frozen.emplace_back("test.one/" + std::to_string(size),
                            to_bytes(hash(one, counting(size))));
    frozen.emplace_back("sixteen.letters!/32", to_bytes(hash(longest, counting(32))));
    CHECK(test::differs_from_frozen("crypto/hash.txt", frozen) == "");
}

TEST_CASE("hash: a table's hash is one value for one key, and spreads keys that differ in a byte")
{
    auto key = counting(32);
    auto const first = table_hash(key);
    CHECK(first == table_hash(counting(32)));
    int changed = 0;
    for (auto& each : key) {
        each ^= std::byte{1};
        changed += (table_hash(key) & 0xff) != (first & 0xff) ? 1 : 0;
        each ^= std::byte{1};
    }
    CHECK(changed > 24);  // of 32; about one in 256 stays by chance
}
