// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/receipt.hpp>

#include <algorithm>

namespace blendr::work {
namespace {

std::vector<hash256> leaves_of(std::span<unit_receipt const> receipts)
{
    std::vector<hash256> leaves;
    leaves.reserve(receipts.size());
    for (auto const& each : receipts) leaves.push_back(leaf_of(each));
    return leaves;
}

}  // namespace

hash256 leaf_of(unit_receipt const& receipt)
{
    return crypto::hash(receipt_domain, encode(receipt));
}

hash256 root_of(std::span<unit_receipt const> receipts)
{
    return ledger::list_root(leaves_of(receipts));
}

ledger::list_proof prove(std::span<unit_receipt const> receipts, std::uint64_t which)
{
    return ledger::prove(leaves_of(receipts), which);
}

bool speaks_of(unit_receipt const& receipt, unit const& what, bytes_view result)
{
    return receipt.where == what.where && receipt.parameters.names(what.parameters) &&
           std::equal(
               receipt.inputs.begin(), receipt.inputs.end(), what.inputs.begin(), what.inputs.end(),
               [](crypto::cid const& id, shared_bytes const& raw) { return id.names(*raw); }) &&
           receipt.result.names(result);
}

}  // namespace blendr::work
