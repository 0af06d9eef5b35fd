// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/bech32.hpp>

#include <algorithm>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>
#include <support/vectors.hpp>

using namespace blendr;
using namespace blendr::crypto;
using kind = bech32_error::kind;

namespace {

std::string upper(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return text;
}

address counting()
{
    hash256 raw;
    for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::byte>(i);
    return address{raw};
}

kind wrong(std::string_view text) { return parse_address(text).error().what; }

}  // namespace

TEST_CASE("bech32: the valid texts of BIP-350 are read, and written again as they were")
{
    for (std::string const text :
         {"A1LQFN3A", "a1lqfn3a",
          "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7h"
          "g6",
          "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
          "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllluds"
          "r8",
          "split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "?1v759aa",
          "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"}) {
        INFO(text);
        auto const parsed = parse_bech32m(text);
        REQUIRE(parsed);
        CHECK(upper(to_bech32m(parsed->prefix, parsed->symbols)) == upper(text));
    }
    CHECK(parse_bech32m("abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx")->prefix == "abcdef");
    CHECK(parse_bech32m("?1v759aa")->symbols.empty());
}

TEST_CASE("bech32: the invalid texts of BIP-350 are refused, each for its reason")
{
    struct invalid {
        std::string text;
        kind why;
    };
    for (auto const& each : {
             invalid{std::string{"\x20"} + "1xj0phk", kind::bad_character},
             invalid{std::string{"\x7f"} + "1g6xzxy", kind::bad_character},
             invalid{std::string{"\x80"} + "1vctc34", kind::bad_character},
             invalid{
                 "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnu"
                 "mber11d6pts4",
                 kind::too_long},
             invalid{"qyrz8wqd2c9m", kind::no_separator},
             invalid{"1qyrz8wqd2c9m", kind::no_separator},
             invalid{"y1b0jsk6g", kind::bad_character},
             invalid{"lt1igcx5c0", kind::bad_character},
             invalid{"in1muywd", kind::no_separator},
             invalid{"mm1crxm3i", kind::bad_character},
             invalid{"au1s5cgom", kind::bad_character},
             invalid{"M1VUXWEZ", kind::bad_checksum},
             invalid{"16plkw9", kind::no_separator},
             invalid{"1p2gdwpf", kind::no_separator},
             // valid in the older form
             invalid{"A12UEL5L", kind::old_checksum},
             invalid{"", kind::no_separator},
             invalid{"a1LQFN3A", kind::mixed_case},
         }) {
        INFO(each.text);
        auto const parsed = parse_bech32m(each.text);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().what == each.why);
        CHECK(message(parsed.error()).size() > 20);
    }
}

TEST_CASE("bech32: an address is read in either case")
{
    auto const text = to_text(counting());
    CHECK(text.size() == 66);
    CHECK(text.starts_with("blendr1q"));
    CHECK(parse_address(text) == counting());
    CHECK(parse_address(upper(text)) == counting());
}

TEST_CASE("bech32: a malformed address says which of prefix, checksum, version and length is wrong")
{
    auto const parts = *parse_bech32m(to_text(counting()));
    auto symbols = parts.symbols;
    CHECK(wrong(to_bech32m("bc", symbols)) == kind::wrong_prefix);
    CHECK(wrong(to_bech32m("blendrt", symbols)) == kind::wrong_prefix);
    auto text = to_text(counting());
    text[20] = text[20] == 'q' ? 'p' : 'q';
    CHECK(wrong(text) == kind::bad_checksum);
    text = to_text(counting());
    text.pop_back();
    CHECK(wrong(text) == kind::bad_checksum);
    text[12] = 'b';
    CHECK(parse_address(text).error() == bech32_error{kind::bad_character, 12});
    CHECK(wrong("") == kind::no_separator);
    CHECK(wrong("blendr") == kind::no_separator);
    symbols[0] = 1;
    CHECK(wrong(to_bech32m("blendr", symbols)) == kind::unknown_version);
    symbols[0] = 0;
    symbols.push_back(0);
    CHECK(wrong(to_bech32m("blendr", symbols)) == kind::wrong_length);
    symbols.resize(52);
    CHECK(parse_address(to_bech32m("blendr", symbols)).error() ==
          bech32_error{kind::wrong_length, 52});
    CHECK(wrong(to_bech32m("blendr", {})) == kind::wrong_length);
    symbols = parts.symbols;
    symbols.back() |= 1;
    CHECK(wrong(to_bech32m("blendr", symbols)) == kind::bad_padding);
    for (int each = 1; each <= 10; ++each)
        CHECK(message(bech32_error{static_cast<kind>(each), 3}).find("unknown bech32") ==
              std::string::npos);
}

TEST_CASE("bech32: no change of up to four characters of an address goes unnoticed" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed ", seed);
    rng random{seed};
    constexpr std::string_view alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    for (int run = 0; run < 5000; ++run) {
        hash256 raw;
        random.fill(raw);
        auto const text = to_text(address{raw});
        REQUIRE(parse_address(text) == address{raw});
        auto changed = text;
        for (auto left = random.between(1, 4); left > 0; --left)
            changed[7 + random.below(59)] = alphabet[random.below(32)];
        if (changed == text) continue;
        REQUIRE(wrong(changed) == kind::bad_checksum);
    }
}

TEST_CASE("bech32: addresses in text are frozen")
{
    test::vector_list frozen;
    frozen.emplace_back("zero", to_bytes(to_text(address{})));
    frozen.emplace_back("counting", to_bytes(to_text(counting())));
    CHECK(test::differs_from_frozen("crypto/bech32.txt", frozen) == "");
}
