// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include <blendr/core/bytes.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/secret.hpp>

namespace blendr::crypto {

/// Why a keystore could not be read or written.
struct keystore_error {
    enum class kind : std::uint8_t {
        not_a_keystore = 1,    ///< begins otherwise
        unknown_version = 2,   ///< made by later software
        truncated = 3,         ///< shorter than a keystore
        tampered = 4,          ///< its checksum or its seal is broken
        wrong_passphrase = 5,  ///< or its salt was changed by somebody who also mended the checksum
        too_costly = 6,        ///< asks for more work or memory than any keystore of ours
        no_memory = 7,         ///< the system does not give the memory that opening takes
        exists = 8,            ///< there is a file already, and it is left alone
        missing = 9,           ///< there is no such file
        exposed = 10,          ///< others than the owner may read or write the file
        system = 11,           ///< the system refused; `detail` says what
    };
    kind what{};
    std::string detail{};  ///< the path, and the system's words

    friend bool operator==(keystore_error const&, keystore_error const&) = default;
};

/// A sentence for people.
std::string message(keystore_error const& e);

/// How hard guessing a passphrase is made (Argon2id). Stored in the keystore, so it can grow later.
struct keystore_cost {
    std::uint64_t passes = 3;
    std::uint64_t memory_bytes = std::uint64_t{256} << 20;

    static constexpr std::uint64_t passes_max = 16;
    static constexpr std::uint64_t memory_bytes_min = 8192;
    static constexpr std::uint64_t memory_bytes_max = std::uint64_t{1} << 30;

    /// About 0.4 s and 256 MiB: for keys that own something.
    static constexpr keystore_cost normal() noexcept { return {}; }
    /// About 0.06 s and 64 MiB: for servers that restart often.
    static constexpr keystore_cost quick() noexcept { return {2, std::uint64_t{64} << 20}; }
    /// No protection worth the name: for tests and local networks.
    static constexpr keystore_cost none() noexcept { return {1, memory_bytes_min}; }

    friend bool operator==(keystore_cost const&, keystore_cost const&) = default;
};

/// A signing key under a passphrase: 211 bytes. The public key and the cost can be read without the
/// passphrase, but not changed.
result<bytes, keystore_error> seal_keystore(secret_key const& key, secret const& passphrase,
                                            keystore_cost const& cost = keystore_cost::normal());
result<secret_key, keystore_error> open_keystore(bytes_view sealed, secret const& passphrase);
/// Whose keystore it is. Certain only once it was opened.
result<public_key, keystore_error> keystore_owner(bytes_view sealed);

// The same in a file. A file is written whole beside its place, with permissions 0600, made durable, and
// only then moved there: whatever fails or dies on the way, there is the old keystore or the new one. A writer
// that is killed may leave a hidden file beside it, `.NAME.` and hex digits, sealed like the keystore itself.

/// Refuses to replace anything.
result<nothing, keystore_error>
create_keystore(std::filesystem::path const& at, secret_key const& key, secret const& passphrase,
                keystore_cost const& cost = keystore_cost::normal());
/// Refuses a file that others may read or write (as ssh does).
result<secret_key, keystore_error> open_keystore(std::filesystem::path const& at,
                                                 secret const& passphrase);
result<public_key, keystore_error> keystore_owner(std::filesystem::path const& at);
/// Opens with the old passphrase and replaces the file by one under the new.
result<nothing, keystore_error>
change_passphrase(std::filesystem::path const& at, secret const& old_passphrase,
                  secret const& new_passphrase,
                  keystore_cost const& cost = keystore_cost::normal());

}  // namespace blendr::crypto
