// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <boost/container/small_vector.hpp>

#include <blendr/market/requirement.hpp>

#include <market/offer_table.hpp>

namespace blendr::market::impl {

/// A requirement resolved against a table: which bitmaps each of its parts reads. It holds until
/// the table changes.
class offer_query {
public:
    offer_query(offer_table const& table, requirement const& what);

    /// The members of the outermost `&&`, those with the fewest offers first.
    std::size_t constraints() const noexcept { return constraints_.size(); }
    /// In the requirement's own order.
    std::size_t constraint_in_order(std::size_t i) const noexcept { return in_order_[i]; }

    /// True when the bitmaps alone decide, so that candidates need no second look.
    bool exact() const noexcept { return exact_; }

    /// Blocks that may hold a match, by number; 64 a word.
    std::uint64_t candidates(std::size_t word) const noexcept;
    /// Prices outside [low, high] cannot match.
    std::uint64_t price_low() const noexcept { return price_low_; }
    std::uint64_t price_high() const noexcept { return price_high_; }

    /// The offers of a block that may match: all that do, and where bitmaps do not decide some more.
    void possible(std::uint32_t block, lanes& out) const noexcept;
    /// The offers of a block for which a constraint is true.
    void holds(std::size_t constraint, std::uint32_t block, lanes& out) const noexcept;
    /// Does one offer match?
    bool matches(std::uint32_t position) const noexcept;

private:
    using op = requirement::op;
    /// What a search does to the offers of a block, constraint by constraint, fewest offers first.
    struct step {
        enum class kind : std::uint8_t { keep, remove, keep_any, general } what{};
        std::uint16_t maps{0}, count{0};  // keep_any
        bitmap const* map{};              // keep, remove
        std::size_t node{};               // general
    };
    struct node {
        requirement::part const* part{};
        std::uint16_t span{1};
        bool exact{true};
        // (any of plus) and not (any of minus), and where not exact the part of low without high
        // for which the comparison with the value says yes
        std::uint16_t plus{0}, pluses{0}, minus{0}, minuses{0};
        bitmap const* low{};
        bitmap const* high{};
        std::uint64_t estimate{};
    };

    void resolve(std::size_t i);
    void resolve_number(node& n);
    void resolve_word(node& n);
    void plus(node& n, bitmap const* map);
    void minus(node& n, bitmap const* map);
    void note_price(node const& n) noexcept;
    void plan_steps();

    template <bool Exact>
    void evaluate(std::size_t i, std::uint32_t block, lanes& out) const noexcept;
    template <bool Exact>
    void leaf(node const& n, std::uint32_t block, lanes& out) const noexcept;
    template <bool Exact>
    void price(node const& n, std::uint32_t block, lanes& out) const noexcept;
    std::uint64_t summary(std::size_t i, std::size_t word) const noexcept;
    bool true_at(std::size_t i, std::uint32_t position) const noexcept;
    static bool compare(op how, std::uint64_t a, std::uint64_t b) noexcept;

    offer_table const& table_;
    boost::container::small_vector<node, 16> nodes_{};
    boost::container::small_vector<bitmap const*, 32> maps_{};
    boost::container::small_vector<std::size_t, 16> constraints_{}, in_order_{};
    boost::container::small_vector<step, 16> steps_{};
    bool exact_{true};
    bool nothing_{false};
    std::uint64_t price_low_{0}, price_high_{~std::uint64_t{0}};
};

}  // namespace blendr::market::impl
