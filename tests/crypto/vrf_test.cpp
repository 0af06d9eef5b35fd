// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/vrf.hpp>

#include <array>
#include <ostream>
#include <set>
#include <type_traits>

#include <doctest/doctest.h>
#include <sodium.h>

#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::crypto;

namespace {

template <class T>
concept printable = requires(std::ostream& out, T const& value) { out << value; };

static_assert(!std::is_copy_constructible_v<vrf_secret_key> && !printable<vrf_secret_key>);
static_assert(!encodable<vrf_secret_key> && !std::is_default_constructible_v<vrf_secret_key>);

using element = std::array<std::byte, 32>;

vrf_secret_key key_of(int seed)
{
    bytes raw(32, static_cast<std::byte>(seed));
    return vrf_secret_key::from_seed(secret::take(raw));
}

vrf_error wrong(vrf_public_key const& key, bytes_view input, vrf_proof const& proof)
{
    return verify(key, input, proof).error();
}

/// The group order, little-endian.
element order()
{
    auto out =
        *array_from_hex<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    return out;
}

element plus(element a, element const& b)
{
    unsigned carry = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        carry += std::to_integer<unsigned>(a[i]) + std::to_integer<unsigned>(b[i]);
        a[i] = static_cast<std::byte>(carry);
        carry >>= 8;
    }
    return a;
}

}  // namespace

TEST_CASE("vrf: what is proven verifies, to the same output")
{
    auto const key = key_of(1);
    auto const made = key.prove(as_bytes("beacon 7"));
    CHECK(verify(key.self(), as_bytes("beacon 7"), made.proof) == made.output);
    CHECK(key.prove({}).output != made.output);
    CHECK(verify(key.self(), {}, key.prove({}).proof) == key.prove({}).output);
}

TEST_CASE("vrf: one key and input have one output and one proof, others have others")
{
    auto const made = key_of(1).prove(as_bytes("beacon 7"));
    CHECK(key_of(1).prove(as_bytes("beacon 7")).proof == made.proof);
    std::set<hash256> outputs;
    for (int seed = 1; seed <= 4; ++seed)
        for (auto const* input : {"a", "b", "ab", ""})
            outputs.insert(key_of(seed).prove(as_bytes(input)).output);
    CHECK(outputs.size() == 16);
}

TEST_CASE("vrf: a proof is for its key and its input only")
{
    auto const made = key_of(1).prove(as_bytes("beacon 7"));
    CHECK(wrong(key_of(2).self(), as_bytes("beacon 7"), made.proof) == vrf_error::not_proven);
    CHECK(wrong(key_of(1).self(), as_bytes("beacon 8"), made.proof) == vrf_error::not_proven);
}

TEST_CASE("vrf: no single flipped bit of a proof, key or input leaves it good" *
          doctest::test_suite("property"))
{
    auto const key = key_of(3);
    auto const input = to_bytes("in");
    auto const made = key.prove(input);
    auto raw = encode(made.proof);
    REQUIRE(raw.size() == 80);
    auto flip = [](bytes& in, std::size_t bit) {
        in[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    };
    for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
        flip(raw, bit);
        INFO("bit ", bit);
        CHECK_FALSE(verify(key.self(), input, *decode<vrf_proof>(raw)));
        flip(raw, bit);
    }
    auto self = encode(key.self());
    for (std::size_t bit = 0; bit < self.size() * 8; ++bit) {
        flip(self, bit);
        CHECK_FALSE(verify(*decode<vrf_public_key>(self), input, made.proof));
        flip(self, bit);
    }
    auto other = input;
    for (std::size_t bit = 0; bit < other.size() * 8; ++bit) {
        flip(other, bit);
        CHECK_FALSE(verify(key.self(), other, made.proof));
        flip(other, bit);
    }
}

TEST_CASE("vrf: hostile keys and proofs are refused by name")
{
    auto const key = key_of(4);
    auto const made = key.prove({});
    element high;
    high.fill(std::byte{0xff});
    CHECK(wrong({}, {}, made.proof) ==
          vrf_error::bad_key);  // the identity: everything is its multiple
    CHECK(wrong({high}, {}, made.proof) == vrf_error::bad_key);
    auto bad = made.proof;
    bad.gamma = high;
    CHECK(wrong(key.self(), {}, bad) == vrf_error::bad_point);
    bad = made.proof;
    bad.gamma = {};  // the identity is an element, but not the one
    CHECK(wrong(key.self(), {}, bad) == vrf_error::not_proven);
    bad = made.proof;
    bad.response = plus(bad.response, order());
    CHECK(wrong(key.self(), {}, bad) == vrf_error::bad_scalar);
    bad.response = order();
    CHECK(wrong(key.self(), {}, bad) == vrf_error::bad_scalar);
    bad.response = {};  // products that are the identity
    CHECK(wrong(key.self(), {}, bad) == vrf_error::not_proven);
    bad.challenge = {};
    CHECK(wrong(key.self(), {}, bad) == vrf_error::not_proven);
    CHECK(wrong(key.self(), {}, vrf_proof{}) == vrf_error::not_proven);
    for (auto const why :
         {vrf_error::bad_key, vrf_error::bad_point, vrf_error::bad_scalar, vrf_error::not_proven})
        CHECK(message(why).size() > 20);
}

TEST_CASE("vrf: the output is determined by the key: another gamma cannot be proven by its owner")
{
    // The owner of x proves with Γ' = Γ + B, following the prover's steps for it. Only a challenge that
    // happens to fit would pass.
    auto const key = key_of(5);
    auto forged = key.prove({}).proof;
    element base;
    element one{};
    one[0] = std::byte{1};
    auto* const b = reinterpret_cast<unsigned char*>(base.data());
    REQUIRE(crypto_scalarmult_ristretto255_base(
                b, reinterpret_cast<unsigned char const*>(one.data())) == 0);
    auto* const g = reinterpret_cast<unsigned char*>(forged.gamma.data());
    REQUIRE(crypto_core_ristretto255_add(g, g, b) == 0);
    CHECK(wrong(key.self(), {}, forged) == vrf_error::not_proven);
}

TEST_CASE("vrf: the key that belongs to a signing key is always the same, and apart from it")
{
    auto const owner = secret_key::from_seed(std::array<std::byte, 32>{std::byte{9}});
    CHECK(vrf_secret_key::of(owner).self() == vrf_secret_key::of(owner).self());
    CHECK_FALSE(equal(vrf_secret_key::of(owner).self().raw, owner.self().raw()));
    CHECK(vrf_secret_key::of(secret_key::generate()).self() != vrf_secret_key::of(owner).self());
}

TEST_CASE("vrf: keys, proofs and outputs are frozen")
{
    test::vector_list frozen;
    auto const key = key_of(1);
    frozen.emplace_back("key", encode(key.self()));
    for (auto const* input : {"", "beacon 7",
                              "a longer input, of more than one block of the hash that "
                              "maps it to the group, which has 128 bytes"}) {
        auto const made = key.prove(as_bytes(input));
        auto const name = std::to_string(std::string_view{input}.size());
        frozen.emplace_back("proof/" + name, encode(made.proof));
        frozen.emplace_back("output/" + name, to_bytes(made.output));
    }
    CHECK(test::differs_from_frozen("crypto/vrf.txt", frozen) == "");
}
