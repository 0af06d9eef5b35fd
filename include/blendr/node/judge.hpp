// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/keys.hpp>

namespace blendr::node {

/// What an engine noticed, and on which chain: the name under which an engine signs is a hash of the
/// document that the chain began with and of the engine's own name, so a proof says both, and nobody is
/// judged by the rules of an engine that the chain does not run.
struct engine_proof {
    std::string engine{};
    hash256 genesis{};
    bounded<bytes, 2048> proof{};  ///< in the engine's own words
};
BOOST_DESCRIBE_STRUCT(engine_proof, (), (engine, genesis, proof))

/// The document that a chain began with, without its name in it.
hash256 genesis_name(bytes_view bare);
/// What names the chain on the network and under every engine's signature.
hash256 chain_name(hash256 const& genesis, std::string_view consensus);

/// Judges evidence against validators of simplex, hotstuff2 and authority: `bond::judge`.
struct engine_judge {
    static std::optional<hash256> fault_in(crypto::public_key const& culprit, bytes_view proof);
    static bool shows(crypto::public_key const& culprit, bytes_view proof, hash256 const& chain);
};

}  // namespace blendr::node
