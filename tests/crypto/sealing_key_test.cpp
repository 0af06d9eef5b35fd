// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/sealing_key.hpp>

#include <ostream>
#include <type_traits>

#include <doctest/doctest.h>

#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::crypto;
using kind = seal_error::kind;

namespace {

template <class T>
concept printable = requires(std::ostream& out, T const& value) { out << value; };

static_assert(!std::is_copy_constructible_v<sealing_key> && !printable<sealing_key>);
static_assert(!std::is_copy_constructible_v<content_key> && !printable<content_key>);
static_assert(!encodable<sealing_key> && !encodable<content_key>);
static_assert(encodable<wrapped_key> && encodable<sealing_public_key>);

}  // namespace

TEST_CASE("sealing_key: a wrapped content key opens for its recipient and nobody else")
{
    auto const mine = sealing_key::generate();
    auto const other = sealing_key::generate();
    auto const key = content_key::generate();
    auto const wrapped = *key.wrap(mine.self());
    REQUIRE(mine.unwrap(wrapped));
    CHECK(mine.unwrap(wrapped)->bytes().same_as(key.bytes()));
    CHECK(other.unwrap(wrapped).error().what == kind::not_for_us);
    auto claimed = wrapped;
    claimed.to = other.self();
    CHECK(other.unwrap(claimed).error().what == kind::tampered);
}

TEST_CASE("sealing_key: wrapping twice shows nothing in common")
{
    auto const mine = sealing_key::generate();
    auto const key = content_key::generate();
    auto const first = *key.wrap(mine.self());
    auto const second = *key.wrap(mine.self());
    CHECK(first.ephemeral != second.ephemeral);
    CHECK(first.box != second.box);
}

TEST_CASE("sealing_key: whoever opens a key can wrap it for another")
{
    auto const first = sealing_key::generate();
    auto const second = sealing_key::generate();
    auto const key = content_key::generate();
    auto const opened = first.unwrap(*key.wrap(first.self()));
    REQUIRE(opened);
    CHECK(second.unwrap(*opened->wrap(second.self()))->bytes().same_as(key.bytes()));
}

TEST_CASE("sealing_key: no single flipped bit of a wrapped key leaves it good" *
          doctest::test_suite("property"))
{
    auto const mine = sealing_key::generate();
    auto const key = content_key::generate();
    auto raw = encode(*key.wrap(mine.self()));
    REQUIRE(raw.size() == 112);
    for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
        raw[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        INFO("bit ", bit);
        auto const opened = mine.unwrap(*decode<wrapped_key>(raw));
        // The top bit of an X25519 key is no part of it (RFC 7748), but it is of what is authenticated.
        REQUIRE_FALSE(opened);
        CHECK(opened.error().what == (bit < 256 ? kind::not_for_us : kind::tampered));
        raw[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    }
}

TEST_CASE("sealing_key: public keys of small order are refused, both ways")
{
    auto const mine = sealing_key::generate();
    auto const key = content_key::generate();
    for (std::string_view const weak :
         {"0000000000000000000000000000000000000000000000000000000000000000",
          "0100000000000000000000000000000000000000000000000000000000000000",
          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
          "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"}) {
        INFO(weak);
        sealing_public_key const to{*array_from_hex<32>(weak)};
        CHECK(key.wrap(to).error().what == kind::bad_recipient);
        auto wrapped = *key.wrap(mine.self());
        wrapped.ephemeral = to.raw;
        CHECK(mine.unwrap(wrapped).error().what == kind::tampered);
    }
}

TEST_CASE("sealing_key: public halves are those of RFC 7748, section 6.1")
{
    auto alice = *from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    auto bob = *from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    CHECK(to_hex(sealing_key::from_seed(secret::take(alice)).self().raw) ==
          "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    CHECK(to_hex(sealing_key::from_seed(secret::take(bob)).self().raw) ==
          "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

TEST_CASE("sealing_key: what belongs to a signing key, and what was wrapped once, stay readable")
{
    auto const owner = secret_key::from_seed(std::array<std::byte, 32>{std::byte{9}});
    auto const mine = sealing_key::of(owner);
    test::vector_list frozen;
    frozen.emplace_back("self", encode(mine.self()));
    CHECK(test::differs_from_frozen("crypto/sealing_key.txt", frozen) == "");
    // Wrapped once with a random ephemeral key; its content key was the hash below.
    auto const wrapped = decode<wrapped_key>(
        *from_hex("1dfce265508a72f1cb6c1db6eea77aed2965c8da759769eeabb1589790e19c067cba71f5708129e1"
                  "e20d40b804dc0e80c0bb85732fc770db9ca0a501be0b8a2c3fd34f8f0d05e30c775beeb19be083c3"
                  "19256f5016f3fb36641bad806f06f704a8df68926ef9753968140272595f1453"));
    REQUIRE(wrapped);
    auto const opened = mine.unwrap(*wrapped);
    REQUIRE(opened);
    CHECK(to_hex(opened->bytes().expose()) ==
          "297bd5cca8b154069fc2d658ce0ad6573fbb90ec8b422e61999ea2a49782ee55");
}
