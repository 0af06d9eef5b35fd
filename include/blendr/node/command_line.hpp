// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include <blendr/node/chain.hpp>
#include <blendr/node/engines.hpp>

namespace blendr::node {

/// A node program: `init`, `network`, `run`, `status`, `config`, `check`, `export`, `import`. What a main() returns.
/// `run` ends on SIGINT and SIGTERM, in order; what it was told with flags and file it prints first.
///
/// A home holds config.json, genesis.json, node.key (a keystore; its passphrase comes from --passphrase-file or
/// the environment variable BLENDR_PASSPHRASE), and what the node writes: data/, journal, sets/, rpc.
int run_command_line(std::span<std::string const> arguments, chain_kind const& chain,
                     engine_registry const& engines = engine_registry::standard());

}  // namespace blendr::node
