// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/keys.hpp>

#include <type_traits>

#include <doctest/doctest.h>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>
#include <support/support.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::crypto;

namespace {

static_assert(encodable<public_key> && encodable<signature> && encodable<address>);
static_assert(!std::is_convertible_v<hash256, address> && !std::is_convertible_v<address, hash256>);
static_assert(!std::is_convertible_v<public_key, address>);
static_assert(!std::is_convertible_v<bytes_view, public_key>);

std::array<std::byte, 32> filled(int value)
{
    std::array<std::byte, 32> out;
    out.fill(static_cast<std::byte>(value));
    return out;
}

auto const key = public_key::ed25519(filled(0x11));

decode_fault fault(bytes_view raw)
{
    auto const got = decode<public_key>(raw);
    return got ? decode_fault::none : got.error().what;
}

}  // namespace

TEST_CASE("keys: a key is encoded as scheme, length and bytes")
{
    auto const raw = encode(key);
    REQUIRE(raw.size() == 34);
    CHECK(raw[0] == std::byte{1});
    CHECK(raw[1] == std::byte{32});
    CHECK(decode<public_key>(raw) == key);
    CHECK(to_hex(encode(public_key{})) == "0000");
    CHECK(decode<public_key>(encode(public_key{})) == public_key{});
    CHECK(encode(signature::ed25519({})).size() == 66);
}

TEST_CASE("keys: hostile encodings are refused by name")
{
    auto raw = encode(key);
    CHECK(fault(bytes_view{raw}.first(0)) == decode_fault::truncated);
    CHECK(fault(bytes_view{raw}.first(1)) == decode_fault::truncated);
    CHECK(fault(bytes_view{raw}.first(33)) == decode_fault::truncated);
    raw.push_back(std::byte{0});
    CHECK(fault(raw) == decode_fault::trailing);
    raw.pop_back();
    raw[0] = std::byte{2};  // a scheme of the future
    CHECK(fault(raw) == decode_fault::unknown_tag);
    raw[0] = std::byte{0};  // no key, yet 32 bytes
    CHECK(fault(raw) == decode_fault::bad_value);
    raw[0] = std::byte{1};
    raw[1] = std::byte{31};
    CHECK(fault(raw) == decode_fault::bad_value);
    raw[1] = std::byte{33};
    CHECK(fault(raw) == decode_fault::too_long);
    CHECK(fault(*from_hex("01a000")) == decode_fault::non_minimal);
    CHECK(public_key::from(7, {}).error() == key_error::unknown_scheme);
    CHECK(public_key::from(1, {}).error() == key_error::wrong_length);
    CHECK(signature::from(1, filled(0)).error() == key_error::wrong_length);
}

TEST_CASE("keys: what decodes encodes to the same bytes" * doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed ", seed);
    rng random{seed};
    int good = 0;
    for (int run = 0; run < 20000; ++run) {
        bytes raw(random.below(70));
        random.fill(raw);
        if (raw.size() > 1) {
            raw[0] = static_cast<std::byte>(random.below(3));
            raw[1] =
                static_cast<std::byte>(random.chance(1, 2) ? raw.size() - 2 : random.below(70));
        }
        if (auto const k = decode<public_key>(raw)) REQUIRE((++good, encode(*k)) == raw);
        if (auto const s = decode<signature>(raw)) REQUIRE((++good, encode(*s)) == raw);
    }
    CHECK(good > 50);
}

TEST_CASE("keys: order is by scheme and then by bytes, no key comes first")
{
    CHECK(public_key{} < public_key::ed25519(filled(0)));
    CHECK(public_key::ed25519(filled(1)) < public_key::ed25519(filled(2)));
    CHECK(public_key::ed25519(filled(0x7f)) < public_key::ed25519(filled(0x80)));
    CHECK(std::hash<public_key>{}(key) ==
          std::hash<public_key>{}(public_key::ed25519(filled(0x11))));
    CHECK(std::hash<public_key>{}(key) !=
          std::hash<public_key>{}(public_key::ed25519(filled(0x12))));
}

TEST_CASE("keys: the text form is the scheme's name and hex, and only that")
{
    auto const text = to_text(key);
    CHECK(text == "ed25519:" + to_hex(filled(0x11)));
    CHECK(parse_public_key(text) == key);
    CHECK(parse_public_key("none") == public_key{});
    auto const sig = signature::ed25519({});
    CHECK(to_text(sig) == "ed25519:" + std::string(128, '0'));
    CHECK(parse_signature(to_text(sig)) == sig);
    CHECK(parse_signature("none") == signature{});
    CHECK(parse_signature(text).error() == key_error::wrong_length);
    CHECK(parse_public_key("").error() == key_error::bad_text);
    CHECK(parse_public_key("ed25519").error() == key_error::bad_text);
    CHECK(parse_public_key("ed25519:11").error() == key_error::wrong_length);
    CHECK(parse_public_key("ed25519:1").error() == key_error::bad_text);
    CHECK(parse_public_key("ed448:11").error() == key_error::unknown_scheme);
    CHECK(parse_public_key("ed25519:" + std::string(64, 'A')).error() == key_error::bad_text);
    for (auto const why : {key_error::unknown_scheme, key_error::wrong_length, key_error::bad_text})
        CHECK(message(why).size() > 20);
}

TEST_CASE("keys: addresses of keys and of owned things never meet")
{
    CHECK(address_of(key) != address_of(public_key::ed25519(filled(0x12))));
    CHECK(address_of(key) != address_of(public_key{}));
    CHECK(address_of("escrow", as_bytes("1")) != address_of("escrow", as_bytes("2")));
    CHECK(address_of("escrow", as_bytes("1")) != address_of("escrow1", {}));
    CHECK(address_of("", encode(key)) != address_of(key));
    CHECK(decode<address>(encode(address_of(key))) == address_of(key));
    CHECK(encode(address_of(key)).size() == 32);
}

TEST_CASE("keys: encodings and addresses are frozen")
{
    test::vector_list frozen;
    frozen.emplace_back("public_key/none", to_bytes(encode(public_key{})));
    frozen.emplace_back("public_key/ed25519", to_bytes(encode(key)));
    frozen.emplace_back("signature/none", to_bytes(encode(signature{})));
    frozen.emplace_back("signature/ed25519", to_bytes(encode(signature::ed25519({}))));
    frozen.emplace_back("address/key", to_bytes(address_of(key).raw()));
    frozen.emplace_back("address/owned", to_bytes(address_of("escrow", as_bytes("purse")).raw()));
    CHECK(test::differs_from_frozen("crypto/keys.txt", frozen) == "");
}
