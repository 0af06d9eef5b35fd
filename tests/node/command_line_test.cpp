// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/command_line.hpp>  // first: it stands alone

#include <doctest/doctest.h>

#include <support/support.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <blendr/node/standard_chain.hpp>

using namespace blendr;
namespace fs = std::filesystem;

namespace {
int run(std::vector<std::string> const& arguments)
{
    return node::run_command_line(arguments, node::standard_chain());
}
}  // namespace

TEST_CASE("command_line: init makes a home once, config reads it, and mistakes have a status")
{
    auto const home = (test::scratch("command_line") / "home").string();
    CHECK(run({}) == 2);
    CHECK(run({"dance"}) == 2);
    CHECK(run({"help"}) == 0);
    CHECK(run({"init", "--home", home, "--consensus", "solo"}) == 0);
    CHECK(run({"init", "--home", home}) == 1);  // there is a key already, and it stays
    for (auto const* each : {"node.key", "genesis.json", "config.json"})
        CHECK(fs::exists(fs::path{home} / each));
    std::ifstream in{fs::path{home} / "config.json"};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    CHECK(text.find("\"solo\"") != std::string::npos);
    CHECK(run({"config", "--home", home}) == 0);
    // the chain's name stands in the document, and is that of this engine alone
    std::ifstream made{fs::path{home} / "genesis.json"};
    std::string const genesis{std::istreambuf_iterator<char>{made}, {}};
    CHECK(genesis.find("\"evidence\"") != std::string::npos);
    CHECK(run({"run", "--home", home, "--consensus", "simplex"}) == 1);
    CHECK(run({"config", "--home", home, "--no.such", "1"}) == 1);
    CHECK(run({"run", "--home", home, "--consensus", "none"}) == 1);
    CHECK(run({"status", "--home", home}) == 1);  // nobody runs there
    CHECK(run({"check", "--home", home}) == 0);
    CHECK(run({"network", "--validators", "3"}) == 1);  // without a directory
}
