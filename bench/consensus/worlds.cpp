// SPDX-License-Identifier: Apache-2.0
// What the simulator does a second, and what a calm world costs in units of a message's delay.
#include <harness.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/sim/world.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;

constexpr std::int64_t delay_us = 10'000;

sim::report calm(sim::engine_kind const& engine, std::uint32_t validators, std::uint64_t blocks)
{
    sim::scenario s{};
    s.seed = 7;
    s.validators = validators;
    s.end_ms = 100'000'000;
    sim::world_options o{};
    o.net = sim::constant(delay_us);
    o.sync_us = o.verify_us = 0;
    o.blocks_max = blocks;
    o.keep_latencies = true;
    return sim::run(engine, s, o);
}

void measure_engine(run& out, sim::engine_kind const& engine)
{
    auto const delays = "consensus/delays/" + engine.name + "/16";
    auto const sent = "consensus/messages/" + engine.name + "/16";
    if (out.wants(delays) || out.wants(sent)) {
        auto r = calm(engine, 16, 50);
        std::ranges::sort(r.latencies_us);
        if (r.violation || r.latencies_us.empty()) return;
        auto const median = r.latencies_us[r.latencies_us.size() / 2];
        out.report(delays, static_cast<double>(median) / static_cast<double>(delay_us), "delays");
        out.report(sent, static_cast<double>(r.messages) / static_cast<double>(r.height_max),
                   "messages/block");
    }
    auto const speed = "consensus/simulator/" + engine.name + "/16";
    if (out.wants(speed)) {
        constexpr std::uint64_t blocks = 50;
        auto const messages = static_cast<double>(calm(engine, 16, blocks).messages);
        options with{};
        with.rounds = 5;
        out.figure(
            speed, rate("messages/s", messages), [&] { keep(calm(engine, 16, blocks)); }, with);
    }
}

suite const worlds{"consensus", [](run& out) {
                       measure_engine(out, sim::kind_of<consensus::simplex>());
                       measure_engine(out, sim::kind_of<consensus::hotstuff2>());
                   }};

}  // namespace
