// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/node/chain.hpp>

namespace blendr::node {

/// The chain of this library: bank, bonds and the market. Compiled once, in the library.
chain_kind standard_chain();

}  // namespace blendr::node
