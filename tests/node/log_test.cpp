// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/log.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <vector>

#include <blendr/core/json.hpp>

using namespace blendr;

TEST_CASE("log: lines below the level are not written, and JSON lines are JSON whatever they hold")
{
    std::vector<std::string> lines{};
    node::logger log{node::log_level::warning, true,
                     [&](std::string const& l) { lines.push_back(l); }};
    log.info("nothing");
    log.error("a \"quoted\"\nthing", {{"height", 7}, {"text", "x\ny"}});
    REQUIRE(lines.size() == 1);
    auto const read = parse_json(lines[0]);
    REQUIRE(read);
    CHECK(read->at("level").as_string() == "error");
    CHECK(read->at("height").to_number<int>() == 7);
    CHECK(node::parse_log_level("debug") == node::log_level::debug);
    CHECK(!node::parse_log_level("loud"));
}

TEST_CASE("log: as text, a value with blanks is quoted and a line stays a line")
{
    std::string line{};
    node::logger log{node::log_level::info, false, [&](std::string const& l) { line = l; }};
    log.info("moved", {{"to", "a b\nc"}, {"count", 3}});
    CHECK(line.find("info moved to=\"a b\\nc\" count=3\n") != std::string::npos);
}
