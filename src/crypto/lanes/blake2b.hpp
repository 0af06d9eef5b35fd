// SPDX-License-Identifier: Apache-2.0
// BLAKE2b-256 (RFC 7693), one input per lane. Included after word_avx2.hpp or word_avx512.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <blendr/crypto/blake2b_lanes.hpp>

#include "../blake2b_constants.hpp"
#include "compiler.hpp"

namespace blendr::crypto::lanes {
namespace {

/// Half of the mixing function, for some of the four quadruples of words at once so that their
/// latencies overlap. `order` is where in the round's order their message words begin.
template <int First, int Second, std::size_t... I>
BLENDR_INLINE void blake2b_half(word (&a)[4], word (&b)[4], word (&c)[4], word (&d)[4],
                                word const (&m)[16], unsigned char const* order,
                                std::index_sequence<I...>)
{
    ((a[I] = (a[I] + m[order[2 * I]]).settled() + b[I]), ...);
    ((d[I] = (d[I] ^ a[I]).template rotated<First>()), ...);
    ((c[I] = c[I] + d[I]), ...);
    ((b[I] = (b[I] ^ c[I]).template rotated<Second>()), ...);
}

/// What the rounds work on.
struct blake2b_work {
    word a[4], b[4], c[4], d[4];
};

/// The mixing function on all four quadruples of all groups. With 32 registers all go in parallel, half
/// a step at a time; with 16, where that would store and load words in the middle of their chains, two
/// and two.
template <std::size_t Groups>
BLENDR_INLINE void blake2b_mix(blake2b_work (&v)[Groups], word const (&m)[Groups][16],
                               unsigned char const* order)
{
    auto const half = [&](auto g, auto second, auto which) __attribute__((always_inline)) {
        constexpr bool is_second = second;
        blake2b_half<is_second ? 16 : 32, is_second ? 63 : 24>(v[g].a, v[g].b, v[g].c, v[g].d, m[g],
                                                               order + is_second, which);
    };
    constexpr std::integral_constant<std::size_t, 0> first{};
    constexpr std::integral_constant<std::size_t, Groups - 1> other{};
    if constexpr (word::lanes == 8) {
        constexpr std::index_sequence<0, 1, 2, 3> all{};
        half(first, std::false_type{}, all);
        if constexpr (Groups == 2) half(other, std::false_type{}, all);
        half(first, std::true_type{}, all);
        if constexpr (Groups == 2) half(other, std::true_type{}, all);
    } else {
        static_assert(Groups == 1);
        half(first, std::false_type{}, std::index_sequence<0, 1>{});
        half(first, std::true_type{}, std::index_sequence<0, 1>{});
        half(first, std::false_type{}, std::index_sequence<2, 3>{});
        half(first, std::true_type{}, std::index_sequence<2, 3>{});
    }
}

/// Brings diagonals into columns, by names alone.
BLENDR_INLINE void blake2b_turn(blake2b_work& v)
{
    v = {{v.a[0], v.a[1], v.a[2], v.a[3]},
         {v.b[1], v.b[2], v.b[3], v.b[0]},
         {v.c[2], v.c[3], v.c[0], v.c[1]},
         {v.d[3], v.d[0], v.d[1], v.d[2]}};
}

BLENDR_INLINE void blake2b_turn_back(blake2b_work& v)
{
    v = {{v.a[0], v.a[1], v.a[2], v.a[3]},
         {v.b[3], v.b[0], v.b[1], v.b[2]},
         {v.c[2], v.c[3], v.c[0], v.c[1]},
         {v.d[1], v.d[2], v.d[3], v.d[0]}};
}

template <std::size_t Groups>
BLENDR_INLINE void blake2b_round(blake2b_work (&v)[Groups], word const (&m)[Groups][16],
                                 unsigned char const (&order)[16])
{
    blake2b_mix(v, m, order);
    blake2b_turn(v[0]);
    if constexpr (Groups == 2) blake2b_turn(v[1]);
    blake2b_mix(v, m, order + 8);
    blake2b_turn_back(v[0]);
    if constexpr (Groups == 2) blake2b_turn_back(v[1]);
}

/// `counted`: bytes so far with this block; `last`: all ones in the lanes where it is the last.
BLENDR_INLINE void blake2b_begin(blake2b_work& v, word const (&h)[8], word counted, word last)
{
    v.a[0] = h[0], v.a[1] = h[1], v.a[2] = h[2], v.a[3] = h[3];
    v.b[0] = h[4], v.b[1] = h[5], v.b[2] = h[6], v.b[3] = h[7];
    v.c[0] = word::all(blake2b_iv[0]), v.c[1] = word::all(blake2b_iv[1]);
    v.c[2] = word::all(blake2b_iv[2]), v.c[3] = word::all(blake2b_iv[3]);
    v.d[0] = word::all(blake2b_iv[4]) ^ counted, v.d[1] = word::all(blake2b_iv[5]);
    v.d[2] = word::all(blake2b_iv[6]) ^ last, v.d[3] = word::all(blake2b_iv[7]);
}

BLENDR_INLINE void blake2b_end(blake2b_work const& v, word (&h)[8])
{
    h[0] = xor3(h[0], v.a[0], v.c[0]), h[1] = xor3(h[1], v.a[1], v.c[1]);
    h[2] = xor3(h[2], v.a[2], v.c[2]), h[3] = xor3(h[3], v.a[3], v.c[3]);
    h[4] = xor3(h[4], v.b[0], v.d[0]), h[5] = xor3(h[5], v.b[1], v.d[1]);
    h[6] = xor3(h[6], v.b[2], v.d[2]), h[7] = xor3(h[7], v.b[3], v.d[3]);
}

/// One block in every lane of one or two groups. A group's steps wait for each other more than for the
/// processor, so that a second group goes along at little cost where there are registers for it.
template <std::size_t Groups>
BLENDR_INLINE void blake2b_compress(word (&h)[Groups][8], word const (&m)[Groups][16],
                                    word const (&counted)[Groups], word const (&last)[Groups])
{
    blake2b_work v[Groups];
    blake2b_begin(v[0], h[0], counted[0], last[0]);
    if constexpr (Groups == 2) blake2b_begin(v[1], h[1], counted[1], last[1]);
    int const rounds = opaque(12);
    for (int i = 0; i < rounds; ++i) blake2b_round(v, m, blake2b_order[i]);
    blake2b_end(v[0], h[0]);
    if constexpr (Groups == 2) blake2b_end(v[1], h[1]);
}

/// Up to Groups * lanes inputs of one size in a row.
template <std::size_t Groups>
[[gnu::noinline]] void blake2b_row(blake2b_start const& start, std::byte const* in,
                                   std::size_t size, std::size_t count, hash256* out)
{
    constexpr std::size_t n = word::lanes;
    std::byte spare[32];
    std::byte const* from[Groups][n];
    std::byte* to[Groups][n];
    for (std::size_t i = 0; i < Groups * n; ++i) {
        bool const used = i < count;  // an idle lane repeats the first input
        from[i / n][i % n] = used ? in + i * size : in;
        to[i / n][i % n] = used ? out[i].data() : spare;
    }
    word h[Groups][8];
    for (auto& group : h)
        for (std::size_t i = 0; i < 8; ++i) group[i] = word::all(start[i]);
    std::size_t at = 0;
    do {
        std::size_t const here = size - at < blake2b_block ? size - at : blake2b_block;
        std::size_t sizes[n];
        for (auto& each : sizes) each = here;
        word m[Groups][16];
        for (std::size_t g = 0; g < Groups; ++g) {
            load_blocks(from[g], sizes, m[g]);
            for (auto& each : from[g]) each += here;
        }
        at += here;
        word counted[Groups], last[Groups];
        for (std::size_t g = 0; g < Groups; ++g) {
            counted[g] = word::all(at);
            last[g] = word::all(at == size ? ~std::uint64_t{0} : 0);
        }
        blake2b_compress<Groups>(h, m, counted, last);
    } while (at < size);
    for (std::size_t g = 0; g < Groups; ++g) store_hashes(h[g], to[g]);
}

/// Inputs of one size in a row.
inline void blake2b_packed(blake2b_start const& start, std::byte const* in, std::size_t size,
                           std::size_t count, hash256* out)
{
    constexpr std::size_t groups = word::lanes == 8 ? 2 : 1;
    while (count != 0) {
        std::size_t const most = count > word::lanes ? groups * word::lanes : word::lanes;
        std::size_t const here = count < most ? count : most;
        if (here > word::lanes)
            blake2b_row<groups>(start, in, size, here, out);
        else
            blake2b_row<1>(start, in, size, here, out);
        in += here * size;
        out += here;
        count -= here;
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
        word m[1][16];
        load_blocks(from, sizes, m[0]);
        word state[1][8];
        for (std::size_t i = 0; i < 8; ++i) state[0][i] = word::load(h[i]);
        blake2b_compress<1>(state, m, {word::load(counted)}, {word::load(last)});
        for (std::size_t i = 0; i < 8; ++i) state[0][i].store(h[i]);
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
