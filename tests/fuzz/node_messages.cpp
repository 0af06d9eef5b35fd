// SPDX-License-Identifier: Apache-2.0
// What peers tell each other of blocks and states: decoding yields the one value that encodes so, and what is said to the
// machines behind it changes nothing but what they ask for.
#include <array>
#include <cstdint>

#include <blendr/core/assert.hpp>
#include <blendr/node/snapshot_sync.hpp>
#include <blendr/node/sync.hpp>

using namespace blendr;

namespace {

/// A state that takes nothing in.
struct closed final : node::state_pieces {
    std::vector<app::snapshot> snapshots() const override { return {}; }
    std::optional<bytes> chunk(height, std::uint32_t) const override { return std::nullopt; }
    bool offer(app::snapshot const&, hash256 const&) override { return false; }
    app::chunk_verdict restore(std::uint32_t, bytes_view) override
    {
        return app::chunk_verdict::corrupt;
    }
};

template <class Message>
std::optional<Message> one_way(bytes_view in)
{
    auto said = decode<Message>(in);
    if (!said) return std::nullopt;
    auto const again = encode(*said);
    BLENDR_ASSERT(equal(again, in));
    return *std::move(said);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    bytes_view const in{reinterpret_cast<std::byte const*>(data), size};
    static auto const who = crypto::public_key::ed25519(std::array<std::byte, 32>{std::byte{1}});
    auto const never = [](auto const&...) { return false; };
    if (auto const said = one_way<node::sync_message>(in)) {
        node::block_sync sync{height{}, {}, 4, never};
        sync.joined(who);
        node::block_sync::sends out{};
        sync.take(who, node::sync_status{height{1}, height{1000}}, time_ms{}, out);
        sync.tick(time_ms{}, out);
        sync.take(who, *said, time_ms{1}, out);
        sync.tick(time_ms{2}, out);
        BLENDR_ASSERT(sync.certain() == height{} && sync.ready(64).empty());
    }
    if (auto const said = one_way<node::state_message>(in)) {
        closed state{};
        node::snapshot_sync sync{{{who, weight{1}}},
                                 {},
                                 never,
                                 state,
                                 {[](height, std::uint32_t, bytes_view) {},
                                  [](height, std::uint32_t) { return std::optional<bytes>{}; }}};
        sync.joined(who);
        node::snapshot_sync::sends out{};
        sync.tick(time_ms{}, out);
        sync.take(who, *said, time_ms{1});
        sync.tick(time_ms{2}, out);
        BLENDR_ASSERT(!sync.done() && sync.so_far().trail == height{});
    }
    return 0;
}
