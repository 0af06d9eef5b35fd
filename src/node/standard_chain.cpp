// SPDX-License-Identifier: Apache-2.0
#include <blendr/node/standard_chain.hpp>

#include <node/standard_parts.hpp>

namespace blendr::node {

chain_kind standard_chain()
{
    return {make_standard_chain, standard_forms(), standard_calls(), standard_beginnings()};
}

}  // namespace blendr::node
