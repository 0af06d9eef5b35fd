// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <boost/describe/class.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/cid.hpp>
#include <blendr/ledger/merkle_list.hpp>

#include <blendr/work/job.hpp>
#include <blendr/work/split.hpp>

namespace blendr::work {

/// What went into a unit and what came out, by content. Enough to dispute this one unit by itself: whoever
/// has the inputs can run it again, and compare.
struct unit_receipt {
    std::uint32_t stage{};
    std::uint32_t index{};
    box where{};
    crypto::cid parameters{};
    bounded<std::vector<crypto::cid>, 1024> inputs{};
    crypto::cid result{};

    friend bool operator==(unit_receipt const&, unit_receipt const&) = default;
};
BOOST_DESCRIBE_STRUCT(unit_receipt, (), (stage, index, where, parameters, inputs, result))

inline constexpr crypto::domain receipt_domain{"work.unit/1"};

/// The leaf of a receipt in the run's tree.
hash256 leaf_of(unit_receipt const& receipt);

/// What a whole run claims: a root over its units in order. A unit is shown to belong to it by
/// `ledger::prove` and `ledger::verify` over the leaves.
hash256 root_of(std::span<unit_receipt const> receipts);
ledger::list_proof prove(std::span<unit_receipt const> receipts, std::uint64_t which);

/// Whether these are the unit and the result that the receipt speaks of.
bool speaks_of(unit_receipt const& receipt, unit const& what, bytes_view result);

}  // namespace blendr::work
