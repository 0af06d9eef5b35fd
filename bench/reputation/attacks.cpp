// SPDX-License-Identifier: Apache-2.0
// Four attackers in a small market, on the library's own rules. Each is compared with the same
// provider behaving honestly in the same market: what the attack gains, and what it costs. An attack
// that pays would have a ratio below 1.
//
// With BLENDR_PLOTS=<directory> the scores over time are drawn there, one SVG for each attack.
#include <harness.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/reputation.hpp>
#include <blendr/verify/spot_check.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
namespace reputation = blendr::reputation;
namespace verify = blendr::verify;

constexpr double price_of_job = 1.0;   // BLND
constexpr double cost_of_job = 0.8;    // of doing the work
constexpr double fee_of_job = 0.0125;  // burned: half of a fee of 2.5 %
constexpr double bond_of_job = 2.0;    // nominal, at stake in each job
constexpr std::uint64_t step = 200;    // heights
constexpr int steps = 3000;            // three half-lives
constexpr int jobs_a_step = 4;
constexpr std::size_t providers = 10;  // the last one is the attacker

/// The rules as they come, but for the chain's scale: one job's fees are worth so many points.
reputation::score_rules at_scale(std::uint64_t points_of_job)
{
    reputation::score_rules out{};
    out.per_point = amount{static_cast<std::uint64_t>(fee_of_job * 1e9) / points_of_job};
    return out;
}

enum class attack { none, ring, whitewash, oscillate, bad_mouth };

struct provider {
    reputation::evidence known{};
    double money = 0;
    std::vector<reputation::pair_window> pairs;  // one for each renter
};

struct history {
    std::vector<std::uint32_t> attacker, best_rival;
};

