// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace lab {

/// Random worlds that the engine promises to survive: prints what broke, made as small as possible, or that
/// nothing did. True when nothing did.
bool soak(std::string const& engine, std::uint64_t from, std::uint64_t worlds);

/// Runs one scenario from a file, as the soak writes it, and prints what happened, line by line.
bool replay(std::string const& engine, std::string const& file);

}  // namespace lab
