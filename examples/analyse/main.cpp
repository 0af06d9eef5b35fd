// SPDX-License-Identifier: Apache-2.0
// analyse: Five questions about a table, each cut over two devices; and a table with a fault, whose line is named.
// needs: work, compute
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include <blendr/compute.hpp>
#include <blendr/core.hpp>
#include <blendr/work.hpp>

using namespace blendr;

constexpr char const* usage =
    R"(analyse                          the rides that lie beside this file
analyse TABLE.csv OPTIONS        a question of one's own: {"ask": "sort", "column": "km"}
)";

/// The first file of the answer.
result<std::string, work::problem> ask(work::order const& what,
                                       std::span<compute::device* const> on)
{
    auto const& app = *work::find_app("analyse");
    BLENDR_TRY(auto const task, app.make(what, {}));
    std::vector<std::unique_ptr<work::runner>> runners;
    std::vector<work::runner*> all;
    for (auto* device : on) {
        runners.push_back(work::runner_on(app, *device, device->info().name));
        all.push_back(runners.back().get());
    }
    BLENDR_TRY(auto const done, work::run(*task, all));
    BLENDR_TRY(auto const files, task->files(done.results));
    return std::string{as_text(files.front().content)};
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
                   : std::filesystem::path{BLENDR_EXAMPLE_DIR} / "rides.csv";
    std::ifstream in{table, std::ios::binary};
    if (!in) return std::cerr << "analyse: cannot read " << table << '\n', 1;
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    auto const one = work::make_native_device(1), two = work::make_native_device(1);
    std::array<compute::device*, 2> const devices{one.get(), two.get()};
    work::order what;
    what.files.push_back({table.filename().string(), to_bytes(std::string_view{text})});
    if (count >= 3) {
        what.options = arguments[2];
        auto const said = ask(what, devices);
        if (!said) return std::cerr << "analyse: " << message(said.error()) << '\n', 1;
        std::cout << *said;
        return 0;
    }
    for (auto const* options :
         {R"({"ask": "group", "by": "city", "column": "fare", "unit_rows": 100})",
          R"({"ask": "quantiles", "column": "km", "unit_rows": 100})",
          R"({"ask": "histogram", "column": "km", "bins": 6, "unit_rows": 100})"}) {
        what.options = options;
        std::cout << options << '\n' << ask(what, devices).value() << '\n';
    }
    for (auto const* options : {R"({"ask": "sort", "column": "fare", "unit_rows": 100})",
                                R"({"ask": "prefix_sum", "column": "fare", "unit_rows": 100})"}) {
        what.options = options;
        auto const all = ask(what, devices).value();
        auto const last = all.rfind('\n', all.size() - 2) + 1;
        std::cout << options << "\nends with " << all.substr(last) << '\n';
    }
    text.replace(text.find("\n", 40), 1, "\nBern,seven,1\n");
    what.files[0].content = to_bytes(std::string_view{text});
    what.options = R"({"column": "km"})";
    auto const refused = ask(what, devices);
    std::cout << (refused ? "nothing is wrong?" : message(refused.error())) << '\n';
    return refused ? 1 : 0;
}
