// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/seal.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include <blendr/core/random.hpp>
#include <support/support.hpp>

using namespace blendr;
using namespace blendr::crypto;
using kind = seal_error::kind;

namespace {

bytes some(std::size_t size)
{
    bytes out(size);
    rng{size}.fill(out);
    return out;
}

bytes sealed_stream(content_key const& key, bytes_view data)
{
    bytes out;
    seal_writer writer{key};
    writer.write(data, out);
    writer.finish(out);
    return out;
}

result<bytes, seal_error> opened(content_key const& key, bytes_view sealed)
{
    seal_reader reader{key};
    bytes out;
    BLENDR_CHECK(reader.read(sealed, out));
    BLENDR_CHECK(reader.finish());
    return out;
}

/// Where chunk i of a sealed stream begins, and how long a full one is.
constexpr std::size_t full = chunk_size + sealed_chunk_extra;
constexpr std::size_t chunk_at(std::size_t i) { return sealed_head_size + i * full; }

}  // namespace

TEST_CASE("seal: streams of every awkward size come back")
{
    auto const key = content_key::generate();
    for (std::size_t const size :
         {std::size_t{0}, std::size_t{1}, std::size_t{1000}, chunk_size - 1, chunk_size,
          chunk_size + 1, 2 * chunk_size, 3 * chunk_size + 7}) {
        INFO("size ", size);
        auto const data = some(size);
        auto const sealed = sealed_stream(key, data);
        CHECK(sealed.size() == sealed_size(size));
        auto const back = opened(key, sealed);
        REQUIRE(back);
        CHECK(*back == data);
    }
}

TEST_CASE("seal: how a stream is cut into pieces does not matter, on either side" *
          doctest::test_suite("property"))
{
    auto const seed = test::seed();
    INFO("seed ", seed);
    rng random{seed};
    auto const key = content_key::generate();
    for (int run = 0; run < 25; ++run) {
        auto const data = some(random.below(4 * chunk_size));
        bytes sealed;
        seal_writer writer{key};
        for (bytes_view rest = data; !rest.empty();) {
            auto const piece =
                rest.first(std::min<std::size_t>(rest.size(), random.below(2 * chunk_size)));
            writer.write(piece, sealed);
            rest = rest.subspan(piece.size());
        }
        writer.finish(sealed);
        REQUIRE(sealed.size() == sealed_size(data.size()));
        bytes back;
        seal_reader reader{key};
        for (bytes_view rest = sealed; !rest.empty();) {
            auto const piece =
                rest.first(std::min<std::size_t>(rest.size(), random.below(2 * chunk_size)));
            REQUIRE(reader.read(piece, back));
            rest = rest.subspan(piece.size());
        }
        REQUIRE(reader.finish());
        REQUIRE(back == data);
    }
}

TEST_CASE("seal: a stream cut short anywhere is truncated, and what was read is a true beginning")
{
    auto const key = content_key::generate();
    auto const data = some(2 * chunk_size + 100);
    auto const sealed = sealed_stream(key, data);
    for (std::size_t size = 0; size < sealed.size(); size += size < 100 ? 1 : 3001) {
        INFO("size ", size);
        bytes out;
        seal_reader reader{key};
        REQUIRE(reader.read(bytes_view{sealed}.first(size), out));
        CHECK(reader.finish().error().what == kind::truncated);
        REQUIRE(out.size() <= data.size());
        CHECK(std::equal(out.begin(), out.end(), data.begin()));
    }
    // Exactly at the border of a chunk, where nothing but the missing last chunk tells.
    auto const error = opened(key, bytes_view{sealed}.first(chunk_at(1))).error();
    CHECK(error == seal_error{kind::truncated, 1});
}