class market {
public:
    market(reputation::score_rules const& by, attack how, double effort, std::uint64_t discount)
        : rules{by},
          how_{how},
          effort_{effort},
          discount_{discount},
          random_{99}
    {
        for (auto& each : all_) each.pairs.resize(renters);
        // The rivals have been here for a while.
        for (std::size_t i = 0; i + 1 < providers; ++i) all_[i].known = {4'000 + 500 * i, 100, {}};
    }

    /// The attacker's money after all, its attack paid.
    double run(history* seen = nullptr)
    {
        for (int t = 0; t < steps; ++t) {
            now_ = height{rules.window + step * static_cast<std::uint64_t>(t)};
            strike(t);
            for (int j = 0; j < jobs_a_step; ++j) one_job();
            if (seen != nullptr) {
                seen->attacker.push_back(score(providers - 1));
                std::uint32_t best = 0;
                for (std::size_t i = 0; i + 1 < providers; ++i) best = std::max(best, score(i));
                seen->best_rival.push_back(best);
            }
        }
        return me().money;
    }
    double spent() const { return spent_; }

private:
    static constexpr std::size_t renters = 40;

    provider& me() { return all_[providers - 1]; }
    std::uint32_t score(std::size_t i) const
    {
        return reputation::score(all_[i].known, now_, rules);
    }

    void rated(provider& who, reputation::pair_window& pair, double fees, std::uint32_t rating)
    {
        reputation::settled_agreement a{};
        a.provider = crypto::address{hash256{std::byte{1}}};
        a.renter = crypto::address{hash256{std::byte{2}}};
        a.paid = 1_blnd;
        a.fees_burned = amount{static_cast<std::uint64_t>(fees * 1e9)};
        a.ended = now_;
        if (!reputation::rate(a, {}, a.renter, rating, 10, pair, who.known, now_, rules))
            std::abort();
    }

    /// What the attacker does beside its business.
    void strike(int t)
    {
        if (how_ == attack::ring && t < 600) {
            // Sybils of its own rent from it and praise it. The price comes back; the fees do not.
            auto& pair = me().pairs[static_cast<std::size_t>(t) % renters];
            rated(me(), pair, effort_ * fee_of_job, 100);
            pay(effort_ * fee_of_job);
        }
        if (how_ == attack::bad_mouth && t % 10 == 0) {
            // It rents from its best rival, wants nothing of the result, and rates it worst.
            std::size_t best = 0;
            for (std::size_t i = 1; i + 1 < providers; ++i)
                if (score(i) > score(best)) best = i;
            auto const count = effort_;
            rated(all_[best], sybil_pairs_[static_cast<std::size_t>(t / 10) % sybil_pairs_.size()],
                  count * fee_of_job, 0);
            all_[best].money += count * (price_of_job - cost_of_job);
            pay(count * price_of_job);
        }
        if (how_ == attack::whitewash && score(providers - 1) < 250) {
            me().known = {};  // a new name, and a new bond behind it
            for (auto& each : me().pairs) each = {};
            pay(bond_of_job);
        }
    }

    void pay(double much)
    {
        me().money -= much;
        spent_ += much;
    }

    void one_job()
    {
        std::size_t winner = 0;
        amount best = amount::max();
        for (std::size_t i = 0; i < providers; ++i) {
            // Asks differ by up to two per cent; who is busy asks for more.
            auto const off = i + 1 == providers ? discount_ * 1'000 : 0;
            auto const ask = amount{1'000'000 + random_.below(20'000) - off};
            auto const ranked = reputation::rank_price(ask, score(i));
            if (ranked < best) {
                best = ranked;
                winner = i;
            }
        }
        auto& who = all_[winner];
        auto& pair = who.pairs[random_.below(renters)];
        bool const mine = winner + 1 == providers;
        double const price = price_of_job * (mine ? 1 - static_cast<double>(discount_) / 1'000 : 1);
        bool cheat = false;
        if (mine && how_ == attack::whitewash) cheat = random_.chance(1, 2);
        if (mine && how_ == attack::oscillate) {
            if (score(winner) > 700) cheating_ = true;
            if (score(winner) < 450) cheating_ = false;
            cheat = cheating_;
        }
        if (!cheat) {
            who.money += price - cost_of_job;
            rated(who, pair, fee_of_job, 95);
            return;
        }
        // Work that was not done. It is looked at as often as verify's rule asks for, given the bond
        // that the score asks for; then the bond is lost and nothing is paid. Otherwise it is paid and
        // praised like any other.
        double const bond = bond_of_job * reputation::bond_share(score(winner)) / 10'000.0;
        auto const grains = [](double blnd) {
            return amount{static_cast<std::uint64_t>(blnd * 1e9)};
        };
        auto const rate =
            verify::advised_rate(grains(cost_of_job), grains(price), grains(bond)).value();
        bool const caught = random_.chance(rate, verify::million);
        if (caught) {
            who.money -= bond;
            spent_ += bond;
            rated(who, pair, fee_of_job, 0);
        } else {
            who.money += price;
            rated(who, pair, fee_of_job, 95);
        }
    }

    reputation::score_rules rules;
    attack how_;
    double effort_;
    std::uint64_t discount_;  // of the attacker's asks, in tenths of a per cent
    rng random_;
    height now_{};
    std::array<provider, providers> all_{};
    std::array<reputation::pair_window, 100> sybil_pairs_{};
    bool cheating_ = false;
    double spent_ = 0;
};

void line(std::ofstream& out, std::vector<std::uint32_t> const& values, char const* colour)
{
    out << "<polyline fill='none' stroke='" << colour << "' stroke-width='1.5' points='";
    for (std::size_t i = 0; i < values.size(); i += 5)
        out << 50 + 600.0 * static_cast<double>(i) / steps << ',' << 260 - 0.24 * values[i] << ' ';
    out << "'/>\n";
}

void draw(std::string const& name, history const& seen)
{
    char const* const where = std::getenv("BLENDR_PLOTS");
    if (where == nullptr) return;
    std::ofstream out{std::string{where} + "/reputation-" + name + ".svg"};
    out << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 680 300' font-family='sans-serif' "
           "font-size='12'>\n<rect width='680' height='300' fill='white'/>\n<text x='50' y='14'>"
        << name << ": score of the attacker (red) and of its best rival (grey)</text>\n";
    for (int s = 0; s <= 1000; s += 250)
        out << "<line x1='50' x2='650' y1='" << 260 - 0.24 * s << "' y2='" << 260 - 0.24 * s
            << "' stroke='#ddd'/><text x='44' y='" << 264 - 0.24 * s << "' text-anchor='end'>" << s
            << "</text>\n";
    for (int half = 0; half <= 3; ++half)
        out << "<text x='" << 50 + 200 * half << "' y='280' text-anchor='middle'>" << half
            << "</text>\n";
    out << "<text x='350' y='296' text-anchor='middle'>half-lives</text>\n";
    line(out, seen.best_rival, "#999");
    line(out, seen.attacker, "#c22");
    out << "</svg>\n";
}

/// The best that this way of behaving brings, over how much cheaper than the others to be: whoever is
/// not known yet can always buy its way in by asking for less, and needs no attack for that.
struct best_of {
    double income = -1e9;
    double spent = 0;
    std::uint64_t discount = 0;

    best_of(reputation::score_rules const& by, attack how, double effort)
    {
        for (std::uint64_t d = 0; d <= 30; d += 2) {
            market m{by, how, effort, d};
            double const now = m.run();
            if (now <= income) continue;
            income = now;
            spent = m.spent();
            discount = d;
        }
    }
};

struct scenario {
    std::string_view name;
    attack how;
    double effort;
};
constexpr scenario scenarios[]{
    {"ring/1", attack::ring, 1},           {"ring/4", attack::ring, 4},
    {"ring/16", attack::ring, 16},         {"whitewash", attack::whitewash, 1},
    {"oscillate", attack::oscillate, 1},   {"bad-mouth/1", attack::bad_mouth, 1},
    {"bad-mouth/8", attack::bad_mouth, 8}, {"bad-mouth/40", attack::bad_mouth, 40}};

/// Every attack at one scale; a plot of each where one is asked for.
void play(run& out, std::string const& prefix, reputation::score_rules const& by, bool plots)
{
    best_of const honest{by, attack::none, 0};
    out.report(prefix + "none/income", honest.income, "BLND");
    out.report(prefix + "none/discount", static_cast<double>(honest.discount) / 10, "%");
    for (auto const& each : scenarios) {
        best_of const best{by, each.how, each.effort};
        double const gain = best.income + best.spent - honest.income;
        auto const name = prefix + std::string{each.name};
        out.report(name + "/gain", gain, "BLND");
        out.report(name + "/cost", best.spent, "BLND",
                   gain > 0 ? std::optional{best.spent / gain} : std::nullopt);
        if (!plots) continue;
        history seen;
        market{by, each.how, each.effort, best.discount}.run(&seen);
        std::string file{each.name};
        std::replace(file.begin(), file.end(), '/', '-');
        draw(file, seen);
    }
}

/// With the rules as they come, and where a job is worth more points or fewer.
suite const attacks{"reputation/attack", [](run& out) {
                        play(out, "reputation/attack/", {}, true);
                        for (auto const points : {1u, 12u, 1'000u})
                            play(out, "reputation/attack/points-" + std::to_string(points) + '/',
                                 at_scale(points), false);
                    }};

}  // namespace
