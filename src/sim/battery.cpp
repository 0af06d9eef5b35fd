// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/battery.hpp>

#include <utility>

namespace blendr::sim {

world_options options_of(claims_to_be const& c)
{
    world_options o{};
    o.net = constant(c.delay_us);
    o.net.jitter_us = c.delay_us / 2;
    o.finality_by_depth = !c.certificates;
    return o;
}

namespace {

scenario fit(scenario s, claims_to_be const& c)
{
    s.calm_ms = c.calm_ms;
    s.end_ms = c.end_ms;
    s.progress = c.progress;
    if (!c.instant_sets && s.power == weights::changing) s.power = weights::stake;
    return s;
}

/// A violation without its numbers and names: a smaller scenario must fail in the same way.
std::string kind_of_violation(std::string const& text)
{
    return text.substr(0, text.find_first_of("0123456789(:"));
}

/// Tries scenarios one after the other; the first that fails is made smaller.
std::optional<failure> each(std::string name, engine_kind const& engine, claims_to_be const& c,
                            world_options const& o, std::uint64_t count,
                            std::function<scenario(std::uint64_t)> const& make)
{
    for (std::uint64_t k = 0; k < count; ++k) {
        auto const s = fit(make(c.seed_first + k), c);
        auto const r = run(engine, s, o);
        if (!r.violation) continue;
        auto const fails_alike = [&](scenario const& t) {
            auto const again = run(engine, t, o).violation;
            return again && kind_of_violation(*again) == kind_of_violation(*r.violation);
        };
        auto const smallest = shrink(s, fails_alike, c.shrink_tries);
        auto const why = run(engine, smallest, o).violation.value_or(*r.violation);
        return failure{std::move(name), why, s.seed, k + 1, smallest};
    }
    return std::nullopt;
}

std::optional<failure> calm(engine_kind const& engine, claims_to_be const& c)
{
    return each("decides in a calm world", engine, c, options_of(c), 8, [](std::uint64_t seed) {
        scenario s{};
        s.seed = seed;
        s.validators = static_cast<std::uint32_t>(1 + seed % 8);
        s.power = static_cast<weights>(seed % 4);
        return s;
    });
}

std::optional<failure> same_trace(engine_kind const& engine, claims_to_be const& c)
{
    ingredients with{};
    with.byzantine = c.byzantine;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        auto const s = fit(draw(seed, with), c);
        if (run(engine, s, options_of(c)).trace != run(engine, s, options_of(c)).trace)
            return failure{"same seed, same trace", "two runs of one scenario differ", seed,
                           seed + 1, s};
    }
    return std::nullopt;
}

std::optional<failure> crash_everywhere(engine_kind const& engine, claims_to_be const& c)
{
    auto const barriers = run(engine, fit(scenario{}, c), options_of(c)).barriers;
    if (barriers == 0) return std::nullopt;
    return each("survives a crash at every barrier", engine, c, options_of(c), c.seeds * 2,
                [](std::uint64_t k) {
                    scenario s{};
                    s.seed = k;
                    for (std::uint32_t i = 0; i < 3; ++i)  // one after another, at barriers k ...
                        s.faults.push_back({0, 50 + static_cast<std::int64_t>(k % 7) * 60,
                                            fault_kind::crash_at, i, 0,
                                            static_cast<std::int64_t>(1 + k + i * 5)});
                    return s;
                });
}

std::optional<failure> crashes(engine_kind const& engine, claims_to_be const& c)
{
    ingredients with{};
    with.byzantine = false;
    return each("survives crashes, partitions and bad links", engine, c, options_of(c), c.seeds,
                [&](std::uint64_t seed) {
                    auto s = draw(seed, with);
                    if (!c.certificates) {  // depth is no defence against a long partition
                        std::erase_if(s.faults, [](fault const& f) {
                            return f.what == fault_kind::partition || f.what == fault_kind::cut ||
                                   f.what == fault_kind::skew || f.what == fault_kind::slow;
                        });
                    }
                    return s;
                });
}

std::optional<failure> villains(engine_kind const& engine, claims_to_be const& c)
{
    ingredients with{};
    with.ballots = engine.kinds != 0;
    return each("survives villains of less than a third", engine, c, options_of(c), c.seeds,
                [&](std::uint64_t seed) { return draw(seed + 1'000'000, with); });
}

std::optional<failure> big_and_small(engine_kind const& engine, claims_to_be const& c)
{
    return each("counts weights, not heads", engine, c, options_of(c), c.seeds / 2 + 1,
                [](std::uint64_t seed) {
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
                    return s;
                });
}

std::optional<failure> flood(engine_kind const& engine, claims_to_be const& c)
{
    scenario s{};
    s.seed = 5;
    s.validators = 4;
    s.villains.push_back({3, role::garbage});
    s.faults.push_back({0, 7'000, fault_kind::repeat, 0, 0, 900});
    s = fit(s, c);
    auto const r = run(engine, s, options_of(c));
    if (r.violation) return failure{"bounded under a flood", *r.violation, s.seed, 1, s};
    if (r.held_max > 4'000)
        return failure{"bounded under a flood",
                       "it holds " + std::to_string(r.held_max) + " things", s.seed, 1, s};
    return std::nullopt;
}

/// A check that cannot fail is no check: with a third of the weight or more, something must break.
std::optional<failure> beyond(engine_kind const& engine, claims_to_be const& c)
{
    ingredients with{};
    with.beyond = true;
    with.ballots = engine.kinds != 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed)
        if (run(engine, fit(draw(seed, with), c), options_of(c)).violation) return std::nullopt;
    return failure{"falls to villains of a third or more", "nothing broke in 60 worlds", 0, 60, {}};
}

}  // namespace

std::vector<trial> battery(claims_to_be const& what)
{
    std::vector<trial> out{
        {"decides in a calm world", calm},
        {"same seed, same trace", same_trace},
        {"survives crashes, partitions and bad links", crashes},
    };
    if (what.byzantine) {
        out.push_back({"survives villains of less than a third", villains});
        out.push_back({"counts weights, not heads", big_and_small});
    }
    out.push_back({"survives a crash at every barrier", crash_everywhere});
    if (what.byzantine) {
        out.push_back({"bounded under a flood", flood});
        out.push_back({"falls to villains of a third or more", beyond});
    }
    return out;
}

std::optional<failure> try_all(engine_kind const& engine, claims_to_be const& what)
{
    for (auto const& t : battery(what))
        if (auto f = t.run(engine, what)) return f;
    return std::nullopt;
}

std::string to_text(failure const& f)
{
    return f.trial + ": " + f.why + "\nfound with seed " + std::to_string(f.seed) + " after " +
           std::to_string(f.seeds_run) + "; the smallest scenario that fails:\n" +
           to_text(f.smallest);
}

}  // namespace blendr::sim
