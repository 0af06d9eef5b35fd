// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>

/// What befalls a world, as data: written down, replayed, made smaller.
namespace blendr::sim {

/// Who votes with what weight. Faults are counted by weight, at the worst height.
enum class weights : std::uint8_t {
    equal = 0,
    stake = 1,     ///< falling like 1/rank, as stakes do
    whale = 2,     ///< one validator just below a third
    changing = 3,  ///< another set every few heights: weights move, validators come and go
};
BOOST_DESCRIBE_ENUM(weights, equal, stake, whale, changing)

/// How a validator misbehaves, on top of any engine.
enum class role : std::uint8_t {
    silent = 0,     ///< hears, never speaks
    delaying = 1,   ///< everything late
    selective = 2,  ///< speaks to some only
    garbage = 3,    ///< adds noise: random bytes, and its own messages with bits turned
    forking = 4,    ///< two engines behind one key: proposes and votes twice, to two halves
    forging = 5,    ///< signs every ballot and invents every quorum that it can think of (engines
                    ///< on `chained`)
    twins = 6,      ///< two whole nodes with one key, sharing nothing
    amnesia = 7,    ///< restarts without its journal
};
BOOST_DESCRIBE_ENUM(role, silent, delaying, selective, garbage, forking, forging, twins, amnesia)

struct villain {
    std::uint32_t node{};
    role how{};
    friend bool operator==(villain const&, villain const&) = default;
};
BOOST_DESCRIBE_STRUCT(villain, (), (node, how))

enum class fault_kind : std::uint8_t {
    crash = 0,      ///< node stops; unsynced writes are lost or torn; it restarts after a while
    crash_at = 1,   ///< the same right at its `amount`th barrier, before it is durable if even
    partition = 2,  ///< nodes in the bit mask `amount` and the others do not hear each other
    cut = 3,        ///< `node` does not reach `other`; the way back works
    lose = 4,       ///< `amount` of 1000 messages vanish
    slow = 5,    ///< every message takes up to `amount` ms more, so that they overtake each other
    repeat = 6,  ///< `amount` of 1000 messages arrive twice
    skew = 7,    ///< node's wall clock is `amount` ms off
    slow_disk = 8,  ///< node's disk takes `amount` ms to sync
    deaf_app = 9,   ///< node's application answers `amount` ms late, sometimes never
    mute_app = 10,  ///< node's application says nothing the first `amount` times that it is asked
                    ///< about a block, or for one
    crash_before = 11,  ///< as crash_at, never durable
    crash_after = 12,   ///< as crash_at, durable, and nothing after it has left
};
BOOST_DESCRIBE_ENUM(fault_kind, crash, crash_at, partition, cut, lose, slow, repeat, skew,
                    slow_disk, deaf_app, mute_app, crash_before, crash_after)

struct fault {
    std::int64_t at_ms{};
    std::int64_t for_ms{};
    fault_kind what{};
    std::uint32_t node{};
    std::uint32_t other{};
    std::int64_t amount{};
    friend bool operator==(fault const&, fault const&) = default;
};
BOOST_DESCRIBE_STRUCT(fault, (), (at_ms, for_ms, what, node, other, amount))

/// A run: same scenario, same engine, same trace.
struct scenario {
    std::uint64_t seed{};
    std::uint32_t validators = 4;
    weights power{};
    std::int64_t calm_ms = 8'000;  ///< every fault but villains is over by then
    std::int64_t end_ms = 30'000;
    std::uint32_t progress = 3;  ///< blocks that everybody must decide between the two
    std::vector<villain> villains{};
    std::vector<fault> faults{};
    friend bool operator==(scenario const&, scenario const&) = default;
};
BOOST_DESCRIBE_STRUCT(scenario, (),
                      (seed, validators, power, calm_ms, end_ms, progress, villains, faults))

/// What a random scenario may hold.
struct ingredients {
    std::uint32_t validators_max = 7;
    bool byzantine = true;  ///< villains up to the engine's bound
    bool beyond = false;    ///< villains above it: a third or more
    bool ballots = true;    ///< forging villains make sense
    bool faults = true;
};

/// A random scenario with villains of less than a third of the weight, or with `beyond` more.
scenario draw(std::uint64_t seed, ingredients const& with);

/// Nothing, or why this is no scenario: one that came from a file or a fuzzer.
std::optional<std::string> refuse(scenario const& s);

/// Power of validator `i` of `n` at a height; 0 when it is not in the set.
std::uint64_t power_of(weights how, std::uint32_t i, std::uint32_t n, std::uint64_t at);

/// Whether these villains weigh less than a third at every height.
bool within_bound(scenario const& s);

/// A scenario that still fails and from which nothing can be taken away. `fails` runs one; at most
/// `tries` are run.
scenario shrink(scenario failing, std::function<bool(scenario const&)> const& fails,
                std::size_t tries = 400);

/// One line a fault, for people.
std::string to_text(scenario const& s);

}  // namespace blendr::sim
