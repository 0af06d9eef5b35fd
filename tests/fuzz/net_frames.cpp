// SPDX-License-Identifier: Apache-2.0
// Two readers: one of frames sealed with the key it knows, made from the input, one of the input as it is.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <blendr/core/assert.hpp>
#include <blendr/net/frames.hpp>
#include <blendr/net/websocket.hpp>

using namespace blendr;

namespace {

void read(bytes_view stream)
{
    net::frame_reader in{
        net::frame_key{net::cipher::xchacha20_poly1305, std::array<std::byte, 32>{}}};
    net::message_limits limits{};
    limits.bytes_max.fill(200'000);
    net::assembler parts{limits};
    while (!stream.empty()) {
        auto const room = in.room();
        auto const size = std::min(room.size(), stream.size());
        std::copy_n(stream.begin(), size, room.begin());
        in.took(size);
        stream = stream.subspan(size);
        for (;;) {
            auto const part = in.next();
            if (!part) return;
            if (!*part) break;
            auto const whole = parts.add(**part);
            BLENDR_ASSERT(parts.held() <= 5 * 400'000);
            if (!whole) return;
            if (*whole) BLENDR_ASSERT((*whole)->size() <= 200'000);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    bytes_view const raw{reinterpret_cast<std::byte const*>(data), size};
    read(raw);

    // Well sealed, badly cut: lanes and ends as the input says.
    net::frame_key out{net::cipher::xchacha20_poly1305, std::array<std::byte, 32>{}};
    bytes stream{};
    for (std::size_t at = 0; at + 2 <= size; at += 2) {
        auto const length =
            std::min<std::size_t>(size - at, data[at + 1] == 255 ? 65'536 : data[at + 1]);
        auto const part = raw.subspan(at, length);
        auto const before = stream.size();
        stream.resize(before + net::frame_head + part.size() + net::frame_tag);
        out.seal(data[at] & 3, (data[at] & 4) != 0, part, stream.data() + before);
    }
    read(stream);

    net::websocket::parser p{1000};
    p.feed({reinterpret_cast<char const*>(data), size});
    net::websocket::incoming m{};
    for (;;) {
        auto const got = p.next(m);
        if (!got || !*got) break;
        BLENDR_ASSERT(m.payload.size() <= 1000);
    }
    return 0;
}
