// SPDX-License-Identifier: Apache-2.0
// program: A workload of one's own without C++: a shader and a plan, which lie beside this file, run in parts on this machine.
// needs: work, compute
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include <blendr/compute.hpp>
#include <blendr/core.hpp>
#include <blendr/core/json.hpp>
#include <blendr/crypto.hpp>
#include <blendr/work.hpp>

using namespace blendr;
namespace fs = std::filesystem;

constexpr char const* usage =
    R"(program                    the plan that lies beside this file
program PLAN.json OUT      a plan of one's own; the files that it names lie beside it. Over the network:
                           wallet job submit --plan PLAN.json
)";

result<bytes, std::string> read_file(fs::path const& path)
{
    std::ifstream in{path, std::ios::binary};
    if (!in) return fail{"cannot read " + path.string()};
    std::string const text{std::istreambuf_iterator<char>{in}, {}};
    return to_bytes(std::string_view{text});
}

/// The plan as an order: its text, and the files that it names.
result<work::order, std::string> order_of(fs::path const& plan)
{
    work::order out;
    BLENDR_TRY(auto const text, read_file(plan));
    out.options = std::string{as_text(text)};
    auto const read = parse_json(out.options);
    auto const* const all = read ? read->if_object() : nullptr;
    if (all == nullptr) return out;  // the app says what is wrong, and in which line
    std::vector<std::string> names;
    auto const add = [&](boost::json::value const* name) {
        if (name == nullptr || !name->is_string()) return;
        std::string word{name->get_string().c_str()};
        if (std::find(names.begin(), names.end(), word) == names.end())
            names.push_back(std::move(word));
    };
    add(all->if_contains("program"));
    if (auto const* const inputs = all->if_contains("inputs"); inputs && inputs->is_array())
        for (auto const& each : inputs->get_array())
            if (each.is_object()) add(each.get_object().if_contains("file"));
    for (auto const& name : names) {
        BLENDR_TRY(auto content, read_file(plan.parent_path() / name));
        out.files.push_back({name, std::move(content)});
    }
    return out;
}

/// The shader once more for processors, where there is no Vulkan: a program's bytes are its name.
std::uint32_t julia(compute::native_call const& call)
{
    std::array<std::int32_t, 11> told{};
    if (call.push.size() != sizeof told) return 1;
    std::memcpy(told.data(), call.push.data(), sizeof told);
    auto const [fx, fy, fz, nx, ny, nz, width, height, spacing, real, imaginary] = told;
    auto const palette = call.as<std::uint32_t const>(0);
    auto const colours = call.as<std::uint32_t>(1);
    if (palette.size() < 64 || colours.size() < std::size_t(nx) * std::size_t(ny)) return 1;
    for (int at = 0; at < nx * ny; ++at) {
        int x = (2 * (fx + at % nx) - width) * spacing, y = (2 * (fy + at / nx) - height) * spacing;
        std::size_t steps = 0;
        for (; steps < 63 && x * x + y * y < (4 << 24); ++steps) {
            int const next = ((x * x - y * y) >> 12) + real - 8192;
            y = (2 * x * y >> 12) + imaginary - 8192;
            x = next;
        }
        colours[std::size_t(at)] = palette[steps];
    }
    return 0;
}

int main(int count, char** arguments)
{
    std::string_view const word = count > 1 ? arguments[1] : "";
    if (count == 2 || count > 3) {
        bool const asked = word == "--help" || word == "-h";
        (asked ? std::cout : std::cerr) << usage;
        return asked ? 0 : 2;
    }
    bool const own = count == 3;
    auto const plan = own ? fs::path{word} : fs::path{BLENDR_EXAMPLE_DIR} / "plan.json";
    auto const complain = [](std::string const& why) {
        return std::cerr << "program: " << why << '\n', 1;
    };
    auto const what = order_of(plan);
    if (!what) return complain(what.error());
    auto const& app = *work::find_app("program");
    auto const task = app.make(*what, {});
    if (!task) return complain(plan.filename().string() + ": " + message(task.error()));

    // Strangers' programs run in a worker, a process that may be killed. Ours is known to the processor, too.
    std::vector<std::unique_ptr<compute::device>> devices;
    auto worker = compute::worker::start();
    if (worker) devices.push_back(*std::move(worker));
    if (!own) {
        compute::native_options chosen;
        chosen.threads = 1;
        chosen.kernels.push_back({what->files.front().content, julia});
        devices.push_back(compute::make_native_device(std::move(chosen)));
    }
    if (devices.empty()) return complain("no device here: " + message(worker.error()));
    std::vector<std::unique_ptr<work::runner>> runners;
    std::vector<work::runner*> all;
    for (auto const& each : devices) {
        runners.push_back(work::runner_on(app, *each, each->info().name));
        all.push_back(runners.back().get());
    }
    auto const done = work::run(**task, all);
    if (!done) return complain(message(done.error()));
    auto const files = (*task)->files(done->results);
    if (!files) return complain(message(files.error()));
    auto const& made = files->front();
    std::cout << made.name << ": " << made.content.size() << " bytes in " << done->results.size()
              << " units\n";
    std::cout << "the result    " << to_text(crypto::cid::of(made.content)) << '\n';
    std::cout << "the run       " << to_hex(done->root) << '\n';
    if (own) {
        std::ofstream out{arguments[2], std::ios::binary};
        out.write(reinterpret_cast<char const*>(made.content.data()),
                  static_cast<std::streamsize>(made.content.size()));
        return out.flush() ? 0 : complain("cannot write " + std::string{arguments[2]});
    }
    constexpr std::string_view shades = " .:-=+*#%@";
    for (std::size_t y = 0; y < 64; y += 3) {  // by how red it is
        for (std::size_t x = 0; x < 96; x += 2)
            std::cout << shades[std::to_integer<std::size_t>(made.content[4 * (96 * y + x)]) *
                                (shades.size() - 1) / 255];
        std::cout << '\n';
    }
    return 0;
}
