// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/core/result.hpp>
#include <blendr/work/error.hpp>

namespace blendr::work {

/// A table in text: a first line of names, then lines of as many cells. Cells may stand in double quotes, which keep
/// commas; a quote or a line's end within them is refused. Empty lines at the end are nothing.
struct csv {
    std::vector<std::string_view> names{};
    std::vector<std::string_view> cells{};  ///< row after row; they point into the text

    std::size_t columns() const noexcept { return names.size(); }
    std::size_t rows() const noexcept { return names.empty() ? 0 : cells.size() / names.size(); }
    std::string_view at(std::size_t row, std::size_t column) const
    {
        return cells[row * names.size() + column];
    }
    /// The line of the text that a row stands in.
    static std::size_t line_of(std::size_t row) noexcept { return row + 2; }

    result<std::size_t, problem> column(std::string_view name) const;
    /// All of a column as numbers with six digits behind the point, rounded; the problem names the line.
    result<std::vector<std::int64_t>, problem> numbers(std::size_t column) const;
};

/// The problem names the line.
result<csv, problem> read_csv(std::string_view text);

inline constexpr std::int64_t csv_one = 1'000'000;
/// Numbers lie within this, about nine thousand million.
inline constexpr std::int64_t csv_most = std::int64_t{1} << 53;

std::string csv_text(std::int64_t value);

}  // namespace blendr::work
