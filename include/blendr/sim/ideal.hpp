// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <blendr/consensus/engine.hpp>

namespace blendr::sim {

/// Signatures as the proofs see them: a keyed mark that costs nothing and that nobody here forges.
/// They look like Ed25519 on the wire and are worth nothing outside a simulation.
consensus::identity ideal_identity(std::uint32_t index);
bool ideal_holds(crypto::public_key const& key, hash256 const& digest,
                 crypto::signature const& by) noexcept;

/// The same key for the same number, for ever, with real signatures.
consensus::identity real_identity(std::uint32_t index);

/// Proof of work as the proofs see it: a mark that the simulator gives after a sampled time.
bytes ideal_seal(hash256 const& header, hash256 const& target);

/// The hash policy that goes with it, for `consensus::nakamoto`: takes the simulator's seals.
struct ideal_work {
    bool operator()(hash256 const& header, hash256 const& target, bytes_view seal) const;
};

}  // namespace blendr::sim
