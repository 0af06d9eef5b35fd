// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/verify_batch.hpp>  // first: it stands alone

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sodium.h>

#include <blendr/crypto/strict.hpp>
#include <support/support.hpp>

#include "forgeries.hpp"

namespace {

using namespace blendr;
using crypto::cpu;
using crypto::verdict;
using test::triple;

std::vector<cpu> paths()
{
    std::vector<cpu> out;
    std::string says;
    for (auto const path : crypto::every_cpu)
        if (crypto::runs(path)) {
            out.push_back(path);
            says += (says.empty() ? "" : ", ") + std::string{crypto::name(path)};
        }
    MESSAGE("paths: " << says);
    return out;
}

/// Triples with the verdicts that libsodium gives them.
struct judged {
    std::vector<triple> triples;
    std::vector<verdict> expected;

    explicit judged(std::vector<triple> in) : triples{std::move(in)}
    {
        for (auto const& t : triples) expected.push_back(test::by_sodium(t));
    }
    std::size_t good() const
    {
        return static_cast<std::size_t>(
            std::count(expected.begin(), expected.end(), verdict::valid));
    }
};

/// Verifies `count` of them from `first` on, round and round, and requires the expected verdicts.
void agree(crypto::batch_verifier& verifier, judged const& cases, std::size_t first,
           std::size_t count)
{
    std::vector<crypto::signed_bytes> claims;
    for (std::size_t i = 0; i < count; ++i)
        claims.push_back(cases.triples[(first + i) % cases.triples.size()].view());
    // neither value, so that an entry left out shows
    std::vector<verdict> out(count, static_cast<verdict>(7));
    verifier.verify(claims, out);
    std::size_t agreed = 0;
    for (; agreed < count; ++agreed)
        if (out[agreed] != cases.expected[(first + agreed) % cases.triples.size()]) break;
    INFO("path " << crypto::name(verifier.path()) << ", case "
                 << (first + agreed) % cases.triples.size() << ", place " << agreed << " of "
                 << count);
    REQUIRE(agreed == count);
}

}  // namespace

TEST_CASE("verify_batch: the signatures of RFC 8032 and every strict vector, in every lane")
{
    std::vector<triple> all;
    std::vector<bool> good;
    for (auto const& v : crypto::strict_vectors()) {
        all.push_back({*from_hex(v.key), *from_hex(v.message), *from_hex(v.signature)});
        good.push_back(v.good);
    }
    // RFC 8032, 7.1: tests 1, 2, 3 and SHA(abc)
    constexpr std::array<std::string_view, 3> rfc[] = {
        {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
         "1cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
         "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
        {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
         "984dc6594a7c15e9716ed28dc027beceea1ec40a"},
        {"ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23"
         "a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
         "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c6"
         "6431e0303dca179c138ac17ad9bef1177331a704"}};
    for (auto const& v : rfc) {
        all.push_back({*from_hex(v[0]), *from_hex(v[1]), *from_hex(v[2])});
        good.push_back(true);
    }
    judged const cases{all};
    for (std::size_t i = 0; i < all.size(); ++i)
        REQUIRE((cases.expected[i] == verdict::valid) == good[i]);
    for (auto const path : paths()) {
        crypto::batch_verifier verifier{{.path = path, .cached_keys = 0}};
        CHECK(verifier.path() == path);
        for (std::size_t shift = 0; shift < 8; ++shift) agree(verifier, cases, shift, all.size());
    }
}

TEST_CASE(
    "verify_batch: no structured forgery gets another verdict than libsodium's, in any lane, at "
    "any batch length from 0 to 64" *
    doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    test::forger forge{test::seed()};
    auto all = forge.everything();
    for (std::size_t i = all.size(); i > 1; --i)
        std::swap(all[i - 1], all[forge.random().below(i)]);
    judged const cases{std::move(all)};
    std::size_t const total = cases.triples.size();
    CHECK(cases.good() > 170);
    CHECK(total - cases.good() > 1000);
    for (auto const path : paths()) {
        std::size_t verdicts = 0;
        if (path == cpu::portable) {
            crypto::batch_verifier verifier{{.path = path}};
            agree(verifier, cases, 0, total);
            verdicts = total;
        } else {
            // Every case in every lane: eight shifts of batches of 64. One cache is on, to be passed
            // through as well; keys of forgeries come back each round.
            crypto::batch_verifier plain{{.path = path, .cached_keys = 0}};
            crypto::batch_verifier caching{{.path = path, .cached_keys = 16}};
            for (std::size_t shift = 0; shift < 8; ++shift)
                for (std::size_t at = 0; at < total; at += 64) {
                    agree(shift % 2 == 0 ? plain : caching, cases, at + shift, 64);
                    verdicts += 64;
                }
            std::size_t at = 0;
            for (std::size_t count = 0; count <= 64; ++count)
                for (int times = 0; times < 3; ++times) {
                    agree(times == 2 ? caching : plain, cases, at, count);
                    at += count, verdicts += count;
                }
        }
        MESSAGE(crypto::name(path) << ": " << verdicts << " verdicts on " << total
                                   << " structured cases (" << cases.good() << " good) agree");
    }
}

TEST_CASE("verify_batch: mixed-order signatures are judged without the cofactor" *
          doctest::test_suite("property"))
{
    // Those that only hold after multiplication with 8 fail, those that hold exactly pass: about one
    // in eight of these, so both kinds must turn up.
    test::forger forge{test::seed() + 1};
    auto const small = test::small_order_points();
    std::vector<triple> all;
    for (int i = 0; i < 192; ++i) all.push_back(forge.mixed_order(small[2], small[2]));
    judged const cases{std::move(all)};
    CHECK(cases.good() > 5);
    CHECK(cases.good() < 60);
    for (auto const path : paths()) {
        crypto::batch_verifier verifier{{.path = path}};
        agree(verifier, cases, 0, cases.triples.size());
    }
}

TEST_CASE("verify_batch: a cached key gives the verdicts that it gave before it was cached")
{
    // Few signers, many signatures, a third of them forged; small caches that keep throwing out.
    test::forger forge{test::seed() + 2};
    std::vector<triple> all;
    std::vector<bytes> secrets(12, bytes(64));
    std::vector<bytes> keys(12, bytes(32));
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto const seed = forge.noise(32);
        crypto_sign_ed25519_seed_keypair(test::raw(keys[i]), test::raw(secrets[i]),
                                         test::raw(seed));
    }
    auto const small = test::small_order_points();
    for (std::size_t i = 0; i < 600; ++i) {
        std::size_t const who = forge.random().below(keys.size());
        triple t;
        t.key = keys[who];
        t.message = forge.noise(i % 50);
        crypto_sign_ed25519_detached(test::raw(t.signature), nullptr, test::raw(t.message),
                                     t.message.size(), test::raw(secrets[who]));
        if (i % 3 == 0) t.signature[forge.random().below(64)] ^= std::byte{4};
        all.push_back(std::move(t));
    }
    // a mixed-order key and a key off the curve that come again and again
    auto const mixed = forge.mixed_order(small[2], small[2]);
    auto off = forge.good(3);
    off.key.assign(32, std::byte{0});
    off.key[0] = std::byte{2};
    for (std::size_t i = 0; i < all.size(); i += 10) all[i] = i % 20 == 0 ? mixed : off;
    judged const cases{std::move(all)};
    for (auto const path : paths())
        for (std::size_t const cached : {0u, 1u, 4u, 64u}) {
            crypto::batch_verifier verifier{{.path = path, .cached_keys = cached}};
            for (std::size_t const count : {64u, 5u, 200u, 9u, 600u})
                for (std::size_t at = 0; at < cases.triples.size(); at += count)
                    agree(verifier, cases, at, count);
        }
}

