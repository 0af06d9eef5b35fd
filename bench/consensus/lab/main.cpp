// SPDX-License-Identifier: Apache-2.0
// Any engines, over any worlds, sizes and seeds: a table, a CSV and plots.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/nakamoto.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/consensus/solo.hpp>
#include <blendr/sim/battery.hpp>
#include <blendr/sim/ideal.hpp>
#include <blendr/sim/world.hpp>

#include "plot.hpp"

namespace {

using namespace blendr;

constexpr std::string_view help_text =
    R"(consensus_lab: compares consensus engines in simulated worlds

  consensus_lab                                       all BFT engines, a calm world, 4 to 64 validators
  consensus_lab --worlds units                        latency in units of one message delay
  consensus_lab --engines simplex,hotstuff2 --worlds wan,lossy,crashed,byzantine --out results
  consensus_lab --engines authority,nakamoto --worlds wan --sizes 7 --blocks 50
  consensus_lab --soak 10000 --engines simplex        random faults and villains; every invariant checked

  --engines LIST   solo authority nakamoto simplex hotstuff2            (simplex,hotstuff2)
  --worlds LIST    units lan wan lossy partition crashed byzantine      (wan)
  --sizes LIST     validators, 1 to 200                                 (4,16,64)
  --payloads LIST  bytes a block                                        (1024)
  --seeds N        runs of each                                         (3)
  --blocks N       decided blocks a run                                 (100)
  --out DIR        also results.csv and plots (SVG) there
  --soak N         N random worlds an engine instead: prints what broke, or that nothing did
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
};

struct row {
    std::string engine{}, world{};
    std::uint32_t size{}, payload{};
    std::uint64_t seeds{};
    double blocks_per_s{}, mean_ms{}, p50_ms{}, p99_ms{}, messages{}, kbytes{}, recovery_ms{};
    std::vector<std::int64_t> latencies{};
    std::string broken{};
};

bool is_bft(std::string const& name) { return name == "simplex" || name == "hotstuff2"; }

std::optional<sim::engine_kind> engine_named(std::string const& name)
{
    if (name == "simplex") return sim::kind_of<consensus::simplex>();
    if (name == "hotstuff2") return sim::kind_of<consensus::hotstuff2>();
    if (name == "authority") return sim::kind_of<consensus::authority>();
    if (name == "solo") return sim::kind_of<consensus::solo>();
    if (name == "nakamoto") {
        consensus::nakamoto_config c{};
        c.interval_ms = 5'000;
        return sim::kind_of<consensus::nakamoto<sim::ideal_work>>(c);
    }
    return std::nullopt;
}

bool known_world(std::string const& name)
{
    return std::ranges::count(std::vector<std::string>{"units", "lan", "wan", "lossy", "partition",
                                                       "crashed", "byzantine"},
                              name) != 0;
}

/// The world's network and faults. f is the most villains below a third.
void set_up(std::string const& world, sim::scenario& s, sim::world_options& o)
{
    o.net = sim::wan();
    s.calm_ms = 1'000;
    auto const f = (s.validators - 1) / 3;
    if (world == "units") {
        o.net = sim::constant(10'000);
        o.sync_us = o.verify_us = 0;
    } else if (world == "lan") {
        o.net = sim::lan();
    } else if (world == "lossy") {
        o.net = sim::lossy();
    } else if (world == "partition") {
        s.calm_ms = 10'000;
        s.faults.push_back({2'000, 8'000, sim::fault_kind::partition, 0, 0,
                            (std::int64_t{1} << std::min(s.validators / 2, 62u)) - 1});
    } else if (world == "crashed") {
        for (std::uint32_t i = 0; i < f; ++i) s.villains.push_back({i * 3, sim::role::silent});
    } else if (world == "byzantine") {
        constexpr sim::role roles[] = {sim::role::forging, sim::role::selective,
                                       sim::role::forking};
        for (std::uint32_t i = 0; i < f; ++i) s.villains.push_back({i * 3, roles[i % 3]});
    }
}

double percentile(std::vector<std::int64_t> const& sorted, double p)
{
    if (sorted.empty()) return 0;
    auto const i = static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1));
    return static_cast<double>(sorted[i]) / 1000;
}

