// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/json.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <limits>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

#include "samples.hpp"

// A pair has no names for its halves, so it has no JSON form; the sample goes without.
namespace blendr::sample {

struct shown {
    color paint{color::red};
    short_bytes raw{};
    std::optional<transfer> maybe{};
    choice either{};
    std::string text{};
    std::vector<std::int64_t> numbers{};
    height at{};
    std::array<color, 2> flag{color::red, color::red};
    bool yes{};
};
BOOST_DESCRIBE_STRUCT(shown, (), (paint, raw, maybe, either, text, numbers, at, flag, yes))

}  // namespace blendr::sample

using namespace blendr;
using namespace blendr::sample;

namespace {

template <class T>
std::string refusal(std::string_view text)
{
    auto const json = parse_json(text);
    if (!json) return message(json.error());
    auto const value = from_json<T>(*json);
    return value ? "" : message(value.error());
}

}  // namespace

TEST_CASE("json: every value reads back through text" * doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int i = 0; i < 500; ++i) {
        auto const e = any_everything(random);
        shown const value{e.paint,
                          e.raw,
                          e.maybe,
                          e.either,
                          e.text,
                          {static_cast<std::int64_t>(random()), -1, 0},
                          e.at,
                          {e.flag[0], e.flag[1]},
                          random.chance(1, 2)};
        for (auto const& text : {to_text(to_json(value)), to_pretty_text(to_json(value))}) {
            auto const json = parse_json(text);
            REQUIRE(json.has_value());
            auto const back = from_json<shown>(*json);
            REQUIRE(back.has_value());
            REQUIRE(encode(*back) == encode(value));
        }
    }
}

TEST_CASE("json: amounts, hashes and large numbers are strings, so that no reader rounds them")
{
    CHECK(to_text(to_json(amount::max())) == "\"340282366920938463463374607431768211455\"");
    CHECK(to_text(to_json(std::array<std::byte, 2>{std::byte{1}, std::byte{0xab}})) == "\"01ab\"");
    CHECK(to_text(to_json(std::uint64_t{9007199254740991})) == "9007199254740991");
    CHECK(to_text(to_json(std::uint64_t{9007199254740992})) == "\"9007199254740992\"");
    CHECK(to_text(to_json(std::numeric_limits<std::int64_t>::min())) == "\"-9223372036854775808\"");
    CHECK(from_json<std::int64_t>(to_json(std::numeric_limits<std::int64_t>::min())) ==
          std::numeric_limits<std::int64_t>::min());
    CHECK(to_text(to_json(choice{transfer{}})).starts_with("{\"bank.transfer\":{\"to\":\"00"));
    CHECK(to_text(to_json(choice{std::uint8_t{3}})) == "{\"0\":3}");
}

TEST_CASE("json: what is wrong is named with its place")
{
    CHECK(refusal<transfer>("{\"to\":\"00\"}") == "$.to: exactly 64 hex digits are expected");
    CHECK(refusal<std::vector<color>>("[\"red\",\"pink\"]") ==
          "$[1]: one of these names is expected: red, green, blue");
    CHECK(refusal<std::vector<amount>>("[7]") == "$[0]: an amount is a string of grains");
    CHECK(refusal<amount>("\"7x\"") ==
          "$: an amount has a character that is no digit at position 1");
    CHECK(refusal<std::uint8_t>("256") == "$: the number does not fit its field");
    CHECK(refusal<std::uint8_t>("-1") == "$: the number does not fit its field");
    CHECK(refusal<std::int8_t>("-129") == "$: the number does not fit its field");
    CHECK(refusal<std::int8_t>("-128") == "");
    CHECK(refusal<std::uint8_t>("1.5") == "$: a whole number is expected");
    CHECK(refusal<bool>("1") == "$: true or false is expected");
    CHECK(refusal<choice>("{\"swap\":1}") ==
          "$: an object with one of these members is expected: 0, bank.transfer, 2");
    CHECK(refusal<short_bytes>("\"010203040506\"") ==
          "$: there is more here than the field may hold");
    CHECK(refusal<short_bytes>("\"0g\"") ==
          "$: hex text has a character that is no hex digit at position 1");
    auto const transfer_text = [](std::string_view more) {
        return "{\"to\":\"" + std::string(64, '0') + "\",\"value\":\"1\"" + std::string{more} + "}";
    };
    CHECK(refusal<transfer>(transfer_text(",\"memo\":1")) == "");
    CHECK(refusal<transfer>(transfer_text("")) == "$: the member \"memo\" is missing");
    CHECK(refusal<transfer>(transfer_text(",\"memo\":1,\"mmeo\":2")) ==
          "$: there is no member \"mmeo\" here");
}

TEST_CASE("json: text that is no JSON is refused with its byte, and depth is bounded")
{
    CHECK(refusal<bool>("").starts_with("byte 0: "));
    CHECK(refusal<bool>("tru").starts_with("byte 3: "));
    CHECK(refusal<bool>("true false").starts_with("byte 5: "));
    CHECK(refusal<bool>("[1,]").starts_with("byte 3: "));
    CHECK(refusal<std::uint8_t>("12") == "");
    CHECK(refusal<tree>(std::string(100'000, '[')).starts_with("byte 32: "));
}
