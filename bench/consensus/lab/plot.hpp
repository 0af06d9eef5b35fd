// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace lab {

/// Small text beside a point.
struct note {
    double x{};
    double y{};
    std::string text{};
};

struct series {
    std::string name{};
    std::vector<std::pair<double, double>> points{};
    std::vector<note> notes{};
    std::size_t colour{};
    std::size_t dash{};
};

struct chart {
    std::string title{}, x{}, y{};
    std::vector<series> lines{};
    bool steps = false;  ///< a distribution: joined by steps
    bool marks = true;
    bool log_x = false;
    bool log_y = false;
};

/// The chart as an SVG document.
std::string svg(chart const& c);

}  // namespace lab
