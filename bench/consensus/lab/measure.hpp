// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lab {

/// One engine in one world, over several seeds: the average of what each run showed.
struct row {
    std::string engine{}, world{};
    std::uint32_t size{}, payload{};
    std::uint64_t seeds{};
    double blocks_per_s{}, mean_ms{}, p50_ms{}, p99_ms{}, messages{}, kbytes{}, recovery_ms{};
    double stale{};  ///< blocks that lost against others, of a hundred decided
    std::vector<std::int64_t> latencies{};
    std::string broken{};
};

struct runs {
    std::uint64_t from{};
    std::uint64_t seeds{};
    std::uint64_t blocks{};
};

row measure(std::string const& engine, std::string const& world, std::uint32_t size,
            std::uint32_t payload, runs const& w);

/// In milliseconds, of sorted microseconds.
double percentile(std::vector<std::int64_t> const& sorted, double p);

}  // namespace lab
