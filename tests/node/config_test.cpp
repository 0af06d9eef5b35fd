// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/config.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace blendr;

namespace {
auto made(std::string_view file, std::vector<std::string> const& flags)
{
    return node::make_config(file, flags);
}
}  // namespace

TEST_CASE(
    "config: flags win over the file, the file over the defaults, and all of it is printed back")
{
    auto const c = made(R"({"consensus": "solo", "engine": {"interval_ms": 7}, "threads": 3})",
                        {"--engine.interval_ms", "9", "--p2p.peers", "a:1,b:2", "--log.json"});
    REQUIRE(c);
    CHECK(c->consensus == "solo");
    CHECK(c->engine.interval_ms == 9);
    CHECK(c->threads == 3);
    CHECK(c->log.json);
    CHECK(c->p2p.peers == std::vector<std::string>{"a:1", "b:2"});
    CHECK(c->engine.depth == node::config{}.engine.depth);

    auto const again = made(to_text(*c), {});
    REQUIRE(again);
    CHECK(to_text(*again) == to_text(*c));
}

TEST_CASE("config: what is unknown, has no value or the wrong one is refused by name")
{
    CHECK(made("{", {}).error().find("config file") != std::string::npos);
    CHECK(made(R"({"consensu": "solo"})", {}).error().find("consensu") != std::string::npos);
    CHECK(made({}, {"--engine.speed", "9"}).error().find("engine.speed") != std::string::npos);
    CHECK(made({}, {"--engine", "9"}).error().find("engine") != std::string::npos);
    CHECK(made({}, {"--threads"}).error().find("threads") != std::string::npos);
    CHECK(made({}, {"--threads", "many"}).error().find("many") != std::string::npos);
    CHECK(made({}, {"--threads", "-1"}).error().find("threads") != std::string::npos);
    CHECK(made({}, {"solo"}).error().find("solo") != std::string::npos);
}
