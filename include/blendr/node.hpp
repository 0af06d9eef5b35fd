// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/node/blob_store.hpp>
#include <blendr/node/chain.hpp>
#include <blendr/node/client.hpp>
#include <blendr/node/command_line.hpp>
#include <blendr/node/config.hpp>
#include <blendr/node/engines.hpp>
#include <blendr/node/judge.hpp>
#include <blendr/node/log.hpp>
#include <blendr/node/node.hpp>
#include <blendr/node/programs.hpp>
#include <blendr/node/provider.hpp>
#include <blendr/node/record_file.hpp>
#include <blendr/node/renter.hpp>
#include <blendr/node/rpc.hpp>
#include <blendr/node/shelf.hpp>
#include <blendr/node/standard_chain.hpp>
#include <blendr/node/sync.hpp>
