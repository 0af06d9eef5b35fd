// SPDX-License-Identifier: Apache-2.0
// Ed25519 triples for tests: good ones, and bad ones of every kind that has fooled some verifier.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <sodium.h>

#include <blendr/core/bytes.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/verify_batch.hpp>

namespace blendr::test {

struct triple {
    bytes key = bytes(32);
    bytes message;
    bytes signature = bytes(64);

    crypto::signed_bytes view() const { return {key, message, signature}; }
};

inline unsigned char* raw(bytes& b) { return reinterpret_cast<unsigned char*>(b.data()); }
inline unsigned char const* raw(bytes const& b)
{
    return reinterpret_cast<unsigned char const*>(b.data());
}

/// What libsodium itself says; it is what all paths must say.
inline crypto::verdict by_sodium(triple const& t)
{
    bool const good = t.key.size() == 32 && t.signature.size() == 64 &&
                      crypto_sign_ed25519_verify_detached(raw(t.signature), raw(t.message),
                                                          t.message.size(), raw(t.key)) == 0;
    return good ? crypto::verdict::valid : crypto::verdict::invalid;
}

using scalar = std::array<unsigned char, 32>;
using encoded = std::array<unsigned char, 32>;

inline scalar order()
{
    return {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
            0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
            0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
}

/// The eight points whose order divides 8, then other encodings of them: y + p, and x = 0 with a sign.
inline std::vector<encoded> small_order_points()
{
    auto const filled = [](unsigned char low, unsigned char middle, unsigned char top) {
        encoded e;
        e.fill(middle);
        e[0] = low, e[31] = top;
        return e;
    };
    encoded const eighth{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
                         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
                         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
    encoded const other{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
                        0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
                        0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a};
    std::vector<encoded> out{
        filled(0, 0, 0),          filled(1, 0, 0),         eighth, other, filled(0xec, 0xff, 0x7f),
        filled(0xed, 0xff, 0x7f), filled(0xee, 0xff, 0x7f)};
    for (std::size_t i = 0, n = out.size(); i < n; ++i) {
        auto with_sign = out[i];
        with_sign[31] |= 0x80;
        out.push_back(with_sign);
    }
    return out;
}

class forger {
public:
    explicit forger(std::uint64_t seed) : random_{seed} {}

    rng& random() { return random_; }

    bytes noise(std::size_t size)
    {
        bytes out(size);
        random_.fill(out);
        return out;
    }

    triple good(std::size_t message_size)
    {
        triple t;
        bytes secret(64);
        auto const seed = noise(32);
        crypto_sign_ed25519_seed_keypair(raw(t.key), raw(secret), raw(seed));
        t.message = noise(message_size);
        crypto_sign_ed25519_detached(raw(t.signature), nullptr, raw(t.message), message_size,
                                     raw(secret));
        return t;
    }

    /// A key aB + T and a nonce point rB + U with T and U of small order, signed as well as one can:
    /// S = r + ha. Good only where U + hT happens to vanish.
    triple mixed_order(encoded const& t, encoded const& u)
    {
        triple out;
        out.message = noise(40);
        auto const [a, key] = shifted(t);
        auto const [r, nonce] = shifted(u);
        std::memcpy(out.key.data(), key.data(), 32);
        std::memcpy(out.signature.data(), nonce.data(), 32);
        sign_with(out, a, r);
        return out;
    }

    /// Signs with secrets that are given, for the key and nonce that stand in the triple.
    static void sign_with(triple& out, scalar const& a, scalar const& r)
    {
        bytes hashed = out.signature;
        hashed.resize(32);
        hashed.insert(hashed.end(), out.key.begin(), out.key.end());
        hashed.insert(hashed.end(), out.message.begin(), out.message.end());
        std::array<unsigned char, 64> digest{};
        crypto_hash_sha512(digest.data(), raw(hashed), hashed.size());
        scalar h{}, s{};
        crypto_core_ed25519_scalar_reduce(h.data(), digest.data());
        crypto_core_ed25519_scalar_mul(s.data(), h.data(), a.data());
        crypto_core_ed25519_scalar_add(s.data(), s.data(), r.data());
        std::memcpy(out.signature.data() + 32, s.data(), 32);
    }

    /// One of everything, in no particular order.
    std::vector<triple> everything()
    {
        std::vector<triple> all;
        for (std::size_t size = 0; size < 260; size += size < 140 ? 1 : 15)
            all.push_back(good(size));
        all.push_back(good(4096));
        all.push_back(good(65536));
        flips(all);
        scalars(all);
        points(all);
        lengths(all);
        return all;
    }

    /// All with one bit of key, message or signature flipped.
    void flips(std::vector<triple>& all)
    {
        auto const t = good(24);
        for (auto part : {&triple::key, &triple::message, &triple::signature})
            for (std::size_t bit = 0; bit < 8 * (t.*part).size(); ++bit) {
                all.push_back(t);
                (all.back().*part)[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
            }
    }

    /// S at and around the group's order, and S plus it.
    void scalars(std::vector<triple>& all)
    {
        auto const put = [&](triple t, scalar const& s) {
            std::memcpy(t.signature.data() + 32, s.data(), 32);
            all.push_back(std::move(t));
        };
        auto less = order(), more = order(), top = scalar{}, zero = scalar{}, ones = scalar{};
        less[0] -= 1, more[0] += 1, top[31] = 0x10, ones.fill(0xff);
        auto below = top;
        below.fill(0xff), below[31] = 0x0f;
        for (auto const& s : {order(), less, more, top, below, zero, ones}) put(good(10), s);
        for (int i = 0; i < 20; ++i) {
            auto const t = good(10);
            scalar s{};
            std::memcpy(s.data(), t.signature.data() + 32, 32);
            auto const l = order();
            for (int times = 1; times < 15; ++times) {
                sodium_add(s.data(), l.data(), 32);
                if (times < 4 || i == 0) put(t, s);
            }
        }
        for (unsigned bit = 253; bit < 256; ++bit) {
            auto t = good(10);
            t.signature[63] ^= static_cast<std::byte>(1u << (bit - 248));
            all.push_back(t);
        }
    }

    void points(std::vector<triple>& all)
    {
        auto const small = small_order_points();
        for (auto const& point : small) {
            // as key and as nonce point, with S honest, zero, and for the empty key a = 0
            for (int what = 1; what < 4; ++what) {
                auto t = good(30);
                if ((what & 1) != 0) std::memcpy(t.key.data(), point.data(), 32);
                if ((what & 2) != 0) std::memcpy(t.signature.data(), point.data(), 32);
                all.push_back(t);
                std::memset(t.signature.data() + 32, 0, 32);
                all.push_back(t);
                for (auto const& other : small) {
                    std::memcpy(t.signature.data(), other.data(), 32);
                    all.push_back(t);
                }
                sign_with(t, scalar{}, scalar{});
                all.push_back(t);
            }
        }
        // S B = R with a key of small order: good for whoever forgets to look at the key
        for (auto const& point : small) {
            triple t;
            t.message = noise(8);
            auto const [r, nonce] = shifted(small_order_points()[1]);
            std::memcpy(t.key.data(), point.data(), 32);
            std::memcpy(t.signature.data(), nonce.data(), 32);
            sign_with(t, scalar{}, r);
            all.push_back(t);
        }
        for (std::size_t i = 0; i < 8; ++i)
            for (std::size_t j = 0; j < 8; ++j)
                for (int times = 0; times < 6; ++times)
                    all.push_back(mixed_order(canonical_small(i), canonical_small(j)));
        // numbers from p to 2^255 - 1, with either sign, and y that belong to no point
        for (unsigned k = 0; k < 19; ++k)
            for (unsigned sign = 0; sign < 2; ++sign)
                for (int what = 0; what < 2; ++what) {
                    auto t = good(5);
                    auto* const at = what == 0 ? t.key.data() : t.signature.data();
                    std::memset(at, 0xff, 32);
                    at[0] = static_cast<std::byte>(0xed + k);
                    at[31] = static_cast<std::byte>(sign != 0 ? 0xff : 0x7f);
                    all.push_back(t);
                }
        for (unsigned y = 2; y < 40; ++y)
            for (int what = 0; what < 2; ++what) {
                auto t = good(5);
                auto* const at = what == 0 ? t.key.data() : t.signature.data();
                std::memset(at, 0, 32);
                at[0] = static_cast<std::byte>(y);
                all.push_back(t);
            }
        for (int i = 0; i < 40; ++i) {
            auto t = good(5);
            random_.fill(i % 2 == 0 ? t.key : t.signature);
            all.push_back(t);
        }
        // the encodings' signs
        for (int i = 0; i < 4; ++i) {
            auto t = good(5);
            (i % 2 == 0 ? t.key : t.signature)[31] ^= std::byte{0x80};
            all.push_back(t);
        }
    }

    void lengths(std::vector<triple>& all)
    {
        for (std::size_t const size : {0u, 1u, 31u, 33u, 64u}) {
            all.push_back(good(5));
            all.back().key.resize(size);
        }
        for (std::size_t const size : {0u, 1u, 32u, 63u, 65u, 128u}) {
            all.push_back(good(5));
            all.back().signature.resize(size);
        }
        for (std::size_t const size : {0u, 4u, 6u, 200u}) {
            all.push_back(good(5));
            all.back().message.resize(size);
        }
        triple nothing;
        all.push_back(nothing);
        nothing.message = bytes(64);
        all.push_back(nothing);
        for (auto* part : {&nothing.key, &nothing.signature})
            part->assign(part->size(), std::byte{0xff});
        all.push_back(nothing);
    }

private:
    static encoded canonical_small(std::size_t i)
    {
        static auto const all = small_order_points();
        // y = 0 and the two y of order 8 have a point for each sign, y = 1 and y = -1 have one
        constexpr std::size_t which[8] = {0, 7, 1, 2, 9, 3, 10, 4};
        return all[which[i]];
    }

    /// A random scalar s, and sB + point.
    std::pair<scalar, encoded> shifted(encoded const& point)
    {
        scalar s{};
        auto const wide = noise(64);
        crypto_core_ed25519_scalar_reduce(s.data(), raw(wide));
        encoded base{}, sum{};
        crypto_scalarmult_ed25519_base_noclamp(base.data(), s.data());
        crypto_core_ed25519_add(sum.data(), base.data(), point.data());
        return {s, sum};
    }

    rng random_;
};

}  // namespace blendr::test
