// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <blendr/app/types.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::abci {

/// How CometBFT names a validator: the first 20 bytes of the SHA-256 of its key.
using short_address = std::array<std::byte, 20>;

short_address short_address_of(crypto::public_key const& key) noexcept;

/// The most that all powers may sum up to there: the largest signed 64-bit number ÷ 8.
inline constexpr std::uint64_t power_sum_max = std::uint64_t{0x7fff'ffff'ffff'ffff} / 8;

/// A validator's power as CometBFT is told; 0 means that it goes.
struct power_change {
    crypto::public_key key{};
    std::uint64_t power{};

    friend bool operator==(power_change const&, power_change const&) = default;
};

/// The set as CometBFT counts: where its weights sum up to more than power_sum_max all are halved as often as needed,
/// at least 1 each. A function of the set alone, so every node tells the same.
app::validator_set as_powers(app::validator_set set);

/// What leads from one set to the other, both well formed and as powers: in key order, only what differs.
std::vector<power_change> changes(app::validator_set const& from, app::validator_set const& to);

}  // namespace blendr::abci
