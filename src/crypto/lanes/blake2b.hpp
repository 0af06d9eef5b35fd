// SPDX-License-Identifier: Apache-2.0
// BLAKE2b-256 (RFC 7693), one input per lane. Included after word_avx2.hpp or word_avx512.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <blendr/crypto/blake2b_lanes.hpp>

namespace blendr::crypto::lanes {
namespace {

constexpr std::size_t blake2b_block = 128;

/// Which message word each of a round's sixteen steps adds. Rounds 10 and 11 repeat 0 and 1.
constexpr unsigned char blake2b_order[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

/// Half of the mixing function, for some of the four quadruples of words at once so that their
/// latencies overlap. Step is where in the round's order their message words begin.
template <int Round, std::size_t Step, int First, int Second, std::size_t... I>
[[gnu::always_inline]] inline void blake2b_half(word (&a)[4], word (&b)[4], word (&c)[4],
                                                word (&d)[4], word const (&m)[16],
                                                std::index_sequence<I...>)
{
    ((a[I] = a[I] + m[blake2b_order[Round][Step + 2 * I]] + b[I]), ...);
    ((d[I] = (d[I] ^ a[I]).template rotated<First>()), ...);
    ((c[I] = c[I] + d[I]), ...);
    ((b[I] = (b[I] ^ c[I]).template rotated<Second>()), ...);
}

/// The mixing function on all four. With 32 registers they go in parallel; with 16, where that would
/// store and load words in the middle of their chains, two and two.
template <int Round, std::size_t Step>
[[gnu::always_inline]] inline void blake2b_mix(word (&a)[4], word (&b)[4], word (&c)[4],
                                               word (&d)[4], word const (&m)[16])
{
    auto const mix = [&](auto which) __attribute__((always_inline))
    {
        blake2b_half<Round, Step, 32, 24>(a, b, c, d, m, which);
        blake2b_half<Round, Step + 1, 16, 63>(a, b, c, d, m, which);
    };
    if constexpr (word::lanes == 8) {
        mix(std::index_sequence<0, 1, 2, 3>{});
    } else {
        mix(std::index_sequence<0, 1>{});
        mix(std::index_sequence<2, 3>{});
    }
}

/// Columns, then diagonals.
template <int Round>
[[gnu::always_inline]] inline void blake2b_round(word (&a)[4], word (&b)[4], word (&c)[4],
                                                 word (&d)[4], word const (&m)[16])
{
    blake2b_mix<Round, 0>(a, b, c, d, m);
    word b1[4] = {b[1], b[2], b[3], b[0]};
    word c1[4] = {c[2], c[3], c[0], c[1]};
    word d1[4] = {d[3], d[0], d[1], d[2]};
    blake2b_mix<Round, 8>(a, b1, c1, d1, m);
    b[0] = b1[3], b[1] = b1[0], b[2] = b1[1], b[3] = b1[2];
    c[0] = c1[2], c[1] = c1[3], c[2] = c1[0], c[3] = c1[1];
    d[0] = d1[1], d[1] = d1[2], d[2] = d1[3], d[3] = d1[0];
}

/// One block in every lane. `counted`: bytes so far with this block; `last`: all ones in the lanes
/// where it is the last.
[[gnu::always_inline]] inline void blake2b_compress(word (&h)[8], word const (&m)[16], word counted,
                                                    word last)
{
    constexpr std::uint64_t iv[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                     0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                     0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
    word a[4] = {h[0], h[1], h[2], h[3]};
    word b[4] = {h[4], h[5], h[6], h[7]};
    word c[4] = {word::all(iv[0]), word::all(iv[1]), word::all(iv[2]), word::all(iv[3])};
    word d[4] = {word::all(iv[4]) ^ counted, word::all(iv[5]), word::all(iv[6]) ^ last,
                 word::all(iv[7])};
    blake2b_round<0>(a, b, c, d, m);
    blake2b_round<1>(a, b, c, d, m);
    blake2b_round<2>(a, b, c, d, m);
    blake2b_round<3>(a, b, c, d, m);
    blake2b_round<4>(a, b, c, d, m);
    blake2b_round<5>(a, b, c, d, m);
    blake2b_round<6>(a, b, c, d, m);
    blake2b_round<7>(a, b, c, d, m);
    blake2b_round<8>(a, b, c, d, m);
    blake2b_round<9>(a, b, c, d, m);
    blake2b_round<10>(a, b, c, d, m);
    blake2b_round<11>(a, b, c, d, m);
    h[0] = xor3(h[0], a[0], c[0]), h[1] = xor3(h[1], a[1], c[1]);
    h[2] = xor3(h[2], a[2], c[2]), h[3] = xor3(h[3], a[3], c[3]);
    h[4] = xor3(h[4], b[0], d[0]), h[5] = xor3(h[5], b[1], d[1]);
    h[6] = xor3(h[6], b[2], d[2]), h[7] = xor3(h[7], b[3], d[3]);
}

/// Inputs of one size in a row.
inline void blake2b_packed(blake2b_start const& start, std::byte const* in, std::size_t size,
                           std::size_t count, hash256* out)
{
    constexpr std::size_t n = word::lanes;
    std::byte spare[32];
    for (std::size_t first = 0; first < count; first += n) {
        std::byte const* from[n];
        std::byte* to[n];
        for (std::size_t i = 0; i < n; ++i) {
            bool const used = first + i < count;  // an idle lane repeats the first one
            from[i] = in + (used ? first + i : first) * size;
            to[i] = used ? out[first + i].data() : spare;
        }
        word h[8];
        for (int i = 0; i < 8; ++i) h[i] = word::all(start[static_cast<std::size_t>(i)]);
        std::size_t at = 0;
        do {
            std::size_t const here = size - at < blake2b_block ? size - at : blake2b_block;
            std::size_t sizes[n];
            for (std::size_t i = 0; i < n; ++i) sizes[i] = here;
            word m[16];
            load_blocks(from, sizes, m);
            for (std::size_t i = 0; i < n; ++i) from[i] += here;
            at += here;
            blake2b_compress(h, m, word::all(at), word::all(at == size ? ~std::uint64_t{0} : 0));
        } while (at < size);
        store_hashes(h, to);
    }
}

/// Inputs of any sizes: a lane that is done takes the next input, so that one long input does not
/// keep the other lanes waiting.
inline void blake2b_many(blake2b_start const& start, bytes_view const* in, std::size_t count,
                         hash256* out)
{
    constexpr std::size_t n = word::lanes;
    alignas(64) std::uint64_t h[8][n] = {};
    alignas(64) std::uint64_t counted[n] = {};
    alignas(64) std::uint64_t last[n] = {};
    std::size_t job[n];  // the lane's input; `count` when it has none
    std::byte const* from[n];
    std::size_t left[n];
    static constexpr std::byte nothing_here{};
    std::size_t next = 0;

    auto const take = [&](std::size_t lane) {
        job[lane] = next < count ? next++ : count;
        from[lane] =
            job[lane] < count && !in[job[lane]].empty() ? in[job[lane]].data() : &nothing_here;
        left[lane] = job[lane] < count ? in[job[lane]].size() : 0;
        counted[lane] = 0;
        for (std::size_t i = 0; i < 8; ++i) h[i][lane] = start[i];
    };
    for (std::size_t lane = 0; lane < n; ++lane) take(lane);

    for (std::size_t done = 0; done < count;) {
        std::size_t sizes[n];
        for (std::size_t lane = 0; lane < n; ++lane) {
            sizes[lane] = left[lane] < blake2b_block ? left[lane] : blake2b_block;
            counted[lane] += sizes[lane];
            last[lane] = left[lane] <= blake2b_block ? ~std::uint64_t{0} : 0;
        }
        word m[16];
        load_blocks(from, sizes, m);
        word state[8];
        for (int i = 0; i < 8; ++i) state[i] = word::load(h[i]);
        blake2b_compress(state, m, word::load(counted), word::load(last));
        for (int i = 0; i < 8; ++i) state[i].store(h[i]);
        for (std::size_t lane = 0; lane < n; ++lane) {
            if (job[lane] == count) continue;
            left[lane] -= sizes[lane];
            from[lane] += sizes[lane];
            if (last[lane] == 0) continue;
            std::uint64_t const words[4] = {h[0][lane], h[1][lane], h[2][lane], h[3][lane]};
            __builtin_memcpy(out[job[lane]].data(), words, 32);
            ++done;
            take(lane);
        }
    }
}

}  // namespace
}  // namespace blendr::crypto::lanes
