// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include <blendr/core/assert.hpp>
#include <blendr/market/capability.hpp>

#include <market/offer_kernels.hpp>

namespace blendr::market::impl {

inline constexpr std::uint32_t block_size = 512;

/// One bit for each offer of a block.
struct alignas(64) lanes {
    std::array<std::uint64_t, 8> w;  // no value until it is given one

    lanes& operator|=(lanes const& o) noexcept
    {
        for (std::size_t i = 0; i < 8; ++i) w[i] |= o.w[i];
        return *this;
    }
    lanes& operator&=(lanes const& o) noexcept
    {
        for (std::size_t i = 0; i < 8; ++i) w[i] &= o.w[i];
        return *this;
    }
    lanes& remove(lanes const& o) noexcept
    {
        for (std::size_t i = 0; i < 8; ++i) w[i] &= ~o.w[i];
        return *this;
    }
    bool any() const noexcept
    {
        std::uint64_t all = 0;
        for (auto const x : w) all |= x;
        return all != 0;
    }
    std::uint64_t count() const noexcept
    {
        std::uint64_t n = 0;
        for (auto const x : w) n += static_cast<std::uint64_t>(std::popcount(x));
        return n;
    }
    bool test(std::uint32_t at) const noexcept { return (w[at >> 6] >> (at & 63) & 1) != 0; }
    void set(std::uint32_t at) noexcept { w[at >> 6] |= std::uint64_t{1} << (at & 63); }
    void clear(std::uint32_t at) noexcept { w[at >> 6] &= ~(std::uint64_t{1} << (at & 63)); }

    template <class Visit>
    void each(Visit&& visit) const
    {
        for (std::uint32_t i = 0; i < 8; ++i)
            for (auto rest = w[i]; rest != 0; rest &= rest - 1)
                visit(i * 64 + static_cast<std::uint32_t>(std::countr_zero(rest)));
    }
    /// Until visit says false; false when it did.
    template <class Visit>
    bool each_until(Visit&& visit) const
    {
        for (std::uint32_t i = 0; i < 8; ++i)
            for (auto rest = w[i]; rest != 0; rest &= rest - 1)
                if (!visit(i * 64 + static_cast<std::uint32_t>(std::countr_zero(rest))))
                    return false;
        return true;
    }
};

/// A set of positions, grown to where it has members, with a bit for each block that has any.
class bitmap {
public:
    lanes const* block(std::uint32_t b) const noexcept
    {
        return b < blocks_.size() ? &blocks_[b] : nullptr;
    }
    bool any_in(std::uint32_t b) const noexcept
    {
        return b < blocks_.size() && (any_[b / 64] >> (b % 64) & 1) != 0;
    }
    std::uint64_t count() const noexcept { return count_; }
    map_view view() const noexcept
    {
        return {blocks_.empty() ? nullptr : blocks_.front().w.data(),
                static_cast<std::uint32_t>(blocks_.size())};
    }

    void set(std::uint32_t position)
    {
        auto const b = position / block_size;
        if (b >= blocks_.size()) {
            blocks_.resize(b + 1);
            any_.resize(b / 64 + 1);
        }
        BLENDR_ASSERT(!blocks_[b].test(position % block_size));
        blocks_[b].set(position % block_size);
        any_[b / 64] |= std::uint64_t{1} << (b % 64);
        ++count_;
    }
    void clear(std::uint32_t position)
    {
        auto const b = position / block_size;
        BLENDR_ASSERT(b < blocks_.size() && blocks_[b].test(position % block_size));
        blocks_[b].clear(position % block_size);
        if (!blocks_[b].any()) any_[b / 64] &= ~(std::uint64_t{1} << (b % 64));
        --count_;
    }
    bool test(std::uint32_t position) const noexcept
    {
        auto const* const in = block(position / block_size);
        return in != nullptr && in->test(position % block_size);
    }

private:
    std::vector<lanes> blocks_{};
    std::vector<std::uint64_t> any_{};
    std::uint64_t count_{0};
};

/// Words as small numbers, counted; a number is reused when nobody holds its word any more.
/// Number 0 is no word.
class dictionary {
public:
    explicit dictionary(std::uint32_t words_max) : words_max_{words_max}, held_(1) {}

    /// 0 when the dictionary is full.
    std::uint32_t hold(std::string_view word)
    {
        if (auto const found = numbers_.find(word); found != numbers_.end()) {
            ++held_[found->second].holders;
            return found->second;
        }
        if (numbers_.size() >= words_max_) return 0;
        ++changes_;
        auto number = static_cast<std::uint32_t>(held_.size());
        if (free_.empty()) {
            held_.emplace_back();
        } else {
            number = free_.back();
            free_.pop_back();
        }
        held_[number] = {std::string{word}, 1};
        numbers_.emplace(std::string{word}, number);
        return number;
    }
    void drop(std::uint32_t number)
    {
        if (number == 0 || --held_[number].holders != 0) return;
        ++changes_;
        numbers_.erase(held_[number].word);
        held_[number].word.clear();
        free_.push_back(number);
    }
    /// 0 when nobody holds it.
    std::uint32_t find(std::string_view word) const noexcept
    {
        auto const found = numbers_.find(word);
        return found == numbers_.end() ? 0 : found->second;
    }
    std::string const& word(std::uint32_t number) const { return held_[number].word; }
    std::size_t numbers_used() const noexcept { return held_.size(); }
    /// Words that came or went so far: while it stays, numbers mean what they meant.
    std::uint64_t changes() const noexcept { return changes_; }

private:
    struct entry {
        std::string word{};
        std::uint32_t holders{0};
    };
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept
        {
            return std::hash<std::string_view>{}(text);
        }
    };
    std::uint32_t words_max_;
    std::vector<entry> held_;
    std::vector<std::uint32_t> free_{};
    std::uint64_t changes_{0};
    boost::unordered_flat_map<std::string, std::uint32_t, text_hash, std::equal_to<>> numbers_{};
};

/// The steps at which a number attribute has a bitmap "at least this". The first is zero. A
/// requirement at a step is answered by bitmaps alone, one between steps looks at the values
/// between its neighbours.
std::span<std::uint64_t const> steps_of(attribute a);

inline std::size_t step_below(std::span<std::uint64_t const> steps, std::uint64_t value)
{
    auto const above = std::upper_bound(steps.begin(), steps.end(), value);
    return static_cast<std::size_t>(above - steps.begin()) - 1;
}

}  // namespace blendr::market::impl
