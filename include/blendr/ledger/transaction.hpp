// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/crypto/strict.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/types.hpp>

namespace blendr::ledger {

/// What a transaction's id and its signature are about.
inline constexpr crypto::domain transaction_domain{"transaction/1"};

inline constexpr std::uint8_t transaction_version = 1;
inline constexpr std::size_t transaction_bytes_max = std::size_t{64} << 10;
inline constexpr std::size_t messages_max = 64;

/// What one contract is asked to do. The body is the contract's own described aggregate, encoded;
/// the envelope does not look inside.
struct wire_message {
    std::uint16_t contract{};
    std::uint16_t index{};  ///< which of the contract's messages
    bounded<bytes, transaction_bytes_max> body{};

    friend bool operator==(wire_message const&, wire_message const&) = default;
};
BOOST_DESCRIBE_STRUCT(wire_message, (), (contract, index, body))

/// Messages that happen all together or not at all, and what the sender pays for them.
/// The fee is gas × base fee + tip; the transaction waits while that is above `fee_max`.
struct transaction {
    std::uint8_t version = transaction_version;
    chain_id chain{};
    shard_id shard{};
    crypto::public_key sender{};
    nonce sequence{};  ///< the sender's next one
    amount fee_max{};
    amount tip{};      ///< to the proposer, whole
    height expires{};  ///< the last height whose block may hold it
    bounded<std::vector<wire_message>, messages_max> messages{};
    crypto::signature signature{};  ///< over everything before it

    friend bool operator==(transaction const&, transaction const&) = default;
};
BOOST_DESCRIBE_STRUCT(transaction, (),
                      (version, chain, shard, sender, sequence, fee_max, tip, expires, messages,
                       signature))

namespace impl {

struct body_size {
    std::size_t prefix{};
    std::size_t body{};
};

/// A varint that was checked when the transaction was decoded.
inline body_size message_body_size(std::byte const* at) noexcept
{
    body_size out{};
    for (unsigned shift = 0;; shift += 7) {
        auto const b = std::to_integer<std::size_t>(at[out.prefix++]);
        out.body |= (b & 0x7f) << shift;
        if (b < 0x80) return out;
    }
}

}  // namespace impl

/// What `transaction_view` shows of a message, in place.
struct message_view {
    std::uint16_t contract{};
    std::uint16_t index{};
    bytes_view body{};
};

/// The messages of a decoded transaction, one after the other. Cheap to copy.
class message_list {
public:
    class iterator {
    public:
        using value_type = message_view;
        using difference_type = std::ptrdiff_t;
        iterator() = default;
        explicit iterator(std::byte const* at) noexcept : at_{at} {}
        message_view operator*() const noexcept;
        iterator& operator++() noexcept;
        iterator operator++(int) noexcept
        {
            auto const before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(iterator, iterator) = default;

    private:
        std::byte const* at_ = nullptr;
    };

    message_list() = default;
    message_list(bytes_view checked, std::size_t count) noexcept : raw_{checked}, count_{count} {}

    iterator begin() const noexcept { return iterator{raw_.data()}; }
    iterator end() const noexcept { return iterator{raw_.data() + raw_.size()}; }
    std::size_t size() const noexcept { return count_; }

private:
    bytes_view raw_{};
    std::size_t count_{};
};

/// A transaction seen in its bytes, which must outlive it. Decoding allocates nothing, reads each byte
/// at most once and leaves message bodies alone; it accepts exactly what `decode<transaction>` does, less
/// what no chain takes: an unknown version, a sender or signature of no scheme, no messages, oversize.
struct transaction_view {
    bytes_view raw{};
    bytes_view signed_part{};  ///< what the id and the signature are over: all but the signature
    chain_id chain{};
    shard_id shard{};
    crypto::public_key sender{};
    nonce sequence{};
    amount fee_max{};
    amount tip{};
    height expires{};
    message_list messages{};
    crypto::signature signature{};

    /// Names a transaction: the hash of all but its signature, in the transaction domain. It is also
    /// exactly what is signed, so one hash serves both.
    hash256 id() const noexcept { return crypto::hash(transaction_domain, signed_part); }

    /// The sender's key as it is encoded: what the sender's address is a hash of.
    bytes_view encoded_sender() const noexcept
    {
        return raw.subspan(sender_offset, 2 + sender.raw().size());
    }
    static constexpr std::size_t sender_offset = 11;  // after version, chain and shard
};

/// Bounded, without allocation; what it refuses has a code. Checks no signature.
result<transaction_view, reject> decode_transaction(bytes_view raw) noexcept;

/// Whether the signature is good, given the id.
inline bool well_signed(transaction_view const& tx, hash256 const& id) noexcept
{
    return crypto::verify_strict(tx.sender, id, tx.signature);
}

/// All but the signature, as it is hashed and signed.
bytes signed_part(transaction const& tx);

/// Names the sender and signs.
void sign(transaction& tx, crypto::identity const& by);

/// The same name that a view of the encoding has.
inline hash256 id_of(transaction const& tx)
{
    return crypto::hash(transaction_domain, signed_part(tx));
}

inline message_view message_list::iterator::operator*() const noexcept
{
    auto const size = impl::message_body_size(at_ + 4);
    return {blendr::impl::load_little<std::uint16_t>(at_),
            blendr::impl::load_little<std::uint16_t>(at_ + 2),
            {at_ + 4 + size.prefix, size.body}};
}

inline auto message_list::iterator::operator++() noexcept -> iterator&
{
    auto const size = impl::message_body_size(at_ + 4);
    at_ += 4 + size.prefix + size.body;
    return *this;
}

}  // namespace blendr::ledger
