// SPDX-License-Identifier: Apache-2.0
// A payload decodes into a block that encodes into the same payload and has the engine's id, or is
// refused. A header alone is held to the same.
#include <cstdint>
#include <cstdlib>

#include <blendr/ledger/block.hpp>
#include <blendr/ledger/receipt.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace blendr;
    using namespace blendr::ledger;
    auto const require = [](bool holds) {
        if (!holds) std::abort();
    };
    auto const raw = std::as_bytes(std::span{data, size});
    if (auto const block = decode_block(raw)) {
        require(encode_block(block->head, block->transactions) == to_bytes(raw));
        require(id_of(block->head, app::body_digest(block->body)) ==
                app::make_block_id(context_of(block->head), app::payload_digest(raw)));
    }
    if (auto const head = decode_header(raw)) require(encode(*head) == to_bytes(raw));
    if (auto const one = decode<receipt>(raw)) require(encode(*one) == to_bytes(raw));
    auto const parts = app::split_payload(raw);
    require(parts.body.size() <= size && parts.head.size() <= app::payload_head_max);
    return 0;
}
