// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/crypto/vrf.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/reject.hpp>

namespace blendr::ledger {

inline constexpr crypto::domain beacon_domain{"beacon/1"};

/// One step of the chain's randomness: the last beacon with the proposer's output over it, which
/// nobody else can foretell and the proposer cannot choose. A proposer without a published key adds
/// nothing, and the beacon moves on by itself.
inline hash256 next_beacon(hash256 const& last, hash256 const& output)
{
    return crypto::hash(beacon_domain, last, output);
}

/// Fills in beacon and proof of a header of one's own. False: the key published for this proposer is
/// not `by`'s, so nobody would take the block.
inline bool prove_beacon(header& head, hash256 const& last, crypto::vrf_public_key const& published,
                         std::optional<crypto::identity> const& by)
{
    hash256 output{};
    head.beacon_proof.clear();
    if (published != crypto::vrf_public_key{}) {
        if (!by) return false;
        auto const key = crypto::vrf_secret_key::of(by->key());
        if (key.self() != published) return false;
        auto const made = key.prove(last);
        output = made.output;
        static_cast<bytes&>(head.beacon_proof) = encode(made.proof);
    }
    head.beacon = next_beacon(last, output);
    return true;
}

/// Whether a header's beacon follows. `published` is the proposer's, zeros where there is none.
inline result<nothing, reject> check_beacon(header const& head, hash256 const& last,
                                            crypto::vrf_public_key const& published)
{
    hash256 output{};
    if (published != crypto::vrf_public_key{}) {
        auto const proof = decode<crypto::vrf_proof>(head.beacon_proof);
        if (!proof) return fail{reject::wrong_beacon};
        auto const shown = crypto::verify(published, last, *proof);
        if (!shown) return fail{reject::wrong_beacon};
        output = *shown;
    } else if (!head.beacon_proof.empty()) {
        return fail{reject::wrong_beacon};
    }
    if (head.beacon != next_beacon(last, output)) return fail{reject::wrong_beacon};
    return nothing{};
}

}  // namespace blendr::ledger
