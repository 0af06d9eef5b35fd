// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include <blendr/core/json.hpp>
#include <blendr/core/result.hpp>
#include <blendr/work/app.hpp>

namespace blendr::work {

/// A problem of a JSON text, with the line where there is one.
problem problem_of(std::string_view text, json_error const& why);

/// Options of an order over their defaults: a member that is left out keeps its default, an unknown one is refused.
template <class T>
result<T, problem> options_of(std::string_view text, T const& defaults)
{
    auto const read = parse_json(text.empty() ? "{}" : text);
    if (!read) return fail{problem_of(text, read.error())};
    auto const* const given = read->if_object();
    if (given == nullptr) return fail{problem{fault::bad_input, "the options are no JSON object"}};
    auto whole = to_json(defaults);
    auto& all = whole.as_object();
    for (auto const& each : *given) {
        if (!all.contains(each.key()))
            return fail{
                problem_of(text, {"$." + std::string{each.key()}, "there is no such option"})};
        all[each.key()] = each.value();
    }
    auto made = from_json<T>(whole);
    if (!made) return fail{problem_of(text, made.error())};
    return *std::move(made);
}

/// The file of that name; of no name: the only one.
inline result<file const*, problem> file_of(order const& what, std::string_view name)
{
    if (name.empty() && what.files.size() == 1) return &what.files.front();
    for (auto const& each : what.files)
        if (each.name == name) return &each;
    if (name.empty())
        return fail{problem{fault::bad_input, "the order has " + std::to_string(what.files.size()) +
                                                  " files, and its options name none"}};
    return fail{problem{fault::bad_input,
                        "the order has no file \"" + std::string{name.substr(0, 80)} + '"'}};
}

inline void append_text(bytes& to, std::string_view text)
{
    auto const raw = as_bytes(text);
    to.insert(to.end(), raw.begin(), raw.end());
}

}  // namespace blendr::work
