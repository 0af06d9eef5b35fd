// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/core/strong.hpp>
#include <blendr/verify/commitment.hpp>
#include <blendr/verify/comparator.hpp>
#include <blendr/verify/error.hpp>

namespace blendr::verify {

inline constexpr std::size_t replicas_max = 16;
inline constexpr crypto::domain result_domain{"verify.result/1"};

/// How many must agree on a task, and how sure that must be. Frozen when the round opens.
struct round_rules {
    std::uint16_t quorum{};  ///< replicas that must agree
    std::uint16_t most{};    ///< replicas that may be drawn in all
    std::uint32_t
        trust{};  ///< accepted when the chance of error is below 1 / trust; 0 or 1: count alone
    std::uint32_t commit_within{};  ///< heights
    std::uint32_t reveal_within{};
    tolerance within{};  ///< zero: results are equal to the bit or they differ
};
BOOST_DESCRIBE_STRUCT(round_rules, (), (quorum, most, trust, commit_within, reveal_within, within))

enum class replica_state : std::uint8_t {
    drawn = 1,
    committed = 2,
    revealed = 3,
    missed = 4,    ///< a deadline
    agreed = 5,    ///< with the accepted result
    differed = 6,  ///< from it: not paid, trusted less; proof of guilt is for a dispute to find
};
BOOST_DESCRIBE_ENUM(replica_state, drawn, committed, revealed, missed, agreed, differed)

struct replica {
    crypto::address worker{};
    std::uint64_t credibility{};
    replica_state at{replica_state::drawn};
    hash256 commitment{};
    hash256 digest{};  ///< of result and summary, once revealed
    summary values{};
    friend bool operator==(replica const&, replica const&) = default;
};
BOOST_DESCRIBE_STRUCT(replica, (), (worker, credibility, at, commitment, digest, values))

/// What a worker commits to: the result's content hash together with its summary.
hash256 digest_of(hash256 const& result, summary const& values);

/// Where a round stands.
///
///     committing ── all committed, or deadline ──▶ revealing ── all revealed, or deadline ──▶ agreed
///         │  ▲                                                        │
///         │  └─────────────── a replacement is drawn ◀── wanting ◀────┤ (nobody left, or too few)
///         └──────────── deadline with too few ──────────▶ │           └──▶ hung (they differ)
///
/// `wanting` and `hung` wait for the host: it draws a replacement (`add`), takes the difference to a
/// dispute, or gives up. All others have a deadline.
enum class round_stage : std::uint8_t {
    committing = 1,
    revealing = 2,
    wanting = 3,
    hung = 4,
    agreed = 5,
};
BOOST_DESCRIBE_ENUM(round_stage, committing, revealing, wanting, hung, agreed)

/// One task done by several workers who do not see each other's results: all commit, then all
/// reveal. Replacements for those who miss a deadline are drawn before anything is revealed when
/// that is enough; a replica drawn after a reveal may have seen it, so exact work that hangs is
/// better taken to a dispute.
struct round {
    hash256 task{};
    round_rules rules{};
    round_stage at{round_stage::committing};
    height seen{};
    height due{};
    hash256 accepted{};  ///< the digest that won
    bounded<std::vector<replica>, replicas_max> replicas{};

    static result<round, reject> open(hash256 const& task, round_rules const& rules, height now);

    /// The next drawn worker. Opens the time to commit when the round waited for one.
    result<nothing, reject> add(crypto::address const& worker, std::uint64_t credibility,
                                height now);
    result<nothing, reject> commit(crypto::address const& worker, hash256 const& to, height now);
    result<nothing, reject> reveal(crypto::address const& worker, hash256 const& nonce,
                                   hash256 const& result, summary const& values, height now);

    /// Does what is due up to and at `now`.
    result<nothing, reject> tick(height now);

    /// How many more workers the host should draw; zero while the round can go on without.
    std::uint32_t wanted() const noexcept;

private:
    result<nothing, reject> may_happen(height now) const;
    replica* find(crypto::address const& worker) noexcept;
    std::uint32_t count(replica_state at) const noexcept;
    void go_on(height now);
    void end_committing(height now);
    void decide();
};
BOOST_DESCRIBE_STRUCT(round, (), (task, rules, at, seen, due, accepted, replicas))

}  // namespace blendr::verify
