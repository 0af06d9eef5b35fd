// SPDX-License-Identifier: Apache-2.0
// Whatever a stranger says, a handshake answers with an error or waits, in bounded memory. The first byte picks the side.
#include <array>
#include <cstddef>
#include <cstdint>

#include <blendr/core/assert.hpp>
#include <blendr/net/handshake.hpp>

using namespace blendr;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    if (size == 0) return 0;
    static crypto::identity const me{
        crypto::secret_key::from_seed(std::array<std::byte, 32>{std::byte{1}})};
    bool const dials = (data[0] & 1) != 0;
    net::handshake h{dials ? net::handshake::side::dialler : net::handshake::side::listener,
                     net::handshake_options{me}};
    h.begin();
    bytes_view in{reinterpret_cast<std::byte const*>(data) + 1, size - 1};
    bytes out{};
    while (!in.empty() && !h.done()) {
        auto piece = in.first(std::min<std::size_t>(in.size(), 1 + (data[0] >> 1)));
        in = in.subspan(piece.size());
        if (!h.feed(piece, out)) break;
    }
    BLENDR_ASSERT(!h.done());  // nobody signs by chance
    BLENDR_ASSERT(out.size() < 2048);
    return 0;
}
