// SPDX-License-Identifier: Apache-2.0
#include <blendr/market/capability.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <market/words.hpp>

namespace blendr::market {

namespace {

struct unit {
    std::string_view name;
    std::uint64_t factor;
};
constexpr std::array<unit, 7> units = {{
    {"KiB", std::uint64_t{1} << 10},
    {"MiB", std::uint64_t{1} << 20},
    {"GiB", std::uint64_t{1} << 30},
    {"TiB", std::uint64_t{1} << 40},
    {"k", 1'000},
    {"M", 1'000'000},
    {"G", 1'000'000'000},
}};
constexpr std::size_t byte_units = 4;

std::optional<std::uint64_t> read_digits(std::string_view text)
{
    if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    std::uint64_t value = 0;
    for (char const c : text) {
        if (!impl::is_digit(c)) return std::nullopt;
        if (__builtin_mul_overflow(value, std::uint64_t{10}, &value)) return std::nullopt;
        if (__builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value))
            return std::nullopt;
    }
    return value;
}

std::optional<std::uint64_t> read_version(std::string_view text, std::string& why)
{
    std::array<std::uint64_t, 3> part{};
    for (auto& p : part) {
        auto const dot = text.find('.');
        auto const digits = read_digits(text.substr(0, dot));
        if (!digits) break;
        p = *digits;
        if (dot == std::string_view::npos) {
            if (auto const v = version(part[0], part[1], part[2])) return v;
            break;
        }
        text.remove_prefix(dot + 1);
    }
    why = "is no version; write 1.3 or 1.3.275, each part below 2097152";
    return std::nullopt;
}

}  // namespace

std::string impl::small(std::string_view text)
{
    std::string out{text};
    for (auto& c : out) c = small(c);
    return out;
}

std::optional<std::uint64_t> impl::read_number(attribute_type type, std::string_view text,
                                               std::string& why)
{
    if (type == attribute_type::version) return read_version(text, why);
    auto const underscore = text.find('_');
    auto const digits = read_digits(text.substr(0, underscore));
    if (!digits) {
        bool const numeric = std::all_of(text.begin(), text.end(), is_digit) && text[0] != '0';
        why = numeric ? "is larger than 2^64 - 1" : "is no whole number";
        return std::nullopt;
    }
    if (underscore == std::string_view::npos) return digits;
    auto const name = text.substr(underscore + 1);
    for (auto const& u : units) {
        if (u.name != name) continue;
        std::uint64_t out = 0;
        if (!__builtin_mul_overflow(*digits, u.factor, &out)) return out;
        why = "is larger than 2^64 - 1";
        return std::nullopt;
    }
    why = "has an unknown unit; units are KiB, MiB, GiB, TiB, k, M, G";
    return std::nullopt;
}

std::optional<attribute> attribute_named(std::string_view name) noexcept
{
    for (std::size_t i = 0; i < attributes.size(); ++i)
        if (attributes[i].name == name) return static_cast<attribute>(i);
    return std::nullopt;
}

bool is_word(std::string_view text) noexcept
{
    if (text.empty() || text.size() > word_length_max) return false;
    if (!impl::is_letter(text[0]) && !impl::is_digit(text[0])) return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return impl::in_word(c) && impl::small(c) == c; }) &&
           text.find("..") == std::string_view::npos;
}

result<nothing, reject> capability::set(attribute a, std::uint64_t value)
{
    if (!is_number(info(a).type)) return fail{reject::bad_capability};
    if (info(a).type == attribute_type::version && value >> 63 != 0)
        return fail{reject::bad_capability};
    numbers_[index(a)] = value;
    know(a);
    return nothing{};
}

result<nothing, reject> capability::set(attribute a, std::string_view word)
{
    auto text = impl::small(word);
    if (info(a).type != attribute_type::word || !is_word(text)) return fail{reject::bad_capability};
    words_[index(a)] = std::move(text);
    know(a);
    return nothing{};
}

result<nothing, reject> capability::set(attribute a, std::vector<std::string> words)
{
    if (info(a).type != attribute_type::words || words.size() > words_max)
        return fail{reject::bad_capability};
    for (auto& w : words) {
        w = impl::small(w);
        if (!is_word(w)) return fail{reject::bad_capability};
    }
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    sets_[a == attribute::features ? 0 : 1] = std::move(words);
    know(a);
    return nothing{};
}

void capability::forget(attribute a) noexcept
{
    known_ = static_cast<std::uint16_t>(known_ & ~(1u << static_cast<unsigned>(a)));
    numbers_[index(a)] = 0;
    if (info(a).type == attribute_type::word) words_[index(a)].clear();
    if (info(a).type == attribute_type::words) sets_[a == attribute::features ? 0 : 1].clear();
}

std::string number_text(attribute_type type, std::uint64_t value)
{
    if (type == attribute_type::version) {
        constexpr std::uint64_t mask = (1u << 21) - 1;
        auto text = std::to_string(value >> 42) + '.' + std::to_string(value >> 21 & mask);
        if ((value & mask) != 0) text += '.' + std::to_string(value & mask);
        return text;
    }
    if (type == attribute_type::bytes && value != 0)
        for (auto i = byte_units; i-- > 0;)
            if (value % units[i].factor == 0)
                return std::to_string(value / units[i].factor) + '_' + std::string{units[i].name};
    return std::to_string(value);
}

std::string capability::value_text(attribute a) const
{
    if (!knows(a)) return "unknown";
    auto const type = info(a).type;
    if (is_number(type)) return number_text(type, number(a));
    if (type == attribute_type::word) return std::string{word(a)};
    std::string text = "{";
    for (auto const& w : words(a)) {
        if (text.size() > 1) text += ',';
        text += w;
    }
    return text + '}';
}

std::string capability::to_text() const
{
    std::string text{};
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        auto const a = static_cast<attribute>(i);
        if (!knows(a)) continue;
        if (!text.empty()) text += ", ";
        text += std::string{attributes[i].name} + '=' + value_text(a);
    }
    return text;
}

result<capability, reject> capability::parse(std::string_view text)
{
    constexpr fail<reject> bad{reject::bad_capability};
    constexpr std::size_t text_max = 4096;
    if (text.size() > text_max) return bad;
    std::size_t at = 0;
    auto const skip = [&] {
        while (at < text.size() && text[at] == ' ') ++at;
    };
    auto const run = [&] {
        skip();
        auto const from = at;
        while (at < text.size() && impl::in_word(text[at])) ++at;
        return text.substr(from, at - from);
    };
    auto const take = [&](char c) {
        skip();
        if (at == text.size() || text[at] != c) return false;
        ++at;
        return true;
    };
    capability out{};
    skip();
    while (at < text.size()) {
        auto const a = attribute_named(run());
        if (!a || out.knows(*a) || !take('=')) return bad;
        auto const type = info(*a).type;
        if (type == attribute_type::words) {
            std::vector<std::string> words{};
            if (!take('{')) return bad;
            if (!take('}')) {
                do words.emplace_back(run());
                while (take(','));
                if (!take('}')) return bad;
            }
            BLENDR_CHECK(out.set(*a, std::move(words)));
        } else if (type == attribute_type::word) {
            BLENDR_CHECK(out.set(*a, run()));
        } else {
            std::string why{};
            auto const value = run();
            if (value.empty()) return bad;
            auto const number = impl::read_number(type, value, why);
            if (!number) return bad;
            BLENDR_CHECK(out.set(*a, *number));
        }
        skip();
        if (at == text.size()) break;
        if (!take(',')) return bad;
        skip();
        if (at == text.size()) return bad;
    }
    return out;
}

}  // namespace blendr::market
