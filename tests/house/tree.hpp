// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <support/support.hpp>

/// The source tree as data: what the tests of the house look at.
namespace blendr::test {

using tree = std::map<std::string, std::string>;  ///< path below the root, text

inline std::filesystem::path root() { return data("..").lexically_normal(); }

inline bool ends_in(std::string_view path, std::vector<std::string_view> const& endings)
{
    return std::any_of(endings.begin(), endings.end(), [&](auto e) { return path.ends_with(e); });
}

/// All files below `folders` whose names end in one of `endings`.
inline tree read_tree(std::vector<std::string_view> const& folders,
                      std::vector<std::string_view> const& endings)
{
    namespace fs = std::filesystem;
    tree found;
    for (auto const folder : folders) {
        for (auto const& each : fs::recursive_directory_iterator{root() / folder}) {
            auto const path = each.path().lexically_relative(root()).string();
            if (!each.is_regular_file() || !ends_in(path, endings)) continue;
            std::ifstream in{each.path(), std::ios::binary};
            found[path].assign(std::istreambuf_iterator<char>{in}, {});
        }
    }
    return found;
}

inline std::vector<std::string> lines_of(std::string const& text)
{
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// What a file includes, in order, without the brackets or quotes.
inline std::vector<std::string> includes_of(std::string const& text)
{
    std::vector<std::string> found;
    for (auto const& line : lines_of(text)) {
        auto at = line.find_first_not_of(" \t");
        if (at == std::string::npos || line[at] != '#') continue;
        at = line.find_first_not_of(" \t", at + 1);
        if (at == std::string::npos || line.compare(at, 7, "include") != 0) continue;
        auto const open = line.find_first_of("<\"", at);
        auto const close = line.find_first_of(">\"", open + 1);
        if (close != std::string::npos) found.push_back(line.substr(open + 1, close - open - 1));
    }
    return found;
}

/// One complaint a line, so that a failed CHECK shows them all.
inline std::string listed(std::vector<std::string> const& complaints)
{
    std::string all;
    for (auto const& each : complaints) all += "\n  " + each;
    return all;
}

}  // namespace blendr::test
