// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/cid.hpp>

#include <doctest/doctest.h>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::crypto;
using kind = cid_error::kind;

namespace {

cid const hello = cid::of(as_bytes("hello world"));

cid_error wrong(std::string_view text) { return parse_cid(text).error(); }
cid_error wrong_bytes(bytes_view raw) { return parse_cid(raw).error(); }

}  // namespace

TEST_CASE("cid: known content has the ids that other implementations give it")
{
    CHECK(to_text(cid::of({})) == "bafk2bzaceahfouoae3suhmxivmxlayez3kq5dzo7i53y654h7kvultprf7r2q");
    CHECK(to_text(hello) == "bafk2bzaceaswza5ss4iu2ia3galz6pyo6dfm5f4dmiw2lf2de22dmf4k533ba");
    CHECK(to_text(cid::of(*from_hex("a0"), content::dag_cbor)) ==
          "bafy2bzacedjwujqzuzzesrqe4en3ir6lz5jdd2psxis4efuro7w4sqn5kcwwy");
    CHECK(to_text(hello).size() == cid::text_size);
    CHECK(hello.names(as_bytes("hello world")));
    CHECK_FALSE(hello.names(as_bytes("hello worlds")));
}

TEST_CASE("cid: text and bytes are read back, through the codec too")
{
    CHECK(parse_cid(to_text(hello)) == hello);
    CHECK(parse_cid(bytes_view{to_binary(hello)}) == hello);
    CHECK(decode<cid>(encode(hello)) == hello);
    CHECK(encode(hello).size() == 38);
    CHECK(decode<cid>(encode(cid{})) == cid{});
    CHECK(cid{} < hello);
    CHECK(std::hash<cid>{}(hello) == std::hash<cid>{}(cid::of(as_bytes("hello world"))));
}

TEST_CASE("cid: content named piece by piece has the same id")
{
    bytes big(100'000);
    rng{7}.fill(big);
    cid_hasher pieces;
    for (std::size_t at = 0; at < big.size(); at += 999)
        pieces.update(bytes_view{big}.subspan(at, std::min<std::size_t>(999, big.size() - at)));
    CHECK(pieces.finish() == cid::of(big));
    CHECK(pieces.finish(content::dag_cbor) == cid::of(big, content::dag_cbor));
}

TEST_CASE("cid: malformed texts are refused, each with its reason and place")
{
    auto const good = to_text(hello);
    CHECK(wrong("") == cid_error{kind::truncated, 0});
    CHECK(wrong("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG").what == kind::wrong_base);
    CHECK(wrong("B" + good.substr(1)).what == kind::wrong_base);
    CHECK(wrong("z" + good.substr(1)).what == kind::wrong_base);
    CHECK(wrong("b") == cid_error{kind::truncated, 1});
    for (std::size_t size = 1; size < good.size(); ++size)
        CHECK(wrong(good.substr(0, size)).what == kind::truncated);
    CHECK(wrong(good + "a") == cid_error{kind::trailing, 62});
    auto text = good;
    text[30] = '1';
    CHECK(wrong(text) == cid_error{kind::bad_character, 30});
    text[30] = 'A';
    CHECK(wrong(text) == cid_error{kind::bad_character, 30});
    text = good;
    text.back() = static_cast<char>(text.back() == 'a'   ? 'b'
                                    : text.back() == '7' ? '6'
                                                         : text.back() + 1);
    auto const other = parse_cid(text);
    CHECK((!other || *other != hello));
    if (!other) CHECK(other.error() == cid_error{kind::bad_padding, 61});
    for (int each = 1; each <= 8; ++each)
        CHECK(message(cid_error{static_cast<kind>(each), 3}).find("unknown") == std::string::npos);
}

TEST_CASE("cid: malformed bytes are refused, each with its reason and place")
{
    auto const good = to_bytes(to_binary(hello));
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(wrong_bytes(bytes_view{good}.first(size)) == cid_error{kind::truncated, size});
    auto raw = good;
    raw.push_back(std::byte{0});
    CHECK(wrong_bytes(raw) == cid_error{kind::trailing, 38});
    raw = good;
    raw[0] = std::byte{0};
    CHECK(wrong_bytes(raw) == cid_error{kind::wrong_version, 0});
    raw = good;
    raw[1] = std::byte{0x70};
    CHECK(wrong_bytes(raw) == cid_error{kind::unsupported_content, 1});
    raw = good;
    raw[1] = std::byte{0xd5};  // 0x55 written longer than it needs to be
    CHECK(wrong_bytes(raw) == cid_error{kind::unsupported_content, 1});
    for (std::size_t at = 2; at < 6; ++at) {
        raw = good;
        raw[at] ^= std::byte{1};
        CHECK(wrong_bytes(raw) == cid_error{kind::unsupported_hash, at});
    }
    CHECK(decode<cid>(raw).error().what == decode_fault::bad_value);
}

TEST_CASE("cid: every text that is read is the one that is written" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed ", seed);
    rng random{seed};
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    int read = 0;
    for (int run = 0; run < 20000; ++run) {
        auto text = to_text(hello);
        for (auto left = random.between(1, 3); left > 0; --left)
            text[random.between(9, 61)] = alphabet[random.below(32)];
        if (auto const id = parse_cid(text)) REQUIRE((++read, to_text(*id)) == text);
    }
    CHECK(read > 10000);
}
