// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/market/error.hpp>

namespace blendr::market {

/// What can be said of an offer. Numbers are for ever; new ones are appended.
enum class attribute : std::uint8_t {
    vendor,
    model,
    region,
    features,
    auditors,
    vram,
    driver_api,
    tier,
    fp32,
    memory,
    integer,
    reputation,
    price,
};
inline constexpr std::size_t attributes_count = 13;

enum class attribute_type : std::uint8_t {
    word,     ///< one word
    words,    ///< a set of words
    number,   ///< 0 to 2^64 - 1
    bytes,    ///< a number written with KiB, MiB, GiB, TiB
    version,  ///< three numbers below 2^21, written 1.3 or 1.3.275
};

struct attribute_info {
    std::string_view name;
    attribute_type type;
    std::string_view meaning;
};

/// The vocabulary of capabilities and requirements.
inline constexpr std::array<attribute_info, attributes_count> attributes = {{
    {"vendor", attribute_type::word, "who made the device: nvidia, amd, intel"},
    {"model", attribute_type::word, "which device: rtx4090, mi300x"},
    {"region", attribute_type::word, "where it stands: eu, us-east"},
    {"features", attribute_type::words, "what its driver can do: fp16, int8, coopmat"},
    {"auditors", attribute_type::words, "who vouches for the provider"},
    {"vram", attribute_type::bytes, "its own memory"},
    {"driver_api", attribute_type::version, "the newest Vulkan version that it offers"},
    {"tier", attribute_type::number, "how well its identity is attested, 0 to 4"},
    {"fp32", attribute_type::number, "measured units per second of floating point work"},
    {"memory", attribute_type::number, "measured units per second of memory-bound work"},
    {"integer", attribute_type::number, "measured units per second of integer work"},
    {"reputation", attribute_type::number, "the provider's standing, 0 to 1000"},
    {"price", attribute_type::number, "grains for one unit"},
}};

constexpr attribute_info const& info(attribute a) noexcept
{
    return attributes[static_cast<std::size_t>(a)];
}
constexpr bool is_number(attribute_type t) noexcept { return t >= attribute_type::number; }

/// The attribute of that name, if there is one.
std::optional<attribute> attribute_named(std::string_view name) noexcept;

inline constexpr std::size_t word_length_max = 32;
inline constexpr std::size_t words_max = 32;

/// A word is 1 to 32 of a-z, 0-9 and . _ + - and begins with a letter or digit.
bool is_word(std::string_view text) noexcept;

/// A version as a number that orders as versions do; nothing when a part is 2^21 or more.
constexpr std::optional<std::uint64_t> version(std::uint64_t major, std::uint64_t minor = 0,
                                               std::uint64_t patch = 0) noexcept
{
    constexpr std::uint64_t limit = 1u << 21;
    if (major >= limit || minor >= limit || patch >= limit) return std::nullopt;
    return major << 42 | minor << 21 | patch;
}

/// What is known of an offer, attribute by attribute. What is not set is unknown, which is neither
/// yes nor no to a requirement.
class capability {
public:
    /// Each refuses with bad_capability when the attribute is of another type or cannot hold it.
    result<nothing, reject> set(attribute a, std::uint64_t value);
    result<nothing, reject> set(attribute a, std::string_view word);
    result<nothing, reject> set(attribute a, std::vector<std::string> words);
    void forget(attribute a) noexcept;

    bool knows(attribute a) const noexcept { return (known_ >> static_cast<unsigned>(a) & 1) != 0; }
    /// Zero, empty, empty when not known.
    std::uint64_t number(attribute a) const noexcept { return numbers_[index(a)]; }
    std::string_view word(attribute a) const noexcept
    {
        return a <= attribute::region ? std::string_view{words_[index(a)]} : std::string_view{};
    }
    /// Sorted, each once.
    std::span<std::string const> words(attribute a) const noexcept
    {
        if (a != attribute::features && a != attribute::auditors) return {};
        return sets_[a == attribute::features ? 0 : 1];
    }

    /// The value of one attribute as a requirement would write it; "unknown" when it is not set.
    std::string value_text(attribute a) const;

    /// `vendor=nvidia, features={fp16,int8}, vram=24_GiB`, in the vocabulary's order. This text is
    /// also the wire format.
    std::string to_text() const;
    static result<capability, reject> parse(std::string_view text);

    friend bool operator==(capability const&, capability const&) = default;

private:
    static constexpr std::size_t index(attribute a) noexcept { return static_cast<std::size_t>(a); }
    void know(attribute a) noexcept
    {
        known_ = static_cast<std::uint16_t>(known_ | 1u << static_cast<unsigned>(a));
    }

    std::uint16_t known_{0};
    std::array<std::uint64_t, attributes_count> numbers_{};
    std::array<std::string, 3> words_{};
    std::array<std::vector<std::string>, 2> sets_{};
};

/// Writes a number the way its type is written: 16_GiB, 1.3, 42.
std::string number_text(attribute_type type, std::uint64_t value);

}  // namespace blendr::market

/// A capability travels as its canonical text; any other text for it is refused.
template <>
struct blendr::codec<blendr::market::capability>
    : blendr::codec_as<blendr::codec<blendr::market::capability>, blendr::market::capability,
                       std::string> {
    static std::string to(blendr::market::capability const& value) { return value.to_text(); }
    static bool from(std::string const& text, blendr::market::capability& out)
    {
        auto parsed = blendr::market::capability::parse(text);
        if (!parsed || parsed->to_text() != text) return false;
        out = *std::move(parsed);
        return true;
    }
};
