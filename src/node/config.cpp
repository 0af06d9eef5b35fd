// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/config.hpp>

#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>

namespace blendr::node {
namespace {

namespace json = boost::json;

void merge(json::value& into, json::value const& from)
{
    auto* const a = into.if_object();
    auto const* const b = from.if_object();
    if (a == nullptr || b == nullptr) {
        into = from;
        return;
    }
    for (auto const& member : *b) {
        if (auto* const known = a->if_contains(member.key()))
            merge(*known, member.value());
        else
            a->emplace(member.key(), member.value());  // refused below, with its place
    }
}

std::optional<json::value> read_like(json::value const& example, std::string const& text)
{
    if (example.is_string()) return json::value(text);
    if (example.is_array()) {
        json::array out{};
        for (std::size_t at = 0; at < text.size();) {
            auto const comma = std::min(text.find(',', at), text.size());
            if (comma > at) out.emplace_back(text.substr(at, comma - at));
            at = comma + 1;
        }
        return json::value(std::move(out));
    }
    auto const read = parse_json(text);
    if (!read || read->is_structured()) return std::nullopt;
    return *read;
}

}  // namespace

result<config, std::string> make_config(std::string_view file_text,
                                        std::span<std::string const> flags)
{
    auto whole = to_json(config{});
    if (!file_text.empty()) {
        auto const file = parse_json(file_text);
        if (!file) return fail{"the config file: " + message(file.error())};
        merge(whole, *file);
    }
    for (std::size_t i = 0; i < flags.size(); ++i) {
        std::string_view name = flags[i];
        if (!name.starts_with("--"))
            return fail{"\"" + flags[i] + "\" is no flag; flags are --name value"};
        name.remove_prefix(2);
        auto* at = &whole;
        for (std::string_view rest = name; at != nullptr && !rest.empty();) {
            auto const dot = std::min(rest.find('.'), rest.size());
            auto* const in = at->if_object();
            at = in == nullptr ? nullptr : in->if_contains(rest.substr(0, dot));
            rest.remove_prefix(std::min(dot + 1, rest.size()));
        }
        if (at == nullptr || at->is_object())
            return fail{"there is no setting \"" + std::string{name} +
                        "\"; `config` prints them all"};
        bool const last = i + 1 == flags.size() || flags[i + 1].starts_with("--");
        if (last && !at->is_bool())
            return fail{"the setting \"" + std::string{name} + "\" needs a value"};
        if (last) {
            *at = true;
            continue;
        }
        auto const value = read_like(*at, flags[++i]);
        if (!value) return fail{"\"" + flags[i] + "\" is no value for " + std::string{name}};
        *at = *value;
    }
    auto const out = from_json<config>(whole);
    if (!out) return fail{"the config: " + message(out.error())};
    return *out;
}

std::string to_text(config const& c) { return to_pretty_text(to_json(c)); }

}  // namespace blendr::node
