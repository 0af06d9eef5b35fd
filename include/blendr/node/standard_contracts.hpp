// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/bond/contract.hpp>
#include <blendr/bond/evidence.hpp>
#include <blendr/escrow/contract.hpp>
#include <blendr/escrow/letters.hpp>
#include <blendr/ledger/bank.hpp>
#include <blendr/market/contract.hpp>
#include <blendr/market/json.hpp>
#include <blendr/node/judge.hpp>
#include <blendr/node/programs.hpp>
#include <blendr/reputation/contract.hpp>
#include <blendr/verify/contract.hpp>
#include <blendr/verify/referee.hpp>

namespace blendr::node {

/// The contracts of the standard chain, for whatever takes a list of them: `of_standard_contracts<ledger::registry>`.
/// Their order is that of their hooks: who asks for a check, or listens to a fill, stands behind who gives it.
/// This is the line that another one is added to. Heavy to compile; `standard_chain.hpp` is not.
template <template <class...> class Taker>
using of_standard_contracts =
    Taker<ledger::bank, bond::contract, bond::evidence<engine_judge>, reputation::contract,
          verify::contract, verify::referee<programs>, market::contract, escrow::contract,
          escrow::letters>;

}  // namespace blendr::node