TEST_CASE("verify_batch: one bad signature spoils none of its neighbours")
{
    test::forger forge{test::seed() + 3};
    std::vector<triple> all;
    for (int i = 0; i < 64; ++i) all.push_back(forge.good(20));
    auto const original = all;
    for (auto const path : paths()) {
        crypto::batch_verifier verifier{{.path = path, .cached_keys = 0}};
        for (std::size_t bad = 0; bad < 64; ++bad) {
            all = original;
            // off the curve, wrong S, wrong message, in turn
            if (bad % 3 == 0) all[bad].key.assign(32, std::byte{0}), all[bad].key[0] = std::byte{2};
            if (bad % 3 == 1) all[bad].signature[40] ^= std::byte{1};
            if (bad % 3 == 2) all[bad].message.push_back({});
            std::vector<crypto::signed_bytes> claims;
            for (auto const& t : all) claims.push_back(t.view());
            std::vector<verdict> out(64);
            verifier.verify(claims, out);
            for (std::size_t i = 0; i < 64; ++i)
                REQUIRE(out[i] == (i == bad ? verdict::invalid : verdict::valid));
        }
    }
}

namespace {

/// Random signatures, half of them spoilt at random, against libsodium.
void differential(std::size_t total, std::uint64_t seed)
{
    INFO("seed " << seed);
    test::forger forge{seed};
    auto const run = paths();
    std::vector<crypto::batch_verifier> verifiers;
    for (auto const path : run)
        if (path != cpu::portable)
            verifiers.emplace_back(crypto::batch_verifier::options{.path = path});
    std::size_t good = 0;
    for (std::size_t done = 0; done < total; done += 1024) {
        std::vector<triple> all;
        for (std::size_t i = 0; i < 1024; ++i) {
            auto& random = forge.random();
            all.push_back(forge.good(random.below(200)));
            auto& t = all.back();
            if (random.chance(1, 2)) continue;
            auto& part = random.chance(1, 2)   ? t.signature
                         : random.chance(1, 2) ? t.key
                                               : t.message;
            if (part.empty()) continue;
            std::size_t const at = random.below(part.size());
            part[at] = static_cast<std::byte>(random());
            if (random.chance(1, 4)) random.fill(part);
        }
        judged const cases{std::move(all)};
        good += cases.good();
        for (auto& verifier : verifiers) agree(verifier, cases, 0, 1024);
    }
    MESSAGE(total << " random signatures, " << good << " of them good: libsodium and "
                  << verifiers.size() << " lane paths agree on each");
}

}  // namespace

TEST_CASE("verify_batch: random signatures, good and spoilt, get libsodium's verdicts" *
          doctest::test_suite("property"))
{
    differential(20 * 1024, test::seed() + 4);
}

TEST_CASE("verify_batch: a million random signatures get libsodium's verdicts" *
          doctest::test_suite("slow"))
{
    differential(1024 * 1024, test::seed() + 5);
}
