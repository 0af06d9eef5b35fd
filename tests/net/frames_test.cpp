// SPDX-License-Identifier: Apache-2.0
#include <blendr/net/frames.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <algorithm>
#include <vector>

#include <blendr/core/random.hpp>

using namespace blendr;
using net::cipher;
using net::fragment_max;
using net::frame_key;
using net::frame_reader;

namespace {

std::array<std::byte, 32> const key{std::byte{1}, std::byte{2}, std::byte{3}};

std::vector<cipher> ciphers()
{
    std::vector<cipher> out{cipher::xchacha20_poly1305};
    if (net::has_aes()) out.push_back(cipher::aes256_gcm);
    return out;
}

bytes noise(std::size_t size, std::uint64_t seed)
{
    rng random{seed};
    bytes out(size);
    for (auto& each : out) each = static_cast<std::byte>(random());
    return out;
}

/// A message as frames, whole.
bytes sealed(frame_key& with, std::uint8_t lane, bytes_view message)
{
    bytes out{};
    for (std::size_t at = 0; at == 0 || at < message.size(); at += fragment_max) {
        auto const part = message.subspan(at, std::min(fragment_max, message.size() - at));
        auto const before = out.size();
        out.resize(before + net::frame_head + part.size() + net::frame_tag);
        with.seal(lane, at + part.size() == message.size(), part, out.data() + before);
    }
    return out;
}

/// What comes out of a stream that arrives in pieces of that size.
struct heard {
    std::vector<std::pair<std::uint8_t, bytes>> messages{};
    std::optional<net::error> failed{};
};
heard listen(frame_reader& in, net::assembler& parts, bytes_view stream, std::size_t piece)
{
    heard out{};
    while (!stream.empty()) {
        auto const room = in.room();
        auto const size = std::min({piece, room.size(), stream.size()});
        std::copy_n(stream.begin(), size, room.begin());
        in.took(size);
        stream = stream.subspan(size);
        for (;;) {
            auto const part = in.next();
            if (!part) return out.failed = part.error(), out;
            if (!*part) break;
            auto const whole = parts.add(**part);
            if (!whole) return out.failed = whole.error(), out;
            if (*whole) out.messages.emplace_back((*part)->lane, to_bytes(**whole));
        }
    }
    return out;
}

}  // namespace

TEST_CASE("frames: messages of every size arrive as they were sent, however the stream is cut")
{
    for (auto const how : ciphers()) {
        frame_key out{how, key};
        bytes stream{};
        std::vector<bytes> sent{};
        std::size_t const sizes[] = {
            0, 1, 100, fragment_max - 1, fragment_max, fragment_max + 1, 300'000};
        for (auto const size : sizes) {
            sent.push_back(noise(size, size));
            auto const raw = sealed(out, static_cast<std::uint8_t>(size % 3), sent.back());
            stream.insert(stream.end(), raw.begin(), raw.end());
        }
        for (std::size_t const piece :
             {std::size_t{1} << 20, std::size_t{70'001}, std::size_t{333}}) {
            frame_reader in{frame_key{how, key}};
            net::assembler parts{};
            auto const got = listen(in, parts, stream, piece);
            REQUIRE(!got.failed);
            REQUIRE(got.messages.size() == sent.size());
            for (std::size_t i = 0; i < sent.size(); ++i) {
                CHECK(got.messages[i].second == sent[i]);
                CHECK(got.messages[i].first == sent[i].size() % 3);
            }
        }
    }
}

TEST_CASE("frames: a flipped bit, a repeated, left out or reflected frame is refused" *
          doctest::test_suite("property"))
{
    INFO("seed " << test::seed());
    rng random{test::seed()};
    for (auto const how : ciphers()) {
        frame_key out{how, key};
        auto const one = sealed(out, 0, noise(50, 1));
        auto const two = sealed(out, 0, noise(50, 2));
        auto const refused = [&](bytes_view stream) {
            frame_reader in{frame_key{how, key}};
            net::assembler parts{};
            auto const got = listen(in, parts, stream, 4096);
            return got.failed.has_value() || got.messages.empty();
        };
        CHECK(!refused(one));
        CHECK(refused(two));  // the first is missing
        for (int i = 0; i < 200; ++i) {
            auto bent = one;
            auto const at = random.below(bent.size());
            auto const bit = random.below(8);
            bent[at] ^= static_cast<std::byte>(1u << bit);
            CHECK(refused(bent));
        }
        auto twice = one;
        twice.insert(twice.end(), one.begin(), one.end());
        frame_reader in{frame_key{how, key}};
        net::assembler parts{};
        auto const got = listen(in, parts, twice, 4096);
        CHECK(got.messages.size() == 1);
        CHECK(got.failed == net::error::wrong_seal);
    }
}

TEST_CASE("frames: lengths beyond the limit are refused before anything is kept")
{
    frame_reader in{frame_key{cipher::xchacha20_poly1305, key}};
    bytes const head{std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0x80}};
    net::assembler parts{};
    CHECK(listen(in, parts, head, 4).failed == net::error::wrong_frame_length);

    net::message_limits small{};
    small.bytes_max[1] = 100'000;
    net::assembler bounded{small};
    frame_key out{cipher::xchacha20_poly1305, key};
    frame_reader other{frame_key{cipher::xchacha20_poly1305, key}};
    auto const raw = sealed(out, 1, noise(200'000, 1));
    CHECK(listen(other, bounded, raw, 4096).failed == net::error::message_too_long);
    CHECK(bounded.held() <= 200'000);
}

TEST_CASE("frames: a message in the middle of which fragments are not full is refused")
{
    net::assembler parts{};
    bytes const some(10);
    CHECK(parts.add({0, false, some}).error() == net::error::wrong_fragment);
}

TEST_CASE("frames: both sides hash their keys onward together" * doctest::test_suite("slow"))
{
    frame_key out{cipher::xchacha20_poly1305, key};
    frame_key in{cipher::xchacha20_poly1305, key};
    bytes frame(net::frame_head + net::frame_tag);
    for (std::uint64_t i = 0; i < (std::uint64_t{1} << 20) + 10; ++i) {
        out.seal(0, true, {}, frame.data());
        REQUIRE(in.open(frame));
    }
}
