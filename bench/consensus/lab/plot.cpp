// SPDX-License-Identifier: Apache-2.0
#include "plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace lab {
namespace {

constexpr char const* colours[] = {"#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df",
                                   "#57606a", "#bf3989", "#0a7ea4", "#e16f24", "#2da44e"};
constexpr char const* dashes[] = {"", " stroke-dasharray=\"7 4\"", " stroke-dasharray=\"2 3\"",
                                  " stroke-dasharray=\"9 3 2 3\""};

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

/// One axis: from nought to a little more than the most, or in decades.
class axis {
public:
    explicit axis(bool log) : log_{log} {}
    void take(double v)
    {
        most_ = std::max(most_, v);
        if (v > 0) least_ = std::min(least_, v);
    }
    void close()
    {
        log_ = log_ && least_ < most_;
        if (!log_) {
            from_ = 0;
            to_ = most_ * 1.05;
            return;
        }
        from_ = std::log10(least_) - 0.05;
        to_ = std::log10(most_) + 0.05;
    }
    double share(double v) const
    {
        auto const at = log_ ? std::max(std::log10(std::max(v, 1e-300)), from_) : v;
        return (at - from_) / (to_ - from_);
    }
    std::vector<double> ticks() const
    {
        std::vector<double> out;
        if (!log_) {
            for (double v = 0, step = nice_step(to_); v <= to_; v += step) out.push_back(v);
            return out;
        }
        for (auto e = std::floor(from_); e <= to_; ++e)
            for (double m : {1.0, 2.0, 5.0}) {
                auto const v = m * std::pow(10, e);
                auto const fine = to_ - from_ < 3 || m == 1.0;
                if (fine && std::log10(v) >= from_ && std::log10(v) <= to_) out.push_back(v);
            }
        return out;
    }

private:
    bool log_;
    double least_ = 1e300;
    double most_ = 1e-9;
    double from_ = 0;
    double to_ = 1;
};

std::string escape(std::string const& text)
{
    std::string out;
    for (char c : text) out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
    return out;
}

}  // namespace

std::string svg(chart const& c)
{
    constexpr double width = 900, left = 80, right = 240, top = 50, bottom = 60;
    auto const height = std::max(460.0, top + bottom + 20 * static_cast<double>(c.lines.size()));
    axis x{c.log_x}, y{c.log_y};
    for (auto const& l : c.lines)
        for (auto const& [at, value] : l.points) x.take(at), y.take(value);
    x.close();
    y.close();
    auto const px = [&](double v) { return left + x.share(v) * (width - left - right); };
    auto const py = [&](double v) {
        return height - bottom - y.share(v) * (height - top - bottom);
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
    for (auto const v : y.ticks()) {
        put("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#d8dee4\"/>\n", left,
            py(v), width - right, py(v));
        put("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"#57606a\">%s</text>\n",
            left - 8, py(v) + 4, number(v).c_str());
    }
    for (auto const v : x.ticks()) {
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
        auto const* colour = colours[l.colour % std::size(colours)];
        auto const* dash = dashes[l.dash % std::size(dashes)];
        std::string path;
        for (std::size_t k = 0; k < l.points.size(); ++k) {
            auto const [at, value] = l.points[k];
            if (c.steps && k > 0) {
                std::snprintf(text, sizeof text, "%.1f,%.1f ", px(at), py(l.points[k - 1].second));
                path += text;
            }
            std::snprintf(text, sizeof text, "%.1f,%.1f ", px(at), py(value));
            path += text;
        }
        out += "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + std::string{colour} + "\"" +
               dash + " points=\"" + path + "\"/>\n";
        if (c.marks)
            for (auto const& [at, value] : l.points)
                put("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", px(at), py(value),
                    colour);
        for (auto const& [at, value, note] : l.notes)
            put("<text x=\"%.1f\" y=\"%.1f\" font-size=\"10\" fill=\"#57606a\">%s</text>\n",
                px(at) + 5, py(value) - 4, escape(note).c_str());
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
