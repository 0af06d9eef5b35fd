// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/wide.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::crypto {

/// Whole numbers modulo a prime P below 2⁶³. Elements are the numbers 0 … P − 1.
template <std::uint64_t P>
    requires(P > 2 && P < (std::uint64_t{1} << 63))
struct prime_field {
    static constexpr std::uint64_t modulus = P;

    static constexpr std::uint64_t reduce(u128 value) noexcept
    {
        if constexpr (P == (std::uint64_t{1} << 61) - 1) {
            value = (value & P) + (value >> 61);  // below 2^68
            auto folded = static_cast<std::uint64_t>((value & P) + (value >> 61));
            return folded >= P ? folded - P : folded;
        } else {
            return static_cast<std::uint64_t>(value % P);
        }
    }

    /// A number as an element; nothing when it is outside the range in which every number is another
    /// element: 0 … P − 1 for an unsigned type, −(P − 1)/2 … (P − 1)/2 for a signed one.
    template <std::integral T>
    static constexpr std::optional<std::uint64_t> element(T value) noexcept
    {
        if constexpr (std::signed_integral<T>) {
            auto const wide = std::int64_t{value};
            auto const size =
                wide < 0 ? 0 - static_cast<std::uint64_t>(wide) : static_cast<std::uint64_t>(wide);
            if (size > (P - 1) / 2) return std::nullopt;
            return wide < 0 ? P - size : size;
        } else {
            auto const wide = std::uint64_t{value};
            if (wide >= P) return std::nullopt;
            return wide;
        }
    }
};

/// What products are checked over in production: 2⁶¹ − 1.
using field_61 = prime_field<(std::uint64_t{1} << 61) - 1>;
/// Small enough that a test can watch the check being fooled as often as it should.
using field_251 = prime_field<251>;

/// A matrix in place, row after row.
template <class T>
struct matrix_view {
    std::span<T const> data{};
    std::size_t rows{};
    std::size_t columns{};

    std::span<T const> row(std::size_t i) const { return data.subspan(i * columns, columns); }
};

struct product_error {
    enum class kind : std::uint8_t {
        shape = 1,         ///< rows, columns and sizes do not fit each other; `row` says nothing
        not_in_field = 2,  ///< a number outside the field's range, in that row of A, B or C
        wrong_product =
            3,  ///< that row of C is not that row of A times B: certain, no chance in it
    };
    kind what{};
    std::size_t row{};

    friend bool operator==(product_error const&, product_error const&) = default;
};

/// The seed of a check: whoever knows it beforehand can cheat, so the beacon must be one that was
/// opened after `committed`, a hash of A, B and C, was fixed.
hash256 freivalds_seed(hash256 const& beacon, hash256 const& committed) noexcept;

/// The next `out.size()` random elements below `modulus`, drawn from a seed without bias.
void freivalds_challenge(hash256 const& seed, std::uint32_t round, std::uint64_t modulus,
                         std::span<std::uint64_t> out) noexcept;

/// Freivalds' check that A·B = C over a prime field, fed row by row: all rows of B, then each row of A
/// with the same row of C, in any order. It holds a few vectors, whatever the number of rows of A, and
/// takes O(rows × columns) where the product takes columns times that.
///
/// A right product always passes. A wrong one passes with probability at most P⁻ʳ over the seed, r
/// being the rounds: 2⁻⁶¹ for one round over `field_61`, 2⁻¹²² for two. Who can try g seeds (grinding
/// the beacon) multiplies that by g. With signed entries it is the product of whole numbers that is
/// checked, as long as its entries lie within the field's range.
template <class Field>
class product_check {
public:
    /// B has `inner` rows and `columns` columns.
    product_check(std::size_t inner, std::size_t columns, hash256 const& seed,
                  std::uint32_t rounds = 1)
        : inner_{inner},
          columns_{columns},
          rounds_{rounds}
    {
        BLENDR_ASSERT(rounds > 0);
        random_.resize(rounds * columns);
        for (std::uint32_t r = 0; r < rounds; ++r)
            freivalds_challenge(seed, r, Field::modulus,
                                std::span{random_}.subspan(r * columns, columns));
        projected_.reserve(rounds * inner);
    }

