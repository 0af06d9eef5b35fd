// SPDX-License-Identifier: Apache-2.0
#include "measure.hpp"

#include <algorithm>

#include "engines.hpp"

namespace lab {

using namespace blendr;

double percentile(std::vector<std::int64_t> const& sorted, double p)
{
    if (sorted.empty()) return 0;
    auto const i = static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1));
    return static_cast<double>(sorted[i]) / 1000;
}

row measure(std::string const& engine, std::string const& world, std::uint32_t size,
            std::uint32_t payload, runs const& w)
{
    row out{};
    out.engine = engine;
    out.world = world;
    out.size = size;
    out.payload = payload;
    out.seeds = w.seeds;
    auto const kind = *engine_named(engine);
    double blocks = 0, seconds = 0, messages = 0, bytes_sent = 0, recovery = 0, stale = 0;
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
        o.finality_by_depth = kind.promises != consensus::promise::quorum;
        set_up(world, s, o);
        auto const r = sim::run(kind, s, o);
        if (r.violation && out.broken.empty()) out.broken = *r.violation;
        blocks += static_cast<double>(r.height_max);
        seconds += static_cast<double>(r.time_us) / 1e6;
        messages += static_cast<double>(r.messages);
        bytes_sent += static_cast<double>(r.bytes_sent);
        recovery += static_cast<double>(r.recovered_us) / 1000;
        if (auto const at = r.metrics.find("stale_blocks"); at != r.metrics.end())
            stale += static_cast<double>(at->second) / size;
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
    out.stale = blocks > 0 ? 100 * stale / blocks : 0;
    out.recovery_ms = recovery / static_cast<double>(w.seeds);
    return out;
}

}  // namespace lab
