// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/impl/machine_forms.hpp>
#include <blendr/node/standard_contracts.hpp>
#include <node/standard_parts.hpp>

namespace blendr::node {

std::shared_ptr<call_forms const> standard_calls()
{
    return std::make_shared<of_standard_contracts<impl::machine_calls>>();
}

std::shared_ptr<genesis_forms const> standard_beginnings()
{
    return std::make_shared<of_standard_contracts<impl::machine_beginnings>>();
}

}  // namespace blendr::node
