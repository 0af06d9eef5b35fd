// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <blendr/sim/world.hpp>

namespace lab {

/// An engine by its name, as everybody would configure it; proof of work is the simulator's.
std::optional<blendr::sim::engine_kind> engine_named(std::string const& name);

bool known_world(std::string const& name);

/// The world's network and faults. f is the most villains below a third.
void set_up(std::string const& world, blendr::sim::scenario& s, blendr::sim::world_options& o);

}  // namespace lab
