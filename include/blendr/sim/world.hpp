// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <blendr/consensus/engine.hpp>
#include <blendr/sim/any_engine.hpp>
#include <blendr/sim/network.hpp>
#include <blendr/sim/scenario.hpp>

namespace blendr::sim {

/// What a world is made of beside its scenario.
struct world_options {
    network net{};
    bool real_signatures = false;  ///< Ed25519 instead of keyed stand-ins that nobody forges
    std::int64_t sync_us = 200;    ///< a durable write
    std::int64_t verify_us = 100;  ///< an application's verdict
    std::uint32_t payload_bytes = 64;
    std::uint64_t blocks_max = 0;  ///< stop when everybody honest has decided so many; 0: by time
    std::uint64_t hashes_per_second = 1'000'000;  ///< of a miner with a fair share of the weight
    bool finality_by_depth =
        false;  ///< no certificates, and a deep enough fork is the engine's right
    bool keep_latencies = false;
    bool keep_log = false;  ///< lines for people in `report::log`
};

/// What came of a run.
struct report {
    std::optional<std::string> violation{};  ///< the invariant that broke, where and when
    std::uint64_t trace{};                   ///< hash of everything that happened, in order
    std::uint64_t height_min{};              ///< decided by the last honest node
    std::uint64_t height_max{};
    std::int64_t time_us{};    ///< virtual
    std::uint64_t messages{};  ///< delivered
    std::uint64_t bytes_sent{};
    std::uint64_t barriers{};  ///< of all nodes
    std::uint64_t crashes{};
    std::uint64_t reorgs{};
    std::uint64_t halts{};
    std::int64_t recovered_us{};               ///< from calm until everybody honest decided again
    std::vector<std::uint32_t> accused{};      ///< validators against whom sound evidence was found
    std::vector<std::int64_t> latencies_us{};  ///< block built until decided, a node and block each
    std::vector<std::int64_t> lead_latencies_us{};  ///< the same, the last honest node only
    std::map<std::string, std::int64_t, std::less<>> metrics{};
    std::size_t held_max{};     ///< the most that an honest engine held of others' making
    std::size_t journal_max{};  ///< the most records that an honest node's journal held
    std::vector<std::string> log{};
};

/// A world of validators in virtual time, seeded: same scenario, options and engine, same report, on
/// every machine and compiler. It plays the host: it carries out effects strictly in order, checks
/// signatures before a step, keeps each node's journal, log and application, tears what was not
/// synced when a node crashes, and after every event checks
/// - agreement: no two honest nodes decide different blocks at a height, crashes included;
/// - ancestry: decided blocks extend each other without gaps, and are named by their content;
/// - validity: nothing that the application calls invalid is decided;
/// - certificates: a stranger who has the set can check every decision;
/// - no honest equivocation: what honest nodes sign never contradicts itself, across crashes;
/// - evidence: sound, and only against the guilty;
/// - progress: after calm, within the scenario's time, everybody honest decides.
class world {
public:
    world(engine_kind honest, scenario const& s, world_options const& o);
    ~world();
    world(world const&) = delete;
    world& operator=(world const&) = delete;

    /// Replaces one validator's engine by another, which is then not counted as honest.
    void replace(std::uint32_t node, engine_kind with);

    /// Runs to the scenario's end or the first violation.
    report run();

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// All in one.
report run(engine_kind const& engine, scenario const& s, world_options const& o = {});

}  // namespace blendr::sim
