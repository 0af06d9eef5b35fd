// SPDX-License-Identifier: Apache-2.0
#include <support/vectors.hpp>

#include <support/support.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace blendr::test {

std::string differs_from_frozen(std::string_view file, vector_list const& now)
{
    auto const path = data("vectors") / file;
    std::vector<std::string> lines;
    for (auto const& [name, raw] : now) lines.push_back(name + ' ' + to_hex(raw));

    char const* const mode = std::getenv("BLENDR_VECTORS");
    if (mode != nullptr && std::string_view{mode} == "write") {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream out{path};
        for (auto const& line : lines) out << line << '\n';
        return (out.flush() ? "wrote " : "could not write ") + path.string();
    }

    std::ifstream in{path};
    if (!in) return path.string() + " cannot be read; BLENDR_VECTORS=write makes it";
    std::vector<std::string> frozen;
    for (std::string line; std::getline(in, line);) frozen.push_back(line);

    std::string out;
    for (std::size_t i = 0; i < std::max(lines.size(), frozen.size()); ++i) {
        std::string const is = i < lines.size() ? lines[i] : "(nothing)";
        std::string const was = i < frozen.size() ? frozen[i] : "(nothing)";
        if (is != was)
            out += "line " + std::to_string(i + 1) + " was " + was + " and is " + is + '\n';
    }
    return out;
}

}  // namespace blendr::test
