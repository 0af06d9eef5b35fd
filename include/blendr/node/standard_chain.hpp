// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/node/chain.hpp>

namespace blendr::node {

/// The chain of this library: bank, bonds, evidence, reputation, verification, the market and escrow. Compiled
/// once, in the library.
chain_kind standard_chain();

}  // namespace blendr::node
