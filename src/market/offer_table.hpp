// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <blendr/market/offer_index.hpp>

#include <market/offer_bitmaps.hpp>

namespace blendr::market::impl {

inline constexpr std::uint32_t nowhere = ~0u;

/// Where an offer ranks: cheaper first, then lower id.
struct offer_key {
    std::uint64_t price{};
    std::uint32_t id{};
    friend constexpr auto operator<=>(offer_key const&, offer_key const&) = default;
};

/// The offers by column, in blocks ordered by key, and a bitmap for everything that can be asked.
class offer_table {
public:
    static constexpr auto first_number = static_cast<std::size_t>(attribute::vram);
    static constexpr std::size_t numbers =
        static_cast<std::size_t>(attribute::price) - first_number;

    struct block {
        lanes used{};
        std::uint32_t count{0};
        std::array<std::uint16_t, block_size> by_key{};  // places in the block, best first
    };

    explicit offer_table(offer_index::limits bounds);

    result<nothing, reject> put(offer_id id, price at, capability const& what);
    bool erase(offer_id id);
    std::uint32_t where(offer_id id) const noexcept
    {
        return id.get() < where_.size() ? where_[id.get()] : nowhere;
    }
    std::size_t size() const noexcept { return size_; }
    void check() const;

    // What a search reads.
    std::vector<std::uint32_t> const& order() const noexcept { return order_; }
    offer_key low(std::size_t rank) const noexcept { return lows_[rank]; }
    block const& at(std::uint32_t b) const noexcept { return blocks_[b]; }
    std::size_t blocks() const noexcept { return blocks_.size(); }
    offer_key key(std::uint32_t position) const noexcept
    {
        return {prices_[position], ids_[position]};
    }
    bitmap const& used() const noexcept { return used_; }
    bitmap const& known(attribute a) const noexcept { return known_[static_cast<std::size_t>(a)]; }
    std::vector<bitmap> const& at_least(attribute a) const noexcept { return steps_[number(a)]; }
    /// Null when no offer has that word.
    bitmap const* with_word(attribute a, std::string_view word) const noexcept
    {
        auto const i = static_cast<std::size_t>(a);
        auto const n = words_[i].find(word);
        return n == 0 || n >= with_word_[i].size() ? nullptr : &with_word_[i][n];
    }
    /// 0 when no offer has that word.
    std::uint32_t number_of(attribute a, std::string_view word) const noexcept
    {
        return words_[static_cast<std::size_t>(a)].find(word);
    }
    std::uint64_t value(attribute a, std::uint32_t position) const noexcept
    {
        return a == attribute::price ? prices_[position] : numbers_[number(a)][position];
    }
    std::string value_text(attribute a, std::uint32_t position) const;

    // What a search that is asked again needs to know.
    /// While it stays, words have the bitmaps that they had.
    std::uint64_t vocabulary() const noexcept;
    /// Changes of offers so far.
    std::uint64_t changes() const noexcept { return changes_; }
    /// Of those, changes of offers that had or got that word.
    std::uint64_t changes_of(std::size_t kind, std::uint32_t word) const noexcept
    {
        return word < touched_[kind].size() ? touched_[kind][word] : 0;
    }
    /// The lowest price that an offer changed since then had or got; 0 when that is too long ago.
    std::uint64_t cheapest_changed_since(std::uint64_t then) const noexcept;

private:
    static constexpr std::size_t word_kinds = 5;  // vendor, model, region, features, auditors
    static constexpr std::size_t number(attribute a) noexcept
    {
        return static_cast<std::size_t>(a) - first_number;
    }

    /// An offer with its words as numbers; holds them in the dictionaries.
    struct row {
        std::uint16_t known{};
        std::array<std::uint64_t, numbers> number{};
        std::array<std::uint32_t, word_kinds> word{};  // for the last two a set of words
        bool knows(std::size_t a) const noexcept { return (known >> a & 1) != 0; }
    };
    struct word_set {
        std::vector<std::uint32_t> members{};
    };

    std::optional<row> hold(capability const& what, row const& before);
    std::uint32_t hold_set(std::size_t kind, std::span<std::string const> words);
    bool same_words(std::size_t kind, std::uint32_t number, capability const& what) const;
    /// Lets go of the words of `r`, but for those that `kept` has in their place.
    void release(row const& r, row const& kept);
    void note_change(row const& before, row const& now, std::uint64_t price);
    void drop_set(std::size_t kind, std::uint32_t set);
    row read(std::uint32_t position) const;
    void write(std::uint32_t position, row const& now, row const& before);
    void mark(std::size_t kind, std::uint32_t word, std::uint32_t position, bool on);

    std::size_t rank_of(offer_key key) const noexcept;
    std::uint32_t new_block();
    void split(std::size_t rank);
    void merge_after(std::size_t rank);
    void move(std::uint32_t from, std::uint32_t to_block);
    std::uint32_t enter(std::uint32_t b, offer_key key);
    void leave(std::uint32_t position);
    void remove(std::uint32_t position);

    offer_index::limits bounds_;
    std::vector<std::uint32_t> order_{};  // blocks, cheapest first
    std::vector<offer_key> lows_{};       // by rank: no key below it stands in that block
    std::vector<block> blocks_{};
    std::vector<std::uint32_t> free_blocks_{};

    std::vector<std::uint32_t> where_;
    std::vector<std::uint32_t> ids_{};
    std::vector<std::uint64_t> prices_{};
    std::array<std::vector<std::uint64_t>, numbers> numbers_{};
    std::array<std::vector<std::uint32_t>, word_kinds> symbols_{};
    std::vector<std::uint16_t> known_of_{};

    std::vector<dictionary> words_{};  // by kind
    std::vector<dictionary> sets_{};   // features, auditors: by their text
    std::array<std::vector<word_set>, 2> set_words_{};

    bitmap used_{};
    std::array<bitmap, attributes_count> known_{};
    std::array<std::vector<bitmap>, numbers> steps_{};
    std::array<std::vector<bitmap>, word_kinds> with_word_{};
    std::size_t size_{0};

    static constexpr std::size_t remembered = 256;
    std::uint64_t changes_{0};
    std::array<std::uint64_t, remembered> changed_at_{};  // prices of the last changes
    std::array<std::vector<std::uint64_t>, word_kinds> touched_{};
};

}  // namespace blendr::market::impl
