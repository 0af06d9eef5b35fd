// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <blendr/crypto/identity.hpp>
#include <blendr/ledger/mempool.hpp>
#include <blendr/ledger/query.hpp>
#include <blendr/ledger/signatures.hpp>
#include <blendr/state/store.hpp>

namespace blendr::ledger {

/// What a node may choose. None of it changes what a block leads to.
struct machine_options {
    unsigned threads = 0;        ///< 0: one for each core
    std::size_t roots_kept = 8;  ///< states that stay provable
    std::uint64_t secret = 0;    ///< 0: from the system; moves slots, never results
    mempool_limits waiting{};
    query_limits queries{};
    signature_checker::options signatures{};
    std::optional<crypto::identity> proposer{};  ///< adds to the beacon when this node proposes
    std::shared_ptr<state::store> store{};       ///< rows of committed blocks go there
    std::uint64_t snapshot_every =
        0;  ///< blocks; the state is handed out in chunks, see app/snapshots
    std::size_t snapshots_kept = 2;  ///< in memory, about 110 bytes an account each
};

}  // namespace blendr::ledger
