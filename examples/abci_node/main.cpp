// SPDX-License-Identifier: Apache-2.0
// A ledger with bonds and a market as an application of CometBFT; and a network of four of them.
// needs: abci, store
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "chain.hpp"
#include "cometbft.hpp"
#include "network.hpp"

namespace {

constexpr int exit_skipped = 77;
constexpr char const* usage =
    "abci_node serve --home DIR --key FILE [--listen ADDRESS]\n"
    "  serves the chain to a CometBFT: DIR keeps its state, FILE is CometBFT's "
    "priv_validator_key.json,\n"
    "  ADDRESS what its --proxy_app says, tcp://127.0.0.1:26658 when left out\n"
    "abci_node network [--dir DIR] [--blocks N]\n"
    "  starts four validators on the loopback, trades, kills one, lets one join, and compares all "
    "hashes\n";

int network(std::map<std::string, std::string> const& words)
{
    example::network_options chosen{};
    chosen.program = cometbft::find();
    if (chosen.program.empty()) {
        std::puts("skipped: cometbft not found");
        return exit_skipped;
    }
    chosen.node = std::filesystem::read_symlink("/proc/self/exe");
    if (words.contains("blocks")) chosen.blocks = std::stoull(words.at("blocks"));
    if (words.contains("dir")) {
        chosen.directory = words.at("dir");
        std::filesystem::create_directories(chosen.directory);
        return example::run_network(chosen);
    }
    auto pattern = (std::filesystem::temp_directory_path() / "abci-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) return 1;
    chosen.directory = pattern;
    int const out = example::run_network(chosen);
    if (out == 0) std::filesystem::remove_all(chosen.directory);
    return out;
}

}  // namespace

int main(int argc, char** argv)
{
    std::string_view const what = argc > 1 ? argv[1] : "";
    std::map<std::string, std::string> words{};
    for (int i = 2; i + 1 < argc; i += 2)
        if (std::string_view{argv[i]}.starts_with("--")) words[argv[i] + 2] = argv[i + 1];
    try {
        if (what == "serve" && words.contains("home") && words.contains("key")) {
            example::node_options chosen{};
            chosen.home = words["home"];
            chosen.key = words["key"];
            if (words.contains("listen")) chosen.listen = words["listen"];
            return example::serve(chosen);
        }
        if (what == "network") return network(words);
    } catch (std::exception const& e) {
        std::fprintf(stderr, "abci_node: %s\n", e.what());
        return 1;
    }
    std::fputs(usage, stderr);
    return 2;
}
