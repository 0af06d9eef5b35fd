// SPDX-License-Identifier: Apache-2.0
#include <blendr/compute/self_test.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include <blendr/compute/kernels.hpp>
#include <blendr/compute/sequence.hpp>

#include "kernels_spirv.hpp"

namespace blendr::compute {

namespace {

using word = std::uint32_t;
using verdict = result<nothing, failure>;

template <std::size_t N>
bytes_view view(std::array<word, N> const& words)
{
    return std::as_bytes(std::span{words});
}

auto wrong(std::string why) { return fail{failure{fault::wrong_driver, std::move(why)}}; }

verdict ended(outcome const& how)
{
    if (!how) return fail{failure{how.what, how.why}};
    return nothing{};
}

policy careful()
{
    policy under;
    under.loop_budget = 1u << 20;
    return under;
}

/// Two loops that together count far beyond 16 bits.
verdict loops(device& on, origin whose)
{
    constexpr word count = 70'000;
    BLENDR_TRY(auto const words, tensor<word>::make(on, 16));
    auto made = whose == origin::own ? program::own(on, view(spirv::loops))
                                     : program::stranger(on, view(spirv::loops), careful());
    if (!made) return fail{std::move(made).error()};
    std::array<word, 16> seen{}, right{};
    sequence work{on};
    work.dispatch(*made, {1, 1, 1}, {words.all()}, count).download(words, std::span<word>{seen});
    BLENDR_CHECK(ended(work.run()));
    for (word i = 0; i < 8; ++i) {
        word x = i + 1, y = 0;
        for (word k = 0; k < count; ++k) x = x * 1664525u + 1013904223u;
        for (word k = 0; k < count + i; ++k) y += x ^ k;
        right[2 * i] = x;
        right[2 * i + 1] = y;
    }
    if (seen != right) return wrong("loops of more than 65,535 iterations end early");
    return nothing{};
}

verdict edges(device& on)
{
    std::array<word, 128> words{};
    for (word i = 0; i < 64; ++i) words[i] = i * 0x9e3779b1u ^ i << 29;
    words[1] = 0x80000000;
    words[62] = 0;
    words[2] = 0xFFFFFFFF;
    std::array<word, 4> sums{0, 0, 0, ~0u}, seen_sums{};
    auto right = words;
    std::array<word, 64> lane{};
    for (word i = 0; i < 64; ++i) {
        auto const v = words[i];
        auto const s = static_cast<std::int32_t>(v);
        auto const divisor = words[63 - i] | 1u;
        auto const sd = static_cast<std::int32_t>(divisor | 2u);
        auto const quotient = s == static_cast<std::int32_t>(0x80000000u) && sd == -1 ? s : s / sd;
        word mirrored = 0;
        for (word b = 0; b < 32; ++b) mirrored |= (v >> b & 1) << (31 - b);
        lane[i] = v / divisor ^ v % divisor ^ static_cast<word>(quotient) ^ v << (i & 31) ^
                  static_cast<word>(s >> (i & 31)) ^ static_cast<word>(std::popcount(v)) ^
                  static_cast<word>(31 - std::countl_zero(v | 1u)) ^ mirrored;
        sums[0] += lane[i];
        sums[1] = std::max(sums[1], lane[i]);
        sums[2] ^= lane[i];
        sums[3] = std::min(sums[3], lane[i]);
        right[64 + i] = lane[i];
    }
    for (std::size_t half = 32; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) lane[i] += lane[i + half] * 3u;
    for (std::size_t i = 0; i < 64; ++i) right[64 + i] ^= lane[0];

    BLENDR_TRY(auto const made, program::stranger(on, view(spirv::edges), careful()));
    BLENDR_TRY(auto const in, tensor<word>::make(on, words));
    std::array<word, 4> const start{0, 0, 0, ~0u};
    BLENDR_TRY(auto const atomics, tensor<word>::make(on, start));
    sequence work{on};
    work.dispatch(made, {1, 1, 1}, {in.all(), atomics.all()})
        .download(in, std::span<word>{words})
        .download(atomics, std::span<word>{seen_sums});
    BLENDR_CHECK(ended(work.run()));
    if (words != right) return wrong("integers, shared memory or barriers give other results");
    if (seen_sums != sums) return wrong("atomics give other results");
    return nothing{};
}

verdict outside(device& on)
{
    BLENDR_TRY(auto const made, program::stranger(on, view(spirv::outside), careful()));
    BLENDR_TRY(auto const words, tensor<word>::make(on, 16));
    BLENDR_TRY(auto const fresh, words.values());
    if (std::any_of(fresh.begin(), fresh.end(), [](word w) { return w != 0; }))
        return wrong("new memory holds what somebody left");
    struct ask {
        word from, to;
        bool inside;
    };
    for (auto const [from, to, inside] : {ask{3, 4, true}, ask{16, 4, false},
                                          ask{0x40000000, 4, false}, ask{3, 0xFFFFFFFF, false}}) {
        std::array<word, 2> const push{from, to};
        auto const how = sequence{on}.dispatch(made, {1, 1, 1}, {words.all()}, push).run();
        if (inside) {
            BLENDR_CHECK(ended(how));
            BLENDR_TRY(auto const after, words.values());
            std::vector<word> right(16);
            right[to] = 1;
            if (after != right) return wrong("an index inside of its bounds is not followed");
        }
        if (!inside && how.what != fault::trapped)
            return wrong("an index out of bounds is not noticed");
    }
    return nothing{};
}

/// What the native device knows too.
verdict common(device& on)
{
    constexpr word n = 5;
    std::array<word, 25> a{}, b{}, c{}, right{};
    std::iota(a.begin(), a.end(), 7u);
    std::iota(b.begin(), b.end(), 0xFFFFFFF0u);
    for (word i = 0; i < n; ++i)
        for (word j = 0; j < n; ++j)
            for (word k = 0; k < n; ++k) right[i * n + j] += a[i * n + k] * b[k * n + j];
    BLENDR_TRY(auto const made, program::stranger(on, spirv_of(shipped::matmul_i32), careful()));
    BLENDR_TRY(auto const ta, tensor<word>::make(on, a));
    BLENDR_TRY(auto const tb, tensor<word>::make(on, b));
    BLENDR_TRY(auto const tc, tensor<word>::make(on, c.size()));
    std::array<word, 3> const push{n, n, n};
    sequence work{on};
    work.dispatch(made, groups_of(shipped::matmul_i32, n, n), {ta.all(), tb.all(), tc.all()}, push)
        .download(tc, std::span<word>{c});
    BLENDR_CHECK(ended(work.run()));
    if (c != right) return wrong("a product of matrices is wrong");
    return nothing{};
}

}  // namespace

result<nothing, failure> self_test(device& on)
{
    BLENDR_CHECK(common(on));
    if (on.info().kind == device_kind::native) return nothing{};
    BLENDR_CHECK(loops(on, origin::own));
    BLENDR_CHECK(loops(on, origin::stranger));
    BLENDR_CHECK(edges(on));
    BLENDR_CHECK(outside(on));
    return nothing{};
}

}  // namespace blendr::compute
