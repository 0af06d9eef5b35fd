// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include <blendr/core/bytes.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/keys.hpp>
#include <blendr/crypto/secret.hpp>

namespace blendr::crypto {

/// An Ed25519 key that can sign, kept in a `secret`. Moves, never copies, never prints.
class secret_key {
public:
    /// A fresh one from the system's generator.
    static secret_key generate();
    /// Always the same one from the same 32 bytes. Wipes nothing: the seed is the caller's.
    static secret_key from_seed(std::span<std::byte const, 32> seed);

    public_key const& self() const noexcept { return self_; }

    /// Signs `hash(about, message)`: 32 bytes whatever the message, so a signature made in one domain
    /// says nothing in another, and whoever verifies hashes once and checks one short block.
    signature sign(domain const& about, bytes_view message) const noexcept;

    /// Another secret of 32 bytes that only this key's owner can make: one seed in the keystore serves
    /// every purpose, and none of them tells anything about the others.
    secret derive(domain const& purpose) const;

    /// The 32 bytes that it came from, for a keystore.
    bytes_view expose_seed() const noexcept { return expanded_.expose().first(32); }

private:
    secret_key() = default;

    secret expanded_;  // seed, then public key, as the library wants them
    public_key self_;
};

/// Somebody who signs: what an engine or a node is given. Copies share one key, whose bytes exist
/// once; it goes, wiped, with the last of them. Signing is safe from several threads.
class identity {
public:
    explicit identity(secret_key key) : key_{std::make_shared<secret_key const>(std::move(key))} {}

    public_key const& self() const noexcept { return key_->self(); }
    address account() const noexcept { return address_of(self()); }
    signature sign(domain const& about, bytes_view message) const noexcept
    {
        return key_->sign(about, message);
    }
    secret_key const& key() const noexcept { return *key_; }

private:
    std::shared_ptr<secret_key const> key_;
};

}  // namespace blendr::crypto
