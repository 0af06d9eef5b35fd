// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "measure.hpp"

namespace lab {

/// A bar on the terminal, if there is one.
void progress(std::size_t done, std::size_t all, std::string const& what);

/// The table on the terminal.
void print(std::vector<row> const& rows);

/// results.csv and the plots; false when a file could not be written.
bool save(std::string const& directory, std::vector<row> const& rows);

}  // namespace lab
