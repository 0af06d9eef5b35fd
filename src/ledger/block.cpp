// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/block.hpp>

namespace blendr::ledger {

result<header, reject> decode_header(bytes_view head)
{
    if (head.empty()) return fail{reject::malformed_block};
    if (head[0] != std::byte{header_version}) return fail{reject::unknown_version};
    auto decoded = decode<header>(head);
    if (!decoded) return fail{reject::malformed_block};
    if (decoded->proposer.empty()) return fail{reject::unknown_scheme};
    return *std::move(decoded);
}

result<block_view, reject> decode_block(bytes_view payload)
{
    if (payload.size() > block_bytes_max) return fail{reject::oversize_block};
    auto const parts = app::split_payload(payload);
    block_view out{};
    BLENDR_TRY(out.head, decode_header(parts.head));
    out.body = parts.body;

    reader in{parts.body};
    std::uint64_t count = 0;
    if (!in.read_varint(count, block_bytes_max)) return fail{reject::malformed_block};
    if (count > block_transactions_max) return fail{reject::too_many_transactions};
    if (count > in.left()) return fail{reject::malformed_block};
    out.transactions.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t size = 0;
        if (!in.read_varint(size, block_bytes_max)) return fail{reject::malformed_block};
        auto const* const raw = in.take(size);
        if (raw == nullptr) return fail{reject::malformed_block};
        out.transactions.emplace_back(raw, size);
    }
    if (in.left() != 0) return fail{reject::malformed_block};
    return out;
}

bytes encode_block(header const& head, std::span<bytes_view const> transactions)
{
    using blendr::impl::varint_size;
    using blendr::impl::write_varint;
    auto const first = encode(head);
    BLENDR_ASSERT(first.size() <= app::payload_head_max);
    std::size_t size = sizeof(std::uint32_t) + first.size() + varint_size(transactions.size());
    for (auto const& each : transactions) size += varint_size(each.size()) + each.size();

    bytes out(size);
    auto* to = blendr::impl::store_little(static_cast<std::uint32_t>(first.size()), out.data());
    to = std::copy(first.begin(), first.end(), to);
    to = write_varint(transactions.size(), to);
    for (auto const& each : transactions) {
        to = write_varint(each.size(), to);
        to = std::copy(each.begin(), each.end(), to);
    }
    BLENDR_ASSERT(to == out.data() + out.size());
    return out;
}

result<nothing, reject> check_place(header const& head, app::proposal_context const& at)
{
    if (head.parent != at.parent) return fail{reject::wrong_parent};
    if (head.at != at.at) return fail{reject::wrong_height};
    if (head.block_time != at.block_time) return fail{reject::wrong_time};
    if (head.proposer != at.proposer) return fail{reject::wrong_proposer};
    return nothing{};
}

result<nothing, reject> check_follows(header const& head, header const& parent)
{
    if (head.chain != parent.chain || head.shard != parent.shard)
        return fail{reject::block_wrong_chain};
    auto const next = add(parent.at, std::uint64_t{1});
    if (!next || head.at != *next) return fail{reject::wrong_height};
    if (head.block_time <= parent.block_time) return fail{reject::wrong_time};
    return nothing{};
}

result<nothing, reject> check_roots(header const& head, roots const& after_parent)
{
    if (head.after_parent.state != after_parent.state) return fail{reject::wrong_state_root};
    if (head.after_parent.receipts != after_parent.receipts)
        return fail{reject::wrong_receipts_root};
    if (head.after_parent.validators != after_parent.validators)
        return fail{reject::wrong_validators_root};
    return nothing{};
}

}  // namespace blendr::ledger
