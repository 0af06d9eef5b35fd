// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include <blendr/work/scene.hpp>

// The two kinds of numbers that pictures are made of. Both offer the same few operations, so that one tracer serves.
namespace blendr::work {

/// Fixed point, 20 bits behind the point: the same on every machine. Products wrap; a scene that was checked does
/// not get there.
struct fixed {
    std::int64_t raw = 0;

    static constexpr fixed of_raw(std::int64_t raw) noexcept { return {raw}; }
    static constexpr fixed ratio(std::int64_t a, std::int64_t b) noexcept
    {
        return {(a << scene_bits) / b};
    }
    /// 20 random bits: 0 to just below 1.
    static constexpr fixed random(std::uint32_t word) noexcept { return {word >> 12}; }

    friend constexpr fixed operator+(fixed a, fixed b) noexcept { return {a.raw + b.raw}; }
    friend constexpr fixed operator-(fixed a, fixed b) noexcept { return {a.raw - b.raw}; }
    friend constexpr fixed operator-(fixed a) noexcept { return {-a.raw}; }
    friend constexpr fixed operator*(fixed a, fixed b) noexcept
    {
        auto const wrapped = static_cast<std::uint64_t>(a.raw) * static_cast<std::uint64_t>(b.raw);
        return {static_cast<std::int64_t>(wrapped) >> scene_bits};
    }
    /// Towards zero. By zero: the largest number that is safe to go on with.
    friend constexpr fixed operator/(fixed a, fixed b) noexcept
    {
        constexpr std::int64_t far = std::int64_t{1} << 40;
        if (b.raw == 0) return {a.raw < 0 ? -far : far};
        auto const wide =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(a.raw) << scene_bits);
        if (b.raw == -1) return {wide == INT64_MIN ? far : -wide};
        return {wide / b.raw};
    }
    friend constexpr auto operator<=>(fixed, fixed) = default;
};

/// The root of a whole number, rounded down.
constexpr std::uint64_t root_of(std::uint64_t value) noexcept
{
    std::uint64_t root = 0;
    constexpr std::uint64_t even = 0x5555555555555555;  // powers of four
    auto const top = std::bit_floor(value | 1);
    for (auto bit = (top & even) != 0 ? top : top >> 1; bit != 0; bit >>= 2) {
        if (value >= root + bit) {
            value -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

constexpr fixed square_root(fixed v) noexcept
{
    if (v.raw <= 0) return {0};
    return {static_cast<std::int64_t>(root_of(static_cast<std::uint64_t>(v.raw) << scene_bits))};
}
constexpr std::uint8_t byte_of(fixed v) noexcept
{
    if (v.raw <= 0) return 0;
    if (v.raw >= scene_one) return 255;
    return static_cast<std::uint8_t>((v.raw * 255 + scene_one / 2) >> scene_bits);
}

/// Floats: fast, and different in the last bits from machine to machine.
struct real {
    float value = 0;

    static constexpr real of_raw(std::int64_t raw) noexcept
    {
        return {static_cast<float>(raw) / static_cast<float>(scene_one)};
    }
    static constexpr real ratio(std::int64_t a, std::int64_t b) noexcept
    {
        return {static_cast<float>(a) / static_cast<float>(b)};
    }
    static constexpr real random(std::uint32_t word) noexcept
    {
        return {static_cast<float>(word >> 12) / static_cast<float>(scene_one)};
    }

    friend constexpr real operator+(real a, real b) noexcept { return {a.value + b.value}; }
    friend constexpr real operator-(real a, real b) noexcept { return {a.value - b.value}; }
    friend constexpr real operator-(real a) noexcept { return {-a.value}; }
    friend constexpr real operator*(real a, real b) noexcept { return {a.value * b.value}; }
    friend constexpr real operator/(real a, real b) noexcept { return {a.value / b.value}; }
    friend constexpr auto operator<=>(real, real) = default;
};

inline real square_root(real v) noexcept { return {v.value > 0 ? std::sqrt(v.value) : 0.0f}; }
inline std::uint8_t byte_of(real v) noexcept
{
    if (!(v.value > 0)) return 0;
    return v.value >= 1 ? 255 : static_cast<std::uint8_t>(v.value * 255 + 0.5f);
}

}  // namespace blendr::work
