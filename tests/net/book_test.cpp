// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/book.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <string>

using namespace blendr;
using net::address_book;
using net::contact;

namespace {

crypto::public_key key(std::uint8_t n)
{
    std::array<std::byte, 32> const raw{static_cast<std::byte>(n)};
    return crypto::public_key::ed25519(raw);
}
bool nobody(crypto::public_key const&) { return false; }

}  // namespace

TEST_CASE("contact: text with and without a key, and IPv6 in brackets")
{
    std::string const whole = to_text(key(1)) + "@[::1]:80";
    for (auto const& text :
         {std::string{"127.0.0.1:7"}, std::string{"host.example:65535"}, whole}) {
        auto const read = net::parse_contact(text);
        REQUIRE(read);
        CHECK(to_text(*read) == text);
    }
    for (auto const* text : {"", ":1", "a", "a:", "a:65536", "a:-1", "::1:80", "x@a:1", "[a:1"})
        CHECK(net::parse_contact(text).error() == net::error::wrong_text);
}

TEST_CASE(
    "address_book: what fails rests twice as long each time, kept addresses are never forgotten")
{
    address_book book{1};
    contact const kept{"a", 1, {}};
    contact const told{"b", 2, {}};
    book.keep(kept);
    CHECK(book.hear(told, "c"));
    CHECK(!book.hear(told, "c"));
    time_ms now{};
    CHECK(book.next(now, nobody) == kept);
    CHECK(book.next(now, nobody) == told);
    CHECK(!book.next(now, nobody));  // both are in use
    std::int64_t last = 0;
    for (std::uint32_t i = 0; i < 2 * address_book::failures_max; ++i) {
        book.failed(kept, now);
        std::int64_t rested = 0;
        while (!book.next(now, nobody, true)) {
            now = now + std::int64_t{50};
            rested += 50;
        }
        if (i < 7) CHECK(rested > last);
        CHECK(rested <= 90'050);
        last = rested;
    }
    for (std::uint32_t i = 0; i < address_book::failures_max; ++i) book.failed(told, now);
    CHECK(book.size() == 1);
}

TEST_CASE("address_book: whoever we are in touch with is not dialled again")
{
    address_book book{1};
    contact const a{"a", 1, {}};
    book.keep(a);
    REQUIRE(book.next(time_ms{}, nobody));
    book.connected(a, key(1));
    book.lost(a, time_ms{});
    time_ms const then{100'000};
    CHECK(!book.next(then, [](crypto::public_key const& who) { return who == key(1); }));
    CHECK(book.next(then, nobody) == a);
}

TEST_CASE("address_book: one host cannot fill it, and all together not beyond its bound")
{
    address_book book{1};
    std::size_t taken = 0;
    for (std::uint16_t i = 1; i < 1000; ++i) taken += book.hear({"x", i, {}}, "liar") ? 1u : 0u;
    CHECK(taken == address_book::told_by_host_max);
    for (int host = 0; host < 200; ++host)
        for (std::uint16_t i = 1; i < 20; ++i)
            book.hear({"h" + std::to_string(host), i, {}}, std::to_string(host));
    CHECK(book.size() <= address_book::told_max);
}

TEST_CASE("address_book: what is written down is known again, back-off and all, within its bounds")
{
    address_book book{1};
    time_ms const now{5'000};
    book.keep({"asked", 1, {}});
    REQUIRE(book.hear({"good", 2, {}}, "teller"));
    REQUIRE(book.hear({"bad", 3, key(3)}, "teller"));
    book.connected({"good", 2, {}}, key(2));
    for (int i = 0; i < 6; ++i) book.failed({"bad", 3, {}}, now);
    auto const written = book.remember(now);
    REQUIRE(written.size() == 2);  // whom one asks for, one is told again
    auto const text = to_text(written);
    CHECK(net::parse_book(text) == written);

    address_book again{2};
    time_ms const then{1'000'000};
    for (auto const& each : net::parse_book(text)) CHECK(again.recall(each, then));
    for (auto const& each : written) CHECK(!again.recall(each, then));
    CHECK(again.next(then, nobody) == contact{"good", 2, key(2)});
    CHECK(!again.next(then, nobody));
    CHECK(again.sample(8).size() == 1);
    // it rests for what was left, and not for ever whatever the file says
    CHECK(again.next(then + std::int64_t{20'000}, nobody) == contact{"bad", 3, key(3)});
    CHECK(net::parse_book("").empty());
    CHECK(net::parse_book("blendr addresses 1\nx\na:1 1\na:b 1 1 1 h\n:1 2 3 4 5\n").empty());
    std::string crowd = "blendr addresses 1\n";
    for (int i = 1; i < 5'000; ++i) crowd += "h:" + std::to_string(i) + " 1 9999 99999999999 h\n";
    std::size_t taken = 0;
    for (auto const& each : net::parse_book(crowd)) taken += again.recall(each, then) ? 1u : 0u;
    CHECK(taken <= address_book::told_by_host_max);
}

TEST_CASE("address_book: no address that a peer tells writes another line of the book")
{
    std::string_view const forged = "a\nforged:9 1 0 0 elsewhere\nb:1";
    CHECK_FALSE(net::parse_contact(forged));
    for (std::string const odd : {"a b:1", "a\tb:1", "a\rb:1", "\x7f:1", "\xc3\xa4:1"})
        CHECK_FALSE(net::parse_contact(odd));
    CHECK_FALSE(net::parse_contact(std::string{"a\0b:1", 5}));
    REQUIRE(net::parse_contact("a-b_c.example:1"));
}

TEST_CASE("score_keeper: a hundred points ban, points fade, and the table is bounded")
{
    net::score_keeper scores{};
    time_ms now{1'000};
    CHECK(!scores.add(key(1), 60, now));
    now = now + net::score_keeper::half_life_ms;
    CHECK(scores.score(key(1), now) == 30);
    CHECK(!scores.add(key(1), 60, now));
    CHECK(scores.add(key(1), 10, now));
    CHECK(scores.banned(key(1), now));
    CHECK(!scores.banned(key(2), now));
    now = now + net::score_keeper::ban_ms;
    CHECK(!scores.banned(key(1), now));
    for (std::size_t i = 0; i < 2 * net::score_keeper::entries_max; ++i) {
        std::array<std::byte, 32> raw{std::byte{9}};
        raw[1] = static_cast<std::byte>(i);
        raw[2] = static_cast<std::byte>(i >> 8);
        scores.add(crypto::public_key::ed25519(raw), 1, now);
    }
    CHECK(scores.size() <= net::score_keeper::entries_max);
}

TEST_CASE("budget: it may be overdrawn once, and says how long that takes to fill up again")
{
    net::budget b{1000, 1000};
    time_ms now{50'000};
    CHECK(b.wait_ms(now) == 0);
    b.spend(3000, now);
    auto const wait = b.wait_ms(now);
    CHECK(wait >= 2000);
    CHECK(b.wait_ms(now + wait) == 0);
}
