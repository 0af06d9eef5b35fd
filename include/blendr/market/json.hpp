// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include <blendr/core/json.hpp>
#include <blendr/market/calendar.hpp>

/// A calendar is the list of its bookings, in JSON as on the wire.
template <>
struct blendr::json_form<blendr::market::device_calendar> {
    using wire = std::vector<blendr::market::device_calendar::booking>;
    static boost::json::value write(blendr::market::device_calendar const& value)
    {
        return blendr::json_form<wire>::write(value.bookings());
    }
    static bool read(boost::json::value const& json, blendr::market::device_calendar& out,
                     blendr::json_path& at)
    {
        wire bookings{};
        if (!blendr::json_form<wire>::read(json, bookings, at)) return false;
        auto made = blendr::market::device_calendar::from(std::move(bookings));
        if (!made) return at.refuse("bookings that overlap, touch or are out of order");
        out = *std::move(made);
        return true;
    }
};
