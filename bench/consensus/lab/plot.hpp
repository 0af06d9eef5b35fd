// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lab {

struct series {
    std::string name{};
    std::vector<std::pair<double, double>> points{};
};

struct chart {
    std::string title{}, x{}, y{};
    std::vector<series> lines{};
    bool steps = false;  ///< a distribution: joined by steps
    bool marks = true;
    bool log_y = false;
};

/// The chart as an SVG document.
std::string svg(chart const& c);

}  // namespace lab
