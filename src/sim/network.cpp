// SPDX-License-Identifier: Apache-2.0
#include <blendr/sim/network.hpp>

namespace blendr::sim {

network constant(std::int64_t delay_us)
{
    network n{};
    n.delay_us = {{delay_us}};
    return n;
}

network lan()
{
    network n{};
    n.delay_us = {{500}};
    n.jitter_us = 100;
    n.bytes_per_second = 1'250'000'000;
    return n;
}

network wan()
{
    // Typical round trips in ms between: Virginia, Oregon, Sao Paulo, Ireland, Frankfurt, Cape Town, Bahrain,
    // Mumbai, Tokyo, Sydney.
    static constexpr int rtt[10][10] = {
        {2, 62, 115, 68, 92, 226, 160, 190, 148, 198},
        {62, 2, 176, 125, 142, 276, 228, 220, 98, 140},
        {115, 176, 2, 178, 204, 340, 272, 300, 256, 312},
        {68, 125, 178, 2, 26, 158, 92, 122, 202, 256},
        {92, 142, 204, 26, 2, 154, 86, 112, 226, 250},
        {226, 276, 340, 158, 154, 2, 214, 264, 354, 402},
        {160, 228, 272, 92, 86, 214, 2, 36, 160, 188},
        {190, 220, 300, 122, 112, 264, 36, 2, 126, 152},
        {148, 98, 256, 202, 226, 354, 160, 126, 2, 106},
        {198, 140, 312, 256, 250, 402, 188, 152, 106, 2},
    };
    network n{};
    n.delay_us.assign(10, std::vector<std::int64_t>(10));
    for (std::size_t a = 0; a < 10; ++a)
        for (std::size_t b = 0; b < 10; ++b) n.delay_us[a][b] = rtt[a][b] * 500;
    n.jitter_us = 2000;
    n.bytes_per_second = 125'000'000;
    return n;
}

network lossy()
{
    auto n = wan();
    n.lost_per_million = 20'000;
    n.jitter_us = 20'000;
    return n;
}

}  // namespace blendr::sim
