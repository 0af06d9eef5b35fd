// SPDX-License-Identifier: Apache-2.0
// Any engines, over any worlds, sizes and seeds: a table, a CSV and plots.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "engines.hpp"
#include "measure.hpp"
#include "report.hpp"
#include "soak.hpp"

namespace {

using namespace lab;

constexpr std::string_view help_text =
    R"(consensus_lab: compares consensus engines in simulated worlds

  consensus_lab                                  both quorum engines around the world, 4 to 64 validators
  consensus_lab --worlds units                   latency in units of one message delay
  consensus_lab --worlds wan,lossy,partition,crashed,byzantine --payloads 1024,65536 --out results
  consensus_lab --engines solo,authority,nakamoto --worlds lan,wan --sizes 4,16 --blocks 50
  consensus_lab --engines simplex,nakamoto --soak 1000     random faults; every invariant checked

  --engines LIST   solo authority nakamoto simplex hotstuff2            (simplex,hotstuff2)
  --worlds LIST    units lan wan lossy partition crashed byzantine      (wan)
  --sizes LIST     validators, 1 to 200                                 (4,16,64)
  --payloads LIST  bytes a block                                        (1024)
  --seeds N        runs of each                                         (3)
  --blocks N       decided blocks a run                                 (100)
  --out DIR        also results.csv and plots (SVG) there
  --soak N         N random worlds an engine instead: prints what broke, or that nothing did
  --replay FILE    one scenario instead, as --soak prints it: what happened, line by line
  --from SEED      the first seed                                       (0)

Numbers are in virtual time: same seed, same numbers, on any machine and compiler.
)";

struct wish {
    std::vector<std::string> engines{"simplex", "hotstuff2"};
    std::vector<std::string> worlds{"wan"};
    std::vector<std::uint32_t> sizes{4, 16, 64};
    std::vector<std::uint32_t> payloads{1024};
    std::uint64_t seeds = 3;
    std::uint64_t blocks = 100;
    std::uint64_t from = 0;
    std::uint64_t soak = 0;
    std::string out{};
    std::string replay{};
};

std::vector<std::string> split(std::string const& list)
{
    std::vector<std::string> out;
    std::istringstream in{list};
    for (std::string each; std::getline(in, each, ',');)
        if (!each.empty()) out.push_back(each);
    return out;
}

std::optional<std::vector<std::uint32_t>> numbers(std::string const& list, unsigned long most)
{
    std::vector<std::uint32_t> out;
    for (auto const& each : split(list)) {
        char* end = nullptr;
        auto const v = std::strtoul(each.c_str(), &end, 10);
        if (*end != '\0' || v == 0 || v > most) return std::nullopt;
        out.push_back(static_cast<std::uint32_t>(v));
    }
    if (out.empty()) return std::nullopt;
    return out;
}

/// Nothing: a sentence about what is wrong went to stderr.
std::optional<wish> read(int argc, char** argv)
{
    wish w{};
    for (int i = 1; i < argc; ++i) {
        std::string const name = argv[i];
        auto const refuse = [&](std::string const& why) {
            std::cerr << "consensus_lab: " << why << "; see --help\n";
            return std::nullopt;
        };
        if (i + 1 == argc) return refuse(name + " needs a value, or is unknown");
        std::string const value = argv[++i];
        auto const count = [&](std::uint64_t& into) {
            char* end = nullptr;
            into = std::strtoull(value.c_str(), &end, 10);
            return !value.empty() && *end == '\0';
        };
        if (name == "--engines") {
            w.engines = split(value);
            for (auto const& e : w.engines)
                if (!engine_named(e)) return refuse("no engine is called " + e);
        } else if (name == "--worlds") {
            w.worlds = split(value);
            for (auto const& e : w.worlds)
                if (!known_world(e)) return refuse("no world is called " + e);
        } else if (name == "--sizes" || name == "--payloads") {
            auto const list = numbers(value, name == "--sizes" ? 200 : 1u << 20);
            if (!list) return refuse(name + " wants numbers, such as 4,16");
            (name == "--sizes" ? w.sizes : w.payloads) = *list;
        } else if (name == "--seeds" || name == "--blocks" || name == "--from" ||
                   name == "--soak") {
            auto& into = name == "--seeds"    ? w.seeds
                         : name == "--blocks" ? w.blocks
                         : name == "--from"   ? w.from
                                              : w.soak;
            if (!count(into) || (into == 0 && name != "--from"))
                return refuse(name + " wants a number");
        } else if (name == "--out" || name == "--replay") {
            (name == "--out" ? w.out : w.replay) = value;
        } else {
            return refuse("unknown option " + name);
        }
    }
    return w;
}

std::vector<row> measure_all(wish const& w)
{
    std::vector<row> rows;
    std::size_t done = 0;
    auto const all = w.engines.size() * w.worlds.size() * w.sizes.size() * w.payloads.size();
    for (auto const& world : w.worlds)
        for (auto const& engine : w.engines) {
            // A lone engine has one size, whatever was asked for.
            bool const lone = engine_named(engine)->promises == blendr::consensus::promise::lone;
            auto const sizes = lone ? std::vector<std::uint32_t>{1} : w.sizes;
            for (auto const size : sizes)
                for (auto const payload : w.payloads) {
                    progress(done++, all, engine + " " + world + " n=" + std::to_string(size));
                    rows.push_back(
                        measure(engine, world, size, payload, {w.from, w.seeds, w.blocks}));
                }
        }
    progress(all, all, "");
    return rows;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc > 1 && (std::string_view{argv[1]} == "--help" || std::string_view{argv[1]} == "-h")) {
        std::cout << help_text;
        return 0;
    }
    auto const w = read(argc, argv);
    if (!w) return 2;
    bool good = true;
    if (!w->replay.empty() || w->soak != 0) {
        for (auto const& engine : w->engines)
            good =
                (w->replay.empty() ? soak(engine, w->from, w->soak) : replay(engine, w->replay)) &&
                good;
        return good ? 0 : 1;
    }
    auto const rows = measure_all(*w);
    print(rows);
    if (!w->out.empty()) good = save(w->out, rows);
    for (auto const& r : rows) good = good && r.broken.empty();
    return good ? 0 : 1;
}
