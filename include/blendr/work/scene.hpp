// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <blendr/core/bytes.hpp>
#include <blendr/core/codec.hpp>
#include <blendr/core/result.hpp>

#include <blendr/work/error.hpp>

namespace blendr::work {

/// A number in a scene: 20 bits behind the point. What a picture is made from holds no floats, so that it is the
/// same bytes everywhere.
inline constexpr int scene_bits = 20;
inline constexpr std::int64_t scene_one = std::int64_t{1} << scene_bits;
using scene_vector = std::array<std::int64_t, 3>;

/// Nothing lies further out than this along any axis: what keeps every product within 64 bits.
inline constexpr std::int64_t scene_edge = 64 * scene_one;

BOOST_DEFINE_FIXED_ENUM_CLASS(surface, std::uint8_t, diffuse, metal, glass, light)

struct material {
    surface kind = surface::diffuse;
    scene_vector colour{};  ///< what it reflects, lets through or sends out
    std::int64_t detail{};  ///< metal: roughness, 0 to 1; glass: refractive index
    friend bool operator==(material const&, material const&) = default;
};
BOOST_DESCRIBE_STRUCT(material, (), (kind, colour, detail))

struct sphere {
    scene_vector centre{};
    std::int64_t radius{};
    std::uint16_t of{};  ///< material
    friend bool operator==(sphere const&, sphere const&) = default;
};
BOOST_DESCRIBE_STRUCT(sphere, (), (centre, radius, of))

struct block {
    scene_vector low{}, high{};
    std::uint16_t of{};
    friend bool operator==(block const&, block const&) = default;
};
BOOST_DESCRIBE_STRUCT(block, (), (low, high, of))

struct triangle {
    scene_vector corner{}, edge1{}, edge2{};
    std::uint16_t of{};
    friend bool operator==(triangle const&, triangle const&) = default;
};
BOOST_DESCRIBE_STRUCT(triangle, (), (corner, edge1, edge2, of))

/// Where one looks from. `right` and `up` reach to the edge of a square picture one unit ahead.
struct camera {
    scene_vector from{}, forward{}, right{}, up{};
    std::int64_t aperture{};  ///< radius of the lens, in lengths of `right`; 0: everything is sharp
    std::int64_t focus{};     ///< how far away what is sharp lies
    friend bool operator==(camera const&, camera const&) = default;
};
BOOST_DESCRIBE_STRUCT(camera, (), (from, forward, right, up, aperture, focus))

struct sunlight {
    scene_vector towards{};  ///< of length one
    scene_vector colour{};
    std::int64_t size{};  ///< how far its light spreads, per unit of distance
    friend bool operator==(sunlight const&, sunlight const&) = default;
};
BOOST_DESCRIBE_STRUCT(sunlight, (), (towards, colour, size))

/// A scene, ready to be sent to whoever renders a part of it.
struct scene {
    camera eye{};
    scene_vector sky{}, horizon{};
    sunlight sun{};
    bounded<std::vector<material>, 256> materials{};
    bounded<std::vector<sphere>, 1024> spheres{};
    bounded<std::vector<block>, 1024> blocks{};
    bounded<std::vector<triangle>, 4096> triangles{};
    friend bool operator==(scene const&, scene const&) = default;
};
BOOST_DESCRIBE_STRUCT(scene, (), (eye, sky, horizon, sun, materials, spheres, blocks, triangles))

/// Reads a scene: one thing a line, `#` begins a comment. The problem names line and reason.
///
///     camera 0 1.6 6   look 0 0.8 0   angle 38   aperture 0.06   focus 6
///     sky 0.5 0.7 1   horizon 0.9 0.9 0.9
///     sun 1 2 1   colour 3 2.8 2.4   size 0.05
///     material wall diffuse 0.8 0.8 0.8
///     material gold metal 0.9 0.7 0.3 0.05
///     material pane glass 1 1 1 1.5
///     material lamp light 6 5 4
///     sphere 0 1 0 1 gold
///     box -8 -1 -8 8 0 8 wall
///     triangle 0 0 0  1 0 0  0 1 0 wall
///     vertex 0 0 0         # a mesh: vertices, counted from 1 …
///     face 1 2 3 wall      # … and triangles between them
result<scene, problem> parse_scene(std::string_view text);

/// Whether numbers of a scene that came from elsewhere lie where arithmetic on them cannot go wrong.
result<nothing, problem> check(scene const& what);

}  // namespace blendr::work
