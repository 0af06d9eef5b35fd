// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/sync.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <map>
#include <string>

#include <blendr/app/block_id.hpp>

#include "common.hpp"

using namespace blendr;
using namespace blendr::node;

namespace {

struct history_of {
    explicit history_of(std::uint64_t count, std::uint64_t payload = 100, char tint = 'x')
    {
        block_id parent{};
        for (std::uint64_t h = 1; h <= count; ++h) {
            app::proposal_context const at{
                parent, height{h}, time_ms{static_cast<std::int64_t>(h)}, {}};
            bytes body = to_bytes(std::string(payload, tint) + std::to_string(h));
            auto const digest = app::payload_digest(body);
            parent = app::make_block_id(at, digest);
            headers.push_back({at, digest});
            ids.push_back(parent);
            bodies.push_back(std::move(body));
        }
    }
    /// What an honest node answers; every third block is final by itself.
    sync_message answer(sync_message const& asked) const
    {
        if (auto const* a = std::get_if<ask_headers>(&asked)) {
            sync_headers out{};
            std::size_t whole = 0;
            for (auto h = a->from.get(); h <= headers.size() && out.row.size() < a->count; ++h) {
                out.row.push_back(headers[h - 1]);
                if (final_at(h)) whole = out.row.size();
            }
            out.row.resize(whole);
            if (whole > 0) static_cast<bytes&>(out.finality) = proof(a->from.get() + whole - 1);
            return out;
        }
        auto const& a = std::get<ask_bodies>(asked);
        sync_bodies out{a.from, {}};
        for (auto h = a.from.get(); h <= headers.size() && out.row.size() < a.count; ++h)
            out.row.push_back({bodies[h - 1], final_at(h) ? proof(h) : bytes{}});
        return out;
    }
    bool final_at(std::uint64_t h) const { return h % 3 == 0 || h == headers.size(); }
    bytes proof(std::uint64_t h) const { return to_bytes(ids[h - 1]); }

    std::vector<sync_header> headers{};
    std::vector<block_id> ids{};
    std::vector<bytes> bodies{};
};

crypto::public_key peer(std::uint8_t n) { return test::person(n).self(); }

block_sync make(std::vector<block_id> const& truth)
{
    return block_sync{{}, {}, 8, [truth](consensus::decide::entry const& b, bytes_view proof) {
                          auto const h = b.at.at.get();
                          return h <= truth.size() && truth[h - 1] == b.id && equal(proof, b.id);
                      }};
}

struct run {
    std::map<crypto::public_key, std::size_t> asked{};
    std::uint64_t adopted = 0;
    std::size_t refused = 0;
};

/// Everybody answers with its chain; who has none is silent.
run drive(block_sync& sync, std::map<crypto::public_key, history_of const*> const& who,
          std::vector<block_id> const& truth, int rounds = 400)
{
    run out{};
    time_ms now{1'000};
    for (auto const& [key, c] : who) {
        sync.joined(key);
        block_sync::sends ignored{};
        sync.take(key, sync_status{height{1}, height{c != nullptr ? c->headers.size() : 1'000'000}},
                  now, ignored);
    }
    for (int i = 0; i < rounds && out.adopted < truth.size(); ++i) {
        now = now + std::int64_t{100};
        block_sync::sends sends{};
        sync.tick(now, sends);
        for (auto const& [to, raw] : sends) {
            ++out.asked[to];
            auto const* c = who.at(to);
            if (c == nullptr) continue;
            block_sync::sends ignored{};
            if (!sync.take(to, c->answer(*decode<sync_message>(raw)), now, ignored)) ++out.refused;
        }
        for (auto row = sync.ready(64); !row.empty(); row = sync.ready(64)) {
            for (auto const& each : row) {
                CHECK(each.block.id == truth[out.adopted]);
                ++out.adopted;
            }
            sync.advance(row.back().block.at.at, row.back().block.id);
        }
    }
    return out;
}

}  // namespace

TEST_CASE("sync: a long chain is fetched from everybody who has it, in order")
{
    history_of const c{3000};
    auto sync = make(c.ids);
    auto const out = drive(sync, {{peer(1), &c}, {peer(2), &c}, {peer(3), &c}}, c.ids);
    CHECK(out.adopted == 3000);
    CHECK(out.asked.size() == 3);
    for (auto const& [key, count] : out.asked) CHECK(count > 15);
}

TEST_CASE("sync: who is silent, claims what it has not or shows another chain does not stop it")
{
    history_of const c{600};
    history_of const forged{900, 100, 'y'};
    auto sync = make(c.ids);
    auto const out =
        drive(sync, {{peer(1), &c}, {peer(2), nullptr}, {peer(3), &forged}}, c.ids, 3000);
    CHECK(out.adopted == 600);
}

TEST_CASE("sync: a body that is not the one named is refused, and fetched from another")
{
    history_of const c{200};
    history_of bent = c;
    for (auto& each : bent.bodies) each[0] ^= std::byte{1};
    auto sync = make(c.ids);
    auto const out = drive(sync, {{peer(1), &c}, {peer(2), &bent}}, c.ids, 3000);
    CHECK(out.adopted == 200);
    CHECK(out.refused > 0);
}

TEST_CASE("sync: somebody slightly behind asks for nothing: the engine's own catching up serves")
{
    history_of const c{5};
    auto sync = make(c.ids);
    auto const out = drive(sync, {{peer(1), &c}}, c.ids, 50);
    CHECK(out.asked.empty());
}

TEST_CASE("sync: what lies ahead in memory is bounded")
{
    history_of const c{9000, 30};
    auto sync = make(c.ids);
    sync.joined(peer(1));
    time_ms now{1'000};
    block_sync::sends out{};
    sync.take(peer(1), sync_status{height{1}, height{9000}}, now, out);
    for (int i = 0; i < 300; ++i) {
        now = now + std::int64_t{10};
        out.clear();
        sync.tick(now, out);
        for (auto const& [to, raw] : out) {
            block_sync::sends ignored{};
            sync.take(to, c.answer(*decode<sync_message>(raw)), now, ignored);
        }
    }
    CHECK(sync.certain() <= height{block_sync::headers_ahead_max + sync_headers_more});
    CHECK(sync.certain() > height{3000});
}
