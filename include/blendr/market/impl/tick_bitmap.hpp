// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace blendr::market::impl {

/// Which of up to 2²⁰ price levels hold orders. Three layers of 64-way summaries: finding the next
/// occupied level reads at most one word of each, and four words on top.
class tick_bitmap {
public:
    static constexpr std::uint32_t levels_max = 1u << 20;

    explicit tick_bitmap(std::uint32_t levels)
        : bits_(words(levels)),
          blocks_(words(words(levels))),
          top_(words(words(words(levels)))),
          levels_{static_cast<std::int32_t>(levels)}
    {}

    bool test(std::uint32_t at) const noexcept { return (bits_[at >> 6] >> (at & 63) & 1) != 0; }

    void set(std::uint32_t at) noexcept
    {
        bits_[at >> 6] |= bit(at);
        blocks_[at >> 12] |= bit(at >> 6);
        top_[at >> 18] |= bit(at >> 12);
    }

    void clear(std::uint32_t at) noexcept
    {
        if ((bits_[at >> 6] &= ~bit(at)) != 0) return;
        if ((blocks_[at >> 12] &= ~bit(at >> 6)) != 0) return;
        top_[at >> 18] &= ~bit(at >> 12);
    }

    /// The lowest occupied level at or above `from`; the number of levels when there is none.
    std::int32_t at_or_above(std::int32_t from) const noexcept
    {
        if (from >= levels_) return levels_;
        auto const at = static_cast<std::uint32_t>(from);
        if (auto const rest = bits_[at >> 6] >> (at & 63); rest != 0)
            return from + std::countr_zero(rest);
        auto const word = next(blocks_, at >> 6);
        if (word != none) return first_of(word);
        auto const block = next(top_, at >> 12);
        if (block != none) return first_of(lowest(blocks_, block));
        for (std::size_t i = (at >> 18) + 1; i < top_.size(); ++i)
            if (top_[i] != 0)
                return first_of(lowest(blocks_, lowest(top_, static_cast<std::uint32_t>(i))));
        return levels_;
    }

    /// The highest occupied level at or below `from`; -1 when there is none.
    std::int32_t at_or_below(std::int32_t from) const noexcept
    {
        if (from < 0) return -1;
        auto const at = static_cast<std::uint32_t>(from);
        if (auto const rest = bits_[at >> 6] << (63 - (at & 63)); rest != 0)
            return from - std::countl_zero(rest);
        auto const word = previous(blocks_, at >> 6);
        if (word != none) return last_of(word);
        auto const block = previous(top_, at >> 12);
        if (block != none) return last_of(highest(blocks_, block));
        for (std::size_t i = at >> 18; i-- > 0;)
            if (top_[i] != 0)
                return last_of(highest(blocks_, highest(top_, static_cast<std::uint32_t>(i))));
        return -1;
    }

private:
    using layer = std::vector<std::uint64_t>;
    static constexpr std::uint32_t none = ~0u;

    static constexpr std::uint32_t words(std::uint32_t n) noexcept { return (n + 63) / 64; }
    static constexpr std::uint64_t bit(std::uint32_t at) noexcept
    {
        return std::uint64_t{1} << (at & 63);
    }
    /// The set bit after `at` in the same word of a summary layer.
    static std::uint32_t next(layer const& in, std::uint32_t at) noexcept
    {
        auto const rest = in[at >> 6] & ~(bit(at) | (bit(at) - 1));
        return rest == 0 ? none : (at & ~63u) + static_cast<std::uint32_t>(std::countr_zero(rest));
    }
    static std::uint32_t previous(layer const& in, std::uint32_t at) noexcept
    {
        auto const rest = in[at >> 6] & (bit(at) - 1);
        return rest == 0 ? none
                         : (at & ~63u) + 63u - static_cast<std::uint32_t>(std::countl_zero(rest));
    }
    static std::uint32_t lowest(layer const& in, std::uint32_t word) noexcept
    {
        return word * 64 + static_cast<std::uint32_t>(std::countr_zero(in[word]));
    }
    static std::uint32_t highest(layer const& in, std::uint32_t word) noexcept
    {
        return word * 64 + 63u - static_cast<std::uint32_t>(std::countl_zero(in[word]));
    }
    std::int32_t first_of(std::uint32_t word) const noexcept
    {
        return static_cast<std::int32_t>(lowest(bits_, word));
    }
    std::int32_t last_of(std::uint32_t word) const noexcept
    {
        return static_cast<std::int32_t>(highest(bits_, word));
    }

    layer bits_;
    layer blocks_;
    layer top_;
    std::int32_t levels_;
};

}  // namespace blendr::market::impl
