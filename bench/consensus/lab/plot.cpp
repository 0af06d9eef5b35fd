// SPDX-License-Identifier: Apache-2.0
#include "plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lab {
namespace {

constexpr char const* colours[] = {"#1f6feb", "#d1242f", "#1a7f37", "#9a6700",
                                   "#8250df", "#57606a", "#bf3989", "#0a7ea4"};

std::string number(double v)
{
    char text[32];
    if (std::abs(v) >= 1e6)
        std::snprintf(text, sizeof text, "%.3gM", v / 1e6);
    else if (std::abs(v) >= 1e4)
        std::snprintf(text, sizeof text, "%.3gk", v / 1e3);
    else
        std::snprintf(text, sizeof text, "%.4g", v);
    return text;
}

double nice_step(double span)
{
    auto const raw = span / 5;
    auto const power = std::pow(10, std::floor(std::log10(raw)));
    for (double m : {1.0, 2.0, 5.0})
        if (m * power >= raw) return m * power;
    return 10 * power;
}

std::string escape(std::string const& text)
{
    std::string out;
    for (char c : text) out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
    return out;
}

}  // namespace

std::string svg(chart const& c)
{
    constexpr double width = 860, height = 460, left = 80, right = 210, top = 50, bottom = 60;
    double x0 = 0, x1 = 1e-9, y0 = 0, y1 = 1e-9;
    double least = 1e300;
    for (auto const& l : c.lines)
        for (auto const& [x, y] : l.points) {
            x1 = std::max(x1, x);
            y1 = std::max(y1, y);
            if (y > 0) least = std::min(least, y);
        }
    bool const log_y = c.log_y && least < y1;
    if (log_y) {
        y0 = std::floor(std::log10(least));
        y1 = std::ceil(std::log10(y1));
        if (y1 <= y0) y1 = y0 + 1;
    } else {
        y1 *= 1.05;
    }
    x1 *= 1.03;
    auto const px = [&](double x) { return left + (x - x0) / (x1 - x0) * (width - left - right); };
    auto const py = [&](double y) {
        auto const v = log_y ? std::log10(std::max(y, 1e-300)) : y;
        return height - bottom - (std::max(v, y0) - y0) / (y1 - y0) * (height - top - bottom);
    };
    char text[512];
    std::string out;
    auto const put = [&](char const* format, auto... values) {
        std::snprintf(text, sizeof text, format, values...);
        out += text;
    };
    put("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
        "font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%%\" height=\"100%%\" "
        "fill=\"#fff\"/>\n",
        width, height);
    out += "<text x=\"" + number(left) + "\" y=\"28\" font-size=\"17\" fill=\"#1f2328\">" +
           escape(c.title) + "</text>\n";
    auto const grid_y = [&](double at, std::string const& label) {
        put("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#d8dee4\"/>\n", left,
            py(at), width - right, py(at));
        put("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"#57606a\">%s</text>\n",
            left - 8, py(at) + 4, label.c_str());
    };
    if (log_y)
        for (auto e = y0; e <= y1; ++e) grid_y(std::pow(10, e), number(std::pow(10, e)));
    else
        for (double v = 0, step = nice_step(y1); v <= y1; v += step) grid_y(v, number(v));
    for (double v = 0, step = nice_step(x1); v <= x1; v += step) {
        put("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#eaeef2\"/>\n", px(v),
            top, px(v), height - bottom);
        put("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"#57606a\">%s</text>\n",
            px(v), height - bottom + 18, number(v).c_str());
    }
    out += "<text x=\"" + number((left + width - right) / 2) + "\" y=\"" + number(height - 14) +
           "\" text-anchor=\"middle\" fill=\"#1f2328\">" + escape(c.x) + "</text>\n";
    out += "<text transform=\"translate(20," + number((top + height - bottom) / 2) +
           ") rotate(-90)\" text-anchor=\"middle\" fill=\"#1f2328\">" + escape(c.y) + "</text>\n";
    for (std::size_t i = 0; i < c.lines.size(); ++i) {
        auto const& l = c.lines[i];
        auto const* colour = colours[i % 8];
        auto const* dash = i >= 8 ? " stroke-dasharray=\"6 3\"" : "";
        std::string path;
        for (std::size_t k = 0; k < l.points.size(); ++k) {
            auto const [x, y] = l.points[k];
            if (c.steps && k > 0) {
                std::snprintf(text, sizeof text, "%.1f,%.1f ", px(x), py(l.points[k - 1].second));
                path += text;
            }
            std::snprintf(text, sizeof text, "%.1f,%.1f ", px(x), py(y));
            path += text;
        }
        out += "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + std::string{colour} + "\"" +
               dash + " points=\"" + path + "\"/>\n";
        if (c.marks)
            for (auto const& [x, y] : l.points)
                put("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", px(x), py(y),
                    colour);
        auto const line = top + 10 + 20 * static_cast<double>(i);
        put("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
            "stroke-width=\"3\"%s/>\n",
            width - right + 14, line, width - right + 38, line, colour, dash);
        put("<text x=\"%.1f\" y=\"%.1f\" fill=\"#1f2328\">%s</text>\n", width - right + 44,
            line + 4, escape(l.name).c_str());
    }
    return out + "</svg>\n";
}

}  // namespace lab
