// SPDX-License-Identifier: Apache-2.0
#include <blendr/work/png.hpp>

#include <algorithm>
#include <cstdlib>

#include <doctest/doctest.h>
#include <zlib.h>

#include <blendr/core/random.hpp>

using namespace blendr;
using namespace blendr::work;

namespace {

std::uint32_t number_at(bytes_view raw, std::size_t at)
{
    std::uint32_t v = 0;
    for (std::size_t k = 0; k < 4; ++k) v = v << 8 | std::to_integer<std::uint32_t>(raw[at + k]);
    return v;
}

/// Reads a PNG of the one kind that is written, checks every sum, and gives the pixels back.
bytes pixels_of(bytes_view png, std::uint32_t width, std::uint32_t height)
{
    std::size_t at = 8;
    bytes packed;
    std::string names;
    while (at < png.size()) {
        auto const size = number_at(png, at);
        names += as_text(png.subspan(at + 4, 4));
        auto const body = png.subspan(at + 8, size);
        auto const sum = crc32_z(0, reinterpret_cast<Bytef const*>(&png[at + 4]), size + 4);
        CHECK(number_at(png, at + 8 + size) == sum);
        if (names == "IHDR") {
            CHECK(number_at(body, 0) == width);
            CHECK(number_at(body, 4) == height);
        }
        if (names == "IHDRIDAT") packed = to_bytes(body);
        at += 12 + size;
    }
    CHECK(at == png.size());
    CHECK(names == "IHDRIDATIEND");
    std::size_t const row = std::size_t{3} * width;
    bytes lines((row + 1) * height);
    uLongf size = static_cast<uLongf>(lines.size());
    CHECK(uncompress(reinterpret_cast<Bytef*>(lines.data()), &size,
                     reinterpret_cast<Bytef const*>(packed.data()),
                     static_cast<uLong>(packed.size())) == Z_OK);
    CHECK(size == lines.size());
    bytes out(row * height);
    for (std::size_t y = 0; y < height; ++y) {
        CHECK(lines[y * (row + 1)] == std::byte{4});
        for (std::size_t k = 0; k < row; ++k) {
            int const a = k >= 3 ? std::to_integer<int>(out[y * row + k - 3]) : 0;
            int const b = y > 0 ? std::to_integer<int>(out[(y - 1) * row + k]) : 0;
            int const c = k >= 3 && y > 0 ? std::to_integer<int>(out[(y - 1) * row + k - 3]) : 0;
            int const p = a + b - c;
            int const pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
            int const likely = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
            out[y * row + k] =
                static_cast<std::byte>(std::to_integer<int>(lines[y * (row + 1) + 1 + k]) + likely);
        }
    }
    return out;
}

}  // namespace

TEST_CASE("png: what is read back is what was written, every sum in place")
{
    rng random{7};
    for (auto const& [width, height] : {std::pair{1u, 1u}, {1u, 9u}, {17u, 1u}, {33u, 21u}}) {
        bytes rgb(std::size_t{3} * width * height);
        for (auto& each : rgb) each = static_cast<std::byte>(random.below(256));
        CHECK(pixels_of(png_of(width, height, rgb), width, height) == rgb);
        std::fill(rgb.begin(), rgb.end(), std::byte{200});
        CHECK(pixels_of(png_of(width, height, rgb), width, height) == rgb);
    }
}
