// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/websocket.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::net::websocket;

namespace {

/// As a client writes it: masked.
std::string from_client(unsigned first, std::string_view payload)
{
    std::string out(1, static_cast<char>(first));
    auto const n = payload.size();
    if (n < 126) {
        out.push_back(static_cast<char>(0x80 | n));
    } else {
        out.push_back(static_cast<char>(0x80 | 126));
        out.push_back(static_cast<char>(n >> 8));
        out.push_back(static_cast<char>(n));
    }
    std::string const mask = "\x01\x7f\x33\x5a";
    out += mask;
    for (std::size_t i = 0; i < n; ++i) out.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
    return out;
}

}  // namespace

TEST_CASE("websocket: messages arrive whole however they are fragmented and cut")
{
    std::string const long_one(1000, 'x');
    auto const stream = from_client(0x81, "hello") + from_client(0x01, "a") +
                        from_client(0x89, "are you there") + from_client(0x00, "b") +
                        from_client(0x80, "c") + from_client(0x81, long_one);
    for (std::size_t const piece : {std::size_t{1}, std::size_t{7}, stream.size()}) {
        parser p{4096};
        std::vector<incoming> got{};
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            p.feed(std::string_view{stream}.substr(at, piece));
            incoming m{};
            for (;;) {
                auto const next = p.next(m);
                REQUIRE(next);
                if (!*next) break;
                got.push_back(m);
            }
        }
        REQUIRE(got.size() == 4);
        CHECK(got[0].payload == "hello");
        CHECK(got[1].what == opcode::ping);
        CHECK(got[2].payload == "abc");
        CHECK(got[3].payload == long_one);
    }
}

TEST_CASE("websocket: what breaks the rules ends the connection with the code for it")
{
    auto const code = [](std::string const& raw, std::size_t most = 4096) {
        parser p{most};
        p.feed(raw);
        incoming m{};
        auto const got = p.next(m);
        return got ? close_code::normal : got.error();
    };
    CHECK(code("\x81\x05hello") == close_code::protocol);         // not masked
    CHECK(code(from_client(0xc1, "x")) == close_code::protocol);  // an extension nobody agreed on
    CHECK(code(from_client(0x80, "x")) == close_code::protocol);  // continues nothing
    CHECK(code(from_client(0x09, "x")) == close_code::protocol);  // a control frame in parts
    CHECK(code(from_client(0x82, "x")) == close_code::unsupported);  // binary
    CHECK(code(from_client(0x81, "\xff\xfe")) == close_code::not_text);
    CHECK(code(from_client(0x81, std::string(200, 'x')), 100) == close_code::too_big);
    CHECK(code(std::string{"\x81\xfe\x00\x05", 4}) == close_code::protocol);  // a length too long
}

TEST_CASE("websocket: a server's frame of each size class reads as the RFC says")
{
    std::string out{};
    append_frame(out, opcode::text, "hi");
    CHECK(out == std::string{"\x81\x02hi"});
    out.clear();
    append_frame(out, opcode::text, std::string(300, 'x'));
    CHECK(out.substr(0, 4) == std::string{"\x81\x7e\x01\x2c", 4});
    out.clear();
    append_frame(out, opcode::text, std::string(70'000, 'x'));
    CHECK(out.size() == 70'010);
}

TEST_CASE("websocket: noise never does harm" * doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    rng random{test::seed()};
    for (int round = 0; round < 2000; ++round) {
        parser p{1000};
        std::string noise(random.below(200), '\0');
        for (auto& each : noise) each = static_cast<char>(random());
        p.feed(noise);
        incoming m{};
        for (int i = 0; i < 300; ++i) {
            auto const got = p.next(m);
            if (!got || !*got) break;
            CHECK(m.payload.size() <= 1000);
        }
    }
}
