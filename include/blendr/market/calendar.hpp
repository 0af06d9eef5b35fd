// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include <boost/describe.hpp>

#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/market/error.hpp>

namespace blendr::market {

struct hour_tag {
    static constexpr auto rules = arithmetic::point;
};
/// Hours since 1970 in block time.
using hour = strong<hour_tag, std::uint32_t>;

inline constexpr std::int64_t ms_per_hour = 3'600'000;

/// The hour that a moment lies in. Moments before 1970 count as its first hour.
constexpr hour hour_of(time_ms at) noexcept
{
    auto const n = at.get() < 0 ? 0 : at.get() / ms_per_hour;
    constexpr std::int64_t last = std::numeric_limits<std::uint32_t>::max();
    return hour{static_cast<std::uint32_t>(n > last ? last : n)};
}
/// When an hour begins.
constexpr time_ms start_of(hour h) noexcept { return time_ms{std::int64_t{h.get()} * ms_per_hour}; }

/// The hours [from, from + count).
struct window {
    hour from{};
    std::uint32_t count{1};
    constexpr std::uint64_t end() const noexcept { return std::uint64_t{from.get()} + count; }
    constexpr bool holds(hour h) const noexcept { return h >= from && h.get() < end(); }
    friend constexpr bool operator==(window const&, window const&) = default;
};

/// What a device's hour is taken for.
enum class hour_use : std::uint8_t { spot, token };

/// Which hours of one device are taken, and for what. There is one calendar a device and everything
/// that sells its time books here first, so that no hour is sold twice.
class device_calendar {
public:
    /// How far ahead hours can be sold, and how long one window may be.
    static constexpr std::uint32_t horizon_hours = 24 * 92;
    /// Separate bookings at a time; neighbours of one use count as one.
    static constexpr std::size_t bookings_max = 256;

    struct booking {
        std::uint32_t from{};
        std::uint32_t count{};
        hour_use use{};
        std::uint64_t end() const noexcept { return std::uint64_t{from} + count; }
        friend bool operator==(booking const&, booking const&) = default;
    };

    /// Takes all hours of `w` or, when one of them is taken, has passed or lies too far ahead, none.
    /// The running hour may be booked for spot use only: tokens are sold before their hour.
    result<nothing, reject> book(hour now, window w, hour_use use)
    {
        if (w.count == 0 || w.count > horizon_hours ||
            w.end() > std::numeric_limits<std::uint32_t>::max())
            return fail{reject::bad_window};
        if (w.from < now || (w.from == now && use == hour_use::token))
            return fail{reject::too_late};
        if (w.end() > std::uint64_t{now.get()} + horizon_hours) return fail{reject::beyond_horizon};
        auto const next = first_ending_after(w.from.get());
        if (next != taken_.end() && next->from < w.end()) return fail{reject::hour_taken};

        bool const joins_next = next != taken_.end() && next->from == w.end() && next->use == use;
        bool const joins_last = next != taken_.begin() && std::prev(next)->end() == w.from.get() &&
                                std::prev(next)->use == use;
        if (!joins_next && !joins_last && taken_.size() == bookings_max)
            return fail{reject::calendar_full};
        if (joins_last) {
            auto const last = std::prev(next);
            last->count += w.count + (joins_next ? next->count : 0);
            if (joins_next) taken_.erase(next);
        } else if (joins_next) {
            next->from = w.from.get();
            next->count += w.count;
        } else {
            taken_.insert(next, {w.from.get(), w.count, use});
        }
        return nothing{};
    }

    /// Gives hours back that are all booked for `use`; refuses with wrong_state when one is not.
    result<nothing, reject> give_back(window w, hour_use use)
    {
        if (w.count == 0) return fail{reject::bad_window};
        auto const it = first_ending_after(w.from.get());
        if (it == taken_.end() || it->from > w.from.get() || it->end() < w.end() || it->use != use)
            return fail{reject::wrong_state};
        auto const old = *it;
        booking const before{old.from, w.from.get() - old.from, use};
        booking const after{static_cast<std::uint32_t>(w.end()),
                            static_cast<std::uint32_t>(old.end() - w.end()), use};
        if (before.count != 0 && after.count != 0) {
            if (taken_.size() == bookings_max) return fail{reject::calendar_full};
            *it = before;
            taken_.insert(std::next(it), after);
        } else if (before.count != 0) {
            *it = before;
        } else if (after.count != 0) {
            *it = after;
        } else {
            taken_.erase(it);
        }
        return nothing{};
    }

    /// What an hour is taken for; nothing when it is free.
    std::optional<hour_use> use_of(hour h) const noexcept
    {
        for (auto const& b : taken_)
            if (b.from <= h.get() && h.get() < b.end()) return b.use;
        return std::nullopt;
    }

    /// Drops what ended before `now`.
    void forget_before(hour now)
    {
        auto const keep = first_ending_after(now.get());
        taken_.erase(taken_.begin(), keep);
    }

    std::vector<booking> const& bookings() const noexcept { return taken_; }

    /// A calendar with these bookings, if they are in order, apart and not joinable.
    static std::optional<device_calendar> from(std::vector<booking> taken)
    {
        if (taken.size() > bookings_max) return std::nullopt;
        for (std::size_t i = 0; i < taken.size(); ++i) {
            auto const& b = taken[i];
            if (b.count == 0 || b.end() > std::numeric_limits<std::uint32_t>::max() ||
                b.use > hour_use::token)
                return std::nullopt;
            if (i == 0) continue;
            auto const& last = taken[i - 1];
            if (last.end() > b.from || (last.end() == b.from && last.use == b.use))
                return std::nullopt;
        }
        device_calendar out{};
        out.taken_ = std::move(taken);
        return out;
    }

    friend bool operator==(device_calendar const&, device_calendar const&) = default;

private:
    std::vector<booking>::iterator first_ending_after(std::uint32_t h)
    {
        return std::find_if(taken_.begin(), taken_.end(),
                            [h](booking const& b) { return b.end() > h; });
    }

    std::vector<booking> taken_{};  // in order, apart
};

BOOST_DESCRIBE_ENUM(hour_use, spot, token)
BOOST_DESCRIBE_STRUCT(window, (), (from, count))
BOOST_DESCRIBE_STRUCT(device_calendar::booking, (), (from, count, use))

}  // namespace blendr::market

template <>
struct blendr::codec<blendr::market::device_calendar>
    : blendr::codec_as<blendr::codec<blendr::market::device_calendar>,
                       blendr::market::device_calendar,
                       std::vector<blendr::market::device_calendar::booking>> {
    using wire = std::vector<blendr::market::device_calendar::booking>;
    static wire const& to(blendr::market::device_calendar const& value) { return value.bookings(); }
    static bool from(wire const& bookings, blendr::market::device_calendar& out)
    {
        auto made = blendr::market::device_calendar::from(bookings);
        if (!made) return false;
        out = *std::move(made);
        return true;
    }
};
