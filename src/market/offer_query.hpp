// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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

    /// Prices outside [low, high] cannot match.
    std::uint64_t price_low() const noexcept { return price_low_; }
    std::uint64_t price_high() const noexcept { return price_high_; }

    static constexpr std::size_t blocks_at_once = 64;
    using reach = boost::container::small_vector<map_view, 32>;
    /// The bitmaps as they lie in memory now.
    reach views() const;
    /// The offers of up to 64 blocks that may match: all that do, and where bitmaps do not decide
    /// some more. A bit for each block that has any; the others' lanes have no value. `ahead` are
    /// blocks that will be asked for next.
    std::uint64_t possible(reach const& views, std::span<std::uint32_t const> blocks,
                           std::span<std::uint32_t const> ahead, lanes* out) const noexcept;
    /// Words of one attribute of which every match has one, those with the fewest offers; empty when
    /// the requirement names none.
    struct anchor {
        std::size_t kind{};
        boost::container::small_vector<std::uint32_t, 8> words{};
    };
    anchor rarest_words() const;
    /// The offers of a block for which a constraint is true.
    void holds(std::size_t constraint, std::uint32_t block, lanes& out) const noexcept;
    /// Does one offer match?
    bool matches(std::uint32_t position) const noexcept;

private:
    using op = requirement::op;
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
    bool true_at(std::size_t i, std::uint32_t position) const noexcept;
    static bool compare(op how, std::uint64_t a, std::uint64_t b) noexcept;

    offer_table const& table_;
    boost::container::small_vector<node, 16> nodes_{};
    boost::container::small_vector<bitmap const*, 32> maps_{};
    boost::container::small_vector<std::size_t, 16> constraints_{}, in_order_{};
    boost::container::small_vector<bitmap const*, 32> step_maps_{};  // what steps_ number
    boost::container::small_vector<map_step, 16> steps_{};
    boost::container::small_vector<std::size_t, 4> general_{};  // nodes that need a closer look
    bitmap const* sparse_{};  // the first step's map when most blocks have nothing in it
    bool exact_{true};
    bool nothing_{false};
    std::uint64_t price_low_{0}, price_high_{~std::uint64_t{0}};
};

}  // namespace blendr::market::impl
