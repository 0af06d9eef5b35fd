// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/split.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include <blendr/core/wide.hpp>

namespace blendr::work {
namespace {

/// One direction of a range, counted in steps of the least edge.
struct direction {
    std::uint64_t length = 1;  ///< points
    std::uint64_t least = 1;   ///< points a step
    std::uint64_t parts = 1;

    std::uint64_t steps() const noexcept { return (length + least - 1) / least; }
    std::uint64_t steps_a_part() const noexcept { return (steps() + parts - 1) / parts; }
    std::uint64_t points_a_part() const noexcept
    {
        return std::min(length, steps_a_part() * least);
    }
    /// Rounding up can leave the last parts empty: how many there really are.
    std::uint64_t count() const noexcept { return (steps() + steps_a_part() - 1) / steps_a_part(); }
};

}  // namespace

result<nothing, problem> check(extent const& range)
{
    if (range.x == 0 || range.y == 0 || range.z == 0) return fail{problem{fault::empty_range, {}}};
    if (u128{range.x} * range.y * range.z > points_max)
        return fail{problem{fault::range_too_large, {}}};
    return nothing{};
}

std::uint64_t unit_points(extent const& range, std::span<double const> speeds,
                          split_rules const& rules) noexcept
{
    auto const all = range.points();
    double sum = 0, slowest = 0, fastest = 0;
    for (double const speed : speeds) {
        if (!(speed > 0) || !std::isfinite(speed)) continue;
        sum += speed;
        slowest = slowest == 0 ? speed : std::min(slowest, speed);
        fastest = std::max(fastest, speed);
    }
    if (sum == 0) return all;
    auto const for_tail = rules.tail * static_cast<double>(all) * slowest / sum;
    auto const for_cost = rules.loss > 0 ? rules.cost_s * fastest / rules.loss : 0.0;
    auto const wanted = std::max({for_tail, for_cost, 1.0});
    return wanted < static_cast<double>(all) ? static_cast<std::uint64_t>(wanted) : all;
}

result<std::vector<box>, problem> split(extent const& range, std::uint64_t points,
                                        extent const& least)
{
    if (auto const good = check(range); !good) return fail{good.error()};
    std::array<direction, 3> way{{{range.x, std::max(least.x, 1u), 1},
                                  {range.y, std::max(least.y, 1u), 1},
                                  {range.z, std::max(least.z, 1u), 1}}};
    auto const volume = [&] {
        return u128{way[0].points_a_part()} * way[1].points_a_part() * way[2].points_a_part();
    };
    while (volume() > points) {
        // The longest edge of a part, counted in points; of equal ones the slowest to change.
        direction* longest = nullptr;
        for (auto& each : {&way[2], &way[1], &way[0]})
            if (each->steps_a_part() > 1 &&
                (longest == nullptr || each->points_a_part() > longest->points_a_part()))
                longest = each;
        if (longest == nullptr) break;
        auto const before = longest->steps_a_part();
        while (longest->steps_a_part() == before) ++longest->parts;
        if (u128{way[0].count()} * way[1].count() * way[2].count() > units_max)
            return fail{problem{fault::too_many_units, {}}};
    }

    std::vector<box> out;
    out.reserve(static_cast<std::size_t>(way[0].count() * way[1].count() * way[2].count()));
    std::array<std::uint64_t, 3> const edge{way[0].steps_a_part() * way[0].least,
                                            way[1].steps_a_part() * way[1].least,
                                            way[2].steps_a_part() * way[2].least};
    auto const cut = [](std::uint64_t at, std::uint64_t size, std::uint32_t end) {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(size, end - at));
    };
    for (std::uint64_t z = 0; z < range.z; z += edge[2])
        for (std::uint64_t y = 0; y < range.y; y += edge[1])
            for (std::uint64_t x = 0; x < range.x; x += edge[0])
                out.push_back({{static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y),
                                static_cast<std::uint32_t>(z)},
                               {cut(x, edge[0], range.x), cut(y, edge[1], range.y),
                                cut(z, edge[2], range.z)}});
    return out;
}

result<std::vector<box>, problem> split(extent const& range, std::span<double const> speeds,
                                        split_rules const& rules)
{
    if (auto const good = check(range); !good) return fail{good.error()};
    auto const points = std::min(rules.most, unit_points(range, speeds, rules));
    BLENDR_TRY(auto boxes, split(range, points, rules.least));
    auto const devices = static_cast<std::size_t>(std::count_if(
        speeds.begin(), speeds.end(), [](double each) { return each > 0 && std::isfinite(each); }));
    constexpr std::uint64_t finer = 4;
    if (devices < 2 || boxes.size() <= 2 * (devices + 1)) return boxes;
    std::vector<box> const last(boxes.end() - static_cast<std::ptrdiff_t>(devices + 1),
                                boxes.end());
    boxes.resize(boxes.size() - last.size());
    for (auto const& each : last) {
        BLENDR_TRY(auto const parts,
                   split(each.size, std::max<std::uint64_t>(1, points / finer), rules.least));
        for (auto part : parts) {
            part.from.x += each.from.x, part.from.y += each.from.y, part.from.z += each.from.z;
            boxes.push_back(part);
        }
    }
    if (boxes.size() > units_max) return fail{problem{fault::too_many_units, {}}};
    return boxes;
}

bool place(std::span<std::byte> whole, extent const& range, box const& where, bytes_view values,
           std::size_t value_bytes) noexcept
{
    auto const inside = [](std::uint32_t from, std::uint32_t size, std::uint32_t length) {
        return std::uint64_t{from} + size <= length;
    };
    if (!inside(where.from.x, where.size.x, range.x) ||
        !inside(where.from.y, where.size.y, range.y) ||
        !inside(where.from.z, where.size.z, range.z) ||
        u128{range.x} * range.y * range.z * value_bytes != whole.size() ||
        u128{where.size.x} * where.size.y * where.size.z * value_bytes != values.size())
        return false;
    auto const row = std::size_t{where.size.x} * value_bytes;
    if (row == 0) return true;
    auto const* from = values.data();
    for (std::uint32_t z = 0; z < where.size.z; ++z)
        for (std::uint32_t y = 0; y < where.size.y; ++y, from += row) {
            auto const line = (std::uint64_t{where.from.z} + z) * range.y + where.from.y + y;
            std::memcpy(whole.data() + (line * range.x + where.from.x) * value_bytes, from, row);
        }
    return true;
}

}  // namespace blendr::work
