// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/standard_chain.hpp>

#include <blendr/node/machine_chain.hpp>
#include <blendr/node/standard_contracts.hpp>

namespace blendr::node {
namespace {

template <class... Cs>
struct made_of {
    static chain_kind kind() { return chain_of<Cs...>(); }
};

}  // namespace

chain_kind standard_chain() { return of_standard_contracts<made_of>::kind(); }

}  // namespace blendr::node
