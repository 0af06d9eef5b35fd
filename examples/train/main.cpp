// SPDX-License-Identifier: Apache-2.0
// train: A perceptron learns to tell stones apart, on two devices; one alone makes the same weights, to the bit.
// needs: work, compute
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include <blendr/compute.hpp>
#include <blendr/core.hpp>
#include <blendr/crypto.hpp>
#include <blendr/work.hpp>

using namespace blendr;

constexpr char const* usage =
    R"(train                                  400 rounds on the spirals that lie beside this file
train TABLE.csv FOLDER [OPTIONS]       another table; the curve, the numbers and the weights are written there
                                       OPTIONS is JSON: {"rounds": 400, "rate": 60, "hidden": [24, 16]}
)";

/// The files that an order leads to, by these devices.
result<std::vector<work::file>, work::problem> train(work::order const& what,
                                                     std::span<compute::device* const> on)
{
    auto const& app = *work::find_app("train");
    BLENDR_TRY(auto const task, app.make(what, {}));
    std::vector<std::unique_ptr<work::runner>> runners;
    std::vector<work::runner*> all;
    for (auto* device : on) {
        runners.push_back(work::runner_on(app, *device, device->info().name));
        all.push_back(runners.back().get());
    }
    work::run_options how;
    bool const seen = ::isatty(STDERR_FILENO) == 1;
    if (seen)
        how.on_progress = [](work::progress const& at) { std::cerr << '\r' << bar(at) << "   "; };
    BLENDR_TRY(auto const done, work::run(*task, all, how));
    if (seen) std::cerr << '\n';
    return task->files(done.results);
}

int main(int count, char** arguments)
{
    if (count == 2) {
        std::string_view const word{arguments[1]};
        bool const asked = word == "--help" || word == "-h";
        (asked ? std::cout : std::cerr) << usage;
        return asked ? 0 : 2;
    }
    std::filesystem::path const table =
        count >= 3 ? std::filesystem::path{arguments[1]}
                   : std::filesystem::path{BLENDR_EXAMPLE_DIR} / "spirals.csv";
    std::ifstream in{table, std::ios::binary};
    if (!in) return std::cerr << "train: cannot read " << table << '\n', 1;
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    work::order what;
    what.options = count >= 4 ? arguments[3] : R"({"rounds": 400, "rate": 60, "hidden": [24, 16]})";
    what.files.push_back({table.filename().string(), to_bytes(std::string_view{text})});

    auto const one = work::make_native_device(1), two = work::make_native_device(1);
    std::array<compute::device*, 2> const devices{one.get(), two.get()};
    auto const learnt = train(what, devices);
    if (!learnt) return std::cerr << "train: " << message(learnt.error()) << '\n', 1;
    auto const alone = train(what, std::span{devices}.first(1));
    bool const same = alone && alone->back().content == learnt->back().content;

    std::string_view const curve = as_text(learnt->front().content);
    auto const line = [&](std::size_t which) {
        std::size_t at = 0;
        while (which-- > 0) at = curve.find('\n', at) + 1;
        return curve.substr(at, curve.find('\n', at) - at);
    };
    auto const lines = static_cast<std::size_t>(std::count(curve.begin(), curve.end(), '\n'));
    std::cout << line(0) << '\n'
              << line(1) << '\n'
              << line(lines / 4) << '\n'
              << line(lines - 1) << '\n';
    std::cout << "weights  " << to_text(crypto::cid::of(learnt->back().content)) << '\n';
    std::cout << (same ? "one device alone learns the same, to the bit\n" : "the devices differ\n");
    if (count >= 3)
        for (auto const& each : *learnt) {
            std::ofstream out{std::filesystem::path{arguments[2]} / each.name, std::ios::binary};
            out << as_text(each.content);
            if (!out.flush()) return std::cerr << "train: cannot write " << each.name << '\n', 1;
        }
    return same ? 0 : 1;
}
