// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A seeded world in virtual time to try engines in.
#include <blendr/sim/any_engine.hpp>
#include <blendr/sim/battery.hpp>
#include <blendr/sim/byzantine.hpp>
#include <blendr/sim/ideal.hpp>
#include <blendr/sim/mock_app.hpp>
#include <blendr/sim/network.hpp>
#include <blendr/sim/scenario.hpp>
#include <blendr/sim/world.hpp>
