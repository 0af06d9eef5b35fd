// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace lab {

/// How a line looks: a colour and a dash, by number, so that a legend can name each on its own.
struct style {
    std::size_t colour{};
    std::size_t dash{};
};

struct series {
    style look{};
    std::vector<std::pair<double, double>> points{};
};

struct panel {
    std::string title{};
    std::vector<series> lines{};
};

/// Several panels on the same axes, and one legend for all of them.
struct figure {
    std::string title{}, x{}, y{};
    std::vector<panel> panels{};
    std::vector<std::string> colours{};  ///< what each colour means
    std::vector<std::string> dashes{};   ///< what each dash means; one or none is not worth saying
    std::vector<double> x_ticks{};       ///< where to label the axis; empty: where it is round
    bool steps = false;                  ///< a distribution: joined by steps, no dots
    bool log_x = false;
    bool log_y = false;
};

/// The figure as an SVG document, for light pages and dark ones.
std::string svg(figure const& f);

}  // namespace lab
