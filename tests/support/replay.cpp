// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer, so that every compiler and every test run sees its corpus: each
// input as it is, cut short at every length, and with single bytes changed by a fixed rule.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace {

constexpr std::size_t variants_max = 256;

std::uint64_t calls = 0;

void feed(std::vector<std::uint8_t> const& input, std::size_t size)
{
    // A copy of the exact size, so that reading past the end is seen.
    std::vector<std::uint8_t> exact(input.begin(),
                                    input.begin() + static_cast<std::ptrdiff_t>(size));
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
    ++calls;
}

void replay(std::vector<std::uint8_t> input)
{
    feed(input, input.size());
    std::size_t const step = std::max<std::size_t>(1, input.size() / variants_max);
    for (std::size_t at = 0; at < input.size(); at += step) {
        feed(input, at);
        auto const kept = input[at];
        input[at] = static_cast<std::uint8_t>(kept ^ (1u << (at % 8)));
        feed(input, input.size());
        input[at] = 0xff;
        feed(input, input.size());
        input[at] = kept;
    }
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::cerr << "usage: " << argv[0] << " CORPUS_DIRECTORY\n";
        return EXIT_FAILURE;
    }
    std::vector<std::filesystem::path> files;
    for (auto const& entry : std::filesystem::directory_iterator{argv[1]}) {
        if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    if (files.empty()) {
        std::cerr << argv[1] << " holds no input\n";
        return EXIT_FAILURE;
    }
    replay({});
    for (auto const& file : files) {
        std::ifstream in{file, std::ios::binary};
        replay({std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}});
    }
    std::cout << files.size() << " inputs, " << calls << " calls\n";
    return EXIT_SUCCESS;
}
