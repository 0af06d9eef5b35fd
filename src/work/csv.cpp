// SPDX-License-Identifier: Apache-2.0
#include "csv.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace blendr::work {
namespace {

result<nothing, problem> refuse(std::size_t line, std::string why)
{
    return fail{problem{fault::bad_input, "line " + std::to_string(line) + ": " + std::move(why)}};
}

std::string shown(std::string_view cell)
{
    std::string out{"\""};
    for (auto const c : cell.substr(0, 30)) out += c >= ' ' && c <= '~' ? c : '?';
    return out + (cell.size() > 30 ? "...\"" : "\"");
}

std::string_view trimmed(std::string_view cell)
{
    auto const begin = cell.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return cell.substr(begin, cell.find_last_not_of(" \t") - begin + 1);
}

/// Cuts a line into cells.
result<nothing, problem> cut(std::string_view line, std::size_t number,
                             std::vector<std::string_view>& to)
{
    for (;;) {
        auto const begin = line.find_first_not_of(" \t");
        if (begin != std::string_view::npos && line[begin] == '"') {
            auto const end = line.find('"', begin + 1);
            if (end == std::string_view::npos) return refuse(number, "a quote is not closed");
            to.push_back(line.substr(begin + 1, end - begin - 1));
            line.remove_prefix(end + 1);
            auto const next = line.find_first_not_of(" \t");
            if (next == std::string_view::npos) return nothing{};
            if (line[next] == '"') return refuse(number, "a quote within quotes");
            if (line[next] != ',') return refuse(number, "text after a closing quote");
            line.remove_prefix(next + 1);
            continue;
        }
        auto const end = line.find(',');
        auto const cell = line.substr(0, end);
        if (cell.find('"') != std::string_view::npos)
            return refuse(number, "a quote in the middle of a cell");
        to.push_back(trimmed(cell));
        if (end == std::string_view::npos) return nothing{};
        line.remove_prefix(end + 1);
    }
}

/// A decimal number in millionths, rounded; nothing when it is none or too large.
std::optional<std::int64_t> decimal(std::string_view text)
{
    bool const minus = text.starts_with('-');
    if (minus || text.starts_with('+')) text.remove_prefix(1);
    std::int64_t value = 0;
    std::size_t digits = 0, behind = 0;
    bool point = false, up = false;
    for (auto const c : text) {
        if (c == '.') {
            if (point) return std::nullopt;
            point = true;
            continue;
        }
        if (c < '0' || c > '9') return std::nullopt;
        ++digits;
        if (point && ++behind > 6) {
            if (behind == 7) up = c >= '5';
            continue;
        }
        value = value * 10 + (c - '0');
        if (value > csv_most) return std::nullopt;
    }
    if (digits == 0) return std::nullopt;
    for (; behind < 6; ++behind) {
        value *= 10;
        if (value > csv_most) return std::nullopt;
    }
    value += up ? 1 : 0;
    return minus ? -value : value;
}

}  // namespace

result<csv, problem> read_csv(std::string_view text)
{
    csv out;
    std::size_t number = 0;
    std::optional<std::size_t> empty;
    while (!text.empty()) {
        auto const end = text.find('\n');
        auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (trimmed(line).empty()) {
            if (!empty) empty = number;
            continue;
        }
        if (empty) return fail{refuse(*empty, "it is empty").error()};
        if (number == 1) {
            BLENDR_CHECK(cut(line, number, out.names));
            std::set<std::string_view> seen{};
            for (std::size_t k = 0; k < out.names.size(); ++k)
                if (out.names[k].empty() || !seen.insert(out.names[k]).second)
                    return fail{
                        refuse(1, "column " + std::to_string(k + 1) + " has no name of its own")
                            .error()};
            continue;
        }
        auto const before = out.cells.size();
        BLENDR_CHECK(cut(line, number, out.cells));
        auto const seen = out.cells.size() - before;
        if (seen != out.names.size())
            return fail{refuse(number, std::to_string(seen) + " cells, the first line names " +
                                           std::to_string(out.names.size()))
                            .error()};
    }
    if (out.names.empty()) return fail{refuse(1, "there is no line of names").error()};
    if (out.cells.empty()) return fail{refuse(2, "there are no rows").error()};
    return out;
}

result<std::size_t, problem> csv::column(std::string_view name) const
{
    auto const found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return fail{refuse(1, "there is no column " + shown(name)).error()};
    return static_cast<std::size_t>(found - names.begin());
}

result<std::vector<std::int64_t>, problem> csv::numbers(std::size_t column) const
{
    std::vector<std::int64_t> out;
    out.reserve(rows());
    for (std::size_t row = 0; row < rows(); ++row) {
        auto const cell = at(row, column);
        auto const value = decimal(cell);
        if (!value)
            return fail{refuse(line_of(row), shown(cell) + " in column " +
                                                 std::string{names[column].substr(0, 40)} +
                                                 " is no number within 9007199254")
                            .error()};
        out.push_back(*value);
    }
    return out;
}

std::string csv_text(std::int64_t value)
{
    auto const size =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    auto behind = std::to_string(size % static_cast<std::uint64_t>(csv_one));
    behind.insert(0, 6 - behind.size(), '0');
    behind.erase(behind.find_last_not_of('0') + 1);
    return (value < 0 ? "-" : "") + std::to_string(size / static_cast<std::uint64_t>(csv_one)) +
           (behind.empty() ? "" : "." + behind);
}

}  // namespace blendr::work
