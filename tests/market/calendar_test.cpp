// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/calendar.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <map>

#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::market;

static_assert(hour_of(time_ms{ms_per_hour - 1}) == hour{0});
static_assert(hour_of(time_ms{ms_per_hour}) == hour{1});
static_assert(hour_of(time_ms{-5}) == hour{0});
static_assert(hour_of(start_of(hour{500'000})) == hour{500'000});

TEST_CASE("calendar: an hour is sold once, whether as a token or for spot use")
{
    device_calendar c;
    hour const now{100};
    REQUIRE(c.book(now, {hour{110}, 5}, hour_use::token));
    for (auto const use : {hour_use::token, hour_use::spot}) {
        CHECK(c.book(now, {hour{110}, 1}, use).error() == reject::hour_taken);
        CHECK(c.book(now, {hour{105}, 6}, use).error() == reject::hour_taken);
        CHECK(c.book(now, {hour{114}, 9}, use).error() == reject::hour_taken);
        CHECK(c.book(now, {hour{100 + 5}, 50}, use).error() == reject::hour_taken);
    }
    CHECK(c.use_of(hour{114}) == hour_use::token);
    CHECK_FALSE(c.use_of(hour{115}));
    CHECK(c.book(now, {hour{115}, 1}, hour_use::spot));
}

TEST_CASE("calendar: hours that have begun, lie too far ahead or are no window are refused")
{
    device_calendar c;
    hour const now{100};
    CHECK(c.book(now, {hour{99}, 1}, hour_use::spot).error() == reject::too_late);
    CHECK(c.book(now, {hour{100}, 1}, hour_use::token).error() == reject::too_late);
    CHECK(c.book(now, {hour{110}, 0}, hour_use::spot).error() == reject::bad_window);
    CHECK(c.book(now, {hour{100 + device_calendar::horizon_hours}, 1}, hour_use::spot).error() ==
          reject::beyond_horizon);
    CHECK(c.book(now, {hour{~0u}, 2}, hour_use::spot).error() == reject::bad_window);
    CHECK(c == device_calendar{});
    CHECK(c.book(now, {hour{100}, 1}, hour_use::spot));
}

TEST_CASE("calendar: neighbours of one use are one booking, and a window may be cut out again")
{
    device_calendar c;
    hour const now{0};
    REQUIRE(c.book(now, {hour{10}, 2}, hour_use::token));
    REQUIRE(c.book(now, {hour{14}, 2}, hour_use::token));
    REQUIRE(c.book(now, {hour{12}, 2}, hour_use::token));
    CHECK(c.bookings().size() == 1);
    REQUIRE(c.book(now, {hour{16}, 2}, hour_use::spot));
    CHECK(c.bookings().size() == 2);
    CHECK(c.give_back({hour{15}, 2}, hour_use::token).error() == reject::wrong_state);
    REQUIRE(c.give_back({hour{12}, 1}, hour_use::token));
    CHECK(c.bookings().size() == 3);
    c.forget_before(hour{13});
    CHECK(c.bookings().size() == 2);
}

TEST_CASE("calendar: does what a list of hours does, and survives bytes" *
          doctest::test_suite("property"))
{
    rng any{test::seed()};
    INFO("seed " << test::seed());
    device_calendar c;
    std::map<std::uint32_t, hour_use> plain;
    hour now{50};
    for (int i = 0; i < 20'000; ++i) {
        window const w{hour{static_cast<std::uint32_t>(now.get() - 2 + any.below(120))},
                       static_cast<std::uint32_t>(1 + any.below(4))};
        auto const use = any.chance(1, 2) ? hour_use::token : hour_use::spot;
        auto const all = [&](auto&& good) {
            for (auto h = w.from.get(); h < w.end(); ++h)
                if (!good(h)) return false;
            return true;
        };
        if (any.chance(1, 30)) {
            now = hour{static_cast<std::uint32_t>(now.get() + any.below(5))};
            c.forget_before(now);
            while (!plain.empty() && plain.begin()->first < now.get()) plain.erase(plain.begin());
            // A booking that began before and runs on is still there as a whole.
            for (auto const& b : c.bookings())
                for (auto h = b.from; h < b.end(); ++h) plain[h] = b.use;
        } else if (any.chance(1, 2)) {
            bool const open = all([&](auto h) { return !plain.contains(h); }) &&
                              (use == hour_use::token ? w.from > now : w.from >= now);
            REQUIRE(c.book(now, w, use).has_value() == open);
            if (open)
                for (auto h = w.from.get(); h < w.end(); ++h) plain[h] = use;
        } else {
            bool const held = all([&](auto h) { return plain.contains(h) && plain[h] == use; });
            REQUIRE(c.give_back(w, use).has_value() == held);
            if (held)
                for (auto h = w.from.get(); h < w.end(); ++h) plain.erase(h);
        }
        if (i % 200 == 0) {
            for (auto h = now.get(); h < now.get() + 130; ++h) {
                auto const found = plain.find(h);
                REQUIRE(c.use_of(hour{h}).has_value() == (found != plain.end()));
                if (found != plain.end()) REQUIRE(c.use_of(hour{h}) == found->second);
            }
            REQUIRE(decode<device_calendar>(encode(c)) == c);
        }
    }
}

TEST_CASE("calendar: bytes of bookings out of order, overlapping or joinable are refused")
{
    using list = std::vector<device_calendar::booking>;
    auto const reads = [](list const& l) { return decode<device_calendar>(encode(l)).has_value(); };
    CHECK(reads({{1, 2, hour_use::spot}, {3, 1, hour_use::token}}));
    CHECK_FALSE(reads({{3, 1, hour_use::token}, {1, 2, hour_use::spot}}));
    CHECK_FALSE(reads({{1, 2, hour_use::spot}, {2, 1, hour_use::token}}));
    CHECK_FALSE(reads({{1, 2, hour_use::spot}, {3, 1, hour_use::spot}}));
    CHECK_FALSE(reads({{1, 0, hour_use::spot}}));
    CHECK_FALSE(reads({{~0u, 5, hour_use::spot}}));
    list many;
    for (std::uint32_t i = 0; i <= device_calendar::bookings_max; ++i)
        many.push_back({i * 2, 1, hour_use::spot});
    CHECK_FALSE(reads(many));
}
