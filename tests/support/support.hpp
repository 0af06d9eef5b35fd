// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

/// What the shared main offers to every test.
namespace blendr::test {

/// Marks the running test case as skipped, with the reason; return from it afterwards. For what the
/// machine lacks (an instruction set, a GPU, a browser), never for what is broken.
void skip(std::string_view why);

/// The seed of property tests: BLENDR_TEST_SEED, or 1. Print it with INFO so that a failure names it.
std::uint64_t seed();

/// A file or folder of the source tree's tests/, say data("vectors/codec.json").
std::filesystem::path data(std::string_view below_tests);

/// An empty directory of this process, removed when it ends.
std::filesystem::path scratch(std::string_view name);

}  // namespace blendr::test
