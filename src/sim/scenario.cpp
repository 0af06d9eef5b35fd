// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/scenario.hpp>

#include <algorithm>

#include <blendr/consensus/ballot.hpp>
#include <blendr/core/random.hpp>

namespace blendr::sim {
namespace {

/// Which of sixteen sets is in force: some stay for five heights, some for one.
std::uint64_t phase_of(std::uint64_t at)
{
    auto const r = at % 20;
    auto const part = r < 10 ? r / 5 : r < 15 ? r - 8 : 7;
    return (at / 20 * 8 + part) % 16;
}

constexpr std::uint64_t heights_checked = 41;  // after 40 the sets repeat

}  // namespace

std::uint64_t power_of(weights how, std::uint32_t i, std::uint32_t n, std::uint64_t at)
{
    switch (how) {
    case weights::equal:
        return 1;
    case weights::stake:
        return 1'000'000 / (i + 2);
    case weights::whale:
        return i == 0 ? std::max<std::uint64_t>(1, (100 * (n - 1) - 1) / 2 - 1) : 100;
    case weights::changing: {
        auto const z = consensus::scramble(phase_of(at) * 1000 + i);
        if (i > 3 && z % 5 == 0) return 0;
        return 10 + z % 7;
    }
    }
    return 1;
}

bool within_bound(scenario const& s)
{
    for (std::uint64_t at = 1; at <= heights_checked; ++at) {
        std::uint64_t bad = 0;
        std::uint64_t all = 0;
        for (std::uint32_t i = 0; i < s.validators; ++i) {
            auto const p = power_of(s.power, i, s.validators, at);
            all += p;
            if (std::any_of(s.villains.begin(), s.villains.end(),
                            [&](villain const& v) { return v.node == i; }))
                bad += p;
        }
        if (bad * 3 >= all) return false;
        if (s.power != weights::changing) break;
    }
    return true;
}

std::optional<std::string> refuse(scenario const& s)
{
    constexpr std::int64_t year_ms = std::int64_t{366} * 86'400'000;
    constexpr std::int64_t most = std::int64_t{1} << 40;
    if (s.validators == 0 || s.validators > 200) return "between 1 and 200 validators";
    if (static_cast<unsigned>(s.power) > 3) return "no such weights";
    if (s.end_ms < 0 || s.end_ms > year_ms || s.calm_ms < 0 || s.calm_ms > s.end_ms)
        return "it must be calm before the end, and end within a year";
    if (s.villains.size() > s.validators || s.faults.size() > 1000) return "too much happens";
    for (std::size_t i = 0; i < s.villains.size(); ++i) {
        auto const& v = s.villains[i];
        if (v.node >= s.validators || static_cast<unsigned>(v.how) > 7) return "no such villain";
        for (std::size_t k = 0; k < i; ++k)
            if (s.villains[k].node == v.node) return "a validator is one villain at most";
    }
    for (auto const& f : s.faults)
        if (f.node >= s.validators || f.other >= s.validators ||
            static_cast<unsigned>(f.what) > 12 || f.at_ms < 0 || f.at_ms > year_ms ||
            f.for_ms < 0 || f.for_ms > year_ms ||
            (f.what != fault_kind::partition && f.amount > most) ||
            (f.what == fault_kind::skew ? f.amount < -most
                                        : f.what != fault_kind::partition && f.amount < 0))
            return "no such fault";
    return std::nullopt;
}

scenario draw(std::uint64_t seed, ingredients const& with)
{
    rng r{consensus::scramble(seed)};
    scenario s{};
    s.seed = seed;
    s.validators = 4 + static_cast<std::uint32_t>(r.below(with.validators_max - 3));
    s.power = static_cast<weights>(r.below(4));
    auto const n = s.validators;
    if (with.byzantine || with.beyond) {
        std::vector<std::uint32_t> order(n);
        for (std::uint32_t i = 0; i < n; ++i) order[i] = i;
        r.shuffle(std::span{order});
        for (auto const i : order) {
            auto how = static_cast<role>(r.below(8));
            if (how == role::forging && !with.ballots) how = role::forking;
            if (with.beyond)
                how = r.chance(1, 2) && with.ballots
                          ? role::forging
                          : (r.chance(1, 2) ? role::twins : role::forking);
            s.villains.push_back({i, how});
            if (!within_bound(s)) {
                if (with.beyond && s.villains.size() < n - 1) {
                    if (s.villains.size() * 2 >= n) break;
                    continue;
                }
                s.villains.pop_back();
            } else if (!with.beyond && r.chance(1, 4)) {
                break;
            }
        }
    }
    if (!with.faults) return s;
    auto const count = r.below(7);
    for (std::uint64_t k = 0; k < count; ++k) {
        fault f{};
        f.at_ms = static_cast<std::int64_t>(r.below(static_cast<std::uint64_t>(s.calm_ms)));
        auto const rest = static_cast<std::uint64_t>(s.calm_ms - f.at_ms);
        f.for_ms = 1 + static_cast<std::int64_t>(r.below(std::min<std::uint64_t>(rest, 4000)));
        f.what = static_cast<fault_kind>(r.below(10));
        f.node = static_cast<std::uint32_t>(r.below(n));
        f.other = static_cast<std::uint32_t>(r.below(n));
        switch (f.what) {
        case fault_kind::crash:
            break;
        case fault_kind::crash_at:
            f.amount = 1 + static_cast<std::int64_t>(r.below(120));
            break;
        case fault_kind::partition:
            f.amount = static_cast<std::int64_t>(r.below(std::uint64_t{1} << std::min(n + 2, 40u)));
            break;
        case fault_kind::cut:
            break;
        case fault_kind::lose:
        case fault_kind::repeat:
            f.amount = 20 + static_cast<std::int64_t>(r.below(500));
            break;
        case fault_kind::slow:
            f.amount = 10 + static_cast<std::int64_t>(r.below(1500));
            break;
        case fault_kind::skew:
            f.amount = static_cast<std::int64_t>(r.below(8000)) - 4000;
            break;
        case fault_kind::slow_disk:
            f.amount = 1 + static_cast<std::int64_t>(r.below(200));
            break;
        case fault_kind::deaf_app:
            f.amount = 10 + static_cast<std::int64_t>(r.below(2000));
            break;
        case fault_kind::mute_app:
        case fault_kind::crash_before:
        case fault_kind::crash_after:
            break;  // not drawn: the battery has trials of their own for them
        }
        s.faults.push_back(f);
    }
    return s;
}

scenario shrink(scenario s, std::function<bool(scenario const&)> const& fails, std::size_t tries)
{
    auto const attempt = [&](scenario const& smaller) {
        if (tries == 0 || smaller == s) return false;
        --tries;
        if (!fails(smaller)) return false;
        s = smaller;
        return true;
    };
    auto const drop_each = [&](auto member) {
        bool any = false;
        for (std::size_t chunk = std::max<std::size_t>((s.*member).size() / 2, 1); chunk > 0;
             chunk /= 2)
            for (std::size_t i = 0; i < (s.*member).size();) {
                auto smaller = s;
                auto& list = smaller.*member;
                auto const from = list.begin() + static_cast<std::ptrdiff_t>(i);
                list.erase(from,
                           from + static_cast<std::ptrdiff_t>(std::min(chunk, list.size() - i)));
                if (attempt(smaller))
                    any = true;
                else
                    i += chunk;
            }
        return any;
    };
    for (bool again = true; again && tries > 0;) {
        again = drop_each(&scenario::faults);
        again = drop_each(&scenario::villains) || again;
        for (std::size_t i = 0; i < s.faults.size(); ++i) {
            auto smaller = s;
            smaller.faults[i].for_ms /= 2;
            again = attempt(smaller) || again;
            smaller = s;
            smaller.faults[i].amount /= 2;
            again = attempt(smaller) || again;
        }
        if (s.power != weights::equal) {
            auto smaller = s;
            smaller.power = weights::equal;
            again = attempt(smaller) || again;
        }
    }
    return s;
}

std::string to_text(scenario const& s)
{
    auto const name = [](auto e) {
        char const* text = "?";
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<decltype(e)>>([&](auto d) {
            if (d.value == e) text = d.name;
        });
        return std::string{text};
    };
    std::string out = "seed " + std::to_string(s.seed) + ": " + std::to_string(s.validators) +
                      " validators, weights " + name(s.power) + ", calm at " +
                      std::to_string(s.calm_ms) + " ms, end at " + std::to_string(s.end_ms) +
                      " ms\n";
    for (auto const& v : s.villains)
        out += "  node " + std::to_string(v.node) + " is " + name(v.how) + "\n";
    for (auto const& f : s.faults)
        out += "  at " + std::to_string(f.at_ms) + " ms for " + std::to_string(f.for_ms) +
               " ms: " + name(f.what) + " node " + std::to_string(f.node) + " other " +
               std::to_string(f.other) + " amount " + std::to_string(f.amount) + "\n";
    return out;
}

}  // namespace blendr::sim
