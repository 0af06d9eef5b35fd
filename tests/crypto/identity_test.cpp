// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/identity.hpp>

#include <ostream>
#include <type_traits>

#include <doctest/doctest.h>

#include <blendr/core/codec.hpp>
#include <blendr/crypto/strict.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::crypto;

namespace {

template <class T>
concept printable = requires(std::ostream& out, T const& value) { out << value; };

static_assert(!std::is_copy_constructible_v<secret_key> && !std::is_copy_assignable_v<secret_key>);
static_assert(std::is_nothrow_move_constructible_v<secret_key>);
static_assert(!std::is_default_constructible_v<secret_key>);
static_assert(!printable<secret_key> && !printable<identity>);
static_assert(!encodable<secret_key> && !encodable<identity>);
static_assert(std::is_copy_constructible_v<identity>);  // a handle: the key itself exists once

constexpr domain vote{"test.vote"};
constexpr domain transfer{"test.transfer"};

secret_key fixed() { return secret_key::from_seed(std::array<std::byte, 32>{std::byte{7}}); }

}  // namespace

TEST_CASE("identity: what it signs verifies in its domain and in no other")
{
    identity const me{secret_key::generate()};
    auto const sig = me.sign(vote, as_bytes("block 7"));
    CHECK(verify(me.self(), vote, as_bytes("block 7"), sig));
    CHECK_FALSE(verify(me.self(), transfer, as_bytes("block 7"), sig));
    CHECK_FALSE(verify(me.self(), vote, as_bytes("block 8"), sig));
    CHECK_FALSE(verify(secret_key::generate().self(), vote, as_bytes("block 7"), sig));
}

TEST_CASE("identity: what is signed is the 32-byte hash in the domain")
{
    auto const key = fixed();
    auto const digest = hash(vote, as_bytes("block 7"));
    CHECK(verify_strict(key.self(), digest, key.sign(vote, as_bytes("block 7"))));
}

TEST_CASE("identity: two generated keys differ, one seed makes one key")
{
    CHECK(secret_key::generate().self() != secret_key::generate().self());
    CHECK(fixed().self() == fixed().self());
    CHECK(equal(fixed().expose_seed(), std::array<std::byte, 32>{std::byte{7}}));
}

TEST_CASE("identity: copies share the key and outlive each other")
{
    auto first = std::make_unique<identity>(fixed());
    identity const second = *first;
    first.reset();
    CHECK(second.self() == fixed().self());
    CHECK(verify(second.self(), vote, {}, second.sign(vote, {})));
    CHECK(second.account() == address_of(second.self()));
}

TEST_CASE("identity: secrets derived for two purposes are unrelated, and always the same")
{
    auto const key = fixed();
    CHECK(key.derive(vote).same_as(key.derive(vote)));
    CHECK_FALSE(key.derive(vote).same_as(key.derive(transfer)));
    CHECK_FALSE(equal(key.derive(vote).expose(), key.expose_seed()));
    CHECK_FALSE(secret_key::generate().derive(vote).same_as(key.derive(vote)));
}

TEST_CASE("identity: signatures and derived secrets are frozen")
{
    test::vector_list frozen;
    auto const key = fixed();
    frozen.emplace_back("self", to_bytes(key.self().raw()));
    frozen.emplace_back("sign", to_bytes(key.sign(vote, as_bytes("block 7")).raw()));
    frozen.emplace_back("derive", to_bytes(key.derive(vote).expose()));
    CHECK(test::differs_from_frozen("crypto/identity.txt", frozen) == "");
}
