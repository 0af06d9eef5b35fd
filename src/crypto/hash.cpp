// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/hash.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

#include <sodium.h>

#include <blendr/core/wide.hpp>

#include "blake2b_constants.hpp"

// BLAKE2b (RFC 7693) written out, since a domain's ready-made state and the absence of a key let a
// short message cost one compression and nothing else: half the time of the library call, which
// bench/crypto measures beside it and tests/crypto compares it with.

namespace blendr::crypto {
namespace {

/// The state before the first block of a hash without a domain.
constexpr std::array<std::uint64_t, 8> plain = {blake2b_iv[0] ^ 0x01010020,
                                                blake2b_iv[1],
                                                blake2b_iv[2],
                                                blake2b_iv[3],
                                                blake2b_iv[4],
                                                blake2b_iv[5],
                                                blake2b_iv[6],
                                                blake2b_iv[7]};

[[gnu::always_inline]] inline void mix(std::uint64_t& a, std::uint64_t& b, std::uint64_t& c,
                                       std::uint64_t& d, std::uint64_t x, std::uint64_t y)
{
    a += b + x;
    d = std::rotr(d ^ a, 32);
    c += d;
    b = std::rotr(b ^ c, 24);
    a += b + y;
    d = std::rotr(d ^ a, 16);
    c += d;
    b = std::rotr(b ^ c, 63);
}

template <std::size_t Round>
[[gnu::always_inline]] inline void round(std::uint64_t (&v)[16], std::uint64_t const (&m)[16])
{
    constexpr auto& s = blake2b_order[Round];
    mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
    mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
    mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
    mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
    mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
    mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
    mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
    mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
}

std::uint64_t little_endian(std::uint64_t word) noexcept
{
    if constexpr (std::endian::native == std::endian::little) return word;
    return __builtin_bswap64(word);
}

/// `total` counts the message's bytes up to and including this block, without padding.
void compress(std::array<std::uint64_t, 8>& h, std::byte const* block, std::uint64_t total,
              bool last) noexcept
{
    std::uint64_t m[16];
    std::memcpy(m, block, blake2b_block);
    if constexpr (std::endian::native != std::endian::little)
        for (auto& word : m) word = little_endian(word);
    std::uint64_t v[16] = {h[0],
                           h[1],
                           h[2],
                           h[3],
                           h[4],
                           h[5],
                           h[6],
                           h[7],
                           blake2b_iv[0],
                           blake2b_iv[1],
                           blake2b_iv[2],
                           blake2b_iv[3],
                           blake2b_iv[4] ^ total,
                           blake2b_iv[5],
                           last ? ~blake2b_iv[6] : blake2b_iv[6],
                           blake2b_iv[7]};
    round<0>(v, m);
    round<1>(v, m);
    round<2>(v, m);
    round<3>(v, m);
    round<4>(v, m);
    round<5>(v, m);
    round<6>(v, m);
    round<7>(v, m);
    round<8>(v, m);
    round<9>(v, m);
    round<10>(v, m);
    round<11>(v, m);
    for (std::size_t i = 0; i < 8; ++i) h[i] ^= v[i] ^ v[i + 8];
}

hash256 digest(std::array<std::uint64_t, 8> const& h) noexcept
{
    hash256 out;
    for (std::size_t i = 0; i < 4; ++i) {
        std::uint64_t const word = little_endian(h[i]);
        std::memcpy(out.data() + 8 * i, &word, 8);
    }
    return out;
}

hash256 blake2b(std::array<std::uint64_t, 8> h, bytes_view data) noexcept
{
    std::uint64_t total = 0;
    while (data.size() > blake2b_block) {
        total += blake2b_block;
        compress(h, data.data(), total, false);
        data = data.subspan(blake2b_block);
    }
    if (data.size() == blake2b_block) {
        compress(h, data.data(), total + blake2b_block, true);
        return digest(h);
    }
    std::array<std::byte, blake2b_block> block{};
    if (!data.empty()) std::memcpy(block.data(), data.data(), data.size());
    compress(h, block.data(), total + data.size(), true);
    return digest(h);
}

}  // namespace

hash256 hash(domain const& about, bytes_view data) noexcept { return blake2b(about.state(), data); }

hash256 hash(domain const& about, hash256 const& left, hash256 const& right) noexcept
{
    std::array<std::byte, blake2b_block> block{};
    std::memcpy(block.data(), left.data(), left.size());
    std::memcpy(block.data() + left.size(), right.data(), right.size());
    auto h = about.state();
    compress(h, block.data(), left.size() + right.size(), true);
    return digest(h);
}

hasher& hasher::update(bytes_view data) noexcept
{
    while (!data.empty()) {
        if (filled_ == blake2b_block) {
            hashed_ += blake2b_block;
            compress(state_, block_.data(), hashed_, false);
            filled_ = 0;
        }
        std::size_t const taken = std::min(blake2b_block - filled_, data.size());
        std::memcpy(block_.data() + filled_, data.data(), taken);
        filled_ += taken;
        data = data.subspan(taken);
    }
    return *this;
}

hash256 hasher::finish() const noexcept
{
    auto h = state_;
    auto block = block_;
    std::fill(block.begin() + static_cast<std::ptrdiff_t>(filled_), block.end(), std::byte{0});
    compress(h, block.data(), hashed_ + filled_, true);
    return digest(h);
}

hash256 foreign::blake2b_256(bytes_view data) noexcept { return blake2b(plain, data); }

hasher foreign::blake2b_256_hasher() noexcept { return hasher{plain}; }

std::size_t table_hash(bytes_view raw) noexcept
{
    static std::array<std::uint64_t, 2> const keys = [] {
        std::array<std::uint64_t, 2> drawn;
        randombytes_buf(drawn.data(), sizeof drawn);
        return drawn;
    }();
    auto const fold = [](std::uint64_t a, std::uint64_t b) {
        auto const product = u128{a} * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    };
    std::uint64_t mixed = keys[0] ^ raw.size();
    for (std::size_t i = 0; i < raw.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, raw.data() + i, std::min<std::size_t>(8, raw.size() - i));
        mixed = fold(mixed ^ word, keys[1] | 1);
    }
    return static_cast<std::size_t>(fold(mixed, 0x9e3779b97f4a7c15));
}

}  // namespace blendr::crypto
