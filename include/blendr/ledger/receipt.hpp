// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <boost/describe/class.hpp>

#include <blendr/core/amount.hpp>
#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/crypto/hash.hpp>
#include <blendr/ledger/types.hpp>

namespace blendr::ledger {

inline constexpr crypto::domain receipt_domain{"receipt/1"};
inline constexpr std::size_t receipt_output_max = 1024;

/// How a transaction ended, for whoever was not there. The receipts of block h stand in block order
/// under `receipts_root` of the header of h + 1.
struct receipt {
    hash256 transaction{};  ///< its id
    std::uint32_t code{};   ///< 0 is success; others are contract id << 16 | error
    gas used{};
    amount fee{};  ///< what the sender paid, the tip included; zero when it was not charged
    bounded<bytes, receipt_output_max> output{};  ///< what the contracts had to say

    friend bool operator==(receipt const&, receipt const&) = default;
};
BOOST_DESCRIBE_STRUCT(receipt, (), (transaction, code, used, fee, output))

/// Its leaf in the list of receipts.
inline hash256 leaf_of(receipt const& r) { return crypto::hash(receipt_domain, encode(r)); }

}  // namespace blendr::ledger
