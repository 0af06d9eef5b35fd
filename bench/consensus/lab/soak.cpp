// SPDX-License-Identifier: Apache-2.0
#include "soak.hpp"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include <blendr/consensus/ballot.hpp>
#include <blendr/core/json.hpp>
#include <blendr/sim/battery.hpp>

#include "engines.hpp"
#include "report.hpp"

namespace lab {

using namespace blendr;

namespace {

/// What a soak adds up.
struct sums {
    std::uint64_t traces{}, messages{}, crashes{}, barriers{}, blocks{}, accused{}, broken{};
    std::size_t held{}, journal{};

    void take(sim::report const& r)
    {
        traces = consensus::scramble(traces ^ r.trace);
        messages += r.messages;
        crashes += r.crashes;
        barriers += r.barriers;
        blocks += r.height_min;
        accused += r.accused.size();
        broken += r.violation.has_value();
        held = std::max(held, r.held_max);
        journal = std::max(journal, r.journal_max);
    }
};

void explain(sim::engine_kind const& engine, sim::scenario const& s, std::string const& why)
{
    auto const fails = [&](sim::scenario const& t) {
        return sim::run(engine, t, sim::options_of(engine)).violation.has_value();
    };
    auto const small = sim::shrink(s, fails);
    std::printf("%s: %s\n%sthe smallest scenario that fails, for --replay:\n%s\n",
                engine.name.c_str(), why.c_str(), sim::to_text(s).c_str(),
                to_text(to_json(small)).c_str());
    std::fflush(stdout);
}

}  // namespace

bool soak(std::string const& name, std::uint64_t from, std::uint64_t worlds)
{
    auto const engine = *engine_named(name);
    auto const start = std::chrono::steady_clock::now();
    sums all{};
    for (std::uint64_t k = 0; k < worlds; ++k) {
        if (k % 16 == 0) progress(k, worlds, name);
        auto const s = sim::random_world(engine, from + k);
        auto const r = sim::run(engine, s, sim::options_of(engine));
        all.take(r);
        if (r.violation) explain(engine, s, *r.violation);
    }
    progress(worlds, worlds, name);
    auto const took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::printf("%s: seeds %" PRIu64 " to %" PRIu64 ", %" PRIu64 " broken, traces %016" PRIx64
                "\n  %" PRIu64 " blocks decided by everybody, %" PRIu64 " messages, %" PRIu64
                " barriers, %" PRIu64 " crashes, %" PRIu64
                " villains proven guilty\n  at most %zu things held and %zu records in a journal; "
                "%.0f s, %.0f messages/s\n",
                name.c_str(), from, from + worlds - 1, all.broken, all.traces, all.blocks,
                all.messages, all.barriers, all.crashes, all.accused, all.held, all.journal, took,
                static_cast<double>(all.messages) / took);
    std::fflush(stdout);
    return all.broken == 0;
}

bool replay(std::string const& name, std::string const& file)
{
    std::ifstream in{file};
    if (!in) {
        std::cerr << "consensus_lab: " << file << " cannot be read\n";
        return false;
    }
    std::ostringstream text;
    text << in.rdbuf();
    auto const json = parse_json(text.str());
    auto const s = json ? from_json<sim::scenario>(*json)
                        : result<sim::scenario, json_error>{fail{json.error()}};
    if (!s) {
        std::cerr << "consensus_lab: " << file << ": " << message(s.error()) << "\n";
        return false;
    }
    if (auto const why = sim::refuse(*s)) {
        std::cerr << "consensus_lab: " << file << ": " << *why << "\n";
        return false;
    }
    auto const engine = *engine_named(name);
    auto o = sim::options_of(engine);
    o.keep_log = true;
    auto const r = sim::run(engine, *s, o);
    for (auto const& line : r.log) std::printf("%s\n", line.c_str());
    std::printf("%s: %s; heights %" PRIu64 " to %" PRIu64 ", trace %016" PRIx64 "\n", name.c_str(),
                r.violation ? r.violation->c_str() : "every invariant held", r.height_min,
                r.height_max, r.trace);
    return !r.violation;
}

}  // namespace lab
