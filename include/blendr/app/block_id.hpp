// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include <blendr/app/types.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::app {

inline constexpr crypto::domain block_id_domain{"block.id/1"};
inline constexpr crypto::domain payload_head_domain{"payload.head/1"};
inline constexpr crypto::domain payload_body_domain{"payload.body/1"};
inline constexpr crypto::domain payload_domain{"payload/1"};
inline constexpr crypto::domain payload_plain_domain{"payload.plain/1"};

/// The most bytes that a payload may call its head. What claims more is all body.
inline constexpr std::size_t payload_head_max = 4096;

/// A payload in its two parts. A payload may begin with its head's length (4 bytes, lowest first) and
/// the head: what a light client wants to see. The rest is the body. To everybody else a payload
/// stays plain bytes, and one that does not begin so is all body.
struct payload_parts {
    bytes_view head{};
    bytes_view body{};
};

inline payload_parts split_payload(bytes_view payload) noexcept
{
    reader in{payload};
    std::uint32_t size = 0;
    if (read(in, size) && size <= payload_head_max && size <= in.left())
        return {payload.subspan(sizeof size, size), payload.subspan(sizeof size + size)};
    return {{}, payload};
}

/// The payload that splits into these parts. `head` must not exceed payload_head_max.
inline bytes join_payload(bytes_view head, bytes_view body)
{
    BLENDR_ASSERT(head.size() <= payload_head_max);
    bytes out{};
    out.reserve(sizeof(std::uint32_t) + head.size() + body.size());
    append(out, static_cast<std::uint32_t>(head.size()));
    out.insert(out.end(), head.begin(), head.end());
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

/// The digest of a payload's body, all that a light client needs of it.
inline hash256 body_digest(bytes_view body) noexcept
{
    return crypto::hash(payload_body_domain, body);
}

/// A payload's digest from its head and its body's digest.
inline hash256 payload_digest(bytes_view head, hash256 const& body) noexcept
{
    return crypto::hash(payload_domain, crypto::hash(payload_head_domain, head), body);
}

/// Commits to every byte of a payload: two payloads with one digest do not exist.
inline hash256 payload_digest(bytes_view payload) noexcept
{
    auto const parts = split_payload(payload);
    // a domain of its own: no bytes may stand in for two hashes, nor for an empty head and a body
    if (parts.head.data() == nullptr) return crypto::hash(payload_plain_domain, payload);
    return payload_digest(parts.head, body_digest(parts.body));
}

/// A block's name: a hash of where it stands and of its payload's digest, so that whoever has the
/// fields and the digest can check a certificate over the name without the payload.
inline block_id make_block_id(proposal_context const& at, hash256 const& payload)
{
    crypto::hasher out{block_id_domain};
    auto const fields = encode(at);
    out.update(fields).update(payload);
    return out.finish();
}

}  // namespace blendr::app
