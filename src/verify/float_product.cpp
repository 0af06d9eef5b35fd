// SPDX-License-Identifier: Apache-2.0
#include <blendr/verify/float_product.hpp>

#include <cmath>
#include <span>
#include <vector>

#include <blendr/core/random.hpp>

namespace blendr::verify {

namespace {

using matrix = crypto::matrix_view<float>;

bool fits(matrix m) noexcept
{
    return m.columns == 0 ? m.data.empty()
                          : m.data.size() % m.columns == 0 && m.data.size() / m.columns == m.rows;
}

/// m · v, and |m| · |v| beside it.
struct products {
    std::vector<double> plain;
    std::vector<double> size;
};

products times(matrix m, std::span<double const> v, std::span<double const> v_size)
{
    products out{std::vector<double>(m.rows), std::vector<double>(m.rows)};
    for (std::size_t i = 0; i < m.rows; ++i) {
        auto const row = m.row(i);
        double plain = 0, size = 0;
        for (std::size_t k = 0; k < row.size(); ++k) {
            plain += double{row[k]} * v[k];
            size += std::abs(double{row[k]}) * v_size[k];
        }
        out.plain[i] = plain;
        out.size[i] = size;
    }
    return out;
}

/// The relative error of a sum of `terms` products with unit roundoff u; below zero when none holds.
double gamma(std::size_t terms, double u) noexcept
{
    double const x = static_cast<double>(terms) * u;
    return x < 0.5 ? x / (1 - x) : -1;
}

}  // namespace

float_finding check_float_product(matrix a, matrix b, matrix c, hash256 const& seed,
                                  unsigned rounds, double unit_roundoff)
{
    using kind = float_finding::kind;
    if (!fits(a) || !fits(b) || !fits(c) || a.columns != b.rows || a.rows != c.rows ||
        b.columns != c.columns)
        return {kind::shape};
    for (auto const& m : {a, b, c})
        for (std::size_t i = 0; i < m.data.size(); ++i)
            if (!std::isfinite(m.data[i])) return {kind::not_finite, i / m.columns};

    constexpr double u_double = 0x1p-53;
    double const theirs = gamma(a.columns, unit_roundoff);
    // Two sums behind each other on one side, one on the other, and a margin for the bound's own.
    double const ours = gamma(a.columns + 2 * b.columns + 8, u_double);
    if (theirs < 0 || ours < 0) return {kind::too_long};

    rng random{seed};
    std::vector<double> signs(b.columns);
    std::vector<double> const ones(b.columns, 1.0);
    for (unsigned round = 0; round < rounds; ++round) {
        for (auto& each : signs) each = random.chance(1, 2) ? 1.0 : -1.0;
        auto const bx = times(b, signs, ones);
        auto const abx = times(a, bx.plain, bx.size);
        auto const cx = times(c, signs, ones);
        for (std::size_t i = 0; i < c.rows; ++i) {
            double const off = std::abs(cx.plain[i] - abx.plain[i]);
            double const bound =
                (1 + ours) * theirs * abx.size[i] + ours * (abx.size[i] + cx.size[i]);
            if (!(off <= bound)) return {kind::wrong, i, off, bound};
        }
    }
    return {};
}

}  // namespace blendr::verify
