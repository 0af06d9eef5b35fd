// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

namespace example {

struct network_options {
    std::filesystem::path program{};    ///< CometBFT
    std::filesystem::path node{};       ///< this program
    std::filesystem::path directory{};  ///< for homes and logs
    std::uint64_t blocks = 200;
};

/// Four validators with a CometBFT and an application each: payments, orders, a bond that changes weights, one node killed
/// and restarted, one that joins late. Compares every application hash, also with those of a replay
/// by engines of this library. Prints what it sees; 0 when all of it holds.
int run_network(network_options const& chosen);

}  // namespace example
