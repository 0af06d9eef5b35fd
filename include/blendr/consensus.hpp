// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Engines that put opaque payloads in one order, without I/O.
#include <blendr/consensus/authority.hpp>
#include <blendr/consensus/ballot.hpp>
#include <blendr/consensus/branching.hpp>
#include <blendr/consensus/chained.hpp>
#include <blendr/consensus/engine.hpp>
#include <blendr/consensus/hotstuff2.hpp>
#include <blendr/consensus/messages.hpp>
#include <blendr/consensus/nakamoto.hpp>
#include <blendr/consensus/simplex.hpp>
#include <blendr/consensus/solo.hpp>
#include <blendr/consensus/work.hpp>
