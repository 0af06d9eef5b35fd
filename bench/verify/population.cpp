// SPDX-License-Identifier: Apache-2.0
// A population of workers, some of whom cheat in a quarter of their units, and what gets through:
// adaptive replication beside fixed two- and three-way redundancy, on the rounds, draws and rules of
// the library itself. A worker that is found to differ from an accepted result loses its bond and
// comes back as somebody new who pays another one.
#include <harness.hpp>

#include <cstdlib>
#include <string>
#include <vector>

#include <blendr/core/random.hpp>
#include <blendr/verify.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
namespace verify = blendr::verify;

struct mix {
    std::string_view name;
    std::uint64_t cheats_per_cent;
    bool together;  ///< cheats know each other, cheat on the same units and say the same
};

struct outcome {
    double wrong = 0;     ///< of the accepted results
    double overhead = 0;  ///< results computed for one accepted
    double bonds = 0;     ///< lost by each cheat
    double harmed = 0;    ///< honest workers who were found to differ, each
};

class population {
public:
    population(mix const& of, std::uint32_t fixed) : mix_{of}, fixed_{fixed}, random_{2026}
    {
        for (std::uint32_t i = 0; i < hosts; ++i)
            workers_.push_back({next_identity_++, i * 100 < of.cheats_per_cent * hosts, {}});
        weights_.assign(hosts, weight{1});
    }

    outcome run()
    {
        std::uint64_t const units = std::uint64_t{hosts} * units_each;
        for (std::uint64_t u = 0; u < units; ++u) one(u);
        double const cheats = static_cast<double>(mix_.cheats_per_cent) * hosts / 100;
        double const all = static_cast<double>(units);
        return {wrong_ / all, computed_ / all, cheats == 0 ? 0 : caught_ / cheats,
                harmed_ / (hosts - cheats)};
    }

private:
    static constexpr std::uint32_t hosts = 200;
    static constexpr std::uint32_t units_each = 3000;
    static constexpr std::uint64_t honest = 0;

    struct worker {
        std::uint64_t identity{};
        bool cheats{};
        verify::standing of{};
    };

    static crypto::address address(std::uint64_t identity)
    {
        hash256 raw{};
        for (std::size_t i = 0; i < 8; ++i) raw[i] = static_cast<std::byte>(identity >> (8 * i));
        return crypto::address{raw};
    }

    /// What the worker says: the truth is 0.
    std::uint64_t says(worker const& who, std::uint64_t unit)
    {
        if (!who.cheats) return honest;
        bool const now = mix_.together ? rng{unit}.chance(1, 4) : random_.chance(1, 4);
        if (!now) return honest;
        return mix_.together ? 1 : 1 + who.identity;
    }

    void one(std::uint64_t unit)
    {
        hash256 task{};
        for (std::size_t i = 0; i < 8; ++i) task[i] = static_cast<std::byte>(unit >> (8 * i));
        // The beacon of the unit's block: one order of drawing, as long as anybody may be needed.
        auto const seed = verify::seed_of(task, as_bytes("beacon"));
        auto const order = verify::draw(seed, weights_, most);
        auto const& first = workers_[order[0]];
        bool const alone =
            fixed_ == 0 && !verify::chosen(verify::seed_of(seed, as_bytes("again")),
                                           verify::replication_rate(first.of, rule_));
        if (alone) {
            computed_ += 1;
            if (says(first, unit) != honest) wrong_ += 1;
            return;
        }
        replicated(unit, task, order);
    }

