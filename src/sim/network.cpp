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
    // Round trips in ms, from the row's place to the column's, in the order of the header's comment. Within a
    // place: between two of its buildings, 2 ms.
    static constexpr int rtt[10][10] = {
        {2, 34, 32, 123, 113, 118, 149, 185, 142, 144},
        {34, 2, 19, 92, 82, 107, 170, 215, 162, 130},
        {32, 19, 2, 98, 75, 87, 174, 215, 167, 119},
        {123, 92, 98, 2, 12, 29, 242, 260, 237, 196},
        {113, 82, 75, 12, 2, 26, 253, 272, 247, 186},
        {118, 107, 87, 29, 26, 2, 268, 281, 260, 205},
        {149, 170, 174, 245, 255, 268, 2, 124, 9, 293},
        {185, 215, 214, 260, 271, 285, 124, 2, 117, 329},
        {141, 164, 167, 237, 246, 259, 9, 117, 2, 286},
        {145, 128, 120, 196, 185, 206, 292, 326, 285, 2},
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
