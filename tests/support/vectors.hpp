// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <blendr/core/bytes.hpp>

namespace blendr::test {

/// What a frozen encoding looks like: a name without spaces, and the bytes.
using vector_list = std::vector<std::pair<std::string, bytes>>;

/// Compares `now` with tests/vectors/<file> ("name hex" a line, in order) and returns what differs,
/// a line each; empty when all is as frozen. With BLENDR_VECTORS=write in the environment it writes
/// the file instead and says so, which fails the test: regenerating is a reviewed decision.
std::string differs_from_frozen(std::string_view file, vector_list const& now);

}  // namespace blendr::test
