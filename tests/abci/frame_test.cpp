// SPDX-License-Identifier: Apache-2.0
#include <blendr/abci/frame.hpp>  // first: it stands alone

#include <vector>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::abci;

TEST_CASE("frame: messages come out as they went in, whatever the pieces" *
          doctest::test_suite("property"))
{
    rng random{blendr::test::seed()};
    INFO("seed ", blendr::test::seed());
    for (int run = 0; run < 50; ++run) {
        std::vector<bytes> sent{};
        bytes stream{};
        auto const count = random.below(30);
        for (std::uint64_t i = 0; i < count; ++i) {
            bytes one(random.below(random.chance(1, 5) ? 70'000 : 300));
            random.fill(one);
            append_frame(stream, one);
            sent.push_back(std::move(one));
        }
        frame_reader in{};
        std::vector<bytes> got{};
        for (std::size_t at = 0; at < stream.size();) {
            auto const piece = std::min<std::size_t>(1 + random.below(9'000), stream.size() - at);
            in.feed(bytes_view{stream}.subspan(at, piece));
            at += piece;
            for (auto next = in.next(); next.value(); next = in.next())
                got.push_back(to_bytes(**next));
        }
        CHECK(got == sent);
        CHECK(in.waiting() == 0);
    }
}

TEST_CASE("frame: a length that is no varint, not the shortest, or too great is named")
{
    auto const fault = [](std::initializer_list<int> raw) {
        bytes all{};
        for (auto const b : raw) all.push_back(static_cast<std::byte>(b));
        frame_reader in{1000};
        in.feed(all);
        auto const next = in.next();
        REQUIRE(!next);
        CHECK(!in.next());  // and stays so
        return next.error();
    };
    CHECK(fault({255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}) ==
          frame_fault::broken_length);
    CHECK(fault({255, 255, 255, 255, 255, 255, 255, 255, 255, 2}) == frame_fault::broken_length);
    CHECK(fault({0x81, 0x00}) == frame_fault::broken_length);
    CHECK(fault({0xe9, 0x07}) == frame_fault::oversize);
    CHECK(fault({255, 255, 255, 255, 255, 255, 255, 255, 255, 1}) == frame_fault::oversize);

    frame_reader in{1000};
    bytes const whole(1000);
    bytes stream{};
    append_frame(stream, whole);
    in.feed(stream);
    REQUIRE(in.next().value());
    CHECK(message(frame_fault::oversize).size() > 10);
    CHECK(message(frame_fault::broken_length).size() > 10);
}
