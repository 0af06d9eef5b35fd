// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/app/block_id.hpp>
#include <blendr/consensus/ballot.hpp>

/// What engines on `chained` say to each other and write to their journals. Frozen by vectors.
namespace blendr::consensus {

inline constexpr std::size_t payload_max = std::size_t{8} << 20;
inline constexpr std::size_t certificates_max = 32;
inline constexpr std::size_t wanted_max = 8;

/// A block as it travels: its name follows from it.
struct block {
    app::proposal_context at{};
    bounded<bytes, payload_max> payload{};
};
BOOST_DESCRIBE_STRUCT(block, (), (at, payload))

inline block_id id_of(block const& b)
{
    return app::make_block_id(b.at, app::payload_digest(b.payload));
}

/// A leader's block for its view, and why it may be built there. No body: the block named is the one
/// that the view `prior` ended with, proposed again.
struct proposal {
    signed_ballot said{};
    std::optional<block> body{};
    bounded<std::vector<certificate>, certificates_max> because{};
};
BOOST_DESCRIBE_STRUCT(proposal, (), (said, body, because))

/// A ballot of the sender's own. `leader` repeats the signature under the proposal that it answers, so
/// that a leader who told different stories to different voters is caught when they compare.
struct vote {
    signed_ballot said{};
    std::optional<crypto::signature> leader{};
};
BOOST_DESCRIBE_STRUCT(vote, (), (said, leader))

/// Where the sender stands, and what it lacks.
struct ask {
    std::uint64_t epoch{};
    std::uint64_t view{};  ///< the first without a certificate
    height decided{};
    bounded<std::vector<block_id>, wanted_max> wanted{};
};
BOOST_DESCRIBE_STRUCT(ask, (), (epoch, view, decided, wanted))

struct tell {
    bounded<std::vector<certificate>, certificates_max> certificates{};
    bounded<std::vector<block>, wanted_max> blocks{};
};
BOOST_DESCRIBE_STRUCT(tell, (), (certificates, blocks))

/// One decision from the sender's log.
struct catch_up {
    bounded<std::vector<block>, 8> blocks{};
    bytes finality{};
};
BOOST_DESCRIBE_STRUCT(catch_up, (), (blocks, finality))

using wire_message = std::variant<proposal, vote, ask, tell, catch_up>;

/// A journal's records: ballots cast, certificates relied on, and blocks voted for, whose payloads
/// must survive where their voters do.
using record = std::variant<ballot, certificate, block>;

}  // namespace blendr::consensus