    /// The next row of B.
    template <std::integral T>
    result<nothing, product_error> add_factor_row(std::span<T const> b)
    {
        auto const row = projected_.size() / rounds_;
        if (b.size() != columns_ || row == inner_)
            return fail{product_error{product_error::kind::shape, row}};
        for (std::uint32_t r = 0; r < rounds_; ++r) {
            auto const dot = times(b, std::span{random_}.subspan(r * columns_, columns_));
            if (!dot) return fail{product_error{product_error::kind::not_in_field, row}};
            projected_.push_back(*dot);
        }
        return nothing{};
    }

    /// Row `row` of A with the same row of C, after all of B.
    template <std::integral T, std::integral U>
    result<nothing, product_error> check_row(std::size_t row, std::span<T const> a,
                                             std::span<U const> c) const
    {
        if (a.size() != inner_ || c.size() != columns_ || projected_.size() != inner_ * rounds_)
            return fail{product_error{product_error::kind::shape, row}};
        bool same = true;
        for (std::uint32_t r = 0; r < rounds_; ++r) {
            auto const left = times(a, projected(r));
            auto const right = times(c, std::span{random_}.subspan(r * columns_, columns_));
            if (!left || !right) return fail{product_error{product_error::kind::not_in_field, row}};
            same = same && *left == *right;
        }
        if (!same) return fail{product_error{product_error::kind::wrong_product, row}};
        return nothing{};
    }

private:
    struct strided {
        std::uint64_t const* first;
        std::size_t stride;
        std::uint64_t operator[](std::size_t i) const { return first[i * stride]; }
    };
    strided projected(std::uint32_t round) const { return {projected_.data() + round, rounds_}; }

    template <class T, class Vector>
    static std::optional<std::uint64_t> times(std::span<T const> row, Vector const& by)
    {
        // How many products fit 128 bits beside what is left of the sum before: 32 of 122 bits, or 3
        // of 126.
        constexpr std::size_t together = Field::modulus < (std::uint64_t{1} << 61) ? 32 : 3;
        u128 sum = 0;
        std::size_t waiting = 0;
        for (std::size_t i = 0; i < row.size(); ++i) {
            auto const element = Field::element(row[i]);
            if (!element) return std::nullopt;
            sum += u128{*element} * by[i];
            if (++waiting == together) {
                sum = Field::reduce(sum);
                waiting = 0;
            }
        }
        return Field::reduce(sum);
    }

    std::size_t inner_;
    std::size_t columns_;
    std::uint32_t rounds_;
    std::vector<std::uint64_t> random_;     // round after round, one element for each column
    std::vector<std::uint64_t> projected_;  // B times random_: rounds side by side, row after row
};

/// The same for matrices that lie in memory; the first row that is wrong.
template <class Field, std::integral A, std::integral B, std::integral C>
result<nothing, product_error> check_product(matrix_view<A> const& a, matrix_view<B> const& b,
                                             matrix_view<C> const& c, hash256 const& seed,
                                             std::uint32_t rounds = 1)
{
    auto const whole = [](auto const& m) {
        std::size_t size = 0;
        return !__builtin_mul_overflow(m.rows, m.columns, &size) && size == m.data.size();
    };
    if (!whole(a) || !whole(b) || !whole(c) || a.columns != b.rows || a.rows != c.rows ||
        b.columns != c.columns || rounds == 0)
        return fail{product_error{product_error::kind::shape, 0}};
    product_check<Field> check{b.rows, b.columns, seed, rounds};
    for (std::size_t i = 0; i < b.rows; ++i) BLENDR_CHECK(check.add_factor_row(b.row(i)));
    for (std::size_t i = 0; i < a.rows; ++i) BLENDR_CHECK(check.check_row(i, a.row(i), c.row(i)));
    return nothing{};
}

}  // namespace blendr::crypto
