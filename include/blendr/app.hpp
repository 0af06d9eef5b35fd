// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The seam between a ledger and whoever orders its blocks.
#include <blendr/app/application.hpp>
#include <blendr/app/block_id.hpp>
#include <blendr/app/snapshots.hpp>
#include <blendr/app/tally.hpp>
#include <blendr/app/types.hpp>
