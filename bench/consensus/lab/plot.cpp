// SPDX-License-Identifier: Apache-2.0
#include "plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace lab {
namespace {

// Readable on white and on near black.
constexpr char const* colours[] = {"#2f81f7", "#e5534b", "#2da44e", "#c69026", "#986ee2"};
constexpr char const* dashes[] = {"", "7 4", "2 3", "11 3 2 3", "14 5", "4 2 1 2"};

constexpr char const* sheet =
    "<style>.page{fill:#fff}.ink{fill:#1f2328}.soft{fill:#57606a}.grid{stroke:#d8dee4}"
    ".key{stroke:#57606a}.edge{stroke:#afb8c1;fill:none}"
    "@media (prefers-color-scheme:dark){.page{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9198a1}"
    ".grid{stroke:#262c36}.key{stroke:#9198a1}.edge{stroke:#3d444d}}</style>\n";

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
    auto const raw = span / 4;
    auto const power = std::pow(10, std::floor(std::log10(raw)));
    for (double m : {1.0, 2.0, 5.0})
        if (m * power >= raw) return m * power;
    return 10 * power;
}

/// One axis: from nought to a little more than the most, or in powers of ten.
class axis {
public:
    explicit axis(bool log) : log_{log} {}

    bool shows(double v) const { return !log_ || v > 0; }
    void take(double v)
    {
        if (!shows(v)) return;
        least_ = std::min(least_, v);
        most_ = std::max(most_, v);
    }
    void close()
    {
        if (least_ > most_) least_ = most_ = 1;
        if (log_) {
            from_ = std::log10(least_);
            to_ = std::log10(most_);
            auto const room = std::max(0.06 * (to_ - from_), 0.05);
            from_ -= room;
            to_ += room;
        } else {
            from_ = 0;
            to_ = most_ > 0 ? most_ * 1.05 : 1;
        }
    }
    double share(double v) const { return ((log_ ? std::log10(v) : v) - from_) / (to_ - from_); }

    std::vector<double> ticks() const
    {
        std::vector<double> out;
        if (!log_) {
            for (double v = 0, step = nice_step(to_); v <= to_; v += step) out.push_back(v);
            return out;
        }
        auto const every = std::max(1.0, std::ceil((to_ - from_) / 5));
        for (auto e = std::floor(from_); e <= to_; ++e)
            for (double m : {1.0, 2.0, 5.0}) {
                auto const v = m * std::pow(10, e);
                bool const wanted =
                    to_ - from_ < 1.7 ? true : m == 1.0 && std::fmod(std::abs(e), every) == 0;
                if (wanted && std::log10(v) >= from_ && std::log10(v) <= to_) out.push_back(v);
            }
        return out;
    }

private:
    bool log_;
    double least_ = 1e300;
    double most_ = -1e300;
    double from_ = 0;
    double to_ = 1;
};

std::string escape(std::string const& text)
{
    std::string out;
    for (char c : text) out += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
    return out;
}

