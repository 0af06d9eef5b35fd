// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The inner loops of a search, compiled for several families of instructions. Only plain words
/// cross this line, so that nothing compiled for one family is linked into the others.
namespace blendr::market::impl {

/// A bitmap as the kernels read it: eight words a block. Blocks beyond are empty.
struct map_view {
    std::uint64_t const* words{};
    std::uint32_t blocks{};
};

/// What a search does to the places of a block: keeps those in one of `count` maps, or removes
/// those in one of them. The first step of a search keeps.
struct map_step {
    std::uint16_t first{};
    std::uint16_t count{};
    bool keep{};
};

struct offer_kernels {
    /// Runs the steps on up to 64 blocks at once, which `blocks` names: `out` gets eight words for
    /// each, the answer a bit for each that has a place left. Blocks whose bit in `of` is not set are
    /// left alone. `ahead` names blocks that will be asked for next.
    std::uint64_t (*intersect)(map_view const* maps, map_step const* steps, std::size_t step_count,
                               std::uint32_t const* blocks, std::uint64_t of,
                               std::uint32_t const* ahead, std::size_t ahead_count,
                               std::uint64_t* out){};

    /// How many bits are set in `blocks` times eight words.
    std::uint64_t (*count)(std::uint64_t const* words, std::size_t blocks){};

    /// For an explanation, on one block: of `m` conditions that hold where `holds` says (m times
    /// eight words), adds to `held` how many hold each, to `stated` how many are in `known` (null: none),
    /// to `alone` how many fail this one only, and to `all` how many fail none. `only` gets where
    /// each is the only one to fail.
    void (*tally)(std::uint64_t const* used, std::uint64_t const* holds,
                  std::uint64_t const* const* known, std::size_t m, std::uint64_t* held,
                  std::uint64_t* stated, std::uint64_t* alone, std::uint64_t* all,
                  std::uint64_t* only){};
};

offer_kernels const& portable_offer_kernels() noexcept;
offer_kernels const& avx2_offer_kernels() noexcept;
offer_kernels const& avx512_offer_kernels() noexcept;

/// The best that runs here, or what BLENDR_CPU asks for.
offer_kernels const& kernels() noexcept;

}  // namespace blendr::market::impl