row measure(std::string const& engine, std::string const& world, std::uint32_t size,
            std::uint32_t payload, wish const& w)
{
    row out{engine, world, size, payload, w.seeds, 0, 0, 0, 0, 0, 0, 0, {}, {}};
    double blocks = 0, seconds = 0, messages = 0, bytes_sent = 0, recovery = 0;
    for (std::uint64_t seed = w.from; seed < w.from + w.seeds; ++seed) {
        sim::scenario s{};
        s.seed = seed;
        s.validators = size;
        s.end_ms = 100'000'000;
        s.progress = 0;
        sim::world_options o{};
        o.payload_bytes = payload;
        o.blocks_max = w.blocks;
        o.keep_latencies = true;
        o.finality_by_depth = !is_bft(engine);
        set_up(world, s, o);
        auto const r = sim::run(*engine_named(engine), s, o);
        if (r.violation && out.broken.empty()) out.broken = *r.violation;
        blocks += static_cast<double>(r.height_max);
        seconds += static_cast<double>(r.time_us) / 1e6;
        messages += static_cast<double>(r.messages);
        bytes_sent += static_cast<double>(r.bytes_sent);
        recovery += static_cast<double>(r.recovered_us) / 1000;
        out.latencies.insert(out.latencies.end(), r.latencies_us.begin(), r.latencies_us.end());
    }
    std::ranges::sort(out.latencies);
    double sum = 0;
    for (auto const l : out.latencies) sum += static_cast<double>(l);
    auto const count = static_cast<double>(std::max<std::size_t>(out.latencies.size(), 1));
    out.blocks_per_s = seconds > 0 ? blocks / seconds : 0;
    out.mean_ms = sum / count / 1000;
    out.p50_ms = percentile(out.latencies, 0.5);
    out.p99_ms = percentile(out.latencies, 0.99);
    out.messages = blocks > 0 ? messages / blocks : 0;
    out.kbytes = blocks > 0 ? bytes_sent / blocks / 1000 : 0;
    out.recovery_ms = recovery / static_cast<double>(w.seeds);
    return out;
}

void progress(std::size_t done, std::size_t all, std::string const& what)
{
    if (isatty(2) == 0) return;
    constexpr std::size_t wide = 30;
    auto const full = all == 0 ? wide : done * wide / all;
    std::cerr << "\r[" << std::string(full, '#') << std::string(wide - full, '.') << "] " << done
              << "/" << all << " " << what << std::string(20, ' ') << "\r" << std::flush;
    if (done == all) std::cerr << "\r" << std::string(90, ' ') << "\r" << std::flush;
}

void print(std::vector<row> const& rows)
{
    std::printf("%-10s %-10s %5s %7s | %9s %9s %9s %9s | %10s %11s %9s\n", "engine", "world", "n",
                "payload", "blocks/s", "mean ms", "p50 ms", "p99 ms", "msgs/block", "kB/block",
                "recover");
    for (auto const& r : rows) {
        std::printf("%-10s %-10s %5u %7u | %9.2f %9.1f %9.1f %9.1f | %10.0f %11.1f %9.0f\n",
                    r.engine.c_str(), r.world.c_str(), r.size, r.payload, r.blocks_per_s, r.mean_ms,
                    r.p50_ms, r.p99_ms, r.messages, r.kbytes, r.recovery_ms);
        if (r.world == "units")
            std::printf("%21s decided %.3g message delays after the proposal (median); last node "
                        "%.3g\n",
                        "", r.p50_ms / 10, percentile(r.latencies, 1) / 10);
        if (!r.broken.empty()) std::printf("  BROKEN: %s\n", r.broken.c_str());
    }
}

bool write(std::filesystem::path const& to, std::string const& text)
{
    std::ofstream out{to};
    out << text;
    if (!out.flush()) std::cerr << "cannot write " << to << "\n";
    return static_cast<bool>(out);
}

