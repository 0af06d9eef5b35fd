// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/core/wide.hpp>

namespace blendr::verify {

/// What two honest results of one job may differ in; declared by the job, zero for exact work.
/// Values are fixed-point numbers that the program writes beside its result (samples, sums): the
/// chain compares whole numbers only, since floats differ from machine to machine.
struct tolerance {
    std::uint64_t absolute{};     ///< in the unit of the values
    std::uint32_t per_million{};  ///< of the larger of the two
    friend bool operator==(tolerance const&, tolerance const&) = default;
};
BOOST_DESCRIBE_STRUCT(tolerance, (), (absolute, per_million))

inline constexpr std::size_t summary_max = 64;
using summary = bounded<std::vector<std::int64_t>, summary_max>;

/// Whether two values are within tolerance. Symmetric; equal values always are.
constexpr bool agree(std::int64_t a, std::int64_t b, tolerance const& within) noexcept
{
    auto const size = [](std::int64_t v) {
        return v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
    };
    auto const gap = a < b ? static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a)
                           : static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b);
    auto const larger = size(a) < size(b) ? size(b) : size(a);
    u128 const slack = u128{larger} * within.per_million / 1'000'000 + within.absolute;
    return gap <= slack;
}

/// Whether two summaries are: as many values, each within tolerance.
inline bool agree(std::span<std::int64_t const> a, std::span<std::int64_t const> b,
                  tolerance const& within) noexcept
{
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!agree(a[i], b[i], within)) return false;
    return true;
}

}  // namespace blendr::verify
