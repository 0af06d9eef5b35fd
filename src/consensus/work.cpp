// SPDX-License-Identifier: Apache-2.0
#include <blendr/consensus/work.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include <blendr/core/wide.hpp>
#include <blendr/crypto/hash.hpp>

namespace blendr::consensus {
namespace {

constexpr crypto::domain begin_domain{"pow.begin/1"};
constexpr crypto::domain end_domain{"pow.end/1"};

constexpr std::uint32_t mix(std::uint32_t x) noexcept
{
    x ^= x >> 16;
    x *= 0x21f0aaad;
    x ^= x >> 15;
    x *= 0x735a2d97;
    return x ^ (x >> 15);
}

std::vector<std::uint32_t> const& table()
{
    static auto const words = [] {
        std::vector<std::uint32_t> t(memory_hard::table_words);
        std::uint32_t last = 0x626c6e64;
        for (std::size_t i = 0; i < t.size(); ++i) {
            auto const earlier = i == 0 ? 0 : t[mix(last) % static_cast<std::uint32_t>(i)];
            last = mix(last + 0x9e3779b9) ^ std::rotl(earlier, 7);
            t[i] = last;
        }
        return t;
    }();
    return words;
}

std::uint32_t word_at(bytes_view raw, std::size_t i) noexcept
{
    std::uint32_t out = 0;
    for (std::size_t k = 0; k < 4; ++k)
        out |= std::to_integer<std::uint32_t>(raw[4 * i + k]) << (8 * k);
    return out;
}

}  // namespace

hash256 target_of(std::uint64_t difficulty) noexcept
{
    hash256 out{};
    if (difficulty <= 1) {
        out.fill(std::byte{0xff});
        return out;
    }
    u128 rest = 1;  // 2^256 by long division, 64 bits at a time
    for (std::size_t limb = 0; limb < 4; ++limb) {
        u128 const value = rest << 64;
        auto const digit = static_cast<std::uint64_t>(value / difficulty);
        rest = value % difficulty;
        for (std::size_t k = 0; k < 8; ++k)
            out[8 * limb + k] = static_cast<std::byte>(digit >> (56 - 8 * k));
    }
    return out;
}

bool meets(hash256 const& hash, hash256 const& target) noexcept
{
    return compare(hash, target) <= 0;
}

hash256 memory_hard::hash(hash256 const& header, bytes_view seal) const
{
    auto const& words = table();
    auto const seed = crypto::hasher{begin_domain}.update(header).update(seal).finish();
    std::array<std::uint32_t, 16> lanes{};
    for (std::size_t i = 0; i < 16; ++i)
        lanes[i] = word_at(seed, i % 8) + static_cast<std::uint32_t>(i) * 0x9e3779b9;
    for (unsigned step = 0; step < steps; ++step) {
        auto const line = (mix(lanes[step % 16] ^ step) % (table_words / 16)) * 16;
        for (std::size_t i = 0; i < 16; ++i)
            lanes[i] = mix(lanes[i] + words[line + i]) ^ std::rotl(lanes[(i + 1) % 16], 11);
    }
    std::array<std::byte, 64> raw{};
    for (std::size_t i = 0; i < 16; ++i)
        for (std::size_t k = 0; k < 4; ++k)
            raw[4 * i + k] = static_cast<std::byte>(lanes[i] >> (8 * k));
    return crypto::hasher{end_domain}.update(seed).update(raw).finish();
}

}  // namespace blendr::consensus
