// SPDX-License-Identifier: Apache-2.0
#include <blendr/ledger/transaction.hpp>

#include <array>
#include <cstring>

#include <blendr/core/assert.hpp>

namespace blendr::ledger {

namespace {

using blendr::impl::load_little;

// Field after field as the codec writes them; a key and a signature are scheme, length, bytes.
constexpr std::size_t at_chain = 1;
constexpr std::size_t at_shard = at_chain + 8;
constexpr std::size_t at_sender = at_shard + 2;
static_assert(at_sender == transaction_view::sender_offset);
constexpr std::size_t key_size = 32;
constexpr std::size_t at_sequence = at_sender + 2 + key_size;
constexpr std::size_t at_fee_max = at_sequence + 8;
constexpr std::size_t at_tip = at_fee_max + 16;
constexpr std::size_t at_expires = at_tip + 16;
constexpr std::size_t fixed_size = at_expires + 8;
constexpr std::size_t signature_size = 64;
constexpr auto ed25519 = std::byte{1};

reject from(decode_error const& why) noexcept
{
    return why.what == decode_fault::truncated ? reject::truncated : reject::not_canonical;
}

template <class Tagged, std::size_t N>
result<nothing, reject> read_tagged(reader& in, reject wrong_length, Tagged& out) noexcept
{
    auto const* const head = in.take(1);
    if (head == nullptr) return fail{reject::truncated};
    if (*head != ed25519) return fail{reject::unknown_scheme};
    std::uint64_t size = 0;
    if (!in.read_varint(size, transaction_bytes_max)) return fail{from(in.error())};
    if (size != N) return fail{wrong_length};
    auto const* const raw = in.take(N);
    if (raw == nullptr) return fail{reject::truncated};
    std::array<std::byte, N> copy;
    std::memcpy(copy.data(), raw, N);
    out = Tagged::ed25519(copy);
    return nothing{};
}

result<message_list, reject> read_messages(reader& in, bytes_view raw) noexcept
{
    std::uint64_t count = 0;
    if (!in.read_varint(count, transaction_bytes_max)) return fail{from(in.error())};
    if (count == 0) return fail{reject::no_messages};
    if (count > messages_max) return fail{reject::too_many_messages};
    auto const begin = in.offset();
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t size = 0;
        if (in.take(4) == nullptr) return fail{reject::truncated};
        if (!in.read_varint(size, transaction_bytes_max)) return fail{from(in.error())};
        if (in.take(size) == nullptr) return fail{reject::truncated};
    }
    return message_list{raw.subspan(begin, in.offset() - begin), count};
}

}  // namespace

result<transaction_view, reject> decode_transaction(bytes_view raw) noexcept
{
    if (raw.size() > transaction_bytes_max) return fail{reject::oversize};
    if (raw.empty()) return fail{reject::truncated};
    if (raw[0] != std::byte{transaction_version}) return fail{reject::unknown_version};
    if (raw.size() < at_sender) return fail{reject::truncated};

    reader in{raw};
    in.take(at_sender);
    auto out = result<transaction_view, reject>{};
    auto& tx = *out;
    tx.raw = raw;
    BLENDR_CHECK(
        read_tagged<crypto::public_key, key_size>(in, reject::wrong_key_length, tx.sender));
    if (in.take(fixed_size - at_sequence) == nullptr) return fail{reject::truncated};
    auto const* const p = raw.data();
    tx.chain = chain_id{load_little<std::uint64_t>(p + at_chain)};
    tx.shard = shard_id{load_little<std::uint16_t>(p + at_shard)};
    tx.sequence = nonce{load_little<std::uint64_t>(p + at_sequence)};
    tx.fee_max = amount{load_little<u128>(p + at_fee_max)};
    tx.tip = amount{load_little<u128>(p + at_tip)};
    tx.expires = height{load_little<std::uint64_t>(p + at_expires)};
    BLENDR_TRY(tx.messages, read_messages(in, raw));
    tx.signed_part = raw.first(in.offset());
    BLENDR_CHECK(read_tagged<crypto::signature, signature_size>(in, reject::wrong_signature_length,
                                                                tx.signature));
    if (in.left() != 0) return fail{reject::trailing_bytes};
    return out;
}

bytes signed_part(transaction const& tx)
{
    auto const whole = encode(tx);
    auto const size = whole.size() - encoded_size(tx.signature);
    return to_bytes(bytes_view{whole}.first(size));
}

void sign(transaction& tx, crypto::identity const& by)
{
    tx.sender = by.self();
    tx.signature = by.sign(transaction_domain, signed_part(tx));
}

}  // namespace blendr::ledger
