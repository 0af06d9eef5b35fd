// SPDX-License-Identifier: Apache-2.0
#include <harness.hpp>

#include <string>
#include <vector>

#include <sodium.h>

#include <blendr/crypto/blake2b_lanes.hpp>
#include <blendr/crypto/verify_batch.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
using crypto::cpu;

unsigned char* raw(bytes& b) { return reinterpret_cast<unsigned char*>(b.data()); }
unsigned char const* raw(bytes_view b) { return reinterpret_cast<unsigned char const*>(b.data()); }

/// `count` signatures of 100-byte messages by `signers` keys in turn.
struct signatures {
    std::vector<bytes> keys, secrets, messages, made;
    std::vector<crypto::signed_bytes> claims;

    signatures(std::size_t count, std::size_t signers)
        : keys(signers, bytes(32)),
          secrets(signers, bytes(64)),
          messages(count, bytes(100)),
          made(count, bytes(64))
    {
        for (std::size_t i = 0; i < signers; ++i) {
            bytes seed(32, std::byte{3});
            seed[0] = static_cast<std::byte>(i), seed[1] = static_cast<std::byte>(i >> 8);
            crypto_sign_ed25519_seed_keypair(raw(keys[i]), raw(secrets[i]), raw(seed));
        }
        for (std::size_t i = 0; i < count; ++i) {
            messages[i][0] = static_cast<std::byte>(i),
            messages[i][1] = static_cast<std::byte>(i >> 8);
            crypto_sign_ed25519_detached(raw(made[i]), nullptr, raw(messages[i]), 100,
                                         raw(secrets[i % signers]));
            claims.push_back({keys[i % signers], messages[i], made[i]});
        }
    }
};

void by_sodium(std::span<crypto::signed_bytes const> claims)
{
    for (auto const& c : claims)
        keep(crypto_sign_ed25519_verify_detached(raw(c.signature), raw(c.message), c.message.size(),
                                                 raw(c.key)));
}

constexpr std::size_t distinct_keys = 512;

suite const verify{
    "crypto/verify_batch", [](run& out) {
        signatures const distinct{distinct_keys, distinct_keys};
        signatures const repeated{distinct_keys, 64};
        for (auto const path : {cpu::avx512, cpu::avx2}) {
            if (!crypto::runs(path)) continue;
            std::string const base = "crypto/verify_batch/" + std::string{name(path)} + "/";
            crypto::batch_verifier plain{{.path = path, .cached_keys = 0}};
            crypto::batch_verifier caching{{.path = path}};
            std::vector<crypto::verdict> verdicts(distinct_keys);
            auto const take = [&](crypto::batch_verifier& by, signatures const& from,
                                  std::size_t batch, std::size_t& at) {
                by.verify(std::span{from.claims}.subspan(at, batch),
                          std::span{verdicts}.first(batch));
                at = (at + batch) % distinct_keys;
            };
            // against libsodium, one by one, on the same signatures
            for (std::size_t const batch : {64u, 8u, 256u, 1u}) {
                std::size_t at = 0, theirs = 0;
                out.compare(
                    base + std::to_string(batch), rate("sig/s", static_cast<double>(batch)),
                    [&] { take(plain, distinct, batch, at); },
                    [&] {
                        by_sodium(std::span{distinct.claims}.subspan(theirs, batch));
                        theirs = (theirs + batch) % distinct_keys;
                    });
            }
            // signers that come back, against the same path where each is new
            std::size_t at = 0, theirs = 0;
            for (int i = 0; i < 40; ++i) take(caching, repeated, 64, at);  // the cache is filled
            out.compare(
                base + "repeated_over_distinct", rate("sig/s", 64),
                [&] { take(caching, repeated, 64, at); },
                [&] { take(plain, distinct, 64, theirs); });
        }
    }};

suite const blake2b{"crypto/blake2b_lanes", [](run& out) {
                        constexpr std::size_t inputs = 1024;
                        for (std::size_t const size : {64u, 65u, 96u, 256u}) {
                            bytes const packed(size * inputs, std::byte{7});
                            std::vector<hash256> hashes(inputs);
                            for (auto const path : {cpu::avx512, cpu::avx2}) {
                                if (!crypto::runs(path)) continue;
                                out.compare(
                                    "crypto/blake2b_lanes/" + std::string{name(path)} + "/" +
                                        std::to_string(size),
                                    rate("Mhash/s", 1e-6 * inputs),
                                    [&] {
                                        crypto::blake2b_256_many(crypto::blake2b_256_start, packed,
                                                                 size, hashes, path);
                                    },
                                    [&] {
                                        for (std::size_t i = 0; i < inputs; ++i)
                                            crypto_generichash_blake2b(
                                                reinterpret_cast<unsigned char*>(hashes[i].data()),
                                                32, raw(packed) + i * size, size, nullptr, 0);
                                    });
                            }
                        }
                    }};

}  // namespace
