// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include <blendr/sim/any_engine.hpp>
#include <blendr/sim/scenario.hpp>

namespace blendr::sim {

/// An engine of this kind that misbehaves. It has the validator's key, so whatever it signs is good.
/// `twins` and `amnesia` are a matter of the world, not of an engine: here they are honest.
///
/// forking: two engines behind one key. Each speaks to its own half of the others, builds its own
/// payloads and hears everything.
/// forging: beside what an honest engine says, signs every kind of ballot for every block that it
/// hears of and tells them to random others; as a leader it sends a second block to half of them.
std::unique_ptr<any_engine> misbehave(role how, engine_kind const& kind, identity const& me,
                                      std::uint64_t seed);

}  // namespace blendr::sim
