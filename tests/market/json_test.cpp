// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/json.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;
using market::device_calendar;

TEST_CASE("json: a calendar is read as it is written, and bookings out of order are refused")
{
    auto const calendar =
        device_calendar::from({{1, 2, market::hour_use::spot}, {5, 1, market::hour_use::token}});
    REQUIRE(calendar);
    auto const json = to_json(*calendar);
    CHECK(from_json<device_calendar>(json) == *calendar);

    auto turned = json;
    auto& list = turned.as_array();
    std::swap(list[0], list[1]);
    CHECK(!from_json<device_calendar>(turned));
}
