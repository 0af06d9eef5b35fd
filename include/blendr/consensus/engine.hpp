// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/app/types.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/keys.hpp>

/// Engines that put opaque payloads in one order. They have no socket, disk, clock or thread: a host
/// (a node on sockets, or the simulator) tells them what happened and carries out what they ask for.
namespace blendr::consensus {

using crypto::public_key;

/// Who the engine is. A key in production; a cheap stand-in where signatures are taken as ideal.
struct identity {
    public_key self{};
    std::function<crypto::signature(crypto::domain const&, bytes_view)> sign{};

    identity() = default;
    identity(public_key key,
             std::function<crypto::signature(crypto::domain const&, bytes_view)> how)
        : self{key},
          sign{std::move(how)}
    {}
    identity(crypto::identity key)
        : self{key.self()},
          sign{
              [key](crypto::domain const& about, bytes_view what) { return key.sign(about, what); }}
    {}
};

/// The height `by` above `h`.
constexpr height above(height h, std::uint64_t by = 1) { return h + by; }
/// The time `ms` after `t`.
constexpr time_ms after(time_ms t, std::int64_t ms = 1) { return t + ms; }

/// What a message is sent on. An earlier lane never waits for a later one; catch-up goes on bulk.
enum class lane : std::uint8_t { consensus = 0, gossip = 1, bulk = 2 };

/// `monotonic` only grows and measures waits. `wall` may be wrong and jump; blocks take their time
/// from it.
struct clock {
    time_ms monotonic{};
    time_ms wall{};
};

/// Why blocks are final where no certificate says so: this many blocks stand on the last one. The
/// seals (signatures or work, a block each) let somebody who catches up check who made the blocks;
/// that they are final is nobody's word but the host's own.
struct depth {
    std::uint32_t blocks{};
    std::vector<bytes> seals{};
    friend bool operator==(depth const&, depth const&) = default;
};
BOOST_DESCRIBE_STRUCT(depth, (), (blocks, seals))

/// A certificate over the last block that a stranger can `check`, or a depth.
using finality = std::variant<bytes, depth>;

/// Final blocks, in order and without gaps; several at once where an engine decides a path.
///
/// Final means: under the engine's fault bound, no honest node ever decides another block at that
/// height, crashes included. Reported at least once: after a restart heights may come again, with
/// the same blocks, and the host skips those that the application has.
struct decide {
    struct entry {
        block_id id{};
        app::proposal_context at{};
        bytes payload{};
        friend bool operator==(entry const&, entry const&) = default;
        BOOST_DESCRIBE_CLASS(entry, (), (id, at, payload), (), ())
    };
    std::vector<entry> blocks{};
    consensus::finality why{};
    friend bool operator==(decide const&, decide const&) = default;
    BOOST_DESCRIBE_CLASS(decide, (), (blocks, why), (), ())
};

/// Who votes at height `from`: the whole set. The host tells it for every height, in order, once per
/// incarnation, as soon as the block two heights below is finalized.
struct membership {
    height from{};
    std::uint64_t epoch{};  ///< the first height since which the set is the same, without a break
    app::validator_set set{};
    hash256 chain{};  ///< names the chain, so that a ballot on one chain is none on another
};

/// Where an engine starts: the last block that the host's log holds, why it is final, and who votes at
/// the two heights above it; before them, in height order, the sets of the last `sets_below` heights
/// as far as there are any, for engines that look back.
struct checkpoint {
    static constexpr std::uint64_t sets_below = 32;
    decide::entry last{};
    finality why{};
    std::vector<membership> sets{};
};

// ---- events: all that can happen to an engine. Its only randomness is its seed, a different one
// each incarnation.

/// Always the first event, once. The journal is what `persist` wrote since the last `trim`, in order:
/// everything up to the last barrier, and perhaps more.
struct started {
    checkpoint from{};
    std::vector<bytes> journal{};
};
/// The sender is authenticated, the bytes are not. `signatures_checked`: all that `claims` listed for
/// this message held. A message with a claim that does not hold never arrives here.
struct received {
    public_key from{};
    bytes_view message{};  ///< valid during the step only
    bool signatures_checked{};
};
struct timer_fired {
    std::uint64_t timer{};
};
/// Nothing when the application cannot build now: it is asked again. Late answers are told by their
/// number; none survives a restart.
struct built {
    std::uint64_t request{};
    std::optional<bytes> payload{};
};
/// May be late and may never come; meanwhile the engine abstains and asks again now and then. `invalid` is
/// for ever.
struct judged {
    block_id id{};
    app::verdict verdict{};
};
/// Decided blocks from the host's log, from the height asked for, as they were decided.
struct loaded {
    std::uint64_t request{};
    std::vector<decide> batches{};
};
struct mined {
    std::uint64_t request{};
    bytes seal{};
};
using event =
    std::variant<started, received, timer_fired, built, judged, loaded, mined, membership>;

// ---- effects: what an engine asks for. Carried out strictly in order.

/// Writes a record to the journal. With `barrier` nothing after it leaves this node before it, all
/// records before it and all decisions before it are durable. Only ballots need one.
struct persist {
    bytes record{};
    bool barrier = true;
    height tag{};  ///< never falls from record to record; what `trim` speaks of
};
/// Records with a tag below may go, once every decision before this effect is durable.
struct trim {
    height below{};
};
struct send {
    public_key to{};
    lane on{};
    bytes message{};
};
/// To all others; an engine hears itself without it.
struct broadcast {
    lane on{};
    bytes message{};
};
/// Replaces a timer of that number.
struct set_timer {
    std::uint64_t timer{};
    std::int64_t after_ms{};
};
/// Asks the application for a payload that stands at `at`. The same request may come again while there is
/// no answer.
struct build {
    std::uint64_t request{};
    app::proposal_context at{};
};
/// Asks the application about a block whose parent is decided or was found valid. Comes again, ever less
/// often, while no verdict does: a host that is still at it may ignore that.
struct verify {
    block_id id{};
    app::proposal_context at{};
    bytes payload{};
};
/// Asks the host's log for decided blocks; it answers with whole batches, the first holding `from`.
struct load {
    std::uint64_t request{};
    height from{};
    std::uint32_t bytes_max{};
};
/// Asks for a seal that makes the header's hash no more than the target. Replaces what was mined
/// before. Real hashing in production, sampled time in the simulator.
struct mine {
    std::uint64_t request{};
    hash256 header{};
    hash256 target{};
};
/// The best branch is another one now; only above the decided part.
struct reorg {
    block_id from{};
    block_id to{};
};
/// What was decided cannot be reconciled with what is proven now: the engine stops and says so.
struct halted {
    std::string_view why{};
    block_id ours{};
    block_id theirs{};
};
/// Proof of a culprit's misbehaviour that a stranger can check; never against the honest.
struct evidence {
    public_key culprit{};
    bytes proof{};
};
struct metric {
    std::string_view name{};  ///< a literal
    std::int64_t value{};
};
/// Hands a message back that came before its signers were known. The host treats it as if it had just
/// arrived: claims, check, step.
struct again {
    public_key from{};
    bytes message{};
};
using effect = std::variant<persist, trim, send, broadcast, set_timer, build, verify, load, mine,
                            decide, reorg, halted, evidence, metric, again>;
using effects = std::vector<effect>;

/// A signature over `hash(domain, message)`, for the host to check in batches.
struct claim {
    public_key key{};
    hash256 digest{};
    crypto::signature signature{};
};

/// What an engine's decisions rest on, and so what they withstand. The conformance kit tries each
/// engine with what it promises to survive, and with a little more, which must break it.
enum class promise : std::uint8_t {
    lone = 0,  ///< one node's word: its own crashes
    depth =
        1,  ///< blocks on top: crashes, bad links, villains, partitions; all shorter than the depth
    quorum = 2,  ///< certificates that strangers check: any faults, and villains below a third
};

/// A consensus engine: same construction and events, same effects, on every machine and compiler.
///
/// - `step` never blocks, throws or grows without bound, whatever bytes it is given.
/// - Silence is allowed everywhere: a message, verdict, payload or answer that does not come costs
///   time, never safety. Requests to others are made from timers only; every reply is bounded.
/// - A ballot leaves only behind the barrier that made it durable, and is never contradicted by a
///   later incarnation.
/// - `claims` lists the signatures that `step` will rely on: nothing when it cannot tell yet who may
///   sign (step keeps the message, bounded, or drops it), false when the bytes are malformed. Other
///   messages may be stepped between a message's claims and its step.
/// - `check` and `check_evidence` serve light clients and slashing. They need the set of the block's
///   height (of the ballots' epoch) only, and say yes subject to the claims that they list.
/// - `promises` and `pace_ms` say what it is to be tried with: what its decisions rest on, and about how
///   long a block takes from its making until it is final when all is well.
template <class E>
concept engine = requires(E e, E const& ce, event const& in, clock now, effects& out,
                          bytes_view raw, std::vector<claim>& claims, membership const& set,
                          decide::entry const& block, public_key const& who) {
    typename E::config;
    requires std::constructible_from<E, typename E::config, identity, std::uint64_t /*seed*/>;
    { E::name } -> std::convertible_to<std::string_view>;
    requires std::same_as<std::remove_cvref_t<decltype(E::promises)>, promise>;
    { E::pace_ms(std::declval<typename E::config const&>()) } -> std::same_as<std::int64_t>;
    { e.step(in, now, out) } -> std::same_as<void>;
    { ce.claims(who, raw, claims) } -> std::same_as<std::optional<bool>>;
    { E::check(set, block, raw, claims) } -> std::same_as<bool>;
    { E::check_evidence(set, who, raw, claims) } -> std::same_as<bool>;
};

}  // namespace blendr::consensus
