// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/handshake.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <optional>

#include <blendr/core/random.hpp>

using namespace blendr;
using net::error;
using net::handshake;

namespace {

crypto::identity person(std::uint8_t n)
{
    std::array<std::byte, 32> const seed{static_cast<std::byte>(n)};
    return crypto::identity{crypto::secret_key::from_seed(seed)};
}

net::handshake_options options(std::uint8_t who, std::uint8_t chain = 9, bool aes = net::has_aes())
{
    net::handshake_options out{person(who)};
    out.chain[0] = static_cast<std::byte>(chain);
    out.aes = aes;
    return out;
}

struct outcome {
    std::optional<error> dialler{}, listener{};
    bool both() const { return !dialler && !listener; }
};

/// Carries bytes between the two until nothing moves; `bend` may change what the dialler (0) or the
/// listener (1) sends.
template <class Bend>
outcome talk(handshake& a, handshake& b, Bend&& bend)
{
    outcome out{};
    bytes to_b = a.begin(), to_a = b.begin();
    for (int round = 0; round < 8; ++round) {
        bend(0, to_b);
        bytes_view in = to_b;
        bytes answer{};
        if (!out.listener && !in.empty())
            if (auto const fed = b.feed(in, answer); !fed) out.listener = fed.error();
        to_b.clear();
        to_a.insert(to_a.end(), answer.begin(), answer.end());
        bend(1, to_a);
        in = to_a;
        answer.clear();
        if (!out.dialler && !in.empty())
            if (auto const fed = a.feed(in, answer); !fed) out.dialler = fed.error();
        to_a.clear();
        to_b = answer;
    }
    if (!a.done() && !out.dialler) out.dialler = error::timed_out;
    if (!b.done() && !out.listener) out.listener = error::timed_out;
    return out;
}
outcome talk(handshake& a, handshake& b)
{
    return talk(a, b, [](int, bytes&) {});
}

}  // namespace

TEST_CASE("handshake: each learns the other's key, and what one seals the other opens")
{
    for (bool const aes : {false, true}) {
        handshake a{handshake::side::dialler, options(1, 9, aes)};
        handshake b{handshake::side::listener, options(2)};
        REQUIRE(talk(a, b).both());
        auto left = a.finish();
        auto right = b.finish();
        CHECK(left.peer.self == person(2).self());
        CHECK(right.peer.self == person(1).self());
        CHECK(left.out.how() ==
              (aes && net::has_aes() ? net::cipher::aes256_gcm : net::cipher::xchacha20_poly1305));
        bytes frame(net::frame_head + 5 + net::frame_tag);
        left.out.seal(0, true, as_bytes("hello"), frame.data());
        auto const room = right.in.room();
        std::copy(frame.begin(), frame.end(), room.begin());
        right.in.took(frame.size());
        auto const got = right.in.next();
        REQUIRE((got && *got));
        CHECK(as_text((*got)->data) == "hello");
    }
}

TEST_CASE("handshake: another chain, another key than expected and oneself are refused by name")
{
    {
        handshake a{handshake::side::dialler, options(1, 8)};
        handshake b{handshake::side::listener, options(2, 9)};
        auto const out = talk(a, b);
        CHECK(out.dialler == error::wrong_chain);
        CHECK(out.listener == error::wrong_chain);
    }
    {
        auto wants = options(1);
        wants.expected = person(3).self();
        handshake a{handshake::side::dialler, wants};
        handshake b{handshake::side::listener, options(2)};
        CHECK(talk(a, b).dialler == error::wrong_peer);
        CHECK(!b.done());  // and it did not learn who asked
    }
    {
        handshake a{handshake::side::dialler, options(1)};
        handshake b{handshake::side::listener, options(1)};
        CHECK(talk(a, b).dialler == error::own_key);
    }
}

TEST_CASE("handshake: a bit bent anywhere by somebody between is noticed" *
          doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    rng random{test::seed()};
    for (int round = 0; round < 150; ++round) {
        handshake a{handshake::side::dialler, options(1)};
        handshake b{handshake::side::listener, options(2)};
        auto const whom = static_cast<int>(random.below(2));
        auto left = random.below(whom == 0 ? 250 : 310);
        bool bent = false;
        auto const out = talk(a, b, [&](int side, bytes& sent) {
            if (side != whom || bent) return;
            if (left >= sent.size()) {
                left -= sent.size();
                return;
            }
            auto const bit = random.below(8);
            sent[left] ^= static_cast<std::byte>(1u << bit);
            bent = true;
        });
        if (bent) CHECK(!out.both());
    }
}

TEST_CASE("handshake: what was recorded cannot be played again, to either side")
{
    bytes heard_by_b{}, heard_by_a{};
    {
        handshake a{handshake::side::dialler, options(1)};
        handshake b{handshake::side::listener, options(2)};
        REQUIRE(talk(a, b, [&](int side, bytes& sent) {
                    auto& to = side == 0 ? heard_by_b : heard_by_a;
                    to.insert(to.end(), sent.begin(), sent.end());
                }).both());
    }
    handshake b{handshake::side::listener, options(2)};
    bytes_view in = heard_by_b;
    bytes out{};
    CHECK(!b.feed(in, out));
    CHECK(!b.done());
    handshake a{handshake::side::dialler, options(1)};
    a.begin();
    in = heard_by_a;
    CHECK(!a.feed(in, out));
    CHECK(!a.done());
}

TEST_CASE("handshake: one's own messages sent back lead nowhere")
{
    handshake a{handshake::side::dialler, options(1)};
    auto const mine = a.begin();
    bytes_view in = mine;
    bytes out{};
    auto fed = a.feed(in, out);
    // A mirrored share makes a secret, but nobody who can introduce himself with it.
    if (fed) {
        bytes const mirrored(200);
        in = mirrored;
        fed = a.feed(in, out);
    }
    CHECK(!fed);
    CHECK(!a.done());

    handshake b{handshake::side::listener, options(2)};
    handshake c{handshake::side::listener, options(2)};
    bytes from_b{};
    handshake d{handshake::side::dialler, options(1)};
    auto const hello = d.begin();
    in = hello;
    REQUIRE(b.feed(in, from_b));
    in = from_b;
    bytes from_c{};
    CHECK(!c.feed(in, from_c));  // a listener's message is no dialler's
}

TEST_CASE("handshake: a share of small order is refused")
{
    handshake b{handshake::side::listener, options(2)};
    handshake a{handshake::side::dialler, options(1)};
    auto hello = a.begin();
    std::fill_n(hello.begin() + 40, 32, std::byte{0});
    bytes_view in = hello;
    bytes out{};
    CHECK(b.feed(in, out).error() == error::wrong_point);
}

TEST_CASE("handshake: somebody who speaks another language is refused at the first letter")
{
    handshake b{handshake::side::listener, options(2)};
    bytes_view in = as_bytes("G");
    bytes out{};
    CHECK(b.feed(in, out).error() == error::wrong_magic);
    CHECK(out.empty());
}
