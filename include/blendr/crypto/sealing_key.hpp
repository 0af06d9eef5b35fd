// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/secret.hpp>

namespace blendr::crypto {

/// Why something sealed was refused, and in which chunk of it.
struct seal_error {
    enum class kind : std::uint8_t {
        not_sealed = 1,  ///< no sealed data, or of a version that this software does not know
        truncated = 2,   ///< ends before its last chunk does
        reordered = 3,   ///< a chunk is not the one whose turn it is: moved, repeated or left out
        tampered = 4,    ///< a chunk, or a wrapped key, is not as it was sealed
        trailing = 5,    ///< goes on behind its last chunk
        wrong_key = 6,   ///< sealed under another content key
        not_for_us = 7,  ///< the key is wrapped for others only
        bad_recipient =
            8,  ///< a recipient's key that no honest key is, one named twice, none, or too many
    };
    kind what{};
    std::uint64_t chunk{};

    friend bool operator==(seal_error const&, seal_error const&) = default;
};

/// A sentence for people.
std::string message(seal_error const& e);

/// Where sealed data may be sent to: an X25519 key, published beside the key that signs.
struct sealing_public_key {
    std::array<std::byte, 32> raw{};

    friend bool operator==(sealing_public_key const&, sealing_public_key const&) = default;
    friend auto operator<=>(sealing_public_key const&, sealing_public_key const&) = default;
};
BOOST_DESCRIBE_STRUCT(sealing_public_key, (), (raw))

/// A content key as one recipient can open it: 112 bytes. It lies apart from the data, so another
/// recipient can be added, or the data moved, without touching the data.
struct wrapped_key {
    sealing_public_key to{};
    std::array<std::byte, 32> ephemeral{};  ///< the sender's half of a key used this once
    std::array<std::byte, 48> box{};        ///< the content key, encrypted and authenticated

    friend bool operator==(wrapped_key const&, wrapped_key const&) = default;
};
BOOST_DESCRIBE_STRUCT(wrapped_key, (), (to, ephemeral, box))

/// What data is sealed under: 32 random bytes, a fresh one for each piece of data.
class content_key {
public:
    static content_key generate() { return content_key{secret::random(32)}; }

    /// For one recipient. Refuses a public key that would make the wrapping key predictable. Nothing in
    /// it says who wrapped it: sign the data, or a hash of it, where that matters.
    result<wrapped_key, seal_error> wrap(sealing_public_key const& to) const;

    secret const& bytes() const noexcept { return key_; }

private:
    friend class sealing_key;
    explicit content_key(secret key) noexcept : key_{std::move(key)} {}

    secret key_;
};

/// The key that opens what was sealed for its public half. Moves, never copies, never prints.
class sealing_key {
public:
    static sealing_key generate();
    /// The one that belongs to a signing key: derived from it, so that one seed is all there is to keep.
    static sealing_key of(secret_key const& owner);
    /// From 32 secret bytes.
    static sealing_key from_seed(secret const& seed);

    sealing_public_key const& self() const noexcept { return self_; }

    /// The content key, when it was wrapped for us.
    result<content_key, seal_error> unwrap(wrapped_key const& wrapped) const;

private:
    friend class content_key;
    sealing_key() = default;
    result<wrapped_key, seal_error> wrap(content_key const& key,
                                         sealing_public_key const& to) const;

    secret scalar_;
    sealing_public_key self_;
};

}  // namespace blendr::crypto
