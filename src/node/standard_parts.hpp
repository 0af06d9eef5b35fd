// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <blendr/node/chain.hpp>

/// The parts of the standard chain, each of which takes long to compile: one .cpp each.
namespace blendr::node {

std::unique_ptr<chain> make_standard_chain(chain_setup from);
std::shared_ptr<chain_forms const> standard_forms();
std::shared_ptr<call_forms const> standard_calls();
std::shared_ptr<genesis_forms const> standard_beginnings();

}  // namespace blendr::node
