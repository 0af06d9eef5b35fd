// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <blendr/state/ordered_table.hpp>
#include <blendr/state/pages.hpp>
#include <blendr/state/proof.hpp>
#include <blendr/state/same.hpp>
#include <blendr/state/snapshot.hpp>
#include <blendr/state/store.hpp>
#include <blendr/state/table.hpp>
#include <blendr/state/tree.hpp>
