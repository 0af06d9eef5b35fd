// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/codec.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include <blendr/core/random.hpp>
#include <support/support.hpp>
#include <support/vectors.hpp>

#include "samples.hpp"

using namespace blendr;
using namespace blendr::sample;

namespace {

static_assert(codec<transfer>::fixed && codec<transfer>::size_min == 52);
static_assert(!codec<everything>::fixed);
static_assert(encodable<everything> && encodable<tree>);
static_assert(!encodable<double> && !encodable<void*>);

bytes raw(std::string_view hex) { return from_hex(hex).value(); }

template <class T>
decode_error refusal(std::string_view hex)
{
    auto const value = decode<T>(raw(hex));
    return value ? decode_error{} : value.error();
}

std::size_t allocated = 0;

/// Counts what a container asks for.
template <class T>
struct counting {
    using value_type = T;
    counting() = default;
    template <class U>
    counting(counting<U> const&)
    {}
    T* allocate(std::size_t n)
    {
        allocated += n * sizeof(T);
        return static_cast<T*>(::operator new(n * sizeof(T)));
    }
    void deallocate(T* p, std::size_t) { ::operator delete(p); }
    friend bool operator==(counting, counting) { return true; }
};
using counted = bounded<std::vector<std::uint64_t, counting<std::uint64_t>>, 1u << 24>;

}  // namespace

TEST_CASE("codec: every value reads back, and its bytes are the only ones that do" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    int still_values = 0;
    for (int i = 0; i < 3000; ++i) {
        auto const value = any_everything(random);
        auto const once = encode(value);
        REQUIRE(once.size() == encoded_size(value));
        auto const back = decode<everything>(once);
        REQUIRE(back.has_value());
        REQUIRE(encode(*back) == once);
        // A flipped bit gives another value or no value, never the same one.
        auto flipped = once;
        flipped[random.below(flipped.size())] ^= static_cast<std::byte>(1u << random.below(8));
        if (auto const other = decode<everything>(flipped)) {
            ++still_values;
            REQUIRE(encode(*other) == flipped);
        }
        // Every beginning is refused as too short, and anything more as too long.
        auto const cut = decode<everything>(bytes_view{once}.first(random.below(once.size())));
        REQUIRE_FALSE(cut.has_value());
        auto longer = once;
        longer.push_back(std::byte{0});
        REQUIRE(decode<everything>(longer).error() ==
                decode_error{decode_fault::trailing, once.size()});
    }
    CHECK(still_values > 100);
}

TEST_CASE("codec: hostile bytes are a value or a named error" * doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed " << seed);
    rng random{seed};
    for (int i = 0; i < 20'000; ++i) {
        bytes noise(random.below(80));
        random.fill(noise);
        auto const value = decode<everything>(noise);
        if (value)
            REQUIRE(encode(*value) == noise);
        else
            REQUIRE(value.error().at <= noise.size());
    }
}

TEST_CASE("codec: integers are little-endian at full width, text is counted bytes")
{
    CHECK(encode(std::uint32_t{0x01020304}) == raw("04030201"));
    CHECK(encode(std::int16_t{-2}) == raw("feff"));
    CHECK(encode(std::string{"hi"}) == raw("026869"));
    CHECK(encode(height{7}) == raw("0700000000000000"));
    CHECK(encode(amount{258}) == raw("02010000000000000000000000000000"));
    CHECK(encode(std::optional<bool>{}) == raw("00"));
    CHECK(encode(std::optional<bool>{true}) == raw("0101"));
    CHECK(encode(std::vector<std::uint16_t>{1, 2}) == raw("0201000200"));
    CHECK(encode(std::vector<std::byte>(200)).size() == 202);
}

TEST_CASE("codec: what has a second spelling is refused at its byte")
{
    using enum decode_fault;
    CHECK(refusal<bool>("02") == decode_error{bad_value, 0});
    CHECK(refusal<color>("07") == decode_error{unknown_tag, 0});
    CHECK(refusal<std::optional<bool>>("02") == decode_error{unknown_tag, 0});
    CHECK(refusal<bytes>("8000") == decode_error{non_minimal, 0});
    CHECK(refusal<bytes>("818000") == decode_error{non_minimal, 0});
    CHECK(refusal<std::variant<bool, color>>("02") == decode_error{unknown_tag, 1});
    CHECK(refusal<std::variant<bool, color>>("8000") == decode_error{non_minimal, 0});
    CHECK(refusal<std::uint32_t>("040302") == decode_error{truncated, 0});
    CHECK(refusal<std::uint32_t>("0403020100") == decode_error{trailing, 4});
    CHECK(refusal<short_bytes>("06010203040506") == decode_error{too_long, 0});
    CHECK(refusal<std::string>("02c080") == decode_error{bad_value, 1});
    CHECK(refusal<std::string>("03eda080") == decode_error{bad_value, 1});
    CHECK(refusal<bytes>("ffffffffffffffffff01") == decode_error{too_long, 0});
    CHECK(refusal<bytes>("ffffffffffffffffff7f") == decode_error{too_long, 0});
    CHECK(refusal<bytes>("ffffffffffffffffffff") == decode_error{too_long, 0});
    CHECK(refusal<bytes>("") == decode_error{truncated, 0});
    CHECK(message(refusal<bool>("02")) == "a field holds what its type does not allow at byte 0");
}

TEST_CASE("codec: text is UTF-8 and nothing else")
{
    for (auto const* good : {"", "a", "é", "€", "𝄞", "\xf4\x8f\xbf\xbf", "a\xc3\xa9z"})
        CHECK(decode<std::string>(encode(std::string{good})).has_value());
    for (auto const* bad : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff"})
        CHECK_FALSE(decode<std::string>(encode(std::string{bad})).has_value());
}

TEST_CASE("codec: a claimed length takes no memory that the input does not justify")
{
    allocated = 0;
    // 2^23 elements are claimed and one is there.
    CHECK(decode<counted>(raw("808080040100000000000000")).error().what == decode_fault::truncated);
    CHECK(allocated == 0);
    counted many(1000);
    auto const whole = encode(many);
    allocated = 0;
    CHECK(decode<counted>(whole).has_value());
    CHECK(allocated <= whole.size());
}

TEST_CASE("codec: nesting without end is refused before the stack is")
{
    bytes deep;
    for (int i = 0; i < 100'000; ++i) deep.push_back(std::byte{1});
    CHECK(decode<tree>(deep).error().what == decode_fault::too_deep);
    tree shallow;
    for (int i = 0; i < 10; ++i) shallow = tree{{shallow, shallow.kids.empty() ? tree{} : tree{}}};
    CHECK(encode(decode<tree>(encode(shallow)).value()) == encode(shallow));
}

TEST_CASE("codec: a type of one's own travels as another")
{
    CHECK(encode(even{6}) == raw("06000000"));
    CHECK(decode<even>(raw("06000000")).value().value == 6);
    CHECK(refusal<even>("07000000") == decode_error{decode_fault::bad_value, 4});
}

TEST_CASE("codec: encodings are frozen")
{
    rng random{2026};
    test::vector_list now;
    now.emplace_back("transfer", encode(any_transfer(random)));
    for (int i = 0; i < 8; ++i)
        now.emplace_back("everything-" + std::to_string(i), encode(any_everything(random)));
    now.emplace_back("tree", encode(tree{{tree{}, tree{{tree{}}}}}));
    CHECK(test::differs_from_frozen("core/codec.txt", now) == "");
}
