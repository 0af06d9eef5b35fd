// SPDX-License-Identifier: Apache-2.0
#pragma once

// Included once by each offer_kernels*.cpp. Everything has internal linkage: the same text becomes
// other instructions in each.

#include <cstddef>
#include <cstdint>

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#include <market/offer_kernels.hpp>

namespace blendr::market::impl {
namespace {

/// The 512 bits of a block.
using wide [[gnu::vector_size(64)]] = std::uint64_t;

/// The same, laid over words that are aligned as words alone: what a type says of its members' place,
/// every compiler heeds; what an alias says of its own, not every one does.
struct [[gnu::packed, gnu::may_alias]] laid {
    wide v;
};

inline laid const& at(std::uint64_t const* words) noexcept
{
    return *reinterpret_cast<laid const*>(words);
}
inline laid& at(std::uint64_t* words) noexcept { return *reinterpret_cast<laid*>(words); }

[[gnu::always_inline]] inline bool any(std::uint64_t const* words) noexcept
{
#if defined(__AVX512F__)
    auto const v = _mm512_loadu_si512(words);
    return _mm512_test_epi64_mask(v, v) != 0;
#else
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < 8; ++i) all |= words[i];
    return all != 0;
#endif
}

[[gnu::always_inline]] inline std::uint64_t ones(std::uint64_t const* words) noexcept
{
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < 8; ++i)
        n += static_cast<std::uint64_t>(__builtin_popcountll(words[i]));
    return n;
}

template <class Step>
[[gnu::always_inline]] inline std::uint64_t each_block(std::uint64_t mask, Step&& step) noexcept
{
    auto left = mask;
    for (auto rest = mask; rest != 0; rest &= rest - 1) {
        auto const i = static_cast<std::size_t>(__builtin_ctzll(rest));
        left &= ~(std::uint64_t{step(i) ? 0u : 1u} << i);  // no branch: nobody could foresee it
    }
    return left;
}

std::uint64_t intersect(map_view const* maps, map_step const* steps, std::size_t step_count,
                        std::uint32_t const* blocks, std::uint64_t of, std::uint32_t const* ahead,
                        std::size_t ahead_count, std::uint64_t* out) noexcept
{
    auto mask = of;
    for (std::size_t s = 0; s < step_count && mask != 0; ++s) {
        auto const& step = steps[s];
        auto const* const map = maps + step.first;
        bool const begins = s == 0;
        if (s < 4)  // later steps read little
            for (std::size_t k = 0; k < step.count && k < 4; ++k)
                for (std::size_t i = 0; i < ahead_count; ++i)
                    if (ahead[i] < map[k].blocks)
                        __builtin_prefetch(map[k].words + std::size_t{ahead[i]} * 8);
        if (step.keep && step.count == 1) {
            mask = each_block(mask, [&](std::size_t i) {
                if (blocks[i] >= map->blocks) return false;
                auto& o = at(out + i * 8);
                auto const& m = at(map->words + std::size_t{blocks[i]} * 8);
                if (begins)
                    o.v = m.v;
                else
                    o.v &= m.v;
                return any(out + i * 8);
            });
        } else if (step.keep) {
            mask = each_block(mask, [&](std::size_t i) {
                wide some{};
                for (std::size_t k = 0; k < step.count; ++k)
                    if (blocks[i] < map[k].blocks)
                        some |= at(map[k].words + std::size_t{blocks[i]} * 8).v;
                auto& o = at(out + i * 8);
                if (begins)
                    o.v = some;
                else
                    o.v &= some;
                return any(out + i * 8);
            });
        } else {
            for (std::size_t k = 0; k < step.count; ++k)
                mask = each_block(mask, [&](std::size_t i) {
                    if (blocks[i] < map[k].blocks)
                        at(out + i * 8).v &= ~at(map[k].words + std::size_t{blocks[i]} * 8).v;
                    return any(out + i * 8);
                });
        }
    }
    return mask;
}

std::uint64_t count(std::uint64_t const* words, std::size_t blocks) noexcept
{
    std::uint64_t n = 0;
    for (std::size_t b = 0; b < blocks; ++b) n += ones(words + b * 8);
    return n;
}

void tally(std::uint64_t const* used, std::uint64_t const* holds, std::uint64_t const* const* known,
           std::size_t m, std::uint64_t* held, std::uint64_t* stated, std::uint64_t* alone,
           std::uint64_t* all, std::uint64_t* only) noexcept
{
    // Forwards `only` takes those for which all earlier ones hold, backwards what is left when all
    // later ones hold and this one does not.
    std::uint64_t run[8];
    at(run).v = at(used).v;
    for (std::size_t i = 0; i < m; ++i) {
        at(only + i * 8).v = at(run).v;
        at(run).v &= at(holds + i * 8).v;
        held[i] += ones(holds + i * 8);
        if (known[i] != nullptr) stated[i] += ones(known[i]);
    }
    *all += ones(run);
    at(run).v = at(used).v;
    for (auto i = m; i-- > 0;) {
        at(only + i * 8).v &= at(run).v & ~at(holds + i * 8).v;
        at(run).v &= at(holds + i * 8).v;
        alone[i] += ones(only + i * 8);
    }
}

constexpr offer_kernels these{&intersect, &count, &tally};

}  // namespace
}  // namespace blendr::market::impl