TEST_CASE("seal: chunks that are moved, repeated or left out are reordered")
{
    auto const key = content_key::generate();
    auto const sealed = sealed_stream(key, some(4 * chunk_size));
    auto const part = [&](std::size_t i) { return bytes_view{sealed}.subspan(chunk_at(i), full); };
    auto const built = [&](std::initializer_list<std::size_t> order) {
        bytes out = to_bytes(bytes_view{sealed}.first(sealed_head_size));
        for (auto const i : order) out.insert(out.end(), part(i).begin(), part(i).end());
        return out;
    };
    CHECK(opened(key, built({0, 1, 2, 3})));
    CHECK(opened(key, built({1, 0, 2, 3})).error() == seal_error{kind::reordered, 0});
    CHECK(opened(key, built({0, 2, 1, 3})).error() == seal_error{kind::reordered, 1});
    CHECK(opened(key, built({0, 1, 1, 2, 3})).error() == seal_error{kind::reordered, 2});
    CHECK(opened(key, built({0, 1, 3})).error() == seal_error{kind::reordered, 2});
    CHECK(opened(key, built({0, 1, 2, 3, 3})).error().what == kind::trailing);
    // Whoever renumbers them too only turns it into tampering.
    auto renumbered = built({0, 2, 1, 3});
    std::swap(renumbered[chunk_at(1)], renumbered[chunk_at(2)]);
    CHECK(opened(key, renumbered).error() == seal_error{kind::tampered, 1});
    // A chunk of another stream under the same key, in the same place.
    auto const other = sealed_stream(key, some(4 * chunk_size));
    auto mixed = sealed;
    std::copy_n(other.begin() + chunk_at(1), full, mixed.begin() + chunk_at(1));
    CHECK(opened(key, mixed).error() == seal_error{kind::tampered, 1});
}

TEST_CASE("seal: no single flipped bit of a stream goes unnoticed, and none ends in an assertion" *
          doctest::test_suite("property"))
{
    auto const key = content_key::generate();
    auto sealed = sealed_stream(key, some(40));
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        sealed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
        INFO("bit ", bit);
        bytes out;
        seal_reader reader{key};
        auto const read = reader.read(sealed, out);
        auto const whole = reader.finish();
        CHECK_FALSE(whole);
        CHECK(out.empty());
        if (!read) CHECK(whole.error() == read.error());  // an error stays
        sealed[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    }
    CHECK(opened(key, sealed));
}

TEST_CASE("seal: the head says what is wrong with it")
{
    auto const key = content_key::generate();
    auto sealed = sealed_stream(key, some(10));
    CHECK(opened(content_key::generate(), sealed).error().what == kind::wrong_key);
    auto other = sealed;
    other[0] = std::byte{'x'};
    CHECK(opened(key, other).error().what == kind::not_sealed);
    other = sealed;
    other[4] = std::byte{2};
    CHECK(opened(key, other).error().what == kind::not_sealed);
    other = sealed;
    other[sealed_head_size - 1] ^= std::byte{1};
    CHECK(opened(key, other).error() == seal_error{kind::tampered, 0});
    other = sealed;
    other.push_back(std::byte{0});
    CHECK(opened(key, other).error().what == kind::trailing);
    // A frame that claims 2 GiB is refused before a byte of it is waited for.
    other = sealed;
    std::fill_n(other.begin() + sealed_head_size + 4, 4, std::byte{0x7f});
    CHECK(opened(key, other).error() == seal_error{kind::tampered, 0});
    for (int each = 1; each <= 8; ++each)
        CHECK(message(seal_error{static_cast<kind>(each), 3}).find("unknown error") ==
              std::string::npos);
}

TEST_CASE("seal: several recipients open the same data, others are told that it is not for them")
{
    auto const data = some(1000);
    auto const first = sealing_key::generate();
    auto const second = sealing_key::generate();
    std::array const all{first.self(), second.self()};
    auto const sealed = seal(data, all);
    REQUIRE(sealed);
    CHECK(open(*sealed, first) == data);
    CHECK(open(*sealed, second) == data);
    CHECK(open(*sealed, sealing_key::generate()).error().what == kind::not_for_us);
    CHECK(open(*seal(data, first.self()), first) == data);
    CHECK(open(*seal({}, first.self()), first) == bytes{});
}

TEST_CASE("seal: a recipient is added without touching the data")
{
    auto const first = sealing_key::generate();
    auto const later = sealing_key::generate();
    auto const key = content_key::generate();
    auto const stream = sealed_stream(key, as_bytes("job input"));
    std::array const one{first.self()};
    auto whom = *wrap_for(key, one);
    CHECK(unwrap(whom, later).error().what == kind::not_for_us);
    REQUIRE(add_recipient(whom, *unwrap(whom, first), later.self()));
    auto const again = decode<sealed_for>(encode(whom));
    REQUIRE(again);
    CHECK(opened(*unwrap(*again, later), stream) == to_bytes("job input"));
    CHECK(opened(*unwrap(*again, first), stream) == to_bytes("job input"));
}

