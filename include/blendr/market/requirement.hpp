// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/market/capability.hpp>

namespace blendr::market {

/// Kleene's three values: what is not known decides nothing by itself.
enum class truth : std::uint8_t { no, yes, unknown };

/// Why a text is no requirement, in a sentence, and at which column (from 1).
struct expression_error {
    std::size_t column{};
    std::string what{};
    bool too_large{};  ///< too long, too deep or with too many parts
    friend bool operator==(expression_error const&, expression_error const&) = default;
};
std::string message(expression_error const& e);

/// What a renter asks of an offer:
///
///     vram >= 16_GiB && region in {eu, us-east} && features has fp16
///     model == rtx4090 || (fp32 >= 80 && !(vendor == intel))
///     driver_api >= 1.3 && vram in 16_GiB..24_GiB && (tier >= 2 || !known tier)
///     features has all {fp16, int8} && auditors has any {acme, tuev} && price <= 2_k
///
/// `!` binds closest, then `&&`, then `||`. Words compare with ==, != and (not) in, numbers with
/// == != < <= > >= and in, sets of words with has. Units are KiB MiB GiB TiB and k M G. Letters in
/// words are taken as small. The empty text asks for nothing.
///
/// A requirement is kept in one canonical form: `!` is moved down to the comparisons, repeated and
/// nested parts are merged, parts are sorted. Two texts with one form ask for the same; the form's
/// text is the wire format.
class requirement {
public:
    static constexpr std::size_t text_max = 1024;
    static constexpr std::size_t depth_max = 16;
    static constexpr std::size_t parts_max = 64;  ///< also the cost: evaluation looks at each once

    enum class op : std::uint8_t { equal, not_equal, less, at_most, more, at_least };

    /// The form in prefix order: a group is followed by its members.
    struct part {
        enum class kind : std::uint8_t {
            all,      ///< every member
            any,      ///< some member
            compare,  ///< number against `number`
            word,     ///< equal: is one of `words`; not_equal: is none of them
            has,      ///< equal: the set holds words[0]; not_equal: it does not
            known,    ///< equal: the attribute is set; not_equal: it is not
        };
        kind what{};
        attribute of{};
        op how{};
        std::uint16_t span{1};  ///< parts up to the next sibling, this one included
        std::uint64_t number{};
        std::vector<std::string> words{};
        friend bool operator==(part const&, part const&) = default;
    };

    static result<requirement, expression_error> parse(std::string_view text);

    truth of(capability const& offer) const noexcept;

    /// Empty when nothing is asked. Otherwise the first part spans all.
    std::span<part const> parts() const noexcept { return parts_; }
    /// The parts that must all be true: the members of the outermost `&&`, or the whole.
    std::vector<std::span<part const>> constraints() const;

    std::string to_text() const;
    static std::string to_text(std::span<part const> subtree);

    friend bool operator==(requirement const&, requirement const&) = default;

private:
    std::vector<part> parts_{};
};

/// What one part says of one offer.
truth evaluate(requirement::part const& leaf, capability const& offer) noexcept;

}  // namespace blendr::market

/// A requirement travels as its canonical text; any other text for it is refused.
template <>
struct blendr::codec<blendr::market::requirement>
    : blendr::codec_as<blendr::codec<blendr::market::requirement>, blendr::market::requirement,
                       std::string> {
    static std::string to(blendr::market::requirement const& value) { return value.to_text(); }
    static bool from(std::string const& text, blendr::market::requirement& out)
    {
        auto parsed = blendr::market::requirement::parse(text);
        if (!parsed || parsed->to_text() != text) return false;
        out = *std::move(parsed);
        return true;
    }
};
