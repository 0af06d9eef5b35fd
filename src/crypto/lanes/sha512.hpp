// SPDX-License-Identifier: Apache-2.0
// SHA-512 (FIPS 180-4) of R, A and a message, one input per lane. Included after word_*.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"

namespace blendr::crypto::lanes {
namespace {

constexpr std::uint64_t sha512_round[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

constexpr std::uint64_t sha512_start[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

/// One round without moving the eight variables: the caller rotates their names.
BLENDR_INLINE void sha512_step(word a, word b, word c, word& d, word e, word f, word g, word& h,
                               word k_plus_w)
{
    word const t =
        h + k_plus_w + choose(e, f, g) + xor3(e.rotated<14>(), e.rotated<18>(), e.rotated<41>());
    d = d + t;
    h = t + majority(a, b, c) + xor3(a.rotated<28>(), a.rotated<34>(), a.rotated<39>());
}

/// The next message word, kept in a ring of sixteen.
BLENDR_INLINE word sha512_next(word const (&w)[16], std::size_t t)
{
    word const w2 = w[(t + 14) % 16], w15 = w[(t + 1) % 16];
    return w[t % 16] + w[(t + 9) % 16] + xor3(w2.rotated<19>(), w2.rotated<61>(), w2.right<6>()) +
           xor3(w15.rotated<1>(), w15.rotated<8>(), w15.right<7>());
}

template <bool Expand>
BLENDR_INLINE void sha512_eight(word (&s)[8], word (&w)[16], std::size_t t)
{
    auto const next = [&](std::size_t i) __attribute__((always_inline)) {
        if constexpr (Expand) w[(t + i) % 16] = sha512_next(w, t + i);
        return w[(t + i) % 16] + word::all(sha512_round[t + i]);
    };
    sha512_step(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], next(0));
    sha512_step(s[7], s[0], s[1], s[2], s[3], s[4], s[5], s[6], next(1));
    sha512_step(s[6], s[7], s[0], s[1], s[2], s[3], s[4], s[5], next(2));
    sha512_step(s[5], s[6], s[7], s[0], s[1], s[2], s[3], s[4], next(3));
    sha512_step(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], next(4));
    sha512_step(s[3], s[4], s[5], s[6], s[7], s[0], s[1], s[2], next(5));
    sha512_step(s[2], s[3], s[4], s[5], s[6], s[7], s[0], s[1], next(6));
    sha512_step(s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], next(7));
}

inline void sha512_compress(word (&h)[8], word (&w)[16])
{
    word s[8] = {h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]};
    for (std::size_t t = 0; t < 16; t += 8) sha512_eight<false>(s, w, t);
    for (std::size_t t = 16; t < 80; t += 16) {
        sha512_eight<true>(s, w, t);
        sha512_eight<true>(s, w, t + 8);
    }
    h[0] = h[0] + s[0], h[1] = h[1] + s[1], h[2] = h[2] + s[2], h[3] = h[3] + s[3];
    h[4] = h[4] + s[4], h[5] = h[5] + s[5], h[6] = h[6] + s[6], h[7] = h[7] + s[7];
}

/// Cuts one input into padded blocks: R | A | message | 0x80 | zeros | length in bits, 128 bits.
class sha512_blocks {
public:
    void start(challenge_input const& in)
    {
        in_ = &in;
        at_ = 0;
        size_ = 64 + in.message.size();
        end_ = (size_ + 17 + 127) / 128 * 128;
    }
    bool finished() const { return at_ == end_; }

    /// The next block, in the message itself or in a buffer of this object.
    std::byte const* next()
    {
        std::size_t const at = at_;
        at_ += 128;
        if (at >= 128 && at + 128 <= size_) return in_->message.data() + (at - 64);
        __builtin_memset(buffer_, 0, 128);
        if (at == 0) {
            __builtin_memcpy(buffer_, in_->r, 32);
            __builtin_memcpy(buffer_ + 32, in_->a, 32);
        }
        std::size_t const from = at == 0 ? 64 : at;  // input bytes from here on are the message's
        if (size_ > from) {
            std::size_t const rest = at + 128 < size_ ? at + 128 - from : size_ - from;
            __builtin_memcpy(buffer_ + (from - at), in_->message.data() + (from - 64), rest);
        }
        if (size_ >= at && size_ < at + 128) buffer_[size_ - at] = std::byte{0x80};
        if (at_ == end_) {
            std::uint64_t const bits = __builtin_bswap64(std::uint64_t{size_} << 3);
            std::uint64_t const above = __builtin_bswap64(std::uint64_t{size_} >> 61);
            __builtin_memcpy(buffer_ + 112, &above, 8);
            __builtin_memcpy(buffer_ + 120, &bits, 8);
        }
        return buffer_;
    }

private:
    challenge_input const* in_ = nullptr;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
    std::size_t end_ = 0;
    alignas(64) std::byte buffer_[128];
};

/// Inputs of any sizes; a lane that is done takes the next input.
inline void sha512_many(challenge_input const* in, std::size_t count, std::uint8_t (*out)[64])
{
    constexpr std::size_t n = word::lanes;
    alignas(64) std::uint64_t h[8][n] = {};
    sha512_blocks blocks[n];
    std::size_t job[n];
    std::size_t next = 0;
    static constexpr std::byte idle[128] = {};

    auto const take = [&](std::size_t lane) {
        job[lane] = next < count ? next++ : count;
        if (job[lane] < count) blocks[lane].start(in[job[lane]]);
        for (std::size_t i = 0; i < 8; ++i) h[i][lane] = sha512_start[i];
    };
    for (std::size_t lane = 0; lane < n; ++lane) take(lane);

    for (std::size_t done = 0; done < count;) {
        std::byte const* from[n];
        std::size_t sizes[n];
        for (std::size_t lane = 0; lane < n; ++lane) {
            from[lane] = job[lane] < count ? blocks[lane].next() : idle;
            sizes[lane] = 128;
        }
        word w[16];
        load_blocks(from, sizes, w);
        for (std::size_t i = 0; i < 16; ++i) w[i] = w[i].byte_swapped();
        word state[8];
        for (std::size_t i = 0; i < 8; ++i) state[i] = word::load(h[i]);
        sha512_compress(state, w);
        for (std::size_t i = 0; i < 8; ++i) state[i].store(h[i]);
        for (std::size_t lane = 0; lane < n; ++lane) {
            if (job[lane] == count || !blocks[lane].finished()) continue;
            for (std::size_t i = 0; i < 8; ++i) {
                std::uint64_t const big_endian = __builtin_bswap64(h[i][lane]);
                __builtin_memcpy(out[job[lane]] + 8 * i, &big_endian, 8);
            }
            ++done;
            take(lane);
        }
    }
}

}  // namespace
}  // namespace blendr::crypto::lanes
