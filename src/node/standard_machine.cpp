// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/machine_chain.hpp>
#include <blendr/node/standard_contracts.hpp>
#include <node/standard_parts.hpp>

namespace blendr::node {

std::unique_ptr<chain> make_standard_chain(chain_setup from)
{
    return std::make_unique<of_standard_contracts<impl::machine_chain>>(std::move(from));
}

}  // namespace blendr::node
