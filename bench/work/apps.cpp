// SPDX-License-Identifier: Apache-2.0
// One unit of each app on each kind of device: its rate on the native device with one thread, and on Vulkan (ratio: to the
// native device).
#include <harness.hpp>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <blendr/compute.hpp>
#include <blendr/core/random.hpp>
#include <blendr/crypto/identity.hpp>
#include <blendr/work.hpp>

#include <work/npy.hpp>

namespace {

using namespace blendr;
using namespace blendr::bench;
namespace work = blendr::work;

struct sample {
    std::string app;
    std::string unit;  ///< what a unit is counted in
    double scale = 1;
    work::order asked{};
};

std::string table()
{
    rng random{7};
    std::string out = "x,y,kind\n";
    for (int k = 0; k < 40'000; ++k) {
        out += std::to_string(random.below(100'000)) + ',';
        out += std::to_string(random.below(1'000)) + ',';
        out += static_cast<char>('a' + random.below(4));
        out += '\n';
    }
    return out;
}

std::vector<sample> samples()
{
    work::file const csv{"t.csv", to_bytes(std::string_view{table()})};
    bytes noise(std::size_t{1} << 20);
    rng{3}.fill(noise);
    std::string_view const scene =
        "camera 0 1.6 6 look 0 0.8 0 angle 38\nsky 0.5 0.7 1 horizon 0.9 0.9 0.9\n"
        "sun 1 2 1 colour 3 2.8 2.4 size 0.05\nmaterial wall diffuse 0.8 0.8 0.8\n"
        "material gold metal 0.9 0.7 0.3 0.05\nsphere 0 1 0 1 gold\nbox -8 -1 -8 8 0 8 wall\n";
    std::vector<sample> all;
    for (std::string const exact : {"true", "false"}) {
        all.push_back({"render",
                       "paths/s",
                       96 * 64 * 4,
                       {R"({"width":96,"height":64,"samples":4,"exact":)" + exact + "}",
                        {{"s", to_bytes(scene)}}}});
        all.push_back({"train",
                       "rows/s",
                       40'000 * 0.8,
                       {R"({"parts":1,"rounds":1,"exact":)" + exact + "}", {csv}}});
    }
    work::matrix square{false, 256, 256, {}};
    rng random{9};
    for (int k = 0; k < 256 * 256; ++k)
        append(square.values, static_cast<std::uint32_t>(random.below(100)));
    auto const npy = write_npy(square);
    all.push_back(
        {"matmul", "Gop/s", 2e-9 * 256 * 256 * 256, {"{}", {{"a.npy", npy}, {"b.npy", npy}}}});
    all.push_back({"hash", "MB/s", 1.048576, {"{}", {{"noise", noise}}}});
    for (std::string const ask : {"histogram", "sort", "prefix_sum"})
        all.push_back(
            {"analyse", "rows/s", 40'000, {R"({"column":"x","ask":")" + ask + "\"}", {csv}}});
    return all;
}

void must(bool good)
{
    if (!good) std::abort();
}

suite const apps{
    "work/apps", [](bench::run& r) {
        auto const native = work::make_native_device(1);
        ::setenv("LP_NUM_THREADS", "1",
                 1);  // the embedded processor's driver: one thread, as the native device
        auto const gpu = compute::open_vulkan();
        ::unsetenv("LP_NUM_THREADS");
        options by_wall;
        by_wall.by = clock::wall;
        for (auto const& each : samples()) {
            auto name = "work/apps/" + each.app;
            if (each.asked.options.find("\"exact\":false") != std::string::npos) name += "_floats";
            if (auto const at = each.asked.options.find("\"ask\":\""); at != std::string::npos)
                name += '_' + each.asked.options.substr(
                                  at + 7, each.asked.options.find('"', at + 7) - at - 7);
            if (!r.wants(name)) continue;
            auto const& app = *work::find_app(each.app);
            auto const task = app.make(each.asked, {});
            must(task.has_value());
            auto const units = (*task)->next({}).value()->units;
            auto const on = [&](compute::device& device) {
                return [&] {
                    for (auto const& one : units) must(app.run(one, {device}).has_value());
                };
            };
            auto const what = rate(each.unit, each.scale);
            r.figure(name + "/native", what, on(*native), by_wall);
            if (gpu) {
                on (**gpu)();  // compiled now
                r.compare(name + "/vulkan", what, on(**gpu), on(*native), by_wall);
            }
        }
    }};

}  // namespace
