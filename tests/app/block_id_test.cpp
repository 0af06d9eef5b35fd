// SPDX-License-Identifier: Apache-2.0
#include <blendr/app/block_id.hpp>  // first: it stands alone

#include <doctest/doctest.h>

using namespace blendr;

namespace {

bytes counting(std::size_t size)
{
    bytes out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + 1);
    return out;
}

app::proposal_context somewhere()
{
    app::proposal_context at{{}, height{5}, time_ms{1'700'000'000'000}, {}};
    at.parent[3] = std::byte{9};
    at.proposer = crypto::public_key::ed25519({std::byte{4}});
    return at;
}

}  // namespace

TEST_CASE("block_id: a joined payload splits into its parts")
{
    for (std::size_t const size : {std::size_t{0}, std::size_t{1}, app::payload_head_max}) {
        auto const head = counting(size);
        auto const body = counting(100);
        auto const joined = app::join_payload(head, body);
        auto const parts = app::split_payload(joined);
        CHECK(equal(parts.head, head));
        CHECK(equal(parts.body, body));
        CHECK(app::payload_digest(joined) == app::payload_digest(head, app::body_digest(body)));
    }
}

TEST_CASE("block_id: what does not begin with a head is all body")
{
    auto const claims = [](std::uint32_t size, std::size_t rest) {
        auto raw = encode(size);
        raw.resize(raw.size() + rest);
        return raw;
    };
    for (auto const& raw : {bytes{}, counting(3), claims(2, 1), claims(4097, 5000)}) {
        auto const parts = app::split_payload(raw);
        CHECK(parts.head.empty());
        CHECK(equal(parts.body, raw));
    }
    CHECK(app::payload_digest(claims(0, 0)) != app::payload_digest(bytes{}));
}

TEST_CASE("block_id: every byte of a payload counts")
{
    for (auto const& raw : {counting(80), app::join_payload(counting(20), counting(56))}) {
        auto const digest = app::payload_digest(raw);
        for (std::size_t i = 0; i < raw.size() * 8; ++i) {
            auto changed = raw;
            changed[i / 8] ^= std::byte{1} << (i % 8);
            CHECK(app::payload_digest(changed) != digest);
        }
        auto longer = raw;
        longer.push_back({});
        CHECK(app::payload_digest(longer) != digest);
    }
}

TEST_CASE("block_id: a payload of two hashes is not a head and a body")
{
    auto const head = counting(9);
    auto const body = counting(70);
    bytes fake{};
    append(fake, crypto::hash(app::payload_head_domain, head));
    append(fake, app::body_digest(body));
    CHECK(app::payload_digest(fake) != app::payload_digest(app::join_payload(head, body)));
}

TEST_CASE("block_id: every field counts")
{
    auto const payload = app::payload_digest(counting(10));
    auto const at = somewhere();
    auto const id = app::make_block_id(at, payload);
    auto other = at;
    other.at = height{6};
    CHECK(app::make_block_id(other, payload) != id);
    other = at;
    other.block_time = time_ms{1};
    CHECK(app::make_block_id(other, payload) != id);
    other = at;
    other.parent[0] = std::byte{1};
    CHECK(app::make_block_id(other, payload) != id);
    other = at;
    other.proposer = crypto::public_key::ed25519({std::byte{5}});
    CHECK(app::make_block_id(other, payload) != id);
    CHECK(app::make_block_id(at, app::payload_digest(counting(11))) != id);
}

TEST_CASE("block_id: frozen vectors")
{
    auto const body = counting(1000);
    CHECK(to_hex(app::payload_digest(body)) ==
          "78c5f20253afa49ca5195a1f25c325b87a34b5598b14ab4f3d4e721d9a04f1cd");
    auto const digest = app::payload_digest(app::join_payload(counting(100), body));
    CHECK(to_hex(digest) == "c57aa5937d108481002579256ebbffea5ee3385fe2ea38ff16519973da6fb854");
    CHECK(to_hex(app::make_block_id(somewhere(), digest)) ==
          "dbb6bd964b192eb1f42bc41ba0d600296d217bec798984e4a0a5df6fb67f3a33");
}
