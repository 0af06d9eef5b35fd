// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Transactions, blocks and the machine that executes them.
#include <blendr/ledger/bank.hpp>
#include <blendr/ledger/block.hpp>
#include <blendr/ledger/block_log.hpp>
#include <blendr/ledger/fees.hpp>
#include <blendr/ledger/genesis.hpp>
#include <blendr/ledger/light_client.hpp>
#include <blendr/ledger/machine.hpp>
#include <blendr/ledger/mempool.hpp>
#include <blendr/ledger/merkle_list.hpp>
#include <blendr/ledger/message.hpp>
#include <blendr/ledger/pipeline.hpp>
#include <blendr/ledger/query.hpp>
#include <blendr/ledger/receipt.hpp>
#include <blendr/ledger/reject.hpp>
#include <blendr/ledger/sandbox.hpp>
#include <blendr/ledger/signatures.hpp>
#include <blendr/ledger/supply.hpp>
#include <blendr/ledger/transaction.hpp>
