// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <blendr/core/bytes.hpp>

namespace blendr::crypto {

/// What a hash or a signature is about. Equal bytes hashed in two domains have unrelated hashes, so
/// that nothing made for one purpose can be passed off in another. A name has 1 to 16 characters and
/// is fixed at compile time; it fills BLAKE2b's personalisation field, so it costs no block.
/// Write one constant for each purpose: `inline constexpr crypto::domain tx_id{"tx.id/1"};`
/// (clang 14 crashes on one made in the middle of a condition).
class domain {
public:
    static constexpr std::size_t size_max = 16;

    template <std::size_t N>
    explicit consteval domain(char const (&name)[N])
    {
        static_assert(N >= 2 && N - 1 <= size_max, "a domain's name has 1 to 16 characters");
        for (std::size_t i = 0; i + 1 < N; ++i) name_[i] = checked(name[i]);
        state_ = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
        state_[0] ^= 0x01010020;  // depth 1, fanout 1, no key, 32 bytes out
        for (std::size_t i = 0; i < size_max; ++i)
            state_[6 + i / 8] ^= std::uint64_t{static_cast<unsigned char>(name_[i])} << 8 * (i % 8);
    }

    constexpr std::string_view name() const noexcept
    {
        std::size_t size = size_max;
        while (name_[size - 1] == '\0') --size;
        return {name_.data(), size};
    }

    /// The name with zeros behind it: the personalisation field as it stands.
    constexpr std::array<char, size_max> const& personal() const noexcept { return name_; }

    /// BLAKE2b's eight state words before the first block: all that a hash function needs to know.
    constexpr std::array<std::uint64_t, 8> const& state() const noexcept { return state_; }

    friend constexpr bool operator==(domain const& a, domain const& b) noexcept
    {
        return a.name_ == b.name_;
    }

private:
    static consteval char checked(char c)
    {
        if (c <= ' ' || c > '~') throw "a domain's name is printable ASCII without spaces";
        return c;
    }

    std::array<char, size_max> name_{};
    std::array<std::uint64_t, 8> state_{};
};

/// BLAKE2b-256 of some bytes, in a domain. One compression for up to 128 bytes.
hash256 hash(domain const& about, bytes_view data) noexcept;

/// Of two hashes side by side, as in a tree's node: the same as of their 64 bytes in a row.
hash256 hash(domain const& about, hash256 const& left, hash256 const& right) noexcept;

class hasher;

/// BLAKE2b-256 without a domain: only for formats of others that ask for it, such as content ids.
namespace foreign {
hash256 blake2b_256(bytes_view data) noexcept;
hasher blake2b_256_hasher() noexcept;
}  // namespace foreign

/// The same, fed in pieces: what the pieces are does not matter, only their bytes in a row.
/// Where variable-length parts follow each other, encode them (core/codec.hpp) or their lengths, or
/// two different lists of parts can have one hash.
class hasher {
public:
    explicit hasher(domain const& about) noexcept : state_{about.state()} {}

    hasher& update(bytes_view data) noexcept;

    /// The hash of everything so far. The hasher may go on from there.
    hash256 finish() const noexcept;

private:
    friend hasher foreign::blake2b_256_hasher() noexcept;
    explicit hasher(std::array<std::uint64_t, 8> const& state) noexcept : state_{state} {}

    std::array<std::uint64_t, 8> state_;
    std::array<std::byte, 128> block_{};
    std::size_t filled_ = 0;    // bytes of block_ in use; a full block waits, as it may be the last
    std::uint64_t hashed_ = 0;  // bytes that went through whole blocks
};

/// Spreads keys over hash tables. Keyed anew in each process, so that nobody can prepare keys that all
/// fall into one bucket; nothing that leaves the process may depend on it.
std::size_t table_hash(bytes_view raw) noexcept;

}  // namespace blendr::crypto
