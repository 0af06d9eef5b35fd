// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/verify_batch.hpp>  // first: it stands alone

#include <random>
#include <vector>

#include <doctest/doctest.h>
#include <sodium.h>

namespace {

using namespace blendr;
using crypto::cpu;
using crypto::verdict;

unsigned char* raw(bytes& b) { return reinterpret_cast<unsigned char*>(b.data()); }

struct triple {
    bytes key = bytes(32);
    bytes message;
    bytes signature = bytes(64);
};

triple signed_triple(std::mt19937_64& random, std::size_t size)
{
    bytes seed(32);
    triple t;
    bytes secret(64);
    for (auto& b : seed) b = static_cast<std::byte>(random());
    t.message.resize(size);
    for (auto& b : t.message) b = static_cast<std::byte>(random());
    crypto_sign_ed25519_seed_keypair(raw(t.key), raw(secret), raw(seed));
    crypto_sign_ed25519_detached(raw(t.signature), nullptr, raw(t.message), size, raw(secret));
    return t;
}

}  // namespace

TEST_CASE("verify_batch: tells good from bad signatures, one by one, on every path")
{
    std::mt19937_64 random{1};
    for (auto const path : crypto::every_cpu) {
        if (!crypto::runs(path)) continue;
        MESSAGE("path: " << crypto::name(path));
        crypto::batch_verifier verifier{{.path = path}};
        for (std::size_t count = 0; count <= 20; ++count) {
            std::vector<triple> triples;
            std::vector<crypto::signed_bytes> claims;
            for (std::size_t i = 0; i < count; ++i) triples.push_back(signed_triple(random, i));
            for (std::size_t i = 0; i < count; i += 3)
                triples[i].signature[random() % 64] ^= std::byte{1};
            for (auto const& t : triples) claims.push_back({t.key, t.message, t.signature});
            std::vector<verdict> out(count);
            verifier.verify(claims, out);
            for (std::size_t i = 0; i < count; ++i)
                REQUIRE(out[i] == (i % 3 == 0 ? verdict::invalid : verdict::valid));
        }
    }
}
