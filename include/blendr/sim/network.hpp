// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace blendr::sim {

/// How long messages take. Times in microseconds.
struct network {
    /// One-way delay between regions; validator i lives in region i mod size.
    std::vector<std::vector<std::int64_t>> delay_us{{1000}};
    std::int64_t jitter_us = 0;          ///< uniform, on top
    std::uint64_t bytes_per_second = 0;  ///< a node's uplink; 0: no limit
    std::uint32_t lost_per_million = 0;
    std::uint32_t repeated_per_million = 0;

    std::int64_t between(std::uint32_t a, std::uint32_t b) const
    {
        auto const n = static_cast<std::uint32_t>(delay_us.size());
        return delay_us[a % n][b % n];
    }
};

/// Every message takes exactly this long.
network constant(std::int64_t delay_us);

/// One room: half a millisecond, 10 Gbit/s.
network lan();

/// Ten data centres on five continents, 1 Gbit/s: Dallas, Toronto, Washington, Frankfurt, London, Madrid,
/// Osaka, Sydney, Tokyo, Sao Paulo. A message takes half of the round trip that their operator measured on
/// average from 3 February to 3 March 2024 (IBM Cloud Docs, VPC, "Network latency dashboards").
network wan();

/// The same with one message in fifty lost, and jitter.
network lossy();

}  // namespace blendr::sim
