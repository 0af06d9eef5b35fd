// SPDX-License-Identifier: Apache-2.0
#include <blendr/core/json.hpp>

#include <algorithm>
#include <charconv>
#include <string>

#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>

namespace blendr {

namespace {

constexpr std::uint64_t exact_max = (std::uint64_t{1} << 53) - 1;

void write_pretty(boost::json::value const& json, std::size_t indent, std::string& out)
{
    auto const line = [&](std::size_t by) { out.append("\n").append(by, ' '); };
    constexpr std::size_t step = 2;
    if (auto const* object = json.if_object(); object != nullptr && !object->empty()) {
        out += '{';
        bool first = true;
        for (auto const& [key, value] : *object) {
            if (!std::exchange(first, false)) out += ',';
            line(indent + step);
            out.append(boost::json::serialize(key)).append(": ");
            write_pretty(value, indent + step, out);
        }
        line(indent);
        out += '}';
    } else if (auto const* array = json.if_array(); array != nullptr && !array->empty()) {
        out += '[';
        bool first = true;
        for (auto const& value : *array) {
            if (!std::exchange(first, false)) out += ',';
            line(indent + step);
            write_pretty(value, indent + step, out);
        }
        line(indent);
        out += ']';
    } else {
        out += boost::json::serialize(json);
    }
}

}  // namespace

std::string message(json_error const& e) { return e.where + ": " + e.what; }

bool json_path::refuse(std::string what)
{
    if (error_.what.empty()) error_ = {at_, std::move(what)};
    return false;
}

std::size_t json_path::open(std::string_view member)
{
    auto const before = at_.size();
    at_.append(".").append(member);
    return before;
}

std::size_t json_path::open(std::size_t index)
{
    auto const before = at_.size();
    at_.append("[").append(std::to_string(index)).append("]");
    return before;
}

void json_path::close(std::size_t length) { at_.resize(length); }

result<boost::json::value, json_error> parse_json(std::string_view text)
{
    boost::json::parse_options options{};
    options.max_depth = 32;
    boost::json::stream_parser parser{{}, options};
    boost::json::error_code why{};
    auto const read = parser.write_some(text.data(), text.size(), why);
    if (why) return fail{json_error{"byte " + std::to_string(read), why.message()}};
    if (!parser.done()) parser.finish(why);  // a number at the end is complete only now
    if (why || !parser.done())
        return fail{json_error{"byte " + std::to_string(read), "the text ends too early"}};
    auto const rest = text.find_first_not_of(" \t\r\n", read);
    if (rest != std::string_view::npos)
        return fail{json_error{"byte " + std::to_string(rest), "there is text after the value"}};
    return parser.release();
}

std::string to_text(boost::json::value const& json) { return boost::json::serialize(json); }

std::string to_pretty_text(boost::json::value const& json)
{
    std::string out{};
    write_pretty(json, 0, out);
    return out;
}

namespace impl {

boost::json::value write_json_integer(bool negative, std::uint64_t magnitude)
{
    if (magnitude <= exact_max) {
        auto const value = static_cast<std::int64_t>(magnitude);
        return negative ? -value : value;
    }
    return boost::json::value((negative ? "-" : "") + std::to_string(magnitude));
}

bool read_json_integer(boost::json::value const& json, bool& negative, std::uint64_t& magnitude,
                       json_path& at)
{
    if (auto const* i = json.if_int64()) {
        negative = *i < 0;
        magnitude = negative ? 0 - static_cast<std::uint64_t>(*i) : static_cast<std::uint64_t>(*i);
        return true;
    }
    if (auto const* u = json.if_uint64()) {
        negative = false;
        magnitude = *u;
        return true;
    }
    auto const* const text = json.if_string();
    if (text == nullptr) return at.refuse("a whole number is expected");
    std::string_view digits{text->data(), text->size()};
    negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    auto const [end, why] =
        std::from_chars(digits.data(), digits.data() + digits.size(), magnitude);
    if (digits.empty() || why != std::errc{} || end != digits.data() + digits.size())
        return at.refuse("a whole number is expected");
    return true;
}

boost::json::value write_json_amount(amount value)
{
    return boost::json::value(to_string(value.grains()));
}

bool read_json_amount(boost::json::value const& json, amount& out, json_path& at)
{
    auto const* const text = json.if_string();
    if (text == nullptr) return at.refuse("an amount is a string of grains");
    auto const grains = parse_u128({text->data(), text->size()});
    if (!grains) return at.refuse(message(grains.error()));
    out = amount{*grains};
    return true;
}

boost::json::value write_json_hex(bytes_view raw) { return boost::json::value(to_hex(raw)); }

bool read_json_hex(boost::json::value const& json, bytes& out, json_path& at)
{
    auto const* const text = json_string(json, at);
    if (text == nullptr) return false;
    auto raw = from_hex({text->data(), text->size()});
    if (!raw) return at.refuse(message(raw.error()));
    out = *std::move(raw);
    return true;
}

bool read_json_hex(boost::json::value const& json, std::span<std::byte> out, json_path& at)
{
    bytes raw{};
    if (!read_json_hex(json, raw, at)) return false;
    if (raw.size() != out.size())
        return at.refuse("exactly " + std::to_string(2 * out.size()) + " hex digits are expected");
    std::copy(raw.begin(), raw.end(), out.begin());
    return true;
}

boost::json::object const* json_object(boost::json::value const& json, json_path& at)
{
    auto const* const found = json.if_object();
    if (found == nullptr) at.refuse("an object is expected");
    return found;
}

boost::json::array const* json_array(boost::json::value const& json, std::size_t max, json_path& at)
{
    auto const* const found = json.if_array();
    if (found == nullptr) at.refuse("a list is expected");
    if (found != nullptr && found->size() > max) {
        at.refuse("there is more here than the field may hold");
        return nullptr;
    }
    return found;
}

boost::json::string const* json_string(boost::json::value const& json, json_path& at)
{
    auto const* const found = json.if_string();
    if (found == nullptr) at.refuse("a text is expected");
    return found;
}

bool refuse_unknown_members(boost::json::object const& object,
                            std::span<std::string_view const> known, json_path& at)
{
    for (auto const& [key, value] : object)
        if (std::find(known.begin(), known.end(), std::string_view{key}) == known.end())
            return at.refuse("there is no member \"" + std::string{key} + "\" here");
    return true;
}

}  // namespace impl

}  // namespace blendr