    void replicated(std::uint64_t unit, hash256 const& task,
                    std::vector<std::uint32_t> const& order)
    {
        verify::round_rules rules{};
        rules.quorum = 2;
        rules.most = most;
        rules.commit_within = rules.reveal_within = 1;
        auto round = verify::round::open(task, rules, height{0}).value();
        std::vector<std::uint64_t> said;
        std::uint32_t wanted = fixed_ == 0 ? 2 : fixed_;
        while (round.at != verify::round_stage::agreed && wanted != 0) {
            auto const from = said.size();
            for (; wanted != 0 && said.size() < order.size(); --wanted) {
                auto const& who = workers_[order[said.size()]];
                (void)round.add(address(who.identity), verify::credibility(who.of), height{0});
                said.push_back(says(who, unit));
                computed_ += 1;
            }
            auto const result = [&](std::size_t i) {
                return hash256{std::byte(said[i] != 0), std::byte(said[i]), std::byte(said[i] >> 8),
                               std::byte(said[i] >> 16)};
            };
            for (auto i = from; i < said.size(); ++i) {
                auto const who = address(workers_[order[i]].identity);
                auto const digest = verify::digest_of(result(i), {});
                if (!round.commit(who, verify::commit({who, task, {}, digest}), height{0}))
                    std::abort();
            }
            for (auto i = from; i < said.size(); ++i)
                if (!round.reveal(address(workers_[order[i]].identity), {}, result(i), {},
                                  height{0}))
                    std::abort();
            wanted = round.wanted();
        }
        if (round.at != verify::round_stage::agreed) return;  // done again another day
        for (std::size_t i = 0; i < said.size(); ++i) {
            auto& who = workers_[order[i]];
            bool const won = round.replicas[i].at == verify::replica_state::agreed;
            if (won && said[i] != honest) {
                wrong_ += 1.0 / members(round);
            }
            who.of = verify::after(who.of, won);
            if (won) continue;
            (who.cheats ? caught_ : harmed_) += 1;
            // A dispute follows: it finds the cheat guilty and the honest innocent, whoever won.
            if (who.cheats && said[i] != honest) who = {next_identity_++, true, {}};
        }
    }

    static double members(verify::round const& round)
    {
        double n = 0;
        for (auto const& each : round.replicas)
            n += each.at == verify::replica_state::agreed ? 1 : 0;
        return n;
    }

    static constexpr std::uint16_t most = 7;
    mix mix_;
    std::uint32_t fixed_;  // replicas of every unit; 0: adaptive
    verify::replication rule_{};
    rng random_;
    std::uint64_t next_identity_ = 1;
    std::vector<worker> workers_;
    std::vector<weight> weights_;
    double wrong_ = 0, computed_ = 0, caught_ = 0, harmed_ = 0;
};

suite const populations{
    "verify/population", [](run& out) {
        constexpr mix mixes[]{{"honest", 0, false},     {"cheat-10", 10, false},
                              {"cheat-20", 20, false},  {"cheat-30", 30, false},
                              {"collude-10", 10, true}, {"collude-20", 20, true},
                              {"collude-30", 30, true}};
        for (auto const& each : mixes) {
            std::string const name = "verify/population/" + std::string{each.name};
            if (!out.wants(name)) continue;
            auto const two = population{each, 2}.run();
            auto const three = population{each, 3}.run();
            auto const adaptive = population{each, 0}.run();
            auto const against = [](double ours, double theirs) {
                return theirs == 0 ? std::optional<double>{} : std::optional{ours / theirs};
            };
            out.report(name + "/adaptive/wrong", adaptive.wrong, "of-accepted",
                       against(adaptive.wrong, two.wrong));
            out.report(name + "/adaptive/overhead", adaptive.overhead, "results/unit",
                       against(adaptive.overhead, two.overhead));
            out.report(name + "/adaptive/bonds-lost", adaptive.bonds, "a-cheat");
            out.report(name + "/adaptive/honest-differed", adaptive.harmed, "a-worker");
            out.report(name + "/two-way/wrong", two.wrong, "of-accepted");
            out.report(name + "/two-way/overhead", two.overhead, "results/unit");
            out.report(name + "/three-way/wrong", three.wrong, "of-accepted");
            out.report(name + "/three-way/overhead", three.overhead, "results/unit");
        }
    }};

}  // namespace
