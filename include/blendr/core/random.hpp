// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include <blendr/core/assert.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/wide.hpp>

namespace blendr {

/// Seeded pseudo-random numbers (xoshiro256++), the same on every machine and compiler for ever.
/// For simulations, tests and sampling whose seed is public; never for keys.
/// A standard generator too, but the standard distributions differ between libraries: use `below`.
class rng {
public:
    using result_type = std::uint64_t;

    constexpr explicit rng(std::uint64_t seed) noexcept
    {
        for (auto& word : state_) word = mix(seed += golden);
    }

    /// From all of a hash: for draws whose seed nobody may be able to try out.
    constexpr explicit rng(hash256 const& seed) noexcept
    {
        std::uint64_t carried = golden;
        for (std::size_t i = 0; i < 4; ++i) {
            std::uint64_t word = 0;
            for (std::size_t b = 0; b < 8; ++b)
                word |= std::to_integer<std::uint64_t>(seed[8 * i + b]) << (8 * b);
            state_[i] = carried = mix(word + carried + golden);
        }
        state_[3] |= 1;  // a state of zeros would never leave it
    }

    static constexpr result_type min() noexcept { return 0; }
    static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

    constexpr std::uint64_t operator()() noexcept
    {
        auto& s = state_;
        std::uint64_t const out = std::rotl(s[0] + s[3], 23) + s[0];
        std::uint64_t const t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = std::rotl(s[3], 45);
        return out;
    }

    /// Uniform in [0, n) without bias. n is not zero.
    constexpr std::uint64_t below(std::uint64_t n) noexcept
    {
        BLENDR_ASSERT(n != 0);
        u128 product = u128{(*this)()} * n;
        if (auto low = static_cast<std::uint64_t>(product); low < n) {
            std::uint64_t const threshold = (0 - n) % n;
            while (low < threshold) {
                product = u128{(*this)()} * n;
                low = static_cast<std::uint64_t>(product);
            }
        }
        return static_cast<std::uint64_t>(product >> 64);
    }

    /// Uniform in [low, high], both included.
    constexpr std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept
    {
        BLENDR_ASSERT(low <= high);
        if (high - low == max()) return (*this)();
        return low + below(high - low + 1);
    }

    /// True in `part` of `whole` cases.
    constexpr bool chance(std::uint64_t part, std::uint64_t whole) noexcept
    {
        return below(whole) < part;
    }

    constexpr void fill(std::span<std::byte> out) noexcept
    {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (i % 8 == 0) word = (*this)();
            out[i] = static_cast<std::byte>(word >> (8 * (i % 8)));
        }
    }

    template <class T, std::size_t Extent>
    constexpr void shuffle(std::span<T, Extent> all) noexcept
    {
        for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[below(i)]);
    }

    /// An independent generator: same parent seed and stream, same numbers.
    constexpr rng fork(std::uint64_t stream) const noexcept
    {
        return rng{mix(state_[0] ^ mix(state_[3] + golden) ^ mix(stream + golden))};
    }

private:
    static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;

    static constexpr std::uint64_t mix(std::uint64_t z) noexcept
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    std::array<std::uint64_t, 4> state_{};
};

}  // namespace blendr
