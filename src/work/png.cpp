// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/png.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <zlib.h>

#include <blendr/core/assert.hpp>

namespace blendr::work {
namespace {

void put(bytes& out, std::uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(v >> shift));
}

void chunk(bytes& out, std::string_view name, bytes_view body)
{
    put(out, static_cast<std::uint32_t>(body.size()));
    auto const from = out.size();
    auto const raw = as_bytes(name);
    out.insert(out.end(), raw.begin(), raw.end());
    out.insert(out.end(), body.begin(), body.end());
    auto const sum =
        crc32_z(0, reinterpret_cast<Bytef const*>(out.data() + from), out.size() - from);
    put(out, static_cast<std::uint32_t>(sum));
}

/// What a pixel's neighbours above and to the left make likely.
int paeth(int left, int above, int corner)
{
    int const guess = left + above - corner;
    int const a = std::abs(guess - left), b = std::abs(guess - above), c = std::abs(guess - corner);
    return a <= b && a <= c ? left : b <= c ? above : corner;
}

}  // namespace

bytes png_of(std::uint32_t width, std::uint32_t height, bytes_view rgb)
{
    BLENDR_ASSERT(width != 0 && height != 0 && rgb.size() == std::size_t{3} * width * height);
    bytes out;
    for (unsigned const each : {0x89u, 0x50u, 0x4Eu, 0x47u, 0x0Du, 0x0Au, 0x1Au, 0x0Au})
        out.push_back(static_cast<std::byte>(each));
    bytes head;
    put(head, width);
    put(head, height);
    for (unsigned const each : {8u, 2u, 0u, 0u, 0u}) head.push_back(static_cast<std::byte>(each));
    chunk(out, "IHDR", head);

    std::size_t const row = std::size_t{3} * width;
    bytes lines((row + 1) * height);
    for (std::size_t y = 0; y < height; ++y) {
        auto* to = lines.data() + y * (row + 1);
        *to++ = std::byte{4};
        for (std::size_t k = 0; k < row; ++k) {
            auto const at = [&](bool there, std::size_t back) {
                return there ? std::to_integer<int>(rgb[y * row + k - back]) : 0;
            };
            auto const likely = paeth(at(k >= 3, 3), at(y > 0, row), at(k >= 3 && y > 0, row + 3));
            *to++ = static_cast<std::byte>(std::to_integer<int>(rgb[y * row + k]) - likely);
        }
    }
    uLongf size = compressBound(static_cast<uLong>(lines.size()));
    bytes packed(size);
    auto const code = compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                                reinterpret_cast<Bytef const*>(lines.data()),
                                static_cast<uLong>(lines.size()), 6);
    BLENDR_ASSERT(code == Z_OK);
    chunk(out, "IDAT", bytes_view{packed}.first(size));
    chunk(out, "IEND", {});
    return out;
}

}  // namespace blendr::work
