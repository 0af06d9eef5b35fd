// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <support/support.hpp>

#include <blendr/compute/admission.hpp>

// The kernels in tests/vectors/compute: each compiled by glslc with -O0 for Vulkan 1.1 (name.spv) and with
// -O for Vulkan 1.3 (name.opt.spv) from glsl/name.comp. Those in hostile/ break a rule each.
namespace blendr::compute::test {

inline bytes read_file(std::filesystem::path const& path)
{
    std::ifstream file{path, std::ios::binary};
    std::string const text{std::istreambuf_iterator<char>{file}, {}};
    return to_bytes(text);
}

inline bytes bytes_of(std::vector<std::uint32_t> const& words)
{
    auto const raw = std::as_bytes(std::span{words});
    return {raw.begin(), raw.end()};
}

inline bytes kernel(std::string const& name)
{
    return read_file(blendr::test::data("vectors/compute/" + name + ".spv"));
}

/// Those in run/ are admitted, and do something that has to be watched.
inline bytes running(std::string const& name)
{
    return read_file(blendr::test::data("vectors/compute/run/" + name + ".spv"));
}

inline std::vector<std::pair<std::string, bytes>> hostile_kernels()
{
    std::vector<std::pair<std::string, bytes>> all;
    for (auto const& each :
         std::filesystem::directory_iterator{blendr::test::data("vectors/compute/hostile")}) {
        if (each.path().extension() == ".spv")
            all.emplace_back(each.path().stem().string(), read_file(each.path()));
    }
    std::sort(all.begin(), all.end());
    return all;
}

inline std::vector<std::pair<std::string, bytes>> kernels()
{
    std::vector<std::pair<std::string, bytes>> all;
    for (auto const& each :
         std::filesystem::directory_iterator{blendr::test::data("vectors/compute")}) {
        if (each.path().extension() == ".spv")
            all.emplace_back(each.path().stem().string(), read_file(each.path()));
    }
    std::sort(all.begin(), all.end());
    return all;
}

inline policy roomy(profile as)
{
    policy under;
    under.as = as;
    under.device.storage_buffers_max = 8;
    return under;
}

inline bytes patched(bytes raw, std::size_t word, std::uint32_t value)
{
    for (std::size_t k = 0; k < 4; ++k)
        raw.at(4 * word + k) = static_cast<std::byte>(value >> 8 * k);
    return raw;
}

inline std::uint32_t word_at(bytes const& raw, std::size_t word)
{
    std::uint32_t value = 0;
    for (std::size_t k = 4; k-- > 0;)
        value = value << 8 | std::to_integer<std::uint32_t>(raw.at(4 * word + k));
    return value;
}

}  // namespace blendr::compute::test
