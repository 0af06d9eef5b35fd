// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>

#include <blendr/work/error.hpp>

namespace blendr::work {

/// How many points a range has in each direction; 1 where it has no such direction.
struct extent {
    std::uint32_t x = 1, y = 1, z = 1;

    constexpr std::uint64_t rows() const noexcept { return std::uint64_t{y} * z; }
    /// Only of extents that `check` takes; others may wrap.
    constexpr std::uint64_t points() const noexcept { return x * rows(); }

    friend constexpr bool operator==(extent const&, extent const&) = default;
};
BOOST_DESCRIBE_STRUCT(extent, (), (x, y, z))

/// A part of a range: where its first point lies, and how far it goes.
struct box {
    extent from{0, 0, 0};
    extent size{};

    friend constexpr bool operator==(box const&, box const&) = default;
};
BOOST_DESCRIBE_STRUCT(box, (), (from, size))

inline constexpr std::uint64_t points_max = std::uint64_t{1} << 48;
inline constexpr std::uint32_t units_max = 1u << 20;

/// How a range is cut.
struct split_rules {
    extent least{};        ///< every edge lies on a multiple of it: a tile, a workgroup
    double cost_s = 1e-3;  ///< what a unit costs beside its points: start, transfer, bookkeeping
    double loss = 0.02;    ///< the part of the time that such costs may take …
    double tail = 0.05;    ///< … and the part that waiting for the last unit may take
    std::uint64_t most = ~std::uint64_t{0};  ///< points of a unit, whatever the speeds
};

/// Refuses a range without points, or with more than `points_max`.
result<nothing, problem> check(extent const& range);

/// How many points a unit should have on devices of these speeds (points a second): as few as the tail
/// asks for on the slowest, and no fewer than pay for the cost on the fastest. Where both cannot
/// be had, the cost wins. One device alone gets pieces too, since they are what progress is counted in.
/// Without a speed everything is one unit.
std::uint64_t unit_points(extent const& range, std::span<double const> speeds,
                          split_rules const& rules) noexcept;

/// Cuts a range into boxes of at most so many points (or of `least`, if that is more), in order: x
/// fastest. The longest direction is cut first, so boxes are as near to cubes as `least` lets them. The
/// same arguments give the same boxes everywhere; each point lies in exactly one.
result<std::vector<box>, problem> split(extent const& range, std::uint64_t points,
                                        extent const& least);

/// Both at once. For several devices the last boxes, one more than there are devices, are cut in four, so that who
/// ends first waits for a small one.
result<std::vector<box>, problem> split(extent const& range, std::span<double const> speeds,
                                        split_rules const& rules);

/// Puts the values of one box, row after row, where they belong in the whole range. `whole` has
/// range.points() × value_bytes bytes, `values` those of the box; otherwise nothing is written and the
/// answer is no. Boxes that do not overlap may be placed from several threads.
[[nodiscard]] bool place(std::span<std::byte> whole, extent const& range, box const& where,
                         bytes_view values, std::size_t value_bytes) noexcept;

}  // namespace blendr::work
