// SPDX-License-Identifier: Apache-2.0
// One at a time: hashes, signatures, sealed streams, the random function, product checks. The lanes'
// benches stand beside this file.
#include <harness.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <sodium.h>

#include <blendr/core/random.hpp>
#include <blendr/crypto.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
using namespace blendr::crypto;

constexpr domain about{"bench/1"};

unsigned char const* raw(bytes_view in)
{
    return reinterpret_cast<unsigned char const*>(in.data());
}

bytes some(std::size_t size)
{
    bytes out(size);
    rng{size}.fill(out);
    return out;
}

secret_key fixed() { return secret_key::from_seed(std::array<std::byte, 32>{std::byte{9}}); }

// Yardstick: libsodium's personalised BLAKE2b, which gives the same hashes, as it runs in a program that
// started the library: only then does it choose its vector code.
suite const hashes{
    "crypto/hash", [](run& out) {
        if (!start()) std::abort();
        for (std::size_t const size : {32u, 64u, 128u, 1024u, 65536u}) {
            auto in = some(size);
            hash256 digest{};
            auto const name = "crypto/hash/" + std::to_string(size);
            out.compare(
                name, rate("GB/s", 1e-9 * static_cast<double>(size)),
                [&] { keep(digest = hash(about, in)); },
                [&] {
                    crypto_generichash_blake2b_salt_personal(
                        reinterpret_cast<unsigned char*>(digest.data()), digest.size(), raw(in),
                        in.size(), nullptr, 0, nullptr,
                        reinterpret_cast<unsigned char const*>(about.personal().data()));
                    keep(digest);
                });
        }
    }};

// Yardstick: libsodium's call alone, on the same 32 bytes.
suite const signatures{
    "crypto/verify", [](run& out) {
        auto const key = fixed();
        auto const digest = hash(about, as_bytes("said"));
        auto const sig = key.sign(about, as_bytes("said"));
        out.compare(
            "crypto/verify/strict", us, [&] { keep(verify_strict(key.self(), digest, sig)); },
            [&] {
                keep(crypto_sign_ed25519_verify_detached(raw(sig.raw()), raw(digest), digest.size(),
                                                         raw(key.self().raw())));
            });
        out.figure("crypto/verify/sign", us, [&] { keep(key.sign(about, as_bytes("said"))); });
    }};

suite const random_function{"crypto/vrf", [](run& out) {
                                auto const key = vrf_secret_key::of(fixed());
                                auto const input = some(32);
                                auto const proof = key.prove(input).proof;
                                out.figure("crypto/vrf/prove", us, [&] { keep(key.prove(input)); });
                                out.figure("crypto/vrf/verify", us,
                                           [&] { keep(verify(key.self(), input, proof)); });
                            }};

// Yardstick: libsodium's secretstream on chunks of the same size, without our framing.
suite const sealing{
    "crypto/seal", [](run& out) {
        constexpr std::size_t size = 64 * chunk_size;
        auto const data = some(size);
        auto const key = content_key::generate();
        bytes sealed;
        auto const per_call = rate("GB/s", 1e-9 * static_cast<double>(size));
        std::vector<unsigned char> chunk(chunk_size + 17);
        crypto_secretstream_xchacha20poly1305_state state;
        std::array<unsigned char, crypto_secretstream_xchacha20poly1305_HEADERBYTES> header{};
        out.compare(
            "crypto/seal/write/4MiB", per_call,
            [&] {
                sealed.clear();
                seal_writer writer{key};
                writer.write(data, sealed);
                writer.finish(sealed);
                keep(sealed);
            },
            [&] {
                crypto_secretstream_xchacha20poly1305_init_push(&state, header.data(),
                                                                raw(key.bytes().expose()));
                for (std::size_t at = 0; at < size; at += chunk_size)
                    crypto_secretstream_xchacha20poly1305_push(&state, chunk.data(), nullptr,
                                                               raw(bytes_view{data}.subspan(at)),
                                                               chunk_size, nullptr, 0, 0);
                keep(chunk);
            });
        sealed.clear();
        seal_writer writer{key};
        writer.write(data, sealed);
        writer.finish(sealed);
        bytes opened;
        opened.reserve(size);
        out.figure("crypto/seal/read/4MiB", per_call, [&] {
            opened.clear();
            seal_reader reader{key};
            keep(reader.read(sealed, opened));
            keep(opened);
        });
    }};

// Yardstick: the product itself, by the textbook's three loops over 64-bit integers.
suite const products{"crypto/freivalds", [](run& out) {
                         for (std::size_t const n : {64u, 256u}) {
                             auto const name = "crypto/freivalds/" + std::to_string(n);
                             if (!out.wants(name)) continue;
                             rng random{n};
                             std::vector<std::int32_t> a(n * n);
                             std::vector<std::int32_t> b(n * n);
                             std::vector<std::int64_t> c(n * n);
                             for (auto& each : a)
                                 each = static_cast<std::int32_t>(random.below(1000)) - 500;
                             for (auto& each : b)
                                 each = static_cast<std::int32_t>(random.below(1000)) - 500;
                             auto const multiply = [&] {
                                 for (std::size_t i = 0; i < n; ++i) {
                                     auto* const row = c.data() + i * n;
                                     std::fill(row, row + n, 0);
                                     for (std::size_t k = 0; k < n; ++k)
                                         for (std::size_t j = 0; j < n; ++j)
                                             row[j] += std::int64_t{a[i * n + k]} * b[k * n + j];
                                 }
                                 keep(c);
                             };
                             multiply();
                             auto const seed = hash(about, {});
                             out.compare(
                                 name, us,
                                 [&] {
                                     auto const verdict = check_product<field_61>(
                                         matrix_view<std::int32_t>{a, n, n},
                                         matrix_view<std::int32_t>{b, n, n},
                                         matrix_view<std::int64_t>{c, n, n}, seed);
                                     keep(verdict);
                                 },
                                 multiply);
                         }
                     }};

}  // namespace