/// Collects elements. Sizes and places are in pixels.
class canvas {
public:
    template <class... Values>
    void put(char const* format, Values... values)
    {
        char text[512];
        std::snprintf(text, sizeof text, format, values...);
        out_ += text;
    }
    void text(double x, double y, std::string const& what, char const* more, char const* kind)
    {
        put("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" %s>", x, y, kind, more);
        out_ += escape(what) + "</text>\n";
    }
    void line(double x1, double y1, double x2, double y2, char const* kind)
    {
        put("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2,
            y2, kind);
    }
    void add(std::string const& raw) { out_ += raw; }
    std::string take() { return std::move(out_); }

private:
    std::string out_{};
};

constexpr double panel_width = 270, panel_height = 200, gap_x = 66, gap_y = 70;
constexpr double left = 76, right = 24, bottom = 52;

std::string stroke(style const& s)
{
    auto out = std::string{"stroke=\""} + colours[s.colour % std::size(colours)] + "\"";
    auto const* dash = dashes[s.dash % std::size(dashes)];
    if (*dash != '\0') out += std::string{" stroke-dasharray=\""} + dash + "\"";
    return out;
}

void draw_line(canvas& on, series const& s, bool steps, axis const& x, axis const& y, double x0,
               double y0)
{
    auto const px = [&](double v) { return x0 + x.share(v) * panel_width; };
    auto const py = [&](double v) { return y0 + panel_height - y.share(v) * panel_height; };
    std::string path, dots;
    char text[96];
    double last = -1;
    for (auto const& [at, value] : s.points) {
        if (!x.shows(at) || !y.shows(value)) continue;
        if (steps && last >= 0) {
            std::snprintf(text, sizeof text, "%.1f,%.1f ", px(at), py(last));
            path += text;
        }
        std::snprintf(text, sizeof text, "%.1f,%.1f ", px(at), py(value));
        path += text;
        last = value;
        if (steps) continue;
        std::snprintf(text, sizeof text, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n",
                      px(at), py(value), colours[s.look.colour % std::size(colours)]);
        dots += text;
    }
    on.add("<polyline fill=\"none\" stroke-width=\"1.8\" " + stroke(s.look) + " points=\"" + path +
           "\"/>\n" + dots);
}

void draw_panel(canvas& on, figure const& f, panel const& p, axis const& x, axis const& y,
                double x0, double y0)
{
    auto const right_end = x0 + panel_width;
    auto const foot = y0 + panel_height;
    on.text(x0, y0 - 8, p.title, "font-weight=\"600\"", "ink");
    for (auto const v : y.ticks()) {
        auto const at = foot - y.share(v) * panel_height;
        on.line(x0, at, right_end, at, "grid");
        on.text(x0 - 7, at + 4, number(v), "text-anchor=\"end\"", "soft");
    }
    for (auto const v : f.x_ticks.empty() ? x.ticks() : f.x_ticks) {
        auto const at = x0 + x.share(v) * panel_width;
        on.line(at, y0, at, foot, "grid");
        on.text(at, foot + 16, number(v), "text-anchor=\"middle\"", "soft");
    }
    on.put("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"%.0f\" class=\"edge\"/>\n", x0, y0,
           panel_width, panel_height);
    for (auto const& s : p.lines) draw_line(on, s, f.steps, x, y, x0, y0);
    on.text((x0 + right_end) / 2, foot + 34, f.x, "text-anchor=\"middle\"", "soft");
}

/// Colours first, then dashes; wraps at the figure's width. Gives back where the panels may begin.
double draw_legend(canvas& on, figure const& f, double width)
{
    double x = left, y = 56;
    auto const entry = [&](std::string const& what, std::string const& look) {
        auto const wide = 40 + 7.2 * static_cast<double>(what.size()) + 18;
        if (x + wide > width - right && x > left) x = left, y += 22;
        on.put("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke-width=\"2.5\" ", x, y,
               x + 32, y);
        on.add(look + "/>\n");
        on.text(x + 40, y + 4, what, "", "ink");
        x += wide;
    };
    for (std::size_t i = 0; i < f.colours.size(); ++i) entry(f.colours[i], stroke({i, 0}));
    if (f.dashes.size() > 1)
        for (std::size_t i = 0; i < f.dashes.size(); ++i)
            entry(f.dashes[i], std::string{"class=\"key\" stroke-dasharray=\""} +
                                   dashes[i % std::size(dashes)] + "\"");
    return y + 44;
}

}  // namespace

std::string svg(figure const& f)
{
    axis x{f.log_x}, y{f.log_y};
    for (auto const& p : f.panels)
        for (auto const& l : p.lines)
            for (auto const& [at, value] : l.points) x.take(at), y.take(value);
    x.close();
    y.close();
    auto const columns = std::clamp<std::size_t>(f.panels.size(), 1, 3);
    auto const rows = std::max<std::size_t>((f.panels.size() + columns - 1) / columns, 1);
    auto const across = static_cast<double>(columns);
    auto const down = static_cast<double>(rows);
    auto const width = std::max(left + across * panel_width + (across - 1) * gap_x + right, 560.0);
    canvas body{};
    auto const top = draw_legend(body, f, width);
    auto const height = top + down * panel_height + (down - 1) * gap_y + bottom;
    for (std::size_t i = 0; i < f.panels.size(); ++i)
        draw_panel(body, f, f.panels[i], x, y,
                   left + static_cast<double>(i % columns) * (panel_width + gap_x),
                   top + static_cast<double>(i / columns) * (panel_height + gap_y));
    canvas out{};
    out.put("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\" font-family=\"sans-serif\" font-size=\"12\">\n",
            width, height, width, height);
    out.add(sheet);
    out.add("<rect width=\"100%\" height=\"100%\" class=\"page\"/>\n");
    out.text(left, 30, f.title, "font-size=\"17\"", "ink");
    out.put("<text transform=\"translate(20,%.1f) rotate(-90)\" text-anchor=\"middle\" "
            "class=\"soft\">",
            (top + height - bottom) / 2);
    out.add(escape(f.y) + "</text>\n" + body.take() + "</svg>\n");
    return out.take();
}

}  // namespace lab
