// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "plot.hpp"

namespace lab {

void progress(std::size_t done, std::size_t all, std::string const& what)
{
    if (isatty(2) == 0) return;
    constexpr std::size_t wide = 30;
    auto const full = all == 0 ? wide : done * wide / all;
    std::cerr << "\r[" << std::string(full, '#') << std::string(wide - full, '.') << "] " << done
              << "/" << all << " " << what << std::string(20, ' ') << "\r" << std::flush;
    if (done == all) std::cerr << "\r" << std::string(90, ' ') << "\r" << std::flush;
}

void print(std::vector<row> const& rows)
{
    std::printf("%-10s %-10s %5s %7s | %9s %9s %9s %9s | %10s %11s %9s\n", "engine", "world", "n",
                "payload", "blocks/s", "mean ms", "p50 ms", "p99 ms", "msgs/block", "kB/block",
                "recover");
    for (auto const& r : rows) {
        std::printf("%-10s %-10s %5u %7u | %9.2f %9.1f %9.1f %9.1f | %10.0f %11.1f %9.0f\n",
                    r.engine.c_str(), r.world.c_str(), r.size, r.payload, r.blocks_per_s, r.mean_ms,
                    r.p50_ms, r.p99_ms, r.messages, r.kbytes, r.recovery_ms);
        if (r.world == "units")
            std::printf("%21s decided %.3g message delays after the proposal (median); last node "
                        "%.3g\n",
                        "", r.p50_ms / 10, percentile(r.latencies, 1) / 10);
        if (r.stale > 0) std::printf("%21s stale blocks: %.3g of a hundred decided\n", "", r.stale);
        if (!r.broken.empty()) std::printf("  BROKEN: %s\n", r.broken.c_str());
    }
}

namespace {

bool write(std::filesystem::path const& to, std::string const& text)
{
    std::ofstream out{to};
    out << text;
    if (!out.flush()) std::cerr << "cannot write " << to << "\n";
    return static_cast<bool>(out);
}

/// The number of a name among those seen so far.
std::size_t index_in(std::vector<std::string>& all, std::string const& name)
{
    auto const at = std::ranges::find(all, name);
    auto const index = static_cast<std::size_t>(at - all.begin());
    if (at == all.end()) all.push_back(name);
    return index;
}

/// A panel a world, a colour an engine; what a dash means and what makes a point is the caller's.
class drawing {
public:
    drawing(std::string title, std::string x, std::string y)
    {
        all_.title = std::move(title);
        all_.x = std::move(x);
        all_.y = std::move(y);
    }

    std::vector<std::pair<double, double>>& line(row const& r, std::string const& dash)
    {
        style const look{index_in(all_.colours, r.engine), index_in(all_.dashes, dash)};
        auto const at = std::ranges::find(all_.panels, r.world, &panel::title);
        auto& p = at == all_.panels.end() ? all_.panels.emplace_back(panel{r.world, {}}) : *at;
        for (auto& s : p.lines)
            if (s.look.colour == look.colour && s.look.dash == look.dash) return s.points;
        return p.lines.emplace_back(series{look, {}}).points;
    }
    void label(double x)
    {
        if (std::ranges::find(all_.x_ticks, x) == all_.x_ticks.end()) all_.x_ticks.push_back(x);
    }
    figure& get() { return all_; }

private:
    figure all_{};
};

std::string csv_of(std::vector<row> const& rows)
{
    std::ostringstream csv;
    csv << "engine,world,validators,payload,seeds,blocks_per_s,mean_ms,p50_ms,p99_ms,"
           "messages_per_block,kbytes_per_block,recovery_ms,stale_per_hundred,broken\n";
    for (auto const& r : rows)
        csv << r.engine << ',' << r.world << ',' << r.size << ',' << r.payload << ',' << r.seeds
            << ',' << r.blocks_per_s << ',' << r.mean_ms << ',' << r.p50_ms << ',' << r.p99_ms
            << ',' << r.messages << ',' << r.kbytes << ',' << r.recovery_ms << ',' << r.stale
            << ",\"" << r.broken << "\"\n";
    return csv.str();
}

std::string sized(row const& r) { return "n=" + std::to_string(r.size); }
std::string loaded(row const& r) { return std::to_string(r.payload) + " bytes a block"; }

std::string throughput_latency(std::vector<row> const& rows)
{
    drawing d{"Latency against throughput, a point a payload", "kB of payload decided a second",
              "median latency, ms"};
    for (auto const& r : rows)
        d.line(r, sized(r)).emplace_back(r.blocks_per_s * r.payload / 1000, r.p50_ms);
    d.get().log_x = d.get().log_y = true;
    return svg(d.get());
}

/// The distribution with the first payload; others look alike until links are full.
std::string distribution(std::vector<row> const& rows)
{
    drawing d{"Share of decisions made within a time", "latency, ms", "share of decisions"};
    for (auto const& r : rows) {
        if (r.payload != rows.front().payload || r.latencies.empty()) continue;
        auto& points = d.line(r, sized(r));
        points.emplace_back(percentile(r.latencies, 0), 0);
        for (int p = 1; p <= 100; ++p)
            points.emplace_back(percentile(r.latencies, p / 100.0), p / 100.0);
    }
    d.get().steps = d.get().log_x = true;
    return svg(d.get());
}

/// Something that grows, or not, with the number of validators.
std::string by_size(std::vector<row> const& rows, char const* title, char const* y,
                    double row::* value, bool log_y)
{
    drawing d{title, "validators", y};
    for (auto const& r : rows) {
        d.line(r, loaded(r)).emplace_back(r.size, r.*value);
        d.label(r.size);
    }
    d.get().log_x = true;
    d.get().log_y = log_y;
    return svg(d.get());
}

}  // namespace

bool save(std::string const& directory, std::vector<row> const& rows)
{
    std::filesystem::path const dir{directory};
    std::error_code failed;
    std::filesystem::create_directories(dir, failed);
    bool good = write(dir / "results.csv", csv_of(rows));
    good = write(dir / "throughput-latency.svg", throughput_latency(rows)) && good;
    good = write(dir / "latency.svg", distribution(rows)) && good;
    good = write(dir / "messages.svg",
                 by_size(rows, "Messages a decision", "messages", &row::messages, true)) &&
           good;
    good = write(dir / "bytes.svg",
                 by_size(rows, "Bytes a decision, sent by all", "kB", &row::kbytes, true)) &&
           good;
    good = write(dir / "recovery.svg", by_size(rows, "From calm until everybody has decided again",
                                               "ms", &row::recovery_ms, true)) &&
           good;
    if (good) std::cerr << "wrote results.csv and five plots to " << directory << "\n";
    return good;
}

}  // namespace lab
