// SPDX-License-Identifier: Apache-2.0
// The pages and the files say what they should: promises name tests that exist, headers stay small.
#include <doctest/doctest.h>

#include "tree.hpp"

namespace {

using namespace blendr::test;

/// The names of all test cases, as written in the sources.
std::set<std::string> test_names(tree const& tests)
{
    constexpr std::string_view open = "TEST_CASE(";
    std::set<std::string> names;
    for (auto const& [path, text] : tests) {
        for (auto at = text.find(open); at != std::string::npos; at = text.find(open, at + 1)) {
            // The literal may be split over lines: "one " "two".
            std::string name;
            auto i = at + open.size();
            for (;;) {
                i = text.find_first_not_of(" \t\n", i);
                if (i == std::string::npos || text[i] != '"') break;
                for (++i; i < text.size() && text[i] != '"'; ++i) {
                    if (text[i] == '\\') ++i;
                    name += text[i];
                }
                ++i;
            }
            names.insert(name);
        }
    }
    return names;
}

bool is_test_name(std::string_view quoted)
{
    auto const colon = quoted.find(": ");
    return colon != std::string_view::npos && colon > 0 &&
           quoted.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == colon;
}

/// Promises of a page's tables whose test does not exist. A test is named as `thing: sentence`.
std::vector<std::string> broken_promises(tree const& pages, std::set<std::string> const& names)
{
    std::vector<std::string> found;
    for (auto const& [path, text] : pages) {
        for (auto const& line : lines_of(text)) {
            if (!line.starts_with("|")) continue;
            for (auto open = line.find('`'); open != std::string::npos;) {
                auto const close = line.find('`', open + 1);
                if (close == std::string::npos) break;
                auto const quoted = line.substr(open + 1, close - open - 1);
                if (is_test_name(quoted) && !names.contains(quoted))
                    found.push_back(path + ": `" + quoted + "`");
                open = line.find('`', close + 1);
            }
        }
    }
    return found;
}

std::vector<std::string> misshapen(tree const& files)
{
    constexpr std::size_t lines_max = 400;
    std::vector<std::string> found;
    for (auto const& [path, text] : files) {
        auto const lines = lines_of(text);
        if (lines.empty() || lines.front() != "// SPDX-License-Identifier: Apache-2.0") {
            found.push_back(path + ": the first line is the licence's");
        }
        if (path.ends_with(".hpp") &&
            std::find(lines.begin(), lines.end(), "#pragma once") == lines.end()) {
            found.push_back(path + ": has no #pragma once");
        }
        bool const shown = path.starts_with("include/") && path.find("/impl/") == std::string::npos;
        if (shown && lines.size() > lines_max) {
            found.push_back(path + ": " + std::to_string(lines.size()) +
                            " lines; split it before 400");
        }
    }
    return found;
}

/// Tests that mirror a header and do not include it before everything else.
std::vector<std::string> not_first(tree const& tests, tree const& headers)
{
    std::vector<std::string> found;
    for (auto const& [path, text] : tests) {
        constexpr std::string_view ending = "_test.cpp";
        if (!path.ends_with(ending)) continue;
        auto const below = path.substr(6, path.size() - 6 - ending.size());
        if (!headers.contains("include/blendr/" + below + ".hpp")) continue;
        auto const includes = includes_of(text);
        if (includes.empty() || includes.front() != "blendr/" + below + ".hpp") {
            found.push_back(path + ": does not include <blendr/" + below + ".hpp> first");
        }
    }
    return found;
}

/// Headers of a module, impl/ aside, that no test of their name mirrors. Umbrellas lie above the modules.
std::vector<std::string> without_test(tree const& headers, tree const& tests)
{
    constexpr std::string_view top = "include/blendr/", ending = ".hpp";
    std::vector<std::string> found;
    for (auto const& [path, text] : headers) {
        if (!path.starts_with(top) || !path.ends_with(ending)) continue;
        auto const below = path.substr(top.size(), path.size() - top.size() - ending.size());
        if (below.find('/') == std::string::npos || below.find("/impl/") != std::string::npos)
            continue;
        auto const test = tests.find("tests/" + below + "_test.cpp");
        if (test == tests.end() || test->second.find("TEST_CASE") == std::string::npos)
            found.push_back(path + ": tests/" + below + "_test.cpp has no test of it");
    }
    return found;
}

}  // namespace

TEST_CASE("pages: every test that a page promises exists")
{
    auto const found =
        broken_promises(read_tree({"include", "bench", "tests", "examples"}, {"README.md"}),
                        test_names(read_tree({"tests"}, {".cpp"})));
    CHECK_MESSAGE(found.empty(), listed(found));
}

TEST_CASE(
    "pages: a source file begins with its licence, a header is guarded and stays under 400 lines")
{
    auto const found =
        misshapen(read_tree({"include", "src", "tests", "bench", "examples"}, {".hpp", ".cpp"}));
    CHECK_MESSAGE(found.empty(), listed(found));
}

TEST_CASE("pages: the test of a header includes it first")
{
    auto const found = not_first(read_tree({"tests"}, {".cpp"}), read_tree({"include"}, {".hpp"}));
    CHECK_MESSAGE(found.empty(), listed(found));
}

TEST_CASE("pages: every header of a module has a test of its name")
{
    auto const headers = read_tree({"include"}, {".hpp"});
    CHECK(headers.size() > 100);
    auto const found = without_test(headers, read_tree({"tests"}, {".cpp"}));
    CHECK_MESSAGE(found.empty(), listed(found));
}

TEST_CASE("pages: planted violations are found")
{
    std::set<std::string> const names =
        test_names({{"tests/a.cpp", "TEST_CASE(\"a: one, \"\n  \"two\") {}"}});
    CHECK(names == std::set<std::string>{"a: one, two"});
    CHECK(broken_promises({{"README.md", "| x | `a: one, two`, `a: three` |"}}, names).size() == 1);
    CHECK(broken_promises({{"README.md", "says `a: three`\n| `plain` | `std::map` |"}}, names)
              .empty());

    CHECK(misshapen({{"include/a.hpp", "int a;\n"}}).size() == 2);
    CHECK(misshapen({{"include/a.hpp", "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n" +
                                           std::string(399, '\n')}})
              .size() == 1);
    CHECK(misshapen({{"src/a.cpp", "// SPDX-License-Identifier: Apache-2.0\n"}}).empty());

    tree const header = {{"include/blendr/core/a.hpp", ""}};
    CHECK(
        not_first({{"tests/core/a_test.cpp", "#include <vector>\n#include <blendr/core/a.hpp>\n"}},
                  header)
            .size() == 1);
    CHECK(not_first({{"tests/core/a_test.cpp", "#include <blendr/core/a.hpp>\n"}}, header).empty());

    tree const test = {{"tests/core/a_test.cpp", "TEST_CASE(\"a: one\") {}\n"}};
    CHECK(without_test(header, test).empty());
    CHECK(without_test(header, {}).size() == 1);
    CHECK(without_test(header, {{"tests/core/a_test.cpp", "// none yet\n"}}).size() == 1);
    CHECK(
        without_test(header, {{"tests/crypto/a_test.cpp", "TEST_CASE(\"a: one\") {}\n"}}).size() ==
        1);
    CHECK(
        without_test({{"include/blendr/core.hpp", ""}, {"include/blendr/core/impl/a.hpp", ""}}, {})
            .empty());
}
