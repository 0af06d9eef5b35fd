// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/core/random.hpp>

/// Types that use every form there is, and random values of them.
namespace blendr::sample {

struct transfer {
    static constexpr std::string_view name = "bank.transfer";
    hash256 to{};
    amount value{};
    std::uint32_t memo{};
};
BOOST_DESCRIBE_STRUCT(transfer, (), (to, value, memo))

enum class color : std::uint8_t { red = 1, green = 2, blue = 9 };
BOOST_DESCRIBE_ENUM(color, red, green, blue)

using short_bytes = bounded<bytes, 5>;
using choice = std::variant<std::uint8_t, transfer, std::monostate>;

struct everything {
    color paint{color::red};
    short_bytes raw{};
    std::optional<transfer> maybe{};
    choice either{};
    std::string text{};
    std::vector<std::pair<std::uint16_t, bool>> pairs{};
    height at{};
    time_ms when{};
    std::array<color, 3> flag{color::red, color::red, color::red};
};
BOOST_DESCRIBE_STRUCT(everything, (), (paint, raw, maybe, either, text, pairs, at, when, flag))

struct tree {
    std::vector<tree> kids{};
};
BOOST_DESCRIBE_STRUCT(tree, (), (kids))

/// Holds even numbers only.
struct even {
    std::uint32_t value{};
};

inline transfer any_transfer(rng& random)
{
    transfer out{};
    random.fill(out.to);
    u128 const high = random();  // one draw a statement: the order within one is the compiler's
    out.value = amount{(high << 64) | random()};
    out.memo = static_cast<std::uint32_t>(random());
    return out;
}

inline color any_color(rng& random)
{
    constexpr std::array all{color::red, color::green, color::blue};
    return all[random.below(all.size())];
}

inline everything any_everything(rng& random)
{
    everything out{};
    out.paint = any_color(random);
    out.raw.resize(random.below(6));
    random.fill(out.raw);
    if (random.chance(1, 2)) out.maybe = any_transfer(random);
    switch (random.below(3)) {
    case 0:
        out.either = static_cast<std::uint8_t>(random());
        break;
    case 1:
        out.either = any_transfer(random);
        break;
    default:
        out.either = std::monostate{};
    }
    for (auto n = random.below(5); n > 0; --n) out.text += random.chance(1, 3) ? "é" : "x";
    for (auto n = random.below(4); n > 0; --n) {
        bool const yes = random.chance(1, 2);
        out.pairs.emplace_back(static_cast<std::uint16_t>(random()), yes);
    }
    out.at = height{random()};
    out.when = time_ms{static_cast<std::int64_t>(random())};
    for (auto& each : out.flag) each = any_color(random);
    return out;
}

}  // namespace blendr::sample

template <>
struct blendr::codec<blendr::sample::even>
    : codec_as<codec<sample::even>, sample::even, std::uint32_t> {
    static std::uint32_t to(sample::even const& e) { return e.value; }
    static bool from(std::uint32_t wire, sample::even& out)
    {
        out.value = wire;
        return wire % 2 == 0;
    }
};
