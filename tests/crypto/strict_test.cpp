// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/strict.hpp>

#include <algorithm>
#include <set>

#include <doctest/doctest.h>
#include <sodium.h>

#include <blendr/core/random.hpp>
#include <blendr/crypto/identity.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::crypto;

namespace {

constexpr domain about{"test.strict"};

/// RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc).
struct known_answer {
    std::string_view seed, key, message, signature;
};
constexpr known_answer rfc_8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

public_key key_of(std::string_view hex) { return public_key::ed25519(*array_from_hex<32>(hex)); }
signature signature_of(std::string_view hex)
{
    return signature::ed25519(*array_from_hex<64>(hex));
}

bool by_library_alone(public_key const& key, bytes_view said, signature const& sig) noexcept
{
    return crypto_sign_ed25519_verify_detached(
               reinterpret_cast<unsigned char const*>(sig.raw().data()),
               reinterpret_cast<unsigned char const*>(said.data()), said.size(),
               reinterpret_cast<unsigned char const*>(key.raw().data())) == 0;
}

/// The verdict that another predicate gives: strict's own, but for vectors that `differs` picks.
template <bool (*Differs)(std::string_view name)>
bool other(public_key const& key, bytes_view said, signature const& sig) noexcept
{
    for (auto const& each : strict_vectors()) {
        if (key_of(each.key) == key && signature_of(each.signature) == sig &&
            equal(*from_hex(each.message), said))
            return Differs(each.name) ? !each.good : each.good;
    }
    return verify_strict(key, said, sig);
}

bool cofactored(std::string_view name) { return name.find("times the cofactor") != name.npos; }
bool prime_order_only(std::string_view name) { return name.find("that the hash") != name.npos; }
bool s_unchecked(std::string_view name) { return name.find("S plus the group") != name.npos; }
bool small_keys(std::string_view name) { return name.starts_with("key of order 8"); }
bool loose_encoding(std::string_view name) { return name.find("y = p + 1") != name.npos; }

}  // namespace

TEST_CASE("strict: the signatures of RFC 8032 are good, and their keys come from their seeds")
{
    for (auto const& each : rfc_8032) {
        auto const seed = *array_from_hex<32>(each.seed);
        CHECK(to_hex(secret_key::from_seed(seed).self().raw()) == each.key);
        auto const said = *from_hex(each.message);
        CHECK(verify_strict(key_of(each.key), said, signature_of(each.signature)));
    }
}

TEST_CASE("strict: every vector has its verdict")
{
    std::set<std::string_view> names;
    std::size_t good = 0;
    for (auto const& each : strict_vectors()) {
        INFO(each.name);
        CHECK(names.insert(each.name).second);
        CHECK(verify_strict(key_of(each.key), *from_hex(each.message),
                            signature_of(each.signature)) == each.good);
        good += each.good ? 1 : 0;
    }
    CHECK(names.size() == 47);
    CHECK(good == 7);  // two plain ones and five of mixed order
}

TEST_CASE("strict: the checks of form refuse what needs no curve, whatever the library would say")
{
    for (auto const& each : strict_vectors()) {
        INFO(each.name);
        bool const form =
            strict_form(*array_from_hex<32>(each.key), *array_from_hex<64>(each.signature));
        auto const starts = [&](std::string_view with) { return each.name.starts_with(with); };
        bool const misshapen = starts("key of order") || starts("nonce of order") ||
                               starts("key and nonce of order") || starts("S plus") ||
                               each.name.find("encoded as") != std::string_view::npos;
        CHECK(form == !misshapen);
    }
}

TEST_CASE("strict: this libsodium agrees by itself, so the two readings confirm each other")
{
    CHECK(strict_self_test(by_library_alone));
}

TEST_CASE("strict: the self-test refuses predicates that differ, and names the vector")
{
    CHECK(start());
    CHECK(strict_self_test(verify_strict));
    CHECK(cofactored(strict_self_test(other<cofactored>).error()));
    CHECK(prime_order_only(strict_self_test(other<prime_order_only>).error()));
    CHECK(s_unchecked(strict_self_test(other<s_unchecked>).error()));
    CHECK(small_keys(strict_self_test(other<small_keys>).error()));
    CHECK(loose_encoding(strict_self_test(other<loose_encoding>).error()));
}

TEST_CASE("strict: an absent key or signature verifies nothing")
{
    auto const me = secret_key::generate();
    auto const sig = me.sign(about, as_bytes("said"));
    CHECK(verify(me.self(), about, as_bytes("said"), sig));
    CHECK_FALSE(verify(public_key{}, about, as_bytes("said"), sig));
    CHECK_FALSE(verify(me.self(), about, as_bytes("said"), signature{}));
    CHECK_FALSE(verify(public_key{}, about, as_bytes("said"), signature{}));
}

TEST_CASE("strict: no single flipped bit of key, message or signature leaves it good" *
          doctest::test_suite("property"))
{
    auto const me = secret_key::from_seed(*array_from_hex<32>(rfc_8032[0].seed));
    auto const said = to_bytes("what was said");
    auto const sig = me.sign(about, said);
    REQUIRE(verify(me.self(), about, said, sig));
    auto const each_flip = [](bytes raw, auto&& still_good) {
        for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
            raw[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            INFO("bit ", bit);
            CHECK_FALSE(still_good(raw));
            raw[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        }
    };
    each_flip(to_bytes(me.self().raw()),
              [&](bytes_view raw) { return verify(*public_key::from(1, raw), about, said, sig); });
    each_flip(to_bytes(sig.raw()), [&](bytes_view raw) {
        return verify(me.self(), about, said, *signature::from(1, raw));
    });
    each_flip(said, [&](bytes_view raw) { return verify(me.self(), about, raw, sig); });
}

TEST_CASE("strict: random keys and signatures of hostile shape get the library's verdict or no" *
          doctest::test_suite("property"))
{
    // Ours may refuse more by form only; what passes the form must be exactly the library's answer.
    auto const seed = test::seed();
    INFO("seed ", seed);
    rng random{seed};
    auto const vectors = strict_vectors();
    for (int run = 0; run < 2000; ++run) {
        auto const& a = vectors[random.below(vectors.size())];
        auto const& b = vectors[random.below(vectors.size())];
        auto sig = *array_from_hex<64>(a.signature);
        auto key = *array_from_hex<32>(b.key);
        if (random.chance(1, 2))
            sig[random.below(64)] ^= static_cast<std::byte>(1u << random.below(8));
        if (random.chance(1, 4))
            key[random.below(32)] ^= static_cast<std::byte>(1u << random.below(8));
        auto const said = *from_hex(random.chance(1, 2) ? a.message : b.message);
        auto const k = public_key::ed25519(key);
        auto const s = signature::ed25519(sig);
        CHECK(verify_strict(k, said, s) == by_library_alone(k, said, s));
    }
}
