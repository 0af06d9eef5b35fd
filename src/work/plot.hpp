// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace blendr::work {

struct line_of_plot {
    std::string name;
    std::vector<double> values;
};

/// Curves over 1, 2, 3 … as an SVG picture, from 0 up.
std::string plot_svg(std::string_view title, std::string_view along,
                     std::vector<line_of_plot> const& lines);

}  // namespace blendr::work
