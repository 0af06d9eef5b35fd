// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/bytes.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <set>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;

TEST_CASE("bytes: hex of any bytes reads back as the same bytes" * doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int i = 0; i < 2000; ++i) {
        bytes raw(random.below(70));
        random.fill(raw);
        auto const text = to_hex(raw);
        CHECK(text.size() == 2 * raw.size());
        CHECK(from_hex(text) == raw);
    }
}

TEST_CASE("bytes: hex is read in either case and written in lower case")
{
    auto const raw = from_hex("00fFAb9");
    CHECK(raw.error() == hex_error{hex_error::kind::odd_length, 7});
    CHECK(to_hex(from_hex("00fFAb").value()) == "00ffab");
    CHECK(from_hex("").value().empty());
}

TEST_CASE("bytes: a bad hex text is refused with what and where")
{
    CHECK(from_hex("abcg").error() == hex_error{hex_error::kind::bad_digit, 3});
    CHECK(from_hex(" a").error() == hex_error{hex_error::kind::bad_digit, 0});
    CHECK(from_hex("0x").error() == hex_error{hex_error::kind::bad_digit, 1});
    CHECK(array_from_hex<2>("abcd").has_value());
    CHECK(array_from_hex<2>("abcdef").error() == hex_error{hex_error::kind::wrong_length, 6});
    CHECK(array_from_hex<2>("abc").error() == hex_error{hex_error::kind::odd_length, 3});
    CHECK(message(from_hex("abcg").error()) ==
          "hex text has a character that is no hex digit at position 3");
}

TEST_CASE("bytes: order is that of unsigned bytes, a beginning before what it begins")
{
    std::set<bytes, bytes_less> all{to_bytes("b"), to_bytes("a"), to_bytes(""), to_bytes("ab"),
                                    bytes{std::byte{0xff}}};
    std::string order;
    for (auto const& each : all) order += to_hex(each) + " ";
    CHECK(order == " 61 6162 62 ff ");
    CHECK(all.contains(as_bytes("ab")));
    CHECK(equal(as_bytes("ab"), as_bytes("ab")));
    CHECK_FALSE(equal(as_bytes("ab"), as_bytes("a")));
    CHECK(as_text(as_bytes("grain")) == "grain");
}
