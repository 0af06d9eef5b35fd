// SPDX-License-Identifier: Apache-2.0
// Any bytes on a connection: every answer is whole and well formed, the first answers do not depend on how the
// bytes were cut, and the application never stops because of them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <blendr/abci/frame.hpp>
#include <blendr/abci/server.hpp>
#include <blendr/app/tally.hpp>
#include <blendr/core/assert.hpp>

namespace {

using namespace blendr;

bytes answers(bytes_view stream, std::size_t cut, bool& broken)
{
    app::tally sum{{{crypto::public_key{}, weight{1}}}};
    abci::server<app::tally> node{sum, {.frame_bytes_max = 1 << 16}};
    abci::session to{node.answers()};
    bytes all{};
    bytes out{};
    auto const take = [&](bytes_view piece) {
        auto how = to.receive(piece, out);
        for (;;) {
            all.insert(all.end(), out.begin(), out.end());
            out.clear();
            if (how != abci::session::state_of::full) break;
            how = to.receive({}, out);
        }
        return how != abci::session::state_of::broken;
    };
    broken = !take(stream.first(cut)) || !take(stream.subspan(cut));
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    auto const stream = std::as_bytes(std::span{data, size});
    bool broken = false;
    bool also_broken = false;
    auto const whole = answers(stream, 0, broken);
    BLENDR_ASSERT(answers(stream, size / 2, also_broken) == whole);
    BLENDR_ASSERT(broken == also_broken);
    abci::frame_reader in{};
    in.feed(whole);
    for (;;) {
        auto const next = in.next();
        BLENDR_ASSERT(next.has_value());
        if (!*next) break;
        BLENDR_ASSERT(!(*next)->empty());
    }
    BLENDR_ASSERT(in.waiting() == 0);
    return 0;
}
