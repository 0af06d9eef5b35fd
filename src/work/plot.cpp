// SPDX-License-Identifier: Apache-2.0
#include "plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace blendr::work {
namespace {

constexpr double wide = 640, high = 400, left = 56, right = 24, top = 40, bottom = 48;

std::string text(double v)
{
    std::array<char, 32> out{};
    std::snprintf(out.data(), out.size(), "%.4g", v);
    return out.data();
}

/// What an axis goes to, and in how many steps: little above the largest value, with round numbers at every step.
struct axis {
    double top = 1;
    int steps = 5;
};

axis axis_for(double v)
{
    if (!(v > 0)) return {};
    auto const power = std::pow(10, std::floor(std::log10(v)));
    constexpr std::array<axis, 8> tops{
        {{1, 5}, {1.5, 3}, {2, 4}, {3, 3}, {4, 4}, {5, 5}, {6, 3}, {8, 4}}};
    for (auto const& each : tops)
        if (each.top * power >= v * 0.999) return {each.top * power, each.steps};
    return {10 * power, 5};
}

std::string label(double x, double y, std::string_view anchor, std::string_view words)
{
    return "<text x=\"" + text(x) + "\" y=\"" + text(y) + "\" text-anchor=\"" +
           std::string{anchor} + "\">" + std::string{words} + "</text>\n";
}

std::string rule(double x1, double y1, double x2, double y2, std::string_view colour)
{
    return "<line x1=\"" + text(x1) + "\" y1=\"" + text(y1) + "\" x2=\"" + text(x2) + "\" y2=\"" +
           text(y2) + "\" stroke=\"" + std::string{colour} + "\"/>\n";
}

}  // namespace

std::string plot_svg(std::string_view title, std::string_view along,
                     std::vector<line_of_plot> const& lines)
{
    static constexpr std::array<std::string_view, 4> colours{"#c0392b", "#2471a3", "#1e8449",
                                                             "#7d3c98"};
    double most = 0;
    std::size_t points = 1;
    for (auto const& each : lines) {
        points = std::max(points, each.values.size());
        for (auto const v : each.values)
            if (std::isfinite(v)) most = std::max(most, v);
    }
    auto const [scale, steps] = axis_for(most);
    auto const x_of = [&](std::size_t k) {
        return left +
               (wide - left - right) *
                   (points < 2 ? 0.5 : static_cast<double>(k) / static_cast<double>(points - 1));
    };
    auto const y_of = [scale = scale](double v) {
        return high - bottom - (high - top - bottom) * std::clamp(v / scale, 0.0, 1.0);
    };
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 400\" "
                      "font-family=\"sans-serif\" font-size=\"12\">\n"
                      "<rect width=\"640\" height=\"400\" fill=\"white\"/>\n";
    out += "<text x=\"56\" y=\"24\" font-size=\"15\">" + std::string{title} + "</text>\n";
    for (int k = 0; k <= steps; ++k) {
        auto const v = scale * k / steps;
        out += rule(left, y_of(v), wide - right, y_of(v), k == 0 ? "#333333" : "#dddddd");
        out += label(left - 8, y_of(v) + 4, "end", text(v));
    }
    for (std::size_t k = 0; k <= 4; ++k) {
        auto const at = (points - 1) * k / 4;
        out += label(x_of(at), high - bottom + 18, "middle", std::to_string(at + 1));
    }
    out += label((left + wide - right) / 2, high - 10, "middle", along);
    double legend = wide - right;
    for (std::size_t k = 0; k < lines.size(); ++k) {
        auto const colour = colours[k % colours.size()];
        out += "<polyline fill=\"none\" stroke-width=\"1.8\" stroke=\"" + std::string{colour} +
               "\" points=\"";
        for (std::size_t j = 0; j < lines[k].values.size(); ++j)
            out += text(x_of(j)) + ',' + text(y_of(lines[k].values[j])) + ' ';
        out += "\"/>\n";
        out += "<text x=\"" + text(legend) + "\" y=\"24\" text-anchor=\"end\" fill=\"" +
               std::string{colour} + "\">" + lines[k].name + "</text>\n";
        legend -= 8.0 * static_cast<double>(lines[k].name.size()) + 16;
    }
    return out + "</svg>\n";
}

}  // namespace blendr::work
