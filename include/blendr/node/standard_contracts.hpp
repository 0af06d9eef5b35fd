// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/bond/contract.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/market/json.hpp>

namespace blendr::node {

/// The contracts of the standard chain, for whatever takes a list of them: `of_standard_contracts<ledger::registry>`.
/// This is the line that another one is added to.
template <template <class...> class Taker>
using of_standard_contracts = Taker<ledger::bank, bond::contract, market::contract>;

}  // namespace blendr::node