TEST_CASE("seal: several streams lie under one key that is told elsewhere, and no two look alike")
{
    auto const key = content_key::generate();
    auto const data = some(100'000);
    auto const one = seal(data, key), two = seal(data, key);
    CHECK(one != two);
    CHECK(one.size() == sealed_size(data.size()));
    CHECK(open(one, key) == data);
    CHECK(open(two, key) == data);
    CHECK(open(seal({}, key), key) == bytes{});
    CHECK(open(one, content_key::generate()).error().what == kind::wrong_key);
    CHECK(open(bytes_view{one}.first(one.size() - 1), key).error().what == kind::truncated);
}

TEST_CASE("seal: recipients that make no sense are refused")
{
    auto const key = content_key::generate();
    auto const mine = sealing_key::generate();
    std::array const twice{mine.self(), mine.self()};
    CHECK(wrap_for(key, {}).error().what == kind::bad_recipient);
    CHECK(wrap_for(key, twice).error().what == kind::bad_recipient);
    CHECK(seal({}, sealing_public_key{}).error().what == kind::bad_recipient);
    std::vector<sealing_public_key> many;
    for (std::size_t i = 0; i < sealed_for::recipients_max + 1; ++i)
        many.push_back(sealing_key::generate().self());
    CHECK(wrap_for(key, many).error().what == kind::bad_recipient);
    many.pop_back();
    CHECK(wrap_for(key, many));
}

TEST_CASE("seal: a sealed box cut short or changed in its list of recipients is refused by name")
{
    auto const mine = sealing_key::generate();
    auto const sealed = *seal(as_bytes("data"), mine.self());
    for (std::size_t size = 0; size < sealed.size(); ++size)
        CHECK(open(bytes_view{sealed}.first(size), mine).error().what == kind::truncated);
    auto other = sealed;
    other[0] = std::byte{0};
    CHECK(open(other, mine).error().what == kind::not_for_us);
    other[0] = std::byte{0xff};
    other[1] = std::byte{0xff};
    other[2] = std::byte{0x7f};
    CHECK(open(other, mine).error().what == kind::not_sealed);
    other = sealed;
    other[100] ^= std::byte{1};
    CHECK(open(other, mine).error().what == kind::tampered);
}

TEST_CASE("seal: what was sealed once stays readable")
{
    auto const mine =
        sealing_key::of(secret_key::from_seed(std::array<std::byte, 32>{std::byte{9}}));
    auto const back = open(
        *from_hex("011dfce265508a72f1cb6c1db6eea77aed2965c8da759769eeabb1589790e19c061bbba32176ca8f"
                  "c3373a53096640a0517baf585ec7b72aee0a139836cda2263af3010b69ab68e0fea8807699615b89"
                  "c381df5025f7a0c4809b9795fb3912a7fd5025733627c09133a4e3e9bfd4097b65626c7362015dd1"
                  "4345fc168096a5cd2602e4950d4db9fa13706c88f07ecee07e86807a24bd143c00c976725db22b7f"
                  "54f5797759be9cede22983008240000000001e0000809851fcd6ec8ac56fb786f096808cd5b05e7c"
                  "a941117f6a7c1b73acc35337ca1d8218cc5876b1ba934253c42609884e"),
        mine);
    REQUIRE(back);
    CHECK(as_text(*back) == "sealed once, readable for ever");
}

TEST_CASE("seal: 64 MiB pass through in constant memory")
{
    auto const peak_kib = [] {
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
    };
    auto const key = content_key::generate();
    seal_writer writer{key};
    seal_reader reader{key};
    auto const piece = some(300'000);
    bytes sealed;
    bytes plain;
    std::size_t total = 0;
    auto const pass = [&] {
        REQUIRE(reader.read(sealed, plain));
        sealed.clear();
        total += plain.size();
        plain.clear();
    };
    writer.write(piece, sealed);
    pass();
    auto const before = peak_kib();
    std::size_t written = piece.size();
    for (; written < std::size_t{64} << 20; written += piece.size()) {
        writer.write(piece, sealed);
        pass();
    }
    writer.finish(sealed);
    pass();
    CHECK(reader.finish());
    CHECK(total == written);
    CHECK(peak_kib() - before < 8 << 10);
}
