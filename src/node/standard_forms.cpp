// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/impl/machine_forms.hpp>
#include <blendr/node/standard_contracts.hpp>
#include <node/standard_parts.hpp>

namespace blendr::node {

std::shared_ptr<chain_forms const> standard_forms()
{
    return std::make_shared<of_standard_contracts<impl::machine_forms>>();
}

}  // namespace blendr::node
