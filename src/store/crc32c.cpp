// SPDX-License-Identifier: Apache-2.0
#include "store/crc32c.hpp"

#include <array>
#include <cstring>

namespace blendr::store {
namespace {

constexpr auto table = [] {
    std::array<std::uint32_t, 256> out{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78u : 0u);
        out[i] = value;
    }
    return out;
}();

std::uint32_t by_table(std::uint32_t crc, bytes_view data) noexcept
{
    for (auto const b : data)
        crc = crc >> 8 ^ table[(crc ^ std::to_integer<std::uint32_t>(b)) & 0xff];
    return crc;
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] std::uint32_t by_instruction(std::uint32_t crc, bytes_view data) noexcept
{
    std::uint64_t wide = crc;
    while (data.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, data.data(), 8);
        wide = __builtin_ia32_crc32di(wide, word);
        data = data.subspan(8);
    }
    auto narrow = static_cast<std::uint32_t>(wide);
    for (auto const b : data)
        narrow = __builtin_ia32_crc32qi(narrow, std::to_integer<std::uint8_t>(b));
    return narrow;
}
#endif

}  // namespace

std::uint32_t crc32c(std::uint32_t before, bytes_view data) noexcept
{
#if defined(__x86_64__)
    static bool const has = __builtin_cpu_supports("sse4.2");
    if (has) return ~by_instruction(~before, data);
#endif
    return ~by_table(~before, data);
}

}  // namespace blendr::store
