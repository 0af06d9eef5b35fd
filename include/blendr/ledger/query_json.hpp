// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/json.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/json.hpp>
#include <blendr/ledger/impl/argument_forms.hpp>
#include <blendr/ledger/query.hpp>
#include <blendr/ledger/registry.hpp>

namespace blendr::ledger {

/// A question as `machine::query` takes it.
struct wire_query {
    std::string path{};  ///< "market/depth"
    bytes argument{};

    friend bool operator==(wire_query const&, wire_query const&) = default;
};

/// The forms in which people and programs ask: a path with JSON, a command line `market/depth --levels
/// 5 …`, and one line as in an address bar, `market/depth?levels=5&…`. All follow from the
/// query's described line, and so does the JSON of the answer.
template <class Registry>
class query_forms {
    template <std::size_t I>
    using kind_at = boost::mp11::mp_at_c<typename Registry::query_kinds, I>;
    template <class Body>
    static void each_kind(Body&& body)
    {
        boost::mp11::mp_for_each<boost::mp11::mp_iota_c<Registry::query_count>>(
            [&](auto i) { body.template operator()<kind_at<decltype(i)::value>>(); });
    }

public:
    /// "market/depth", for every query of the chain.
    static std::vector<std::string> paths()
    {
        std::vector<std::string> out;
        each_kind([&]<class Kind>() { out.push_back(path<Kind>()); });
        return out;
    }

    /// "market/depth --of <of> --levels <levels>", for every query.
    static std::vector<std::string> usage()
    {
        std::vector<std::string> out;
        each_kind([&]<class Kind>() {
            out.push_back(path<Kind>() + impl::argument_usage<typename Kind::query>());
        });
        return out;
    }

    static result<wire_query, std::string> from_json(std::string_view path,
                                                     boost::json::value const& argument)
    {
        return with<wire_query>(path, [&]<class Kind>() -> result<wire_query, std::string> {
            auto const asked = blendr::from_json<typename Kind::query>(argument);
            if (!asked) return fail{blendr::message(asked.error())};
            return wire_query{std::string{path}, encode(*asked)};
        });
    }

    /// The path, then `--member value` in any order. Every member must be there once.
    static result<wire_query, std::string>
    from_arguments(std::span<std::string_view const> arguments)
    {
        if (arguments.empty()) return fail{std::string{"a query's path is expected"}};
        auto const path = arguments.front();
        return with<wire_query>(path, [&]<class Kind>() -> result<wire_query, std::string> {
            BLENDR_TRY(auto const asked,
                       impl::read_arguments<typename Kind::query>(arguments.subspan(1)));
            return wire_query{std::string{path}, encode(asked)};
        });
    }

    /// "market/depth?levels=5&side=buy", with bytes as %41 where it must be, and a space as +.
    static result<wire_query, std::string> from_line(std::string_view line)
    {
        auto const question = line.find('?');
        std::vector<std::string> words{std::string{line.substr(0, question)}};
        auto rest = question == line.npos ? std::string_view{} : line.substr(question + 1);
        while (!rest.empty()) {
            auto const end = std::min(rest.find('&'), rest.size());
            auto const pair = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            auto const equals = pair.find('=');
            if (equals == pair.npos)
                return fail{"not a member and its value: " + std::string{pair}};
            words.push_back("--" + std::string{pair.substr(0, equals)});
            if (!unescape(pair.substr(equals + 1), words.emplace_back()))
                return fail{"not an escaped byte: " + std::string{pair}};
        }
        std::vector<std::string_view> const arguments(words.begin(), words.end());
        return from_arguments(arguments);
    }

    /// An answer to the query of that path.
    static result<boost::json::value, std::string> to_json(std::string_view path, bytes_view answer)
    {
        using boost::json::value;
        return with<value>(path, [&]<class Kind>() -> result<value, std::string> {
            auto const given = decode<answer_of<Registry, typename Kind::query>>(answer);
            if (!given) return fail{blendr::message(given.error())};
            return blendr::to_json(*given);
        });
    }

private:
    template <class Kind>
    static std::string path()
    {
        return std::string{Kind::contract_name} + '/' + std::string{Kind::query_name};
    }

    /// Calls `body` with the query of that path.
    template <class T, class Body>
    static result<T, std::string> with(std::string_view wanted, Body&& body)
    {
        auto const bare = wanted.substr(
            0, wanted.size() - (wanted.ends_with(proof_suffix) ? proof_suffix.size() : 0));
        std::string unknown = "no query is called \"" + std::string{bare} + "\"; there are";
        for (auto const& each : paths()) unknown += ' ' + each;
        result<T, std::string> out = fail{std::move(unknown)};
        each_kind([&]<class Kind>() {
            if (bare == path<Kind>()) out = body.template operator()<Kind>();
        });
        return out;
    }

    static bool unescape(std::string_view text, std::string& out)
    {
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '%') {
                out += text[i] == '+' ? ' ' : text[i];
                continue;
            }
            if (i + 2 >= text.size()) return false;
            auto const raw = from_hex(text.substr(i + 1, 2));
            if (!raw) return false;
            out += static_cast<char>(raw->front());
            i += 2;
        }
        return true;
    }
};

}  // namespace blendr::ledger
