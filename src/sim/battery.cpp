// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/battery.hpp>

#include <algorithm>
#include <utility>

namespace blendr::sim {
namespace {

using consensus::promise;

/// How long a world lasts: calm from here, over there.
struct span_ms {
    std::int64_t calm{};
    std::int64_t end{};
};

span_ms span_of(engine_kind const& e)
{
    if (e.promises != promise::depth) return {8'000, 30'000};
    return {e.pace_ms, 5 * e.pace_ms};
}

scenario fit(engine_kind const& e, scenario s)
{
    auto const last = span_of(e);
    s.calm_ms = last.calm;
    s.end_ms = last.end;
    s.progress = 3;
    if (e.promises == promise::lone) {
        s.validators = 1;
        s.power = weights::equal;
        s.villains.clear();
        for (auto& f : s.faults) f.node = f.other = 0;
    }
    return s;
}

/// Depth is a defence against what is over before it is reached: what was drawn for worlds of 8 s happens
/// at the engine's own pace, and delays and clocks stay within a fraction of a block's interval.
scenario at_pace(engine_kind const& e, scenario s)
{
    if (e.promises != promise::depth) return s;
    auto const drawn_ms = scenario{}.calm_ms;
    for (auto& f : s.faults) {
        f.at_ms = f.at_ms * e.pace_ms / drawn_ms;
        f.for_ms = f.for_ms * e.pace_ms / (2 * drawn_ms) + 1;
        if (f.what == fault_kind::slow || f.what == fault_kind::skew ||
            f.what == fault_kind::slow_disk || f.what == fault_kind::deaf_app)
            f.amount = f.amount * e.pace_ms / (10 * drawn_ms);
    }
    return s;
}

/// A violation without its numbers and names: a smaller scenario must fail in the same way.
std::string kind_of_violation(std::string const& text)
{
    return text.substr(0, text.find_first_of("0123456789(:"));
}

/// Tries scenarios one after the other; the first that fails is made smaller.
std::optional<failure> each(std::string name, engine_kind const& engine, effort const& how,
                            world_options const& o, std::uint64_t count,
                            std::function<scenario(std::uint64_t)> const& make)
{
    for (std::uint64_t k = 0; k < count; ++k) {
        auto const s = make(how.seed_first + k);
        auto const r = run(engine, s, o);
        if (!r.violation) continue;
        auto const fails_alike = [&](scenario const& t) {
            auto const again = run(engine, t, o).violation;
            return again && kind_of_violation(*again) == kind_of_violation(*r.violation);
        };
        auto const smallest = shrink(s, fails_alike, how.shrink_tries);
        auto const why = run(engine, smallest, o).violation.value_or(*r.violation);
        return failure{std::move(name), why, s.seed, k + 1, smallest};
    }
    return std::nullopt;
}

std::optional<failure> calm(engine_kind const& engine, effort const& how)
{
    return each("decides in a calm world", engine, how, options_of(engine), 8,
                [&](std::uint64_t seed) {
                    scenario s{};
                    s.seed = seed;
                    s.validators = static_cast<std::uint32_t>(1 + seed % 8);
                    s.power = static_cast<weights>(seed % 4);
                    return fit(engine, s);
                });
}

std::optional<failure> same_trace(engine_kind const& engine, effort const&)
{
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        auto const s = random_world(engine, seed);
        if (run(engine, s, options_of(engine)).trace != run(engine, s, options_of(engine)).trace)
            return failure{"same seed, same trace", "two runs of one scenario differ", seed,
                           seed + 1, s};
    }
    return std::nullopt;
}

std::optional<failure> crash_everywhere(engine_kind const& engine, effort const& how)
{
    auto const barriers = run(engine, fit(engine, scenario{}), options_of(engine)).barriers;
    if (barriers == 0) return std::nullopt;
    // One node after another, at barriers k, k + 5, k + 10: before each is durable, and after.
    return each("survives a crash at every barrier", engine, how, options_of(engine), how.seeds * 4,
                [&](std::uint64_t k) {
                    scenario s{};
                    s.seed = k / 2;
                    for (std::uint32_t i = 0; i < 3; ++i)
                        s.faults.push_back(
                            {0, 50 + static_cast<std::int64_t>(k % 7) * 60,
                             k % 2 == 0 ? fault_kind::crash_before : fault_kind::crash_after, i, 0,
                             static_cast<std::int64_t>(1 + k / 2 + i * 5)});
                    return fit(engine, s);
                });
}

std::optional<failure> crashes(engine_kind const& engine, effort const& how)
{
    return each("survives crashes, partitions and bad links", engine, how, options_of(engine),
                how.seeds, [&](std::uint64_t seed) { return random_world(engine, seed, false); });
}

std::optional<failure> villains(engine_kind const& engine, effort const& how)
{
    return each("survives villains of less than a third", engine, how, options_of(engine),
                how.seeds,
                [&](std::uint64_t seed) { return random_world(engine, seed + 1'000'000); });
}

std::optional<failure> big_and_small(engine_kind const& engine, effort const& how)
{
    return each("counts weights, not heads", engine, how, options_of(engine), how.seeds / 2 + 1,
                [&](std::uint64_t seed) {
                    // Small validators, who are most heads and less than a third of the weight, are
                    // villains; links fail meanwhile.
                    scenario s{};
                    s.seed = seed + 2'000'000;
                    s.validators = 10;
                    s.power = weights::stake;
                    for (std::uint32_t i = 10; i-- > 0;) {
                        s.villains.push_back({i, i % 2 == 0 ? role::forging : role::forking});
                        if (within_bound(s)) continue;
                        s.villains.pop_back();
                        break;
                    }
                    s.faults.push_back({500, 5000, fault_kind::partition, 0, 0,
                                        static_cast<std::int64_t>(seed * 37 % 1024)});
                    s.faults.push_back({0, 7000, fault_kind::slow, 0, 0, 300});
                    return fit(engine, s);
                });
}

/// The applications say nothing the first time that they are asked about a block or for one, until the
/// end: an engine that never asks again decides nothing.
std::optional<failure> silent_application(engine_kind const& engine, effort const& how)
{
    return each("asks a silent application again", engine, how, options_of(engine), 3,
                [&](std::uint64_t seed) {
                    auto s = fit(engine, {});
                    s.seed = seed;
                    for (std::uint32_t i = 0; i < s.validators; ++i)
                        s.faults.push_back({0, s.end_ms, fault_kind::mute_app, i, 0, 1});
                    return s;
                });
}

std::optional<failure> flood(engine_kind const& engine, effort const&)
{
    scenario s{};
    s.seed = 5;
    s.villains.push_back({3, role::garbage});
    s.faults.push_back({0, span_of(engine).calm - 1'000, fault_kind::repeat, 0, 0, 900});
    s = fit(engine, s);
    auto const r = run(engine, s, options_of(engine));
    auto const failed = [&](std::string why) {
        return failure{"bounded under a flood", std::move(why), s.seed, 1, s};
    };
    if (r.violation) return failed(*r.violation);
    if (r.held_max > 4'000) return failed("it holds " + std::to_string(r.held_max) + " things");
    if (r.journal_max > 1'000)
        return failed("its journal grows to " + std::to_string(r.journal_max) + " records");
    return std::nullopt;
}

/// A check that cannot fail is no check: with a third of the weight or more, something must break.
std::optional<failure> beyond(engine_kind const& engine, effort const&)
{
    ingredients with{};
    with.beyond = true;
    with.ballots = engine.kinds != 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed)
        if (run(engine, fit(engine, draw(seed, with)), options_of(engine)).violation)
            return std::nullopt;
    return failure{"falls to villains of a third or more", "nothing broke in 60 worlds", 0, 60, {}};
}

std::optional<failure> too_long(engine_kind const& engine, effort const&)
{
    auto s = fit(engine, {});
    s.faults.push_back({1'000, 4 * engine.pace_ms, fault_kind::partition, 0, 0, 0b0011});
    s.calm_ms += 4 * engine.pace_ms;
    s.end_ms += 4 * engine.pace_ms;
    if (run(engine, s, options_of(engine)).violation) return std::nullopt;
    return failure{"falls to a partition longer than its depth", "nothing broke", s.seed, 1, s};
}

std::optional<failure> not_alone(engine_kind const& engine, effort const&)
{
    auto s = fit(engine, {});
    s.validators = 2;
    if (run(engine, s, options_of(engine)).violation) return std::nullopt;
    return failure{"falls when it is not alone", "nothing broke", s.seed, 1, s};
}

}  // namespace

world_options options_of(engine_kind const& engine)
{
    world_options o{};
    o.net = constant(20'000);
    o.net.jitter_us = 10'000;
    o.hashes_per_second =
        12'000;  // about a block an interval from the first on, by the default config
    o.finality_by_depth = engine.promises != promise::quorum;
    return o;
}

scenario random_world(engine_kind const& engine, std::uint64_t seed, bool villains)
{
    ingredients with{};
    with.byzantine = villains;
    with.ballots = engine.kinds != 0;
    return fit(engine, at_pace(engine, draw(seed, with)));
}

std::vector<trial> battery(engine_kind const& engine)
{
    std::vector<trial> out{
        {"decides in a calm world", calm},
        {"same seed, same trace", same_trace},
        {"survives crashes, partitions and bad links", crashes},
    };
    if (engine.promises != promise::lone)
        out.push_back({"survives villains of less than a third", villains});
    if (engine.promises == promise::quorum)
        out.push_back({"counts weights, not heads", big_and_small});
    out.push_back({"survives a crash at every barrier", crash_everywhere});
    out.push_back({"asks a silent application again", silent_application});
    if (engine.promises != promise::lone) out.push_back({"bounded under a flood", flood});
    switch (engine.promises) {
    case promise::quorum:
        out.push_back({"falls to villains of a third or more", beyond});
        break;
    case promise::depth:
        out.push_back({"falls to a partition longer than its depth", too_long});
        break;
    case promise::lone:
        out.push_back({"falls when it is not alone", not_alone});
        break;
    }
    return out;
}

std::optional<failure> try_all(engine_kind const& engine, effort const& how)
{
    for (auto const& t : battery(engine))
        if (auto f = t.run(engine, how)) return f;
    return std::nullopt;
}

std::string to_text(failure const& f)
{
    return f.trial + ": " + f.why + "\nfound with seed " + std::to_string(f.seed) + " after " +
           std::to_string(f.seeds_run) + "; the smallest scenario that fails:\n" +
           to_text(f.smallest);
}

}  // namespace blendr::sim