bool save(std::string const& directory, std::vector<row> const& rows)
{
    std::filesystem::path const dir{directory};
    std::error_code failed;
    std::filesystem::create_directories(dir, failed);
    std::ostringstream csv;
    csv << "engine,world,validators,payload,seeds,blocks_per_s,mean_ms,p50_ms,p99_ms,"
           "messages_per_block,kbytes_per_block,recovery_ms,broken\n";
    std::map<std::string, lab::series> trade, spread, messages, volume, recovery;
    std::vector<std::string> engines, worlds, sizes;
    for (auto const& r : rows) {
        csv << r.engine << ',' << r.world << ',' << r.size << ',' << r.payload << ',' << r.seeds
            << ',' << r.blocks_per_s << ',' << r.mean_ms << ',' << r.p50_ms << ',' << r.p99_ms
            << ',' << r.messages << ',' << r.kbytes << ',' << r.recovery_ms << ",\"" << r.broken
            << "\"\n";
        auto const name = r.engine + " " + r.world;
        // An engine is a kind of line, a world (and for distributions a size) a colour.
        auto const known = [](std::vector<std::string>& all, std::string const& what) {
            auto const at = std::ranges::find(all, what);
            auto const index = static_cast<std::size_t>(at - all.begin());
            if (at == all.end()) all.push_back(what);
            return index;
        };
        auto const sized = r.world + " n=" + std::to_string(r.size);
        auto const dash = known(engines, r.engine);
        auto const add = [&](auto& into, std::string const& key, double x, double y) {
            into[key].name = key;
            into[key].colour = known(worlds, r.world);
            into[key].dash = dash;
            into[key].points.emplace_back(x, y);
        };
        auto const volume_per_s = r.blocks_per_s * r.payload / 1000;
        add(trade, name, volume_per_s, r.p50_ms);
        trade[name].notes.push_back({volume_per_s, r.p50_ms, "n=" + std::to_string(r.size)});
        add(messages, name, r.size, r.messages);
        add(volume, name, r.size, r.kbytes);
        add(recovery, name, r.size, r.recovery_ms);
        auto& s = spread[r.engine + " " + sized];
        s.name = r.engine + " " + sized;
        s.colour = known(sizes, sized);
        s.dash = dash;
        s.points.emplace_back(percentile(r.latencies, 0.01), 0);
        for (int p = 1; p <= 100; ++p)
            s.points.emplace_back(percentile(r.latencies, p / 100.0), p / 100.0);
    }
    bool good = write(dir / "results.csv", csv.str());
    auto const draw = [&](char const* file, char const* title, char const* x, char const* y,
                          std::map<std::string, lab::series> const& all, bool steps, bool log_x,
                          bool log_y) {
        lab::chart c{title, x, y, {}, steps, !steps, log_x, log_y};
        for (auto const& [key, s] : all) c.lines.push_back(s);
        for (auto& s : c.lines)
            std::ranges::stable_sort(s.points, {}, [](auto const& p) { return p.first; });
        good = write(dir / file, lab::svg(c)) && good;
    };
    draw("throughput-latency.svg", "Latency against throughput", "kB of payload decided a second",
         "median latency, ms", trade, false, true, true);
    draw("latency.svg", "How many decisions are made within a time", "latency, ms",
         "share of decisions", spread, true, true, false);
    draw("messages.svg", "Messages a decision", "validators", "messages", messages, false, true,
         true);
    draw("bytes.svg", "Bytes a decision", "validators", "kB sent by all", volume, false, true,
         true);
    draw("recovery.svg", "From calm until everybody has decided again", "validators", "ms",
         recovery, false, true, false);
    std::cerr << "wrote results.csv and five plots to " << directory << "\n";
    return good;
}

int soak(wish const& w)
{
    int broken = 0;
    for (auto const& name : w.engines) {
        if (!is_bft(name)) {
            std::cerr << "--soak is for simplex and hotstuff2\n";
            return 2;
        }
        auto const engine = *engine_named(name);
        auto const start = std::chrono::steady_clock::now();
        std::uint64_t messages = 0, crashes = 0, barriers = 0, blocks = 0, accused = 0, bad = 0;
        std::size_t held = 0;
        for (std::uint64_t k = 0; k < w.soak; ++k) {
            if (k % 16 == 0) progress(k, w.soak, name);
            auto const s = sim::draw(w.from + k, {});
            sim::world_options o{};
            o.net = sim::constant(20'000);
            o.net.jitter_us = 10'000;
            auto const r = sim::run(engine, s, o);
            messages += r.messages;
            crashes += r.crashes;
            barriers += r.barriers;
            blocks += r.height_min;
            accused += r.accused.size();
            held = std::max(held, r.held_max);
            if (!r.violation) continue;
            ++bad;
            std::printf("%s: %s\n%s", name.c_str(), r.violation->c_str(), sim::to_text(s).c_str());
        }
        progress(w.soak, w.soak, name);
        auto const took =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        std::printf(
            "%s: %llu worlds, %llu broken; %llu blocks decided by everybody, %llu messages, "
            "%llu barriers, %llu crashes, %llu villains proven guilty, at most %zu things "
            "held; %.0f s, %.0f messages/s\n",
            name.c_str(), static_cast<unsigned long long>(w.soak),
            static_cast<unsigned long long>(bad), static_cast<unsigned long long>(blocks),
            static_cast<unsigned long long>(messages), static_cast<unsigned long long>(barriers),
            static_cast<unsigned long long>(crashes), static_cast<unsigned long long>(accused),
            held, took, static_cast<double>(messages) / took);
        broken += bad != 0;
    }
    return broken == 0 ? 0 : 1;
}

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
        } else if (name == "--out") {
            w.out = value;
        } else {
            return refuse("unknown option " + name);
        }
    }
    return w;
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
    if (w->soak != 0) return soak(*w);
    std::vector<row> rows;
    std::size_t done = 0;
    auto const all = w->engines.size() * w->worlds.size() * w->sizes.size() * w->payloads.size();
    for (auto const& world : w->worlds)
        for (auto const& engine : w->engines)
            for (auto const size : w->sizes)
                for (auto const payload : w->payloads) {
                    progress(done++, all, engine + " " + world + " n=" + std::to_string(size));
                    rows.push_back(measure(engine, world, size, payload, *w));
                }
    progress(all, all, "");
    print(rows);
    if (!w->out.empty() && !save(w->out, rows)) return 1;
    return std::ranges::any_of(rows, [](row const& r) { return !r.broken.empty(); }) ? 1 : 0;
}
