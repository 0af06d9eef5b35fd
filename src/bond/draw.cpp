// SPDX-License-Identifier: Apache-2.0
#include <blendr/bond/draw.hpp>

#include <algorithm>

#include <blendr/core/random.hpp>
#include <blendr/core/wide.hpp>

namespace blendr::bond {

hash256 seed_of(hash256 const& beacon, bytes_view purpose) noexcept
{
    return crypto::hasher{draw_domain}.update(beacon).update(purpose).finish();
}

std::vector<std::uint32_t> draw(hash256 const& seed, std::span<weight const> candidates,
                                std::uint32_t count)
{
    rng random{seed};
    std::vector<std::uint64_t> left;
    left.reserve(candidates.size());
    u128 total = 0;
    for (auto const each : candidates) {
        left.push_back(each.get());
        total += each.get();
    }
    std::vector<std::uint32_t> drawn;
    while (drawn.size() < count && total != 0) {
        // Weights may add up to more than 64 bits: two words make one number below 2^128, and what
        // is above the last whole multiple of the total is drawn again.
        u128 const most = ~u128{0};
        u128 const whole = most - most % total;
        u128 at = 0;
        do {
            at = (u128{random()} << 64) | random();
        } while (at >= whole);
        at %= total;
        std::uint32_t i = 0;
        while (at >= left[i]) at -= left[i++];
        drawn.push_back(i);
        total -= left[i];
        left[i] = 0;
    }
    return drawn;
}

std::vector<std::uint32_t> draw_owners(hash256 const& seed, std::span<weight const> candidates,
                                       std::span<crypto::address const> owners,
                                       std::span<crypto::address const> excluded,
                                       std::uint32_t count)
{
    std::vector<weight> left{candidates.begin(), candidates.end()};
    for (std::size_t i = 0; i < left.size(); ++i)
        if (std::find(excluded.begin(), excluded.end(), owners[i]) != excluded.end())
            left[i] = weight{};
    for (std::uint32_t asked = count;; asked *= 2) {
        auto const drawn = draw(seed, left, asked);
        std::vector<std::uint32_t> out;
        for (auto const each : drawn) {
            bool const again = std::any_of(out.begin(), out.end(),
                                           [&](auto i) { return owners[i] == owners[each]; });
            if (!again && out.size() < count) out.push_back(each);
        }
        if (out.size() == count || drawn.size() < asked) return out;
    }
}

bool chosen(hash256 const& seed, std::uint32_t part_per_million) noexcept
{
    return rng{seed}.below(million) < part_per_million;
}

}  // namespace blendr::bond
