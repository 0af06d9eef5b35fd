// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <blendr/core/bytes.hpp>
#include <blendr/core/wide.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::ledger {

/// Keys are hashes, but an attacker may search for some that share low bits; nobody knows the salt.
struct salted_hash {
    using is_avalanching = void;
    std::uint64_t salt{};

    std::size_t operator()(hash256 const& key) const noexcept
    {
        std::uint64_t a{}, b{};
        std::memcpy(&a, key.data(), sizeof a);
        std::memcpy(&b, key.data() + sizeof a, sizeof b);
        auto const once = fold(u128{a ^ salt} * (b | 1));
        return static_cast<std::size_t>(fold(u128{once} * 0x9e3779b97f4a7c15));
    }
    std::size_t operator()(crypto::address const& key) const noexcept { return (*this)(key.raw()); }

private:
    static std::uint64_t fold(u128 product) noexcept
    {
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
};

}  // namespace blendr::ledger
